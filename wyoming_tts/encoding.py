"""Samples to what HTTP clients play: MP3, Opus, AAC, FLAC, WAV and PCM, while they are made."""

from __future__ import annotations

import importlib.util
import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from wyoming_tts.audio import Resampler, to_s16
from wyoming_tts.errors import UnsupportedFormatError
from wyoming_tts.types import Samples

ANY_RATE = range(8_000, 48_001)
"""Hz that can be asked for where the codec takes any."""

MPEG_RATES = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)

SLACK = 0.001
"""Seconds that a stream may differ from the length that was announced: a resampler rounds."""

LAME_START = 576
"""Samples of silence that LAME puts in front."""

MP3_LATE = 529
"""Samples that a decoder of MP3 comes late by."""

LAME_DELAY = LAME_START + MP3_LATE
"""Both."""

AAC_DELAY = 1_024
"""Samples that stand in front of AAC, and that ADTS has no way to tell of."""

STREAM_SIZE = 0x7FFF_F000
"""What stands in the header of a WAV stream for the bytes of samples that nobody knows yet.

Of the numbers in use, tried with files and pipes: 0 loses everything in Python's wave, soundfile and SciPy;
at 0xFFFFFFFF ffmpeg warns of an invalid file, and a reader with signed numbers sees -1. This one, which is
SoX's, is read to the end by all of them and by Chromium.
"""

WAV_BLOCK = 4_096
"""Bytes that FFmpeg reads of WAV at once, at least; since version 7 the power of two below 0.1 seconds.

It takes a last block that is not full for a damaged one, warns, and leaves it out when told to discard those.
"""

SILENCE = 0.001
"""Amplitude, 60 dB below the loudest there is, up to which an end may be left out."""


@dataclass(frozen=True, slots=True)
class Format:
    """What a client has to know of a format."""

    media_type: str
    """For the `Content-Type`."""

    extension: str
    """Of a file name, with its dot."""

    rates: Sequence[int] = field(default=ANY_RATE, repr=False)
    """Hz that it can have, rising."""


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "mp3": Format("audio/mpeg", ".mp3", MPEG_RATES),
        # OpenAI says audio/opus, which is that of RTP packets (RFC 7587): Chromium's canPlayType says no to
        # it, and yes to Ogg's own (RFC 7845). The openai client looks at neither. MediaSource takes no Ogg
        # under any name: a page that appends pieces asks for mp3 or aac.
        "opus": Format("audio/ogg", ".opus", OPUS_RATES),
        "aac": Format("audio/aac", ".aac", MPEG_RATES),
        "flac": Format("audio/flac", ".flac"),
        "wav": Format("audio/wav", ".wav"),
        "pcm": Format("audio/pcm", ".pcm"),
    }
)
"""Names that a request may give -> what they are.

Opus is in Ogg, AAC in ADTS; FLAC and WAV have 16 bits. PCM is s16le without a header, OpenAI's at 24,000 Hz.
AAC and streamed MP3 begin with 1,024 and some 529 samples of silence: they have no place to say so. Where the
speech ends in silence they end so much sooner, to be as long as it is, to a frame. A WAV stream ends with a
full block, see `WAV_BLOCK`.
"""

WITHOUT_CODEC = ("wav", "pcm")
"""Those that are made without PyAV, and in no time."""


class Encoder:
    """One stream of mono audio that becomes bytes of one format, of which every part can be played at once.

    It holds codecs until it is closed, by itself in a `with`. Calls may come from different threads, one at a
    time.
    """

    def __init__(self, coder: _Coder, rate: int, wanted: int, samples: int | None) -> None:
        """Use `encoder`. `samples` are those that will come out, where that is known."""
        self.rate = wanted
        """Hz of what comes out."""
        self._coder: _Coder | None = coder
        self._resampler = Resampler(rate, wanted)
        self._announced = samples
        self._coded = 0

    def feed(self, samples: Samples) -> bytes:
        """What is ready of it, perhaps nothing yet.

        `samples` is float32 of any length, shape (samples,); louder than 1 is clipped, and what is no number
        is silence. Raises ValueError after the end, and for more than was announced.
        """
        finite = np.where(np.isfinite(samples), samples, 0).astype(np.float32)
        return self._encode(self._resampler.feed(finite))

    def finish(self) -> bytes:
        """The rest, with which the stream is complete and closed.

        Without any audio it is silence of some milliseconds, or of nothing. Raises ValueError after the end,
        and for less than was announced.
        """
        data = self._encode(self._resampler.finish())
        if self._announced is not None:
            missing = self._announced - self._coded
            if missing > SLACK * self.rate:
                raise ValueError(f"{missing / self.rate:.3f} s of what was announced are missing")
            data += self._encode(np.zeros(missing, np.float32))
        data += self._opened().finish()
        self.close()
        return data

    def close(self) -> None:
        """Free the codec, whether or not the stream is complete; closing again does nothing."""
        if self._coder is not None:
            self._coder.close()
        self._coder = None

    def __enter__(self) -> Encoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> _Coder:
        if self._coder is None:
            raise ValueError("the stream is closed")
        return self._coder

    def _encode(self, samples: Samples) -> bytes:
        if self._announced is not None:
            left = self._announced - self._coded
            if len(samples) > left + SLACK * self.rate:
                raise ValueError("there is more audio than was announced")
            samples = samples[:left]
        self._coded += len(samples)
        return self._opened().encode(np.clip(samples, -1, 1))


