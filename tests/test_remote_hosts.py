"""What a service behind HTTP must not bring about: keys at another host, memory without end."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.remote import alltalk, elevenlabs, openai, said, seconds, started
from tests.upstream import AllTalk, ElevenLabs, Exchange, Fault, OpenAI, Upstream, running
from wyoming_tts.backends.remote import Remote, RemoteOptions
from wyoming_tts.errors import BackendError, BackendUnavailableError, SynthesisError

KEY = "key-that-no-stranger-gets-314159"

Made = Callable[[str, Path], Any]
SERVICES: dict[str, tuple[Callable[[], Any], Made]] = {
    "openai": (OpenAI, lambda url, path: openai(url, api_key=KEY, data_dir=path)),
    "elevenlabs": (ElevenLabs, lambda url, path: elevenlabs(url, path, api_key=KEY)),
    "alltalk": (AllTalk, lambda url, path: alltalk(url.replace("//", f"//user:{KEY}@"), data_dir=path)),
}

ELSEWHERE = (
    "http://127.0.0.1:{port}/x",
    "//127.0.0.1:{port}/x",
    "http://localhost:{port}/x",
    "http://{here}@127.0.0.1:{port}/x",
    "http://127.0.0.1:{port}\\@{here}/x",
    "https://{here}/x",
    "file:///etc/passwd",
    "ftp://127.0.0.1:{port}/x",
    "http://[::1/x",
    "http://:80:80/",
    "\x01//127.0.0.1:{port}/x",
)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> tuple[Any, Made]:
    contract, made = SERVICES[request.param]
    return contract(), made


async def nobody(x: Exchange) -> None:
    await x.answer(b"")


def leads_to(place: str, status: int) -> Fault:
    async def fault(x: Exchange, pcm: bytes) -> None:
        await x.answer(b"", status, "text/plain", headers={"Location": place})

    return fault


def place_of(pattern: str, stranger: Upstream, upstream: Upstream) -> str:
    return pattern.format(port=stranger.port, here=f"127.0.0.1:{upstream.port}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_take_no_key_along(
    service: tuple[Any, Made], tmp_path: Path, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Wherever an answer points to, the other host gets nothing, and the message has no key."""
    contract, made = service

    async def at_home(x: Exchange) -> None:
        await (x.answer(b"", 404) if x.path.endswith("/x") else contract(x))

    async with running(nobody) as stranger, running(at_home) as upstream:
        async with started(made(upstream.url, tmp_path)) as backend:
            for pattern in ELSEWHERE:
                contract.faults = [leads_to(place_of(pattern, stranger, upstream), status)] * 3
                with pytest.raises(BackendError) as caught:
                    await said(backend)
                assert KEY not in str(caught.value)
        assert not stranger.total_connections
    assert KEY not in caplog.text


async def test_redirected_probes_take_no_key_along(service: tuple[Any, Made], tmp_path: Path) -> None:
    """The same where voices and models are asked for."""
    _, made = service
    async with running(nobody) as stranger:

        async def moved(x: Exchange) -> None:
            await leads_to(f"{stranger.url}{x.path}", 307)(x, b"")

        async with running(moved) as upstream:
            backend = made(upstream.url, tmp_path)
            with pytest.raises(BackendUnavailableError, match="another host"):
                await backend.start()
            await backend.stop()
        assert not stranger.total_connections


@pytest.mark.parametrize(
    "path", ["http://x//127.0.0.1:{port}/a.wav", "//x//127.0.0.1:{port}/a.wav", "file:///etc/passwd"]
)
async def test_addresses_in_answers_stay_at_home(path: str, tmp_path: Path) -> None:
    """AllTalk names the file to fetch: whatever it says, it is fetched from AllTalk."""
    async with running(nobody) as stranger:
        contract = AllTalk(streaming=False)

        async def answer(x: Exchange, pcm: bytes) -> None:
            place = path.format(port=stranger.port)
            await x.json({"status": "generate-success", "output_file_url": place})

        async with running(contract) as upstream, started(alltalk(upstream.url)) as backend:
            contract.faults = [answer]
            with pytest.raises(BackendError):
                await said(backend)
        assert not stranger.total_connections


def squeezed(size: int, times: int) -> bytes:
    """So many zeros, packed so many times."""
    data = bytes(size)
    for _ in range(times):
        packer = zlib.compressobj(9, wbits=31)
        data = packer.compress(data) + packer.flush()
    return data


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", squeezed(100 << 20, 1)),
        ("gzip, gzip", squeezed(100 << 20, 2)),
        ("br", b"x" * 100),
        ("zstd", b"x" * 100),
    ],
)
async def test_packed_answers_do_not_swell(
    service: tuple[Any, Made], tmp_path: Path, coding: str, body: bytes
) -> None:
    """An answer that unpacks to much more than speech is refused, and so is what was packed twice."""
    contract, made = service

    async def packed(x: Exchange, pcm: bytes) -> None:
        await x.answer(body, headers={"Content-Encoding": coding})

    async with running(contract) as upstream, started(made(upstream.url, tmp_path)) as backend:
        contract.faults = [packed]
        with pytest.raises(SynthesisError, match=r"more than|packed"):
            await said(backend)
        assert seconds(await said(backend)) > 1


async def test_endless_answers_are_cut(service: tuple[Any, Made], tmp_path: Path) -> None:
    """A body without end, with or without lines in it, ends in an error, and so does an endless error."""
    contract, made = service

    def endless(status: int, piece: bytes) -> Fault:
        async def fault(x: Exchange, pcm: bytes) -> None:
            await x.head(status)
            while True:
                await x.write(piece)

        return fault

    async with running(contract) as upstream, started(made(upstream.url, tmp_path)) as backend:
        for status, piece in ((200, b"\x10\x20" * 8000), (200, b"{}\n" * 5000), (401, b"x" * 9999)):
            contract.faults = [endless(status, piece)]
            with pytest.raises(BackendError):
                await said(backend)
        assert seconds(await said(backend)) > 1


async def test_lists_without_end_are_cut() -> None:
    """A list of voices has a bound, too."""

    async def endless(x: Exchange) -> None:
        await x.head(kind="application/json")
        while True:
            await x.write(b"[" * 100_000)

    async with running(endless) as upstream:
        remote = Remote("it", RemoteOptions(base_url=upstream.url), {})
        with pytest.raises(SynthesisError, match="more than"):
            await remote.json("GET", "voices")
        await remote.close()


async def test_deep_json_is_an_error() -> None:
    """What nests deeper than Python can read is no JSON."""

    async def deep(x: Exchange) -> None:
        await x.answer(b"[" * 200_000, kind="application/json")

    async with running(deep) as upstream:
        remote = Remote("it", RemoteOptions(base_url=upstream.url), {})
        with pytest.raises(SynthesisError, match="not JSON"):
            await remote.json("GET", "voices")
        await remote.close()
