"""A large file over HTTP arrives whole or not at all."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wyoming_tts.download import Download, progress_bar
from wyoming_tts.errors import BackendUnavailableError

ROUNDS = int(os.environ.get("KILLS", "5"))
"""How often a process is killed."""

CONTENT = random.Random(1).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Site(http.server.ThreadingHTTPServer):
    """A web server on loopback whose next answers a test can script."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed are no mistakes of the site."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = CONTENT
        self.ranges = True
        self.shift = 0
        """Bytes by which an answer to a range request begins too late."""
        self.statuses: list[int] = []
        """Answers to give first, one a request."""
        self.cuts: list[int] = []
        """Bytes of body after which to hang up, one a request."""
        self.drip = 0.0
        """Seconds between pieces of a body; 0 sends it as one."""
        self.asked: list[str | None] = []
        """The Range header of each request."""
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.onnx"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        site = self.server
        wanted = self.headers["Range"]
        site.asked.append(wanted)
        site.may_answer.wait(60)
        if site.statuses:
            status = site.statuses.pop(0)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and site.ranges else None
        if start is not None and start >= len(site.content):
            self.send_error(416)
            return
        body = site.content[start:]
        self.send_response(200 if start is None else 206)
        self.send_header("Content-Length", str(len(body)))
        if start is not None:
            first = start + site.shift
            self.send_header("Content-Range", f"bytes {first}-{len(site.content) - 1}/{len(site.content)}")
        self.end_headers()
        body = body[: site.cuts.pop(0)] if site.cuts else body
        size = 4096 if site.drip else len(CONTENT) * 10
        for at in range(0, len(body), size):
            self.wfile.write(body[at : at + size])
            time.sleep(site.drip)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output quiet."""


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.may_answer.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def download(site: Site, tmp_path: Path) -> Download:
    return Download(
        url=site.url,
        target=tmp_path / "new" / "model.onnx",
        sha256=SHA256,
        limit=2 * len(CONTENT),
        retry_pause=0,
    )


def run(download: Download) -> list[tuple[int, int | None]]:
    """Run it; what it reported as progress."""
    seen: list[tuple[int, int | None]] = []
    download.run(lambda done, total: seen.append((done, total)))
    return seen


def test_whole_file_arrives(site: Site, download: Download) -> None:
    """The file is made with its folder, progress ends at its size, and no part file stays."""
    progress = run(download)
    assert download.target.read_bytes() == CONTENT
    assert progress[-1] == (len(CONTENT), len(CONTENT))
    assert not download.part.exists()
    assert site.asked == [None]


def test_redirect_is_followed(site: Site, download: Download) -> None:
    """A release page that redirects to its storage works."""
    site.statuses = [302]
    run(download)
    assert download.target.read_bytes() == CONTENT


def test_part_is_resumed(site: Site, download: Download) -> None:
    """What an earlier run fetched is not fetched again."""
    download.part.parent.mkdir()
    download.part.write_bytes(CONTENT[:100_000])
    progress = run(download)
    assert site.asked == ["bytes=100000-"]
    assert progress[-1] == (len(CONTENT), len(CONTENT))
    assert download.target.read_bytes() == CONTENT


def test_complete_part_needs_no_more_bytes(site: Site, download: Download) -> None:
    """A run that was killed between the last byte and the rename is finished without a transfer."""
    download.part.parent.mkdir()
    download.part.write_bytes(CONTENT)
    assert run(download) == []
    assert download.target.read_bytes() == CONTENT


@pytest.mark.parametrize("ranges", [True, False])
def test_broken_connections_are_continued(site: Site, download: Download, ranges: bool) -> None:
    """A server that hangs up in the middle is asked again, for the rest where it can send ranges."""
    site.ranges = ranges
    site.cuts = [100_000, 50_000]
    run(download)
    assert download.target.read_bytes() == CONTENT
    assert site.asked[1] == "bytes=100000-"
    assert site.asked[2] == ("bytes=150000-" if ranges else "bytes=50000-")


def test_server_without_ranges_starts_again(site: Site, download: Download) -> None:
    """An answer with the whole file replaces the part instead of being appended to it."""
    site.ranges = False
    download.part.parent.mkdir()
    download.part.write_bytes(CONTENT[:100_000])
    run(download)
    assert download.target.read_bytes() == CONTENT


def test_damaged_part_is_dropped(site: Site, download: Download) -> None:
    """A part file that does not belong to the file costs a second transfer, not the download."""
    download.part.parent.mkdir()
    download.part.write_bytes(b"x" * 100_000)
    run(download)
    assert site.asked == ["bytes=100000-", None]
    assert download.target.read_bytes() == CONTENT


def test_another_range_than_asked_for_is_refused(site: Site, download: Download) -> None:
    """Bytes that belong elsewhere in the file are never appended."""
    site.shift = 7
    download.part.parent.mkdir()
    download.part.write_bytes(CONTENT[:100_000])
    with pytest.raises(BackendUnavailableError, match="another range"):
        run(download)
    assert download.part.read_bytes() == CONTENT[:100_000]


def test_wrong_content_is_refused(site: Site, download: Download) -> None:
    """A file with another checksum is named with its checksum, and nothing of it stays."""
    site.content = CONTENT[:-1] + b"?"
    with pytest.raises(BackendUnavailableError, match="SHA-256") as caught:
        run(download)
    assert site.url in str(caught.value)
    assert hashlib.sha256(site.content).hexdigest() in str(caught.value)
    assert not download.target.exists()
    assert not download.part.exists()


def test_endless_file_is_cut_off(site: Site, download: Download) -> None:
    """A body beyond the limit does not fill the disk."""
    site.content = CONTENT * 10
    with pytest.raises(BackendUnavailableError, match="more than"):
        run(download)
    assert download.part.stat().st_size == 0


@pytest.mark.parametrize(("statuses", "requests"), [([404], 1), ([500] * 9, 4), ([429, 503], 3)])
def test_status_codes(site: Site, download: Download, statuses: list[int], requests: int) -> None:
    """A refusal ends at once, a passing trouble is tried again a few times; the message has the status."""
    site.statuses = statuses.copy()
    if statuses[0] == 429:
        run(download)
        assert download.target.read_bytes() == CONTENT
    else:
        with pytest.raises(BackendUnavailableError, match=f"answered {statuses[0]}"):
            run(download)
    assert len(site.asked) == requests


def test_nobody_listens(site: Site, download: Download) -> None:
    """A refused connection is our error, with the URL and where the file would have gone."""
    site.socket.close()
    with pytest.raises(BackendUnavailableError) as caught:
        run(download)
    assert site.url in str(caught.value)
    assert str(download.target) in str(caught.value)


def test_cancelling_keeps_what_came(site: Site, download: Download) -> None:
    """An exception out of the progress callback ends the download; the next one goes on from there."""

    def stop(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.run(stop)
    have = download.part.stat().st_size
    assert have > 0
    run(download)
    assert site.asked[-1] == (f"bytes={have}-")
    assert download.target.read_bytes() == CONTENT


def test_unwritable_folder(site: Site, download: Download) -> None:
    """Where the folder cannot be made, the message names the file."""
    download.target.parent.write_text("a file where the folder should be")
    with pytest.raises(BackendUnavailableError, match=r"model\.onnx"):
        run(download)
    assert site.asked == []


PROGRAM = textwrap.dedent(
    """
    import logging, resource, sys
    from pathlib import Path
    from wyoming_tts.download import Download
    from wyoming_tts.errors import BackendUnavailableError

    url, target, sha256, largest = sys.argv[1:]
    logging.basicConfig(level=logging.INFO)
    if largest != "0":
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest), int(largest)))
    try:
        Download(url=url, target=Path(target), sha256=sha256, limit=10**6).run(lambda done, total: None)
    except BackendUnavailableError as error:
        sys.exit(str(error))
    """
)


def start(download: Download, largest_file: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROGRAM, download.url, str(download.target), download.sha256]
    return subprocess.Popen([*command, str(largest_file)], stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="signals are Unix's")
@pytest.mark.parametrize("ranges", [True, False])
def test_kills_damage_nothing(site: Site, download: Download, ranges: bool) -> None:
    """Killed at any moment, it goes on or starts again; what is there belongs to the file."""
    site.drip, site.ranges, rng = 0.005, ranges, random.Random(4)
    folder, whole, resumed = download.target.parent, 0, 0
    for _ in range(ROUNDS):
        asked = len(site.asked)
        with start(download) as process:
            while len(site.asked) == asked and process.poll() is None:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.5))
            process.kill()
        resumed += any(wanted is not None for wanted in site.asked[asked:])
        assert {path.name for path in folder.iterdir()} <= {
            "model.onnx",
            "model.onnx.part",
            "model.onnx.lock",
        }
        if download.target.exists():
            assert download.target.read_bytes() == CONTENT
            download.target.unlink()
            whole += 1
        if download.part.exists():
            assert CONTENT.startswith(download.part.read_bytes())
    site.drip = 0
    run(download)
    assert download.target.read_bytes() == CONTENT
    assert not download.part.exists()
    print(f"{ROUNDS} kills: {whole} came whole, {resumed} went on")


def test_two_processes_fetch_once(site: Site, download: Download) -> None:
    """Of two processes one fetches and the other waits for it and uses the same file."""
    site.may_answer.clear()
    errors: list[str] = []
    waiting = threading.Event()

    def watch(process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            errors.append(line)
            if "Waiting for another process" in line:
                waiting.set()

    with start(download) as first, start(download) as second:
        watchers = [threading.Thread(target=watch, args=(process,)) for process in (first, second)]
        for watcher in watchers:
            watcher.start()
        assert waiting.wait(60), errors
        site.may_answer.set()
        for watcher in watchers:
            watcher.join()
    assert (first.returncode, second.returncode) == (0, 0), errors
    assert site.asked == [None]
    assert download.target.read_bytes() == CONTENT


@pytest.mark.skipif(os.name == "nt", reason="limits on file size are Unix's")
def test_full_disk(download: Download) -> None:
    """When no more can be written, the process ends with a message about the file, not with a traceback."""
    process = start(download, largest_file=100_000)
    _, errors = process.communicate()
    assert process.returncode == 1
    assert str(download.target) in errors
    assert "Traceback" not in errors
    assert not download.target.exists()


def test_progress_bar_draws_on_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets no progress line; a terminal gets one that ends with a line break."""
    for is_terminal in (False, True):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda is_terminal=is_terminal: is_terminal)
        monkeypatch.setattr(sys, "stderr", stream)
        with progress_bar("model.onnx") as progress:
            progress(500_000, 1_000_000)
            progress(1_000_000, 1_000_000)
        text = stream.getvalue()
        assert bool(text) is is_terminal
        if is_terminal:
            assert "50%" in text
            assert text.endswith("\n")
            assert "100%" in text
