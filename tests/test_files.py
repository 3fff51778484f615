"""Files that are read and written for others: links, leftovers, kills, and packs that are none."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.files import publish_bytes
from wyoming_tts.presets import Preset, Presets, save_preset
from wyoming_tts.voices import MOST_BYTES, STYLE_SHAPE, load_pack, write_arrays

ROUNDS = int(os.environ.get("KILLS", "5"))
"""How often a process is killed; the figures in docs/reliability.md are of 200."""

posix = pytest.mark.skipif(os.name == "nt", reason="links and signals as Unix has them")


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".partial")]


@posix
def test_a_link_is_followed(tmp_path: Path) -> None:
    """Who keeps a file elsewhere, and links to it, finds it changed there, and the link as it was."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").mkdir()
    link = tmp_path / "data" / "voices.toml"
    link.symlink_to(Path("..") / "elsewhere" / "own.toml")
    save_preset(link, "night", Preset(voice="af_bella"))
    assert link.is_symlink()
    assert "night" in (tmp_path / "elsewhere" / "own.toml").read_text()
    assert leftovers(tmp_path / "data") == leftovers(tmp_path / "elsewhere") == []


@posix
def test_a_link_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    """A circle, and a folder that cannot be written to, are told, and nothing is damaged."""
    link = tmp_path / "voices.toml"
    link.symlink_to(link)
    with pytest.raises(OSError, match=r"loop|levels"):
        publish_bytes(link, b"x")
    link.unlink()
    link.symlink_to("/proc/voices.toml")
    with pytest.raises(OSError, match=r"voices\.toml"):
        publish_bytes(link, b"x")
    assert link.is_symlink()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_a_strangers_link_is_not_followed(tmp_path: Path) -> None:
    """In a folder where others may write, their link leads the server to no other file."""
    (tmp_path / "precious").write_text("as it was")
    link = tmp_path / "lexicon.toml"
    link.symlink_to(tmp_path / "precious")
    os.lchown(link, 12345, 12345)
    with pytest.raises(OSError, match="somebody else"):
        publish_bytes(link, b"x")
    assert (tmp_path / "precious").read_text() == "as it was"


def test_threads_do_not_mix_their_files(tmp_path: Path) -> None:
    """Of files that are written at the same time one is there, whole."""
    target = tmp_path / "file"
    contents = [bytes([letter]) * 300_000 for letter in b"abcd"]
    threads = [threading.Thread(target=publish_bytes, args=(target, content)) for content in contents * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_bytes() in contents
    assert leftovers(tmp_path) == []


def test_what_killed_processes_left_goes(tmp_path: Path) -> None:
    """Old leftovers of the file go; those that may still be written, and other files', stay."""
    long_ago = time.time() - 1000
    for name in (".file.77-1.partial", ".file.78.partial", ".other.77-1.partial"):
        (tmp_path / name).write_bytes(b"half")
        os.utime(tmp_path / name, (long_ago, long_ago))
    (tmp_path / ".file.79-1.partial").write_bytes(b"half")
    publish_bytes(tmp_path / "file", b"x")
    assert sorted(leftovers(tmp_path)) == [".file.79-1.partial", ".other.77-1.partial"]


@posix
def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """What could not be written whole is not left behind."""
    program = (
        "import resource, signal, sys; from pathlib import Path; from wyoming_tts.files import publish_bytes;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "publish_bytes(Path(sys.argv[1]), bytes(9999))"
    )
    target = tmp_path / "file"
    target.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", program, target], capture_output=True, text=True, check=False
    )
    assert "File too large" in done.stderr
    assert target.read_bytes() == b"old"
    assert leftovers(tmp_path) == []


WRITER = """
import sys
from pathlib import Path
from wyoming_tts.presets import Preset, save_preset
print("ready", flush=True)
for number in range(10**9):
    save_preset(Path(sys.argv[1]), f"voice-{number % 40}", Preset(voice="af_bella", description="x" * 2000))
"""


