"""Names that would be paths, links in the data directory, and writers that come at the same time."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes import ScriptedBackend
from tests.http import Served, http_serving
from wyoming_tts.voices import load_catalogue

KOKORO = [dataclasses.replace(voice, backend="scripted") for voice in load_catalogue().voices()[:3]]

NAMES = (
    *("../x", "..", ".", "/etc/passwd", "a/b", "a\\b", "a\0b", "a\nb", "", " ", ".hidden", "-", "x" * 65),
    *("a\u202eb", "ａ", "\u2024\u2024/x", "..%2fx", "%2e%2e", "a\u0000.npz", "é", "af_heart\n", "x/", "C:x"),
)
"""Paths, marks that end names, look-alikes, and what is decoded twice into one of them."""


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory inside of one that must stay as it is."""
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_no_paths(data: Path, tmp_path: Path, name: str) -> None:
    """No name makes, reads or removes a file of its own, in whichever request it comes."""
    async with http_serving(data, ScriptedBackend(voices=KOKORO)) as served:
        client = served.client
        for path, body in (
            ("/v1/audio/voices", {"name": name, "voice": "af_heart"}),
            ("/v1/audio/voices/combine", {"name": name, "voices": "af_heart"}),
        ):
            assert (await client.post(path, json=body)).status_code in (400, 422), path
        named: tuple[tuple[str, dict[str, Any]], ...] = (
            ("/v1/audio/voices", {"name": "x", "voice": name}),
            ("/v1/audio/voices/combine", {"voices": name}),
            ("/v1/audio/voices/combine", {"voices": [name, "af_heart"]}),
            ("/v1/audio/voices/combine", {"voices": f"{name}(2)+af_heart(1)"}),
        )
        for path, wished in named:
            answer = await client.post(path, json=wished)
            assert answer.status_code < 500, (path, wished)  # blank is the default voice, and blanks are cut
        gone = await client.delete(f"/v1/audio/voices/{quote(name, safe='')}")
        assert gone.status_code in (307, 400, 404, 405)
    assert entries(tmp_path) <= {"data", "voices.toml"}


def lexicon(word: str, size: int = 0) -> str:
    return f'[[entry]]\ntext = "{word}"\nsay = "word"\n#{"x" * size}\n'


async def saved(served: Served, text: str) -> int:
    return (await served.client.put("/studio/lexicon", json={"text": text})).status_code


@pytest.mark.skipif(os.name == "nt", reason="links as Unix has them")
async def test_linked_files_are_changed_where_they_are(data: Path, tmp_path: Path) -> None:
    """Lexicon and voices may be links of the household's own, and stay those."""
    own = tmp_path / "own"
    own.mkdir()
    for name in ("lexicon.toml", "voices.toml"):
        (own / name).write_text("# ours\n")
        (data / name).symlink_to(own / name)
    async with http_serving(data, ScriptedBackend(voices=KOKORO)) as served:
        assert await saved(served, lexicon("Anna")) == 200
        assert (await served.client.get("/studio/lexicon")).json()["entries"] == 1
        body = {"name": "night", "voice": "af_heart"}
        assert (await served.client.post("/v1/audio/voices", json=body)).status_code == 201
        assert (await served.client.delete("/v1/audio/voices/night")).status_code == 204
    assert "Anna" in (own / "lexicon.toml").read_text()
    assert (own / "voices.toml").read_text() == "# ours\n"
    assert all((data / name).is_symlink() for name in ("lexicon.toml", "voices.toml"))
    assert entries(data) == entries(own) == {"lexicon.toml", "voices.toml"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
async def test_links_of_strangers_are_not_written_through(data: Path, tmp_path: Path) -> None:
    """Whoever else may write into the folder does not lead the server to another file by it."""
    for name in ("lexicon.toml", "voices.toml"):
        (tmp_path / f"precious-{name}").write_text("# as it was\n")
        (data / name).symlink_to(tmp_path / f"precious-{name}")
        os.lchown(data / name, 12345, 12345)
    async with http_serving(data, ScriptedBackend(voices=KOKORO)) as served:
        assert await saved(served, lexicon("Anna")) == 400
        body = {"name": "night", "voice": "af_heart"}
        assert (await served.client.post("/v1/audio/voices", json=body)).status_code == 400
    for name in ("lexicon.toml", "voices.toml"):
        assert (tmp_path / f"precious-{name}").read_text() == "# as it was\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices as Unix has them")
@pytest.mark.parametrize("kind", ["pipe", "endless", "folder"])
async def test_what_is_no_file_keeps_nobody_waiting(data: Path, kind: str) -> None:
    """A pipe, a device or a folder in a file's place is told, and speech goes on."""
    for name in ("lexicon.toml", "voices.toml"):
        match kind:
            case "pipe":
                os.mkfifo(data / name)
            case "endless":
                (data / name).symlink_to("/dev/zero")
            case _:
                (data / name).mkdir()
    async with http_serving(data, ScriptedBackend(voices=KOKORO)) as served, asyncio.timeout(20):
        assert (await served.speak()).status_code == 200
        assert (await served.client.get("/studio/lexicon")).status_code == 400
        body = {"name": "night", "voice": "af_heart"}
        assert (await served.client.post("/v1/audio/voices", json=body)).status_code == 400


async def test_who_saves_at_the_same_time_saves_whole_files(data: Path) -> None:
    """Of many who save, one is last; nobody's lexicon is another's in part, and no voice is lost."""
    async with http_serving(data, ScriptedBackend(voices=KOKORO)) as served:
        texts = [lexicon(f"word{number}", 50_000 + number) for number in range(12)]
        voices = [{"name": f"voice{number}", "voice": "af_heart"} for number in range(12)]
        made = await asyncio.gather(
            *(saved(served, text) for text in texts),
            *(served.client.post("/v1/audio/voices", json=voice) for voice in voices),
        )
        assert made[:12] == [200] * 12
        listed = (await served.client.get("/v1/audio/voices", params={"legacy": "true"})).json()["voices"]
    assert (data / "lexicon.toml").read_text() in texts
    assert {voice["name"] for voice in voices} <= set(listed)
    assert entries(data) == {"lexicon.toml", "voices.toml"}
