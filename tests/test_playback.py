from __future__ import annotations

import io
import os
import struct
import sys
import types
import wave

import pytest
from wyoming.audio import AudioChunk

from wyoming_tts.errors import BackendUnavailableError, ConfigError
from wyoming_tts.playback import FileSink, PipeSink, SpeakerSink, open_sink, wav_header

FIRST = AudioChunk(rate=24_000, width=2, channels=1, audio=b"\1\2" * 10)


def play(sink, *pieces: bytes) -> None:
    sink.open(FIRST)
    for piece in pieces:
        sink.write(piece)
    sink.finish()


@pytest.mark.parametrize(
    ("rate", "width", "channels", "frames"), [(24_000, 2, 1, 7), (8_000, 1, 2, 3), (48_000, 4, 2, 0)]
)
def test_a_wav_header_is_read_by_others(rate, width, channels, frames):
    """Python's `wave` reads the format and the length that were written."""
    data = b"\1" * (frames * width * channels)
    with wave.open(io.BytesIO(wav_header(rate, width, channels, len(data)) + data)) as file:
        assert file.getparams()[:4] == (channels, width, rate, frames)
        assert file.readframes(frames + 1) == data


def test_a_stream_has_the_header_of_unknown_length():
    """Sizes that are not known yet are 0xFFFFFFFF, as players expect them of a stream."""
    header = wav_header(24_000, 2, 1)
    assert len(header) == 44
    assert struct.unpack("<I", header[4:8]) == struct.unpack("<I", header[40:]) == (0xFFFFFFFF,)


def test_a_file_is_complete(tmp_path):
    """The file holds all the audio under a header with its length, and nothing else is left."""
    play(FileSink(tmp_path / "a.wav"), b"\1\2", b"\3\4")
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.readframes(99) == b"\1\2\3\4"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_a_file_that_is_not_finished_does_not_appear(tmp_path):
    """Giving up leaves the old file as it was, and no draft."""
    (tmp_path / "a.wav").write_bytes(b"old")
    sink = FileSink(tmp_path / "a.wav")
    sink.abort()
    sink.open(FIRST)
    sink.write(b"\1\2")
    sink.abort()
    assert (tmp_path / "a.wav").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.wav"]


def test_an_odd_number_of_bytes_is_padded(tmp_path):
    """A chunk of odd length is padded outside its stated size."""
    sink = FileSink(tmp_path / "a.wav")
    sink.open(AudioChunk(rate=8_000, width=1, channels=1, audio=b""))
    sink.write(b"\1\2\3")
    sink.finish()
    assert (tmp_path / "a.wav").stat().st_size == 48
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert file.readframes(99) == b"\1\2\3"


def test_raw_is_only_samples(tmp_path):
    """Without the header, the file is the samples."""
    play(FileSink(tmp_path / "a.pcm", raw=True), b"\1\2", b"\3\4")
    assert (tmp_path / "a.pcm").read_bytes() == b"\1\2\3\4"
    out = io.BytesIO()
    play(PipeSink(out, raw=True), b"\1\2")
    assert out.getvalue() == b"\1\2"


def test_a_pipe_gets_the_audio_at_once():
    """Each piece is in the pipe when `write` returns."""
    reading, writing = os.pipe()
    with open(writing, "wb") as file, open(reading, "rb", buffering=0) as other:
        sink = PipeSink(file)
        sink.open(FIRST)
        sink.write(b"\1\2")
        assert other.read(99) == wav_header(24_000, 2, 1) + b"\1\2"


def test_output_names():
    """`-` is standard output, a device is written straight, any other name is a file made whole."""
    out = io.BytesIO()
    assert isinstance(open_sink("-", out), PipeSink)
    out.isatty = lambda: True  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="is a terminal"):
        open_sink("-", out)
    assert isinstance(open_sink("new.wav", out), FileSink)
    device = open_sink(os.devnull, out)
    assert isinstance(device, PipeSink)
    device.finish()


