"""Audio that arrives over HTTP: recognised, decoded on the way, and checked before it counts as speech."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from wyoming_tts.audio import Resampler
from wyoming_tts.errors import SynthesisError
from wyoming_tts.types import Samples

AUDIBLE = 10 ** (-60 / 20)
"""Amplitude below which there is only noise of a converter."""

LEAD_IN = 0.01
"""Seconds kept in front of the first sound."""

LONGEST_LEAD_IN = 3.0
"""Seconds of silence in front of speech after which there will be none."""

SLOWEST, PATIENT = 0.5, 10.0
"""Seconds that a character of text takes at most, and seconds more for any text."""

FASTEST = 0.015
"""Seconds that a character takes at least: three times as fast as fast speech."""

RATES = range(8_000, 192_001)
"""Samples per second that speech may have."""

HEADER_BYTES = 4096
"""A WAV file whose samples have not begun by then is none."""

LARGEST_WAV = 0x7FFF_F000
"""Bytes from which on the size of a WAV file means that nobody knew it: the least in use is SoX's."""

CODECS = {"mp3": "mp3", "aac": "aac", "flac": "flac"}
"""What can be decoded as it comes -> PyAV's name of the decoder."""


class _Decoder(Protocol):
    rate: int

    def feed(self, data: bytes) -> Samples: ...

    def finish(self) -> Samples: ...


@dataclass(slots=True)
class _Pcm:
    """Samples without a header, mono."""

    rate: int
    channels: int = 1
    kind: str = "<i2"
    _rest: bytes = b""

    def feed(self, data: bytes) -> Samples:
        data = self._rest + data
        size = (3 if self.kind == "s24" else np.dtype(self.kind).itemsize) * self.channels
        whole = len(data) // size * size
        self._rest = data[whole:]
        return _mono(_floats(data[:whole], self.kind), self.channels)

    def finish(self) -> Samples:
        return np.zeros(0, np.float32)  # half a sample is none


class _Wav:
    """A RIFF file, whose sizes may be 0 or a very large number because nobody knew them yet."""

    def __init__(self) -> None:
        self.rate = 0
        self._head = b""
        self._pcm: _Pcm | None = None
        self._format: _Pcm | None = None
        self._left: int | None = None
        self._behind = b""

    def feed(self, data: bytes) -> Samples:
        made = [np.zeros(0, np.float32)]
        while data:
            if self._pcm is None:
                self._head += data
                if (begin := self._begin()) is None:
                    break
                data, self._head = self._head[begin:], b""
            assert self._pcm is not None
            here = len(data) if self._left is None else min(self._left, len(data))
            made.append(self._pcm.feed(data[:here]))
            if self._left is None:
                break
            self._left -= here
            data = b"" if self._left else self._next_file(data[here:])
        return np.concatenate(made)

    def _next_file(self, data: bytes) -> bytes:
        """What follows the samples: another file, of servers that send one for each sentence; else notes."""
        self._behind = (self._behind + data)[-HEADER_BYTES:] if len(data) < HEADER_BYTES else data
        begin = self._behind.find(b"RIFF")
        if begin < 0 or self._behind[begin + 8 : begin + 12] != b"WAVE":
            return b""
        following, self._behind = self._behind[begin:], b""
        self._pcm = self._format = self._left = None
        return following

    def finish(self) -> Samples:
        if self._pcm is None:
            raise SynthesisError("the WAV file ends in its header")
        if self._left:
            raise SynthesisError(f"the WAV file is cut off: {self._left} bytes are missing")
        return self._pcm.finish()

    def _begin(self) -> int | None:
        """Where the samples begin; None while the header is not complete."""
        position = 12
        while len(self._head) >= position + 8:
            name, size = self._head[position : position + 4], _u32(self._head, position + 4)
            if name == b"data":
                self._left = None if size == 0 or size >= LARGEST_WAV else size
                self._pcm = self._format
                if self._pcm is None:
                    raise SynthesisError("the WAV file has samples before their format")
                return position + 8
            if name == b"fmt " and len(self._head) >= position + 8 + min(size, 40):
                self._format = self._read_format(self._head[position + 8 : position + 8 + size])
            position += 8 + size + size % 2
        if len(self._head) > HEADER_BYTES:
            raise SynthesisError("the WAV file has no samples")
        return None

    def _read_format(self, chunk: bytes) -> _Pcm:
        tag, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
        if self.rate not in (0, rate):
            raise SynthesisError(f"the answer is WAV files of {self.rate} Hz and of {rate} Hz")
        self.rate = rate
        if tag == 0xFFFE and len(chunk) >= 26:  # WAVE_FORMAT_EXTENSIBLE names the real one behind
            (tag,) = struct.unpack("<H", chunk[24:26])
        kinds = {(1, 8): "u1", (1, 16): "<i2", (1, 24): "s24", (1, 32): "<i4", (3, 32): "<f4", (3, 64): "<f8"}
        kind = kinds.get((tag, bits))
        if kind is None or channels not in (1, 2) or self.rate not in RATES:
            raise SynthesisError(
                f"the WAV file has {channels} channels of {bits} bits at {self.rate} Hz (kind {tag})"
            )
        return _Pcm(self.rate, channels, kind)


