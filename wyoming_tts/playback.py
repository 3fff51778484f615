"""Where the command line puts speech: a file, a pipe or the speakers."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from wyoming.audio import AudioChunk

from wyoming_tts.errors import BackendUnavailableError, ConfigError

UNKNOWN_SIZE = 0xFFFFFFFF
"""What stands in a WAV header for a size that is not known yet."""

HEADER_BYTES = 44

_PLAYERS = (
    (
        "paplay --raw --format={format} --rate={rate} --channels={channels}",
        {1: "u8", 2: "s16le", 4: "s32le"},
    ),
    (
        "aplay -q -t raw -f {format} -r {rate} -c {channels}",
        {1: "U8", 2: "S16_LE", 4: "S32_LE"},
    ),
)
"""Programs that play PCM from their standard input, and their names for samples of so many bytes."""

_OTHERWISE = "write a file with -o FILE.wav"


def wav_header(rate: int, width: int, channels: int, data_bytes: int | None = None) -> bytes:
    """A WAV header for PCM of `rate` Hz and `width` bytes a sample; for a stream without `data_bytes`."""
    data = UNKNOWN_SIZE if data_bytes is None else min(data_bytes, UNKNOWN_SIZE - HEADER_BYTES)
    whole = UNKNOWN_SIZE if data_bytes is None else data + HEADER_BYTES - 8
    frame = width * channels
    layout = (16, 1, channels, rate, rate * frame, frame, 8 * width)
    return (
        b"RIFF"
        + struct.pack("<I", whole)
        + b"WAVEfmt "
        + struct.pack("<IHHIIHH", *layout)
        + b"data"
        + struct.pack("<I", data)
    )


class Sink(Protocol):
    """Takes one stream of audio. Its methods block; `abort` ends it at any time."""

    def open(self, first: AudioChunk) -> None:
        """Prepare for audio in the format of `first`, which comes again by `write`."""

    def write(self, audio: bytes) -> None:
        """Take PCM; returns when there is room for more. Raises OSError."""

    def finish(self) -> None:
        """Return when all of it has been played or stored."""

    def abort(self) -> None:
        """Give up at once; nothing half done stays."""


class PipeSink:
    """Writes to an open binary file that cannot be rewound, such as standard output."""

    def __init__(self, file: BinaryIO, *, raw: bool = False, owned: bool = False) -> None:
        """`raw` leaves the WAV header out; an `owned` file is closed in the end."""
        self._file, self._raw, self._owned = file, raw, owned

    def open(self, first: AudioChunk) -> None:
        """Write a WAV header of unknown length."""
        if not self._raw:
            self._file.write(wav_header(first.rate, first.width, first.channels))

    def write(self, audio: bytes) -> None:
        """Hand the audio on at once."""
        self._file.write(audio)
        self._file.flush()

    def finish(self) -> None:
        """Everything has gone out already."""
        self.abort()

    def abort(self) -> None:
        """What has gone out cannot be taken back."""
        if self._owned:
            self._file.close()


class FileSink:
    """Writes a file that appears under its name only when it is complete."""

    def __init__(self, path: Path, *, raw: bool = False) -> None:
        """`raw` leaves the WAV header out."""
        self._path, self._raw = path, raw
        self._draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        self._file: BinaryIO | None = None

    def open(self, first: AudioChunk) -> None:
        """Make the draft beside the file."""
        self._format = (first.rate, first.width, first.channels)
        self._file = self._draft.open("wb")
        self._bytes = 0
        if not self._raw:
            self._file.write(wav_header(*self._format))

    def write(self, audio: bytes) -> None:
        """Append to the draft."""
        assert self._file is not None
        self._file.write(audio)
        self._bytes += len(audio)

    def finish(self) -> None:
        """Complete the header and give the file its name."""
        assert self._file is not None
        if not self._raw:
            self._file.write(b"\0" * (self._bytes % 2))  # RIFF chunks are padded to an even length
            self._file.seek(0)
            self._file.write(wav_header(*self._format, self._bytes))
        self._file.close()
        self._draft.replace(self._path)

    def abort(self) -> None:
        """Remove the draft."""
        if self._file is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)


class SpeakerSink:
    """Plays on the default sound device."""

    def __init__(self) -> None:
        """Raises BackendUnavailableError, which says what to do instead, where nothing can be played."""
        try:
            import sounddevice
        except (ImportError, OSError) as error:  # OSError: the PortAudio library is missing
            raise BackendUnavailableError(
                f"nothing to play with ({error}); install wyoming-tts[play] and PortAudio "
                f"(Debian, Ubuntu: libportaudio2), or aplay (alsa-utils), or {_OTHERWISE}"
            ) from error
        self._sounddevice = sounddevice
        self._stream: Any = None

    def open(self, first: AudioChunk) -> None:
        """Open the device."""
        _check_playable(first)
        try:
            self._stream = self._sounddevice.RawOutputStream(
                samplerate=first.rate,
                channels=first.channels,
                dtype={1: "uint8", 2: "int16", 4: "int32"}[first.width],
            )
            self._stream.start()
        except self._sounddevice.PortAudioError as error:
            raise BackendUnavailableError(f"cannot play: {error}; {_OTHERWISE}") from error

    def write(self, audio: bytes) -> None:
        """Wait until the device has taken the audio."""
        self._stream.write(audio)

    def finish(self) -> None:
        """Play to the end."""
        self._stream.stop()
        self._stream.close()

    def abort(self) -> None:
        """Fall silent."""
        if self._stream is not None:
            with contextlib.suppress(self._sounddevice.PortAudioError):  # the device may be gone
                self._stream.abort()
                self._stream.close()


class PlayerSink:
    """Plays through a program of this machine, which says on standard error what it has to say."""

    def __init__(self, command: str, formats: dict[int, str]) -> None:
        """`command` has places for format, rate and channels; `formats` names samples of so many bytes."""
        self._command, self._formats = command, formats
        self._process: subprocess.Popen[bytes] | None = None

    def open(self, first: AudioChunk) -> None:
        """Start the program."""
        _check_playable(first)
        command = self._command.format(
            format=self._formats[first.width], rate=first.rate, channels=first.channels
        )
        self._process = subprocess.Popen(command.split(), stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        self._input = self._process.stdin

    def write(self, audio: bytes) -> None:
        """Wait until the program has taken the audio. Raises BackendUnavailableError when it has ended."""
        try:
            self._input.write(audio)
            self._input.flush()
        except OSError as error:
            raise self._failure() from error

    def finish(self) -> None:
        """Play to the end. Raises BackendUnavailableError when the program failed."""
        assert self._process is not None
        with contextlib.suppress(OSError):  # it has ended, and its status says how
            self._input.close()
        if self._process.wait():
            raise self._failure()

    def abort(self) -> None:
        """End the program."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            with contextlib.suppress(OSError):  # what it did not take is lost with it
                self._input.close()

    def _failure(self) -> BackendUnavailableError:
        return BackendUnavailableError(f"cannot play: {self._command.split()[0]} failed; {_OTHERWISE}")