def encoder(name: str, rate: int, sample_rate: int | None = None, *, seconds: float | None = None) -> Encoder:
    """An encoder to one of `FORMATS` for samples at `rate` Hz.

    `sample_rate` is that of what comes out, in Hz: one of the format's; without it, `rate` or the next above
    that the format has. `seconds` is the whole length, where it is known: headers then tell it, and so much
    has to be fed, to the millisecond. Raises UnsupportedFormatError.
    """
    wanted = output_rate(name, rate, sample_rate)
    samples = None if seconds is None else round(seconds * wanted)
    if name == "pcm":
        return Encoder(_Pcm(), rate, wanted, samples)
    coder = _Wav(wanted, samples) if name == "wav" else _Coded(name, wanted, samples)
    return Encoder(coder, rate, wanted, samples)


def output_rate(name: str, rate: int, sample_rate: int | None = None) -> int:
    """Hz of what `encoder` would make of the same. Raises UnsupportedFormatError, as it does."""
    kind = FORMATS.get(name)
    if kind is None:
        raise UnsupportedFormatError(f"the format {name!r} is not offered; there are {', '.join(FORMATS)}")
    if name not in WITHOUT_CODEC and importlib.util.find_spec("av") is None:
        raise UnsupportedFormatError(
            f"{name} needs PyAV, which is missing: pip install 'wyoming-tts[http]'; wav and pcm do not"
        )
    if sample_rate is None:
        return kind.rates[min(bisect_left(kind.rates, rate), len(kind.rates) - 1)]
    if sample_rate not in (rates := kind.rates):
        right = f"{rates[0]} to {rates[-1]}" if isinstance(rates, range) else ", ".join(map(str, rates))
        raise UnsupportedFormatError(f"{name} cannot have {sample_rate} samples per second; right is {right}")
    return sample_rate


class _Coder(Protocol):
    def encode(self, samples: Samples) -> bytes: ...

    def finish(self) -> bytes: ...

    def close(self) -> None: ...