class _Coded:
    """MP3, AAC or FLAC, by PyAV."""

    def __init__(self, codec: str) -> None:
        try:
            import av
        except ImportError:
            raise SynthesisError(
                f"the answer is {codec}, and PyAV, which decodes it, is missing: "
                "pip install 'wyoming-tts[codecs]'"
            ) from None
        self._errors: Any = av.error.FFmpegError
        self._no_data: Any = av.error.InvalidDataError
        self._codec: Any = av.CodecContext.create(CODECS[codec], "r")
        self._resampler: Any = av.AudioResampler(format="flt", layout="mono")
        self.rate = 0

    def feed(self, data: bytes) -> Samples:
        return self._decoded(data)

    def finish(self) -> Samples:
        return self._decoded(None)

    def _decoded(self, data: bytes | None) -> Samples:
        try:
            frames = [frame for packet in self._packets(data) for frame in self._decode(packet)]
        except self._errors as error:
            raise SynthesisError(f"the answer cannot be decoded: {error}") from error
        mono = [made.to_ndarray().reshape(-1) for frame in frames for made in self._resampler.resample(frame)]
        if frames:
            self.rate = frames[0].sample_rate
        return np.concatenate([np.zeros(0, np.float32), *mono])

    def _packets(self, data: bytes | None) -> Iterator[Any]:
        """Packets that are complete; without data what is left, and the end."""
        yield from self._codec.parse(data)
        if data is None:
            while left := self._codec.parse(None):
                yield from left
            yield None

    def _decode(self, packet: Any) -> list[Any]:
        """A packet's frames; tags and the like between them are passed over."""
        try:
            return self._codec.decode(packet)
        except self._no_data:
            return []


class AudioStream:
    """Bytes of any kind that a speech server sends, as mono samples of one rate."""

    def __init__(self, wanted: int, content_type: str = "", pcm_rate: int | None = None) -> None:
        """`wanted` is in Hz; `pcm_rate` is that of samples without a header, where the type does not say."""
        self._wanted, self._pcm_rate = wanted, pcm_rate or wanted
        self._type = content_type.lower()
        self._decoder: _Decoder | None = None
        self._resampler: Resampler | None = None
        self._head = b""

    def feed(self, data: bytes) -> Samples:
        """What has been decoded. Raises SynthesisError for what is no audio."""
        if self._decoder is None:
            self._head += data
            if len(self._head) < 12:
                return np.zeros(0, np.float32)
            data, self._head = self._head, b""
            self._decoder = self._recognise(data)
        return self._resampled(self._decoder.feed(data))

    def finish(self) -> Samples:
        """The rest. Raises SynthesisError when the file is not complete."""
        if self._decoder is None:
            raise SynthesisError("the answer holds no audio")
        rest = self._resampled(self._decoder.finish())
        held = self._resampler.finish() if self._resampler else np.zeros(0, np.float32)
        return np.concatenate([rest, held])

    def _resampled(self, samples: Samples) -> Samples:
        if not len(samples):
            return samples
        if self._resampler is None:
            assert self._decoder is not None
            self._resampler = Resampler(self._decoder.rate, self._wanted)
        return self._resampler.feed(samples)

    def _recognise(self, head: bytes) -> _Decoder:
        """By what it is, not by what it is called: servers often call it wrong."""
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            return _Wav()
        if head[:4] == b"fLaC":
            return _Coded("flac")
        if head[:4] == b"OggS":
            raise SynthesisError("the answer is Ogg, which is not understood; ask for pcm, wav or mp3")
        if head[:3] == b"ID3" or (_is_frame(head) and ("mpeg" in self._type or "mp3" in self._type)):
            return _Coded("mp3")
        if "aac" in self._type:
            return _Coded("aac")
        if self._type.startswith(("text/", "application/json", "application/xml")):
            raise SynthesisError(f"the answer is {self._type}, not audio: {head[:120]!r}")
        return _Pcm(self._rate_in_type() or self._pcm_rate)

    def _rate_in_type(self) -> int | None:
        """The rate in `audio/L16;rate=24000` and the like."""
        found = re.search(r"rate=(\d+)", self._type)
        return int(found[1]) if found and int(found[1]) in RATES else None


