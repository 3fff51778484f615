"""What is derived from a model is kept, and a half or damaged copy is never used."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from wyoming_tts.errors import BackendUnavailableError, SynthesisError
from wyoming_tts.models import Weights
from wyoming_tts.prepared import Derive, prepared

CONTENT = b"the model " * 1000
NAMES = ("front.onnx", "generator.onnx")


class Counting:
    """A derivation that notes how often it ran."""

    def __init__(self) -> None:
        self.runs = 0

    def __call__(self, data: bytes, directory: Path) -> None:
        self.runs += 1
        for name in NAMES:
            (directory / name).write_bytes(name.encode() + data)


@pytest.fixture
def weights(tmp_path: Path) -> Weights:
    path = tmp_path / "model.onnx"
    path.write_bytes(CONTENT)
    return Weights("model.onnx", hashlib.sha256(CONTENT).hexdigest(), (path,), str(path))


def use(weights: Weights, data_dir: Path, derive: Derive, recipe: str = "1") -> Path:
    """Prepare, check that the files are what they must be, and return where they are."""
    with prepared(weights, recipe=recipe, derive=derive, names=NAMES, data_dir=data_dir) as directory:
        for name in NAMES:
            assert (directory / name).read_bytes() == name.encode() + CONTENT
    return directory


def entries(data_dir: Path) -> set[str]:
    return {path.name for path in (data_dir / "prepared").iterdir()} - {"lock"}


def test_second_start_uses_the_first_ones_files(weights: Weights, tmp_path: Path) -> None:
    """Files are derived once and kept under a key of the source and the recipe, with nothing beside them."""
    derive = Counting()
    first = use(weights, tmp_path, derive)
    assert use(weights, tmp_path, derive) == first
    assert derive.runs == 1
    assert entries(tmp_path) == {f"{weights.sha256[:16]}-1"}
    assert first.is_dir()


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: (path / NAMES[1]).unlink(), id="missing file"),
        pytest.param(lambda path: os.truncate(path / NAMES[1], 100), id="truncated file"),
        pytest.param(
            lambda path: (path / NAMES[0]).write_bytes(NAMES[1].encode() + CONTENT), id="changed file"
        ),
        pytest.param(lambda path: (path / "manifest.json").unlink(), id="no manifest"),
        pytest.param(lambda path: (path / "manifest.json").write_bytes(b"\xff{"), id="bad manifest"),
        pytest.param(lambda path: path.rename(path.parent / "gone"), id="missing folder"),
        pytest.param(
            lambda path: (path.rename(path.parent / "gone"), path.write_bytes(b"")), id="file for folder"
        ),
    ],
)
def test_damage_is_repaired(weights: Weights, tmp_path: Path, damage: Derive) -> None:
    """Whatever happened to the kept files, the next start makes them again, once."""
    derive = Counting()
    damage(use(weights, tmp_path, derive))  # type: ignore[call-arg, arg-type]
    use(weights, tmp_path, derive)
    use(weights, tmp_path, derive)
    assert derive.runs == 2
    assert entries(tmp_path) - {"gone"} == {f"{weights.sha256[:16]}-1"}


def test_changed_byte_of_same_size_and_time_is_noticed(weights: Weights, tmp_path: Path) -> None:
    """Damage that leaves size and time alone is found by the checksum."""
    derive = Counting()
    path = use(weights, tmp_path, derive) / NAMES[0]
    times = path.stat()
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    use(weights, tmp_path, derive)
    assert derive.runs == 2


def test_old_recipes_are_removed_when_unused(weights: Weights, tmp_path: Path) -> None:
    """A new recipe replaces an old one's files, unless they were used within the hour; others' files stay."""
    unused = use(weights, tmp_path, Counting(), "1")
    recent = use(weights, tmp_path, Counting(), "2")
    an_hour_ago = time.time() - 4000
    os.utime(unused / "manifest.json", (an_hour_ago, an_hour_ago))
    (tmp_path / "prepared" / "notes").mkdir()
    new = use(weights, tmp_path, Counting(), "3")
    assert entries(tmp_path) == {recent.name, new.name, "notes"}


def test_using_files_keeps_them(weights: Weights, tmp_path: Path) -> None:
    """A start notes that the files are in use, also when it does not make them."""
    kept = use(weights, tmp_path, Counting(), "1")
    an_hour_ago = time.time() - 4000
    os.utime(kept / "manifest.json", (an_hour_ago, an_hour_ago))
    use(weights, tmp_path, Counting(), "1")
    use(weights, tmp_path, Counting(), "2")
    assert kept.is_dir()


def test_other_models_files_stay(weights: Weights, tmp_path: Path) -> None:
    """Two models that take turns keep their files."""
    path = tmp_path / "other.onnx"
    path.write_bytes(b"other")
    other = Weights("other", hashlib.sha256(b"other").hexdigest(), (path,), str(path))

    def derive(data: bytes, directory: Path) -> None:
        (directory / "graph").write_bytes(data)

    with prepared(other, recipe="1", derive=derive, names=["graph"], data_dir=tmp_path) as kept:
        pass
    an_hour_ago = time.time() - 4000
    os.utime(kept / "manifest.json", (an_hour_ago, an_hour_ago))
    use(weights, tmp_path, Counting(), "1")
    assert (kept / "graph").read_bytes() == b"other"


def test_unwritable_data_directory(
    weights: Weights, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing can be kept, the files are made for this run, with a warning, and then removed."""
    (tmp_path / "data").write_text("a file where the directory should be")
    directory = use(weights, tmp_path / "data", Counting())
    assert not directory.exists()
    assert str(tmp_path / "data") in caplog.text