class _Pcm:
    """Samples and nothing else."""

    def encode(self, samples: Samples) -> bytes:
        return to_s16(samples)

    def finish(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


class _Wav(_Pcm):
    """The same behind a header, which goes out with the first of them; a stream has whole blocks."""

    def __init__(self, rate: int, samples: int | None) -> None:
        self._block = 1 if samples is not None else max(WAV_BLOCK, 2 << int(np.log2(rate // 10)))
        self._size = 0
        size = STREAM_SIZE if samples is None else 2 * samples
        layout = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
        self._head = b"RIFF" + struct.pack("<I", size + 36) + b"WAVEfmt " + layout
        self._head += b"data" + struct.pack("<I", size)

    def encode(self, samples: Samples) -> bytes:
        head, self._head = self._head, b""
        self._size += 2 * len(samples)
        return head + to_s16(samples)

    def finish(self) -> bytes:
        return bytes(-self._size % self._block)


@dataclass(frozen=True, slots=True)
class _Recipe:
    """How libavcodec and libavformat are to make a format."""

    container: str
    codec: str
    sample_format: str
    """As PyAV calls it."""
    delay: int = 0
    """Samples in front that decoders do not take away by themselves."""
    bit_rate: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    """Of the codec."""
    container_options: Mapping[str, str] = field(default_factory=dict)


def _recipe(name: str, rate: int) -> _Recipe:
    wide = rate >= 32_000
    if name == "mp3":
        # A frame that borrows bits of those before it cannot be decoded without them. The muxer has no Xing
        # header for what cannot be rewound; where the length is known, `_info_frame` makes one.
        silent = {"write_xing": "0", "id3v2_version": "0"}
        bits = 96_000 if wide else 64_000
        return _Recipe("mp3", "libmp3lame", "fltp", LAME_DELAY, bits, {"reservoir": "0"}, silent)
    if name == "aac":
        return _Recipe("adts", "aac", "fltp", AAC_DELAY, 96_000 if wide else 64_000)
    if name == "opus":
        # A page holds a second otherwise, and the muxer keeps one back.
        pages = {"page_duration": "40000"}
        return _Recipe("ogg", "libopus", "flt", 0, 64_000 if wide else 48_000, {}, pages)
    # A block takes 0.1 s otherwise, and 8 KiB of padding for tags would go in front of the first one.
    block = {"frame_size": str(rate // 25)}
    return _Recipe("flac", "flac", "s16", 0, None, block, {"metadata_header_padding": "0"})


class _Sink:
    """A file that cannot be rewound, for PyAV to write to."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._data)
        self._data.clear()
        return data


class _Coded:
    """A codec in its container, by PyAV."""

    def __init__(self, name: str, rate: int, samples: int | None) -> None:
        import av

        self._recipe = recipe = _recipe(name, rate)
        self._frame: Any = av.AudioFrame
        self._rate, self._expected = rate, samples
        self._samples = self._packets = self._quiet = 0
        # The first frame of a low rate is nothing but what LAME puts in front: a stream begins sooner without
        # it. With an Info frame players leave it out by themselves.
        self._silent = int(name == "mp3" and samples is None and rate < 32_000)
        self._begun = False
        self._sink = _Sink()
        options = {**recipe.container_options, "flush_packets": "1"}
        self._container: Any = av.open(self._sink, "w", format=recipe.container, container_options=options)
        self._stream: Any = self._container.add_stream(recipe.codec, rate=rate, options=dict(recipe.options))
        context: Any = self._stream.codec_context
        context.layout, context.format = "mono", recipe.sample_format
        if recipe.bit_rate is not None:
            context.bit_rate = recipe.bit_rate

    def encode(self, samples: Samples) -> bytes:
        if not len(samples):
            return b""
        for packet in self._stream.encode(self._to_frame(samples)):
            self._mux(packet)
        return self._take()

    def finish(self) -> bytes:
        # Players refuse a file without a frame, or with a single one of MP3: then there is a little silence.
        data = b"" if self._samples else self.encode(np.zeros(1 + self._silent * LAME_START, np.float32))
        needed = self._needed()
        for packet in self._stream.encode(None):
            if needed is None or self._packets < needed:
                self._mux(packet)
        self._container.close()
        return data + self._take()

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
        self._container = self._stream = None

    def _needed(self) -> int | None:
        """How many packets make the stream complete; all that come where the format tells its own length."""
        delay, frame = self._recipe.delay, self._stream.codec_context.frame_size
        if not delay:
            return None
        complete = _frames(self._samples + delay, frame)  # LAME's last frame may be all padding
        if self._expected is not None and self._recipe.container == "mp3":
            return complete  # the Info frame tells how many of them are played
        shorter = self._silent + _frames(self._samples, frame)
        lost = self._samples + delay - shorter * frame
        return shorter if 0 < lost <= self._quiet and shorter > 1 + self._silent else complete

    def _to_frame(self, samples: Samples) -> Any:
        loud = np.flatnonzero(np.abs(samples) > SILENCE)
        self._quiet = samples.size - 1 - int(loud[-1]) if loud.size else self._quiet + samples.size
        if self._recipe.sample_format == "s16":
            samples = np.frombuffer(to_s16(samples), "<i2")
        kind = self._recipe.sample_format
        frame = self._frame.from_ndarray(samples.reshape(1, -1), format=kind, layout="mono")
        frame.sample_rate, frame.time_base = self._rate, Fraction(1, self._rate)
        frame.pts = self._samples
        self._samples += samples.size
        return frame

    def _mux(self, packet: Any) -> None:
        self._packets += 1
        if self._packets > self._silent:
            self._container.mux(packet)

    def _take(self) -> bytes:
        data = self._sink.take()
        if not data or self._begun or self._expected is None:
            return data
        self._begun = True
        return self._with_length(data, max(1, self._expected))

    def _with_length(self, data: bytes, samples: int) -> bytes:
        """What the stream begins with, and in it how many samples it will have."""
        if self._recipe.container == "flac":
            return data[:22] + struct.pack(">I", samples) + data[26:]  # STREAMINFO's low 32 bits of 36
        if self._recipe.container == "mp3":
            frame = self._stream.codec_context.frame_size
            size = frame // 8 * (self._recipe.bit_rate or 0) // self._rate
            return _info_frame(data[:4], frame, size, samples) + data
        return data  # Ogg and ADTS have no place for it


def _info_frame(head: bytes, frame: int, size: int, samples: int) -> bytes:
    """The silent MP3 frame that tells players what is to be left out in front of `samples` and behind them.

    `head` is what a frame of `frame` samples and `size` bytes begins with. There is none for a stream: ffmpeg
    plays one that does not tell the number of frames, and is a frame late then.
    """
    frames = _frames(samples + LAME_DELAY, frame)
    padding = LAME_START << 12 | frames * frame - samples - LAME_START
    unpadded = bytes([head[0], head[1], head[2] & ~2, head[3]])
    side = bytes(17 if frame == 1152 else 9)
    known = b"Info" + struct.pack(">II", 1, frames)
    lame = b"LAME3.100\x01" + bytes(11) + padding.to_bytes(3, "big")
    return (unpadded + side + known + lame).ljust(size, b"\0")


def _frames(samples: int, frame: int) -> int:
    """How many frames hold so many samples."""
    return -(-samples // frame)