@posix
def test_kills_leave_voices_whole(tmp_path: Path) -> None:
    """Whenever the server is killed while it saves a voice, the file is that of before or behind it."""
    path, rng, left = tmp_path / "voices.toml", random.Random(1), 0
    for _ in range(ROUNDS):
        process = subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(rng.uniform(0.05, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        presets = Presets(path).current()
        assert presets
        assert all(one.description == "x" * 2000 for one in presets.values())
        for name in leftovers(tmp_path):
            left += 1
            os.utime(tmp_path / name, (1, 1))  # as if it was an hour later
    save_preset(path, "last", Preset(voice="af_bella"))
    assert leftovers(tmp_path) == []


def npz(path: Path, members: dict[str, bytes], **options: Any) -> None:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def npy(shape: tuple[int, ...], kind: str = "<f2", data: bytes = b"") -> bytes:
    """An array whose header says what it likes."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": kind, "fortran_order": False, "shape": shape})
    return content.getvalue() + data


class Danger:
    """Runs a command where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch danger",)


def objects() -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.array([Danger()], object), allow_pickle=True)
    return content.getvalue()


STYLE = np.zeros(STYLE_SHAPE, np.float16).tobytes()
DEFLATED = {"compression": zipfile.ZIP_DEFLATED}

BAD_PACKS: dict[str, Callable[[Path], object]] = {
    "pickle": lambda path: path.write_bytes(pickle.dumps(Danger())),
    "pickled array": lambda path: npz(path, {"style.npy": objects()}),
    "pickle beside it": lambda path: npz(
        path, {"style.npy": npy(STYLE_SHAPE, data=STYLE), "more.npy": objects()}
    ),
    "bomb": lambda path: npz(path, {"style.npy": npy((1 << 27,), data=bytes(1 << 28))}, **DEFLATED),
    "many": lambda path: npz(
        path, {f"{number}.npy": npy((1 << 20,), data=bytes(1 << 21)) for number in range(9)}, **DEFLATED
    ),
    "many small": lambda path: npz(path, {f"{number}.npy": b"" for number in range(5000)}),
    "false header": lambda path: npz(path, {"style.npy": npy((1 << 50,), data=STYLE)}),
    "negative header": lambda path: npz(path, {"style.npy": npy((-510, -256), data=STYLE)}),
    "huge header": lambda path: npz(path, {"style.npy": b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535}),
    "lzma": lambda path: npz(path, {"style.npy": npy(STYLE_SHAPE, data=STYLE)}, compression=zipfile.ZIP_LZMA),
    "no array": lambda path: npz(path, {"../../style.npy": b"x"}),
    "cut": lambda path: path.write_bytes(_cut(path)),
    "tar": lambda path: path.write_bytes(b"\0" * 10240),
    "empty": lambda path: path.write_bytes(b""),
    "folder": lambda path: path.mkdir(),
}


def _cut(path: Path) -> bytes:
    write_arrays(path, {"style": np.zeros(STYLE_SHAPE, np.float16)})
    return path.read_bytes()[:-5000]


def lying(path: Path) -> None:
    """A pack whose directory says that a member is small, and it is not."""
    npz(path, {"style.npy": npy((1 << 26,), data=bytes(1 << 27))}, **DEFLATED)
    data = bytearray(path.read_bytes())
    size = (len(npy((1 << 26,))) + (1 << 27)).to_bytes(4, "little")
    while (at := data.find(size)) >= 0:
        data[at : at + 4] = (MOST_BYTES - 1).to_bytes(4, "little")
    path.write_bytes(data)


@pytest.mark.parametrize("kind", [*BAD_PACKS, "lying"])
def test_packs_that_are_none(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a file holds, it is refused by name; nothing in it runs, and it takes little memory."""
    import tracemalloc

    monkeypatch.chdir(tmp_path)
    (BAD_PACKS.get(kind) or lying)(tmp_path / "voice.npz")
    tracemalloc.start()
    try:
        with pytest.raises(BackendUnavailableError, match=r"voice\.npz"):
            load_pack("voice", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 3 * MOST_BYTES
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "danger").exists()


def test_damaged_packs_are_refused_or_whole(tmp_path: Path) -> None:
    """Over bytes changed at random, a pack is refused with its name, or still one."""
    write_arrays(tmp_path / "voice.npz", {"style": np.ones(STYLE_SHAPE, np.float16)})
    data, rng = (tmp_path / "voice.npz").read_bytes(), random.Random(2)
    edge = [*range(200), *range(len(data) - 200, len(data))]
    for _ in range(400):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 3))):
            changed[rng.choice(edge)] = rng.randrange(256)
        (tmp_path / "voice.npz").write_bytes(changed)
        with contextlib.suppress(BackendUnavailableError):
            assert load_pack("voice", tmp_path).styles.shape == STYLE_SHAPE


@pytest.mark.parametrize("name", ["../voice", "/etc/passwd", "a/b", "", "a\0b", ".hidden", "a" * 65, "ａ"])
def test_names_are_no_paths(tmp_path: Path, name: str) -> None:
    """A voice's name leads to no other folder."""
    with pytest.raises(BackendUnavailableError, match="cannot be the name"):
        load_pack(name, tmp_path)