def _check_playable(first: AudioChunk) -> None:
    if first.width not in (1, 2, 4):
        raise ConfigError(f"cannot play samples of {first.width} bytes; {_OTHERWISE}")


def _speakers() -> Sink:
    """PortAudio, else a program that plays. Raises BackendUnavailableError."""
    try:
        return SpeakerSink()
    except BackendUnavailableError:
        for command, formats in _PLAYERS:
            if shutil.which(command.split()[0]):
                return PlayerSink(command, formats)
        raise


def open_sink(output: str | None, stdout: BinaryIO, *, raw: bool = False) -> Sink:
    """The sink for `-o`: the speakers for None, `stdout` for `-`, else the file of that name."""
    if output is None:
        return _speakers()
    if output == "-":
        if stdout.isatty():
            raise ConfigError("-o - writes audio, and standard output is a terminal; pipe it on")
        return PipeSink(stdout, raw=raw)
    path = Path(output)
    if not path.parent.is_dir():
        raise ConfigError(f"-o {output}: there is no directory {path.parent}")
    if path.is_dir():
        raise ConfigError(f"-o {output} is a directory")
    if path.exists() and not path.is_file():  # a device or a named pipe
        return PipeSink(path.open("wb", buffering=0), raw=raw, owned=True)
    return FileSink(path, raw=raw)