class SpeechCheck:
    """Whether what arrives can be the speech of a text: audible, and neither too short nor too long."""

    def __init__(self, text: str, rate: int, speed: float = 1.0) -> None:
        """Of samples at `rate` Hz."""
        letters = sum(character.isalnum() for character in text)
        self._most = round((PATIENT + SLOWEST * len(text) / speed) * rate)
        self._least = round(FASTEST * letters / speed * rate)
        self._rate, self._heard, self._samples = rate, False, 0
        self._silence = np.zeros(0, np.float32)
        self.trimmed = 0.0
        """Seconds of silence in front that were left out."""

    def feed(self, samples: Samples) -> Samples:
        """What can go out; silence in front of the speech is kept back. Raises SynthesisError."""
        self._samples += len(samples)
        if self._samples > self._most:
            raise SynthesisError(
                f"there is more than {self._most / self._rate:.0f} s of audio for a short text"
            )
        if self._heard:
            return samples
        samples = np.concatenate([self._silence, samples])
        audible = np.flatnonzero(np.abs(samples) > AUDIBLE)
        if not len(audible):
            self._silence = samples
            if len(samples) > LONGEST_LEAD_IN * self._rate:
                raise SynthesisError("there is nothing but silence")
            return np.zeros(0, np.float32)
        self._heard = True
        begin = max(0, int(audible[0]) - round(LEAD_IN * self._rate))
        self.trimmed = begin / self._rate
        return samples[begin:]

    def finish(self) -> None:
        """Raises SynthesisError when that was not all that the text needs."""
        if not self._heard:
            raise SynthesisError("there is nothing but silence")
        if self._samples < self._least:
            seconds = self._samples / self._rate
            raise SynthesisError(f"there are only {seconds:.2f} s of audio for so much text")


def _floats(data: bytes, kind: str) -> Samples:
    if kind == "s24":
        parts = np.frombuffer(data, np.uint8).reshape(-1, 3).astype(np.int32)
        whole = (parts[:, 0] << 8 | parts[:, 1] << 16 | parts[:, 2] << 24) >> 8
        return (whole / np.float32(2**23)).astype(np.float32)
    values = np.frombuffer(data, kind)
    if values.dtype.kind == "f":
        return np.nan_to_num(values.astype(np.float32))
    if kind == "u1":
        return ((values.astype(np.float32) - 128) / 128).astype(np.float32)
    return (values / np.float32(2 ** (8 * values.itemsize - 1))).astype(np.float32)


def _mono(samples: Samples, channels: int) -> Samples:
    return samples if channels == 1 else samples.reshape(-1, channels).mean(axis=1, dtype=np.float32)


def _u32(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 4], "little")


def _is_frame(head: bytes) -> bool:
    """Whether an MPEG frame begins here: eleven bits set."""
    return head[0] == 0xFF and head[1] & 0xE0 == 0xE0