def test_failure_in_the_body_is_not_taken_for_an_unwritable_directory(
    weights: Weights, tmp_path: Path
) -> None:
    """An error of whoever loads the files passes through, and they are not derived again."""
    derive = Counting()
    for data_dir in (tmp_path, tmp_path / "model.onnx"):
        with (
            pytest.raises(FileNotFoundError, match="loading"),
            prepared(weights, recipe="1", derive=derive, names=NAMES, data_dir=data_dir),
        ):
            raise FileNotFoundError("loading")
    assert derive.runs == 2


def test_foreign_model_is_named(weights: Weights, tmp_path: Path) -> None:
    """What a derivation raises over a model that it cannot read becomes our error with the model's name."""

    def derive(data: bytes, directory: Path) -> None:
        raise ValueError("no such node")

    with pytest.raises(BackendUnavailableError, match="no such node") as caught:
        use(weights, tmp_path, derive)
    assert weights.source in str(caught.value)
    assert entries(tmp_path) == set()


def test_our_errors_pass(weights: Weights, tmp_path: Path) -> None:
    """A derivation's own error is not wrapped."""

    def derive(data: bytes, directory: Path) -> None:
        raise SynthesisError("as it is")

    with pytest.raises(SynthesisError, match=r"^as it is$"):
        use(weights, tmp_path, derive)


def test_damaged_source_is_refused(weights: Weights, tmp_path: Path) -> None:
    """Nothing is derived from a model file that is not what it was when it was found."""
    weights.paths[0].write_bytes(b"changed")
    derive = Counting()
    with pytest.raises(BackendUnavailableError, match=r"model\.onnx changed"):
        use(weights, tmp_path, derive)
    assert derive.runs == 0


PROGRAM = textwrap.dedent(
    """
    import logging, os, resource, sys, time
    from pathlib import Path
    from wyoming_tts.models import Weights
    from wyoming_tts.prepared import prepared

    model, sha256, data_dir, mode = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    names = ("front.onnx", "generator.onnx")

    def derive(data, directory):
        with open("runs", "a") as file:
            file.write("x")
        if mode == "full" and str(directory).startswith(data_dir):
            resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        (directory / names[0]).write_bytes(names[0].encode() + data)
        if mode == "wait":
            print("deriving", flush=True)
            sys.stdin.readline()
        (directory / names[1]).write_bytes(names[1].encode() + data)

    weights = Weights("model.onnx", sha256, (Path(model),), model)
    with prepared(weights, recipe="1", derive=derive, names=names, data_dir=Path(data_dir)) as directory:
        for name in names:
            assert (directory / name).read_bytes() == name.encode() + Path(model).read_bytes()
    print("done", flush=True)
    """
)


def start(weights: Weights, data_dir: Path, mode: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, str(weights.paths[0]), weights.sha256, str(data_dir), mode]
    pipe = subprocess.PIPE
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=data_dir, env=environment
    )


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_killed_while_deriving(weights: Weights, tmp_path: Path) -> None:
    """A process killed in the middle leaves nothing that the next one takes for whole, or keeps."""
    with start(weights, tmp_path, "wait") as process:
        assert next_line(process) == "deriving"
        assert any(name.endswith(".tmp") for name in entries(tmp_path))
        process.send_signal(signal.SIGKILL)
    derive = Counting()
    use(weights, tmp_path, derive)
    assert derive.runs == 1
    assert entries(tmp_path) == {f"{weights.sha256[:16]}-1"}


def test_two_processes_derive_once(weights: Weights, tmp_path: Path) -> None:
    """Of two processes that start at once, one derives and the other waits and uses its files."""
    with start(weights, tmp_path, "wait") as first:
        assert next_line(first) == "deriving"
        with start(weights, tmp_path, "go") as second:
            assert second.stderr is not None
            assert "Waiting for another process" in second.stderr.readline()
            assert first.stdin is not None
            first.stdin.write("go on\n")
            first.stdin.flush()
            assert next_line(first) == "done"
            assert next_line(second) == "done"
            second.communicate()
        first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert (tmp_path / "runs").read_text() == "x"


@pytest.mark.skipif(os.name == "nt", reason="limits on file size are Unix's")
def test_full_disk(weights: Weights, tmp_path: Path) -> None:
    """When the data directory is full, the files are made elsewhere for this run and no half ones stay."""
    process = start(weights, tmp_path, "full")
    output, errors = process.communicate()
    assert output == "done\n", errors
    assert "WARNING" in errors
    assert (tmp_path / "runs").read_text() == "xx"
    assert entries(tmp_path) == set()