@pytest.mark.parametrize("name", ["missing/a.wav", "."])
def test_output_that_cannot_be(name, tmp_path):
    """A directory that is missing or taken for a file is refused before anything is asked of a server."""
    with pytest.raises(ConfigError, match="-o "):
        open_sink(str(tmp_path / name), io.BytesIO())


def test_without_a_player_the_way_out_is_told(monkeypatch):
    """Without sounddevice and any program that plays, the message says what to install and that -o works."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BackendUnavailableError, match=r"install .*-o FILE\.wav"):
        open_sink(None, io.BytesIO())


@pytest.fixture
def player(tmp_path, monkeypatch):
    """Makes `aplay` a shell script, in a place where there is no sounddevice and no other player."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    def install(script: str):
        path = tmp_path / "aplay"
        path.write_text(f"#!/bin/sh\ncd {tmp_path}\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)
        return open_sink(None, io.BytesIO())

    return install


def test_a_program_plays_where_sounddevice_is_missing(player, tmp_path):
    """The program is told the format, gets all samples on its standard input, and is waited for."""
    play(player('echo "$@" > told; cat > heard'), b"\1\2", b"\3\4")
    assert (tmp_path / "told").read_text() == "-q -t raw -f S16_LE -r 24000 -c 1\n"
    assert (tmp_path / "heard").read_bytes() == b"\1\2\3\4"


@pytest.mark.parametrize("script", ["exec 0<&-; exit 1", "cat > heard; exit 1"])
def test_a_program_that_cannot_play_is_told(script, player):
    """A program that fails, at once or in the end, is an error with the way out."""
    sink = player(script)
    with pytest.raises(BackendUnavailableError, match=r"aplay failed; .*-o FILE\.wav"):
        play(sink, *[b"\1\2" * 50_000] * 10)
    sink.abort()


def test_a_program_falls_silent(player):
    """Giving up ends the program at once, whatever it still has to play."""
    sink = player("exec sleep 1000")
    sink.abort()
    sink.open(FIRST)
    sink.write(b"\1\2")
    sink.abort()


class ScriptedDevice(types.ModuleType):
    """Stands in for sounddevice, whose device no test machine has."""

    class PortAudioError(Exception):
        pass

    def __init__(self, broken: bool = False) -> None:
        super().__init__("sounddevice")
        self.broken = broken
        self.calls: list[object] = []

    def RawOutputStream(self, **options):
        if self.broken:
            raise self.PortAudioError("no default output device")
        self.calls.append(options)
        return self

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args: self.calls.append((name, *args))


def test_speakers_play_to_the_end(monkeypatch):
    """The device is opened in the format of the audio, gets all of it, and is closed after it has stopped."""
    device = ScriptedDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    play(SpeakerSink(), b"\1\2")
    assert device.calls == [
        {"samplerate": 24_000, "channels": 1, "dtype": "int16"},
        ("start",),
        ("write", b"\1\2"),
        ("stop",),
        ("close",),
    ]


def test_speakers_fall_silent(monkeypatch):
    """Giving up drops what the device has not played."""
    device = ScriptedDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    sink = SpeakerSink()
    sink.abort()
    sink.open(FIRST)
    sink.abort()
    assert device.calls[-2:] == [("abort",), ("close",)]


def test_a_machine_without_speakers_is_told(monkeypatch):
    """A device that cannot be opened is an error that says that -o works."""
    monkeypatch.setitem(sys.modules, "sounddevice", ScriptedDevice(broken=True))
    with pytest.raises(BackendUnavailableError, match=r"no default output device.*-o FILE\.wav"):
        SpeakerSink().open(FIRST)


def test_a_format_that_no_device_takes_is_told(monkeypatch):
    """Samples of three bytes are refused with the way out."""
    monkeypatch.setitem(sys.modules, "sounddevice", ScriptedDevice())
    with pytest.raises(ConfigError, match="-o"):
        SpeakerSink().open(AudioChunk(rate=24_000, width=3, channels=1, audio=b""))
