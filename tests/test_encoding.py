"""What HTTP clients get is audio of the right length and sound, wherever they begin to play or stop."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_tts.audio import to_s16
from wyoming_tts.backends.remote_audio import AudioStream
from wyoming_tts.encoding import AAC_DELAY, FORMATS, LAME_DELAY, MP3_LATE, encoder
from wyoming_tts.errors import UnsupportedFormatError
from wyoming_tts.types import Samples

av = pytest.importorskip("av")

RATE = 24_000
STEP = RATE // 4
LOSSY = {"mp3": 20, "opus": 20, "aac": 20}
"""Formats that change the sound -> decibels by which the sound is above what they add, at least."""
CODED = ("mp3", "opus", "aac", "flac")
FILES = (*CODED, "wav")
MARKER = 1_000
"""Hz of the tone at the end."""

LAYOUT = "Guessed Channel Layout"
"""What ffmpeg says of each WAV with one channel, of its own, too: others cannot be read by everybody."""

LENGTH = "Estimating duration from bitrate"
"""What it says of a file, not of a pipe, that does not tell its length: of each ADTS, and of each stream."""


def speech(seconds: float, rate: int = RATE) -> Samples:
    """Voiced sound in syllables, and the marker in the last 50 ms."""
    t = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 2.3 * t)) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 25))
    sound = 0.15 * voice * np.clip(np.sin(2 * np.pi * 1.7 * t) + 0.5, 0, 1)
    sound += 0.002 * np.random.default_rng(1).standard_normal(len(t))
    last = round(0.05 * rate)
    sound[-last:] = 0.3 * np.sin(2 * np.pi * MARKER * t[-last:])
    return sound.astype(np.float32)


def pieces(samples: Samples, step: int = STEP) -> list[Samples]:
    return [samples[i : i + step] for i in range(0, len(samples), step)]


def encoded(
    name: str,
    parts: Iterable[Samples],
    rate: int = RATE,
    wanted: int | None = None,
    seconds: float | None = None,
) -> bytes:
    with encoder(name, rate, wanted, seconds=seconds) as stream:
        return b"".join([*(stream.feed(part) for part in parts), stream.finish()])


def decoded(data: bytes, name: str, rate: int = RATE) -> tuple[Samples, int]:
    """All that can be decoded, and its rate; a last packet that is cut in two may be wrong."""
    if name == "pcm":
        return np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(32_767), rate
    resampler, sound = av.AudioResampler("flt", "mono"), [np.zeros(0, np.float32)]
    with av.open(io.BytesIO(data)) as container:
        packets = list(container.demux(audio=0))
        for number, packet in enumerate(packets):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                assert number >= len(packets) - 2, "an error inside the stream"
                frames = []
            sound += [part.to_ndarray().reshape(-1) for frame in frames for part in resampler.resample(frame)]
        return np.concatenate(sound).astype(np.float32), container.streams.audio[0].rate


def delay(name: str, known: bool = False, rate: int = RATE) -> int:
    """Samples in front that nothing in the stream tells of."""
    late = LAME_DELAY if rate >= 32_000 else MP3_LATE
    return {"mp3": 0 if known else late, "aac": AAC_DELAY}.get(name, 0)


def frame_size(name: str, rate: int, known: bool = False) -> int:
    """Samples by which a stream may be longer; those that say where they end may not be longer at all."""
    if known and name != "aac":
        return 1
    block = 2048 if rate < 41_000 else 4096
    return {"mp3": 1152 if rate >= 32_000 else 576, "aac": 1024, "wav": block}.get(name, 1)


def signal_to_noise(sound: Samples, wanted: Samples) -> float:
    noise = sound[: len(wanted)] - wanted
    return 10 * np.log10(np.sum(wanted**2) / np.sum(noise**2))


def level_of(tone: int, sound: Samples, rate: int) -> float:
    """Amplitude of a tone."""
    return 2 * abs(np.mean(sound * np.exp(-2j * np.pi * tone * np.arange(len(sound)) / rate)))


@pytest.mark.parametrize("known", [False, True], ids=["stream", "known"])
@pytest.mark.parametrize("wanted", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("name", FORMATS)
def test_what_comes_out_is_what_went_in(name: str, wanted: int, known: bool) -> None:
    """Decoded audio is as long as it was, to a frame, at its place to the sample, and the same to its end."""
    sound = speech(2.031)
    data = encoded(name, pieces(sound), RATE, wanted, seconds=len(sound) / RATE if known else None)
    heard, rate = decoded(data, name, wanted)
    heard = heard[delay(name, known, rate) :]
    expected = soxr.resample(sound, RATE, rate)
    assert -1 <= len(heard) - len(expected) < frame_size(name, rate, known) + 1
    lags = range(-20, 21)
    part = slice(rate // 2, rate)
    errors = [np.sum((heard[part.start + lag : part.stop + lag] - expected[part]) ** 2) for lag in lags]
    assert lags[int(np.argmin(errors))] == 0
    heard = np.pad(heard, (0, max(0, len(expected) - len(heard))))
    assert signal_to_noise(heard, expected) > LOSSY.get(name, 60)
    last = heard[len(expected) - rate // 20 : len(expected)]
    assert level_of(MARKER, last, rate) == pytest.approx(0.3, rel=0.15)
    assert level_of(MARKER, last[-rate // 100 :], rate) == pytest.approx(0.3, rel=0.4)


@pytest.mark.parametrize("known", [False, True], ids=["stream", "known"])
@pytest.mark.parametrize("wanted", [16_000, 24_000, 48_000])
@pytest.mark.parametrize("name", FORMATS)
def test_what_ends_in_silence_is_as_long_as_it_was(name: str, wanted: int, known: bool) -> None:
    """Speech ends in silence: then a file has its length to a frame, whatever stands in front of it."""
    for seconds in (1.031, 1.04, 1.0486, 1.057):
        sound = np.concatenate([speech(seconds), np.zeros(RATE // 10, np.float32)])
        data = encoded(name, pieces(sound), RATE, wanted, seconds=len(sound) / RATE if known else None)
        heard, rate = decoded(data, name, wanted)
        assert -1 <= len(heard) - round(len(sound) / RATE * rate) <= frame_size(name, rate, known)
        end = delay(name, known, rate) + round(seconds * rate)
        assert level_of(MARKER, heard[end - rate // 100 : end], rate) == pytest.approx(0.3, rel=0.4)


@pytest.mark.parametrize("quiet", [0.0, 0.005, 0.02, 0.03, 0.05])
@pytest.mark.parametrize("name", ["mp3", "aac"])
def test_only_silence_is_left_out(name: str, quiet: float) -> None:
    """However little silence there is at the end, what is in front of it is heard."""
    for seconds in np.arange(1, 1.05, 0.0061):
        sound = np.concatenate([speech(seconds), np.zeros(round(quiet * RATE), np.float32)])
        heard, _ = decoded(encoded(name, pieces(sound)), name)
        end = delay(name) + round(seconds * RATE)
        assert level_of(MARKER, heard[end - RATE // 100 : end], RATE) == pytest.approx(0.3, rel=0.4)


@pytest.mark.parametrize("part", [0.11, 0.37, 0.5003, 0.83, 0.999])
@pytest.mark.parametrize("name", FORMATS)
def test_a_stream_that_is_cut_plays_up_to_there(name: str, part: float) -> None:
    """What has arrived is decoded as it is in the whole stream, but for the frames at the cut."""
    sound = speech(3)
    data = encoded(name, pieces(sound))
    whole, rate = decoded(data, name)
    begun, _ = decoded(data[: round(part * len(data))], name)
    # A page of Ogg, two frames of AAC or a block of FLAC may be incomplete; bytes come at no constant rate.
    assert len(begun) > (part - 0.15) * len(whole) - 0.1 * rate
    sure = max(0, len(begun) - 2 * 1024)
    assert np.allclose(begun[:sure], whole[:sure], atol=1e-4)


@pytest.mark.parametrize(
    ("name", "seconds", "size"),
    [
        *(("mp3", 0.12, 600), ("opus", 0.09, 600), ("aac", 0.14, 1_200)),
        *(("flac", 0.05, 2_200), ("wav", 0.01, 525), ("pcm", 0.01, 481)),
    ],
)
def test_the_first_sound_is_quick(name: str, seconds: float, size: int) -> None:
    """Behind so many seconds of audio and with so few bytes there is something to hear."""
    data = b""
    with encoder(name, RATE) as stream:
        for part in pieces(speech(seconds), RATE // 100):
            data += stream.feed(part)
    heard, _ = decoded(data, name)
    assert len(heard) > delay(name)
    assert len(data) < size


@pytest.mark.parametrize("wanted", [None, 48_000])
@pytest.mark.parametrize("name", FORMATS)
def test_sound_leaves_at_once(name: str, wanted: int | None) -> None:
    """With 0.25 s fed there is audio to hear, and from then on no more than 0.25 s of it is held back."""
    sound = speech(2)
    with encoder(name, RATE, wanted) as stream:
        data = b""
        for number, piece in enumerate(pieces(sound)[:-1], 1):
            data += stream.feed(piece)
            heard, rate = decoded(data, name, stream.rate)
            assert len(heard) / rate > number * STEP / RATE - 0.25 + delay(name) / stream.rate
            assert np.max(np.abs(heard)) > 0.05


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 12_000), max_size=8))
def test_the_pieces_make_no_difference(name: str, cuts: list[int]) -> None:
    """Samples that are fed in any pieces, empty ones too, are the same stream."""
    sound = speech(0.5)
    data = encoded(name, np.split(sound, sorted(cuts)))
    once = encoded(name, [sound])
    if name == "opus":  # each stream has a number of its own
        assert len(data) == len(once)
        assert np.array_equal(decoded(data, name)[0], decoded(once, name)[0])
    else:
        assert data == once


@pytest.mark.parametrize("name", FORMATS)
def test_no_click_where_pieces_meet(name: str) -> None:
    """A tone in pieces, at another rate, bends no more anywhere than a tone does."""
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)
    heard, rate = decoded(encoded(name, pieces(tone, 997), RATE, 48_000), name, 48_000)
    inside = heard[rate // 10 : -rate // 10]
    bend = np.max(np.abs(np.diff(inside, 2)))
    smooth = 0.5 * (2 * np.pi * 440 / rate) ** 2
    assert bend < smooth * (3 if name in LOSSY else 1) + 2 / 32_767


@pytest.mark.parametrize(
    ("name", "rate", "wanted"),
    [
        *((name, 44_100, wanted) for name in FORMATS for wanted in (8_000, 48_000)),
        *((name, 22_050, 22_050) for name in ("mp3", "aac", "flac", "wav", "pcm")),
        *((name, 8_000, 44_100) for name in ("mp3", "aac", "flac", "wav", "pcm")),
        *((name, 24_000, 11_111) for name in ("flac", "wav", "pcm")),
    ],
)
def test_the_rate_is_the_one_asked_for(name: str, rate: int, wanted: int) -> None:
    """A tone is as high, as long and, but for the half decibel that LAME takes, as loud at any rate."""
    tone = (0.5 * np.sin(2 * np.pi * 700 * np.arange(2 * rate) / rate)).astype(np.float32)
    heard, comes = decoded(encoded(name, pieces(tone, 3_000), rate, wanted), name, wanted)
    assert comes == (48_000 if name == "opus" else wanted)
    assert len(heard) - delay(name, rate=comes) - 2 * comes in range(-2, frame_size(name, comes) + 2)
    assert level_of(700, heard[comes // 2 : comes // 2 + comes], comes) == pytest.approx(0.5, rel=0.07)


@pytest.mark.parametrize(
    ("name", "rate", "comes"),
    [("opus", 22_050, 24_000), ("opus", 44_100, 48_000), ("mp3", 23_000, 24_000), ("aac", 96_000, 48_000),
     ("wav", 22_050, 22_050), ("wav", 4_000, 8_000), ("flac", 96_000, 48_000)],
)  # fmt: skip
def test_without_a_wish_nothing_of_the_sound_is_lost(name: str, rate: int, comes: int) -> None:
    """The rate stays, or is the next above that the format has."""
    with encoder(name, rate) as stream:
        assert stream.rate == comes


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_a_valid_file(name: str) -> None:
    """A stream without any audio can be opened, and plays for no longer than a frame and the delay."""
    for data in (
        encoded(name, []),
        encoded(name, [np.zeros(0, np.float32)] * 2),
        encoded(name, [], seconds=0),
    ):
        heard, rate = decoded(data, name)
        assert len(heard) <= 2 * frame_size(name, rate)
        assert not np.any(np.abs(heard) > 1e-3)
    assert name == "pcm" or data


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_too_loud_or_no_number_does_no_harm(name: str) -> None:
    """Full scale is the loudest, NaN and infinity are silence, and the sound goes on behind them."""
    sound = speech(1)
    sound[:6_000] *= 50
    sound[6_000:9_000] = np.nan
    sound[7_000:7_100] = np.inf
    heard, rate = decoded(encoded(name, pieces(sound), RATE, 48_000), name, 48_000)
    heard = heard[delay(name, rate=rate) :]
    assert np.all(np.isfinite(heard))
    assert 0.8 < np.max(np.abs(heard)) < (2 if name in LOSSY else 1.001)
    assert np.max(np.abs(heard[round(0.28 * rate) : round(0.33 * rate)])) < 0.05
    assert level_of(MARKER, heard[rate - rate // 20 : rate], rate) == pytest.approx(0.3, rel=0.2)


@pytest.mark.parametrize(
    ("name", "mark"), [("wav", b"RIFF"), ("wav", b"data"), ("flac", b"fLaC"), ("opus", b"OpusHead")]
)
def test_there_is_one_header(name: str, mark: bytes) -> None:
    """The header comes with the first bytes, once."""
    with encoder(name, RATE) as stream:
        first = stream.feed(speech(0.25))
        rest = b"".join([*(stream.feed(part) for part in pieces(speech(2))), stream.finish()])
    assert mark in first[:64]
    assert mark not in rest


@pytest.mark.parametrize("name", ["mp3", "aac", "pcm"])
def test_there_is_no_header(name: str) -> None:
    """A stream whose length nobody knows is audio alone: no tag, and no Xing header that tells a length."""
    data = encoded(name, pieces(speech(1)))
    assert not [mark for mark in (b"ID3", b"TAG", b"Xing", b"Info", b"LAME3.100\x01") if mark in data]
    assert name == "pcm" or data[0] == 0xFF


def test_a_frame_of_mp3_needs_no_other() -> None:
    """No frame has bits in the frames before it, which a player that begins in the middle does not have."""
    data = encoded("mp3", pieces(speech(2)))
    size = 64_000 * 576 // 8 // RATE
    frames = [data[i : i + size] for i in range(0, len(data), size)]
    assert {frame[:2] for frame in frames} == {data[:2]}
    assert {frame[4] for frame in frames} == {0}


def test_opus_says_where_it_begins_and_ends() -> None:
    """The last page of Ogg is marked as the last, and its position is that of the last sample."""
    sound = speech(1.2345)
    data = encoded("opus", pieces(sound))
    last = data[data.rindex(b"OggS") :]
    pre_skip = int.from_bytes(data[data.index(b"OpusHead") + 10 :][:2], "little")
    assert last[5] & 4
    assert int.from_bytes(last[6:14], "little") == pre_skip + 2 * len(sound)


def test_a_file_of_known_length_tells_it() -> None:
    """Headers are exact when the length is given, and an MP3 is then as long as its audio, to the sample."""
    sound = speech(1.7777)
    files = {name: encoded(name, pieces(sound), seconds=len(sound) / RATE) for name in FILES}
    with wave.open(io.BytesIO(files["wav"])) as file:
        assert file.getnframes() == len(sound)
        assert file.readframes(len(sound)) == to_s16(sound)
    assert int.from_bytes(files["wav"][4:8], "little") == len(files["wav"]) - 8
    assert soundfile.info(io.BytesIO(files["flac"])).frames == len(sound)
    assert b"Info" in files["mp3"][:64]
    with av.open(io.BytesIO(files["mp3"])) as container:  # older ones count what they do not play
        assert -1e-4 < container.duration / 1e6 - len(sound) / RATE < (LAME_DELAY + 576) / RATE
    assert len(decoded(files["mp3"], "mp3")[0]) == len(sound)


@pytest.mark.parametrize("name", FORMATS)
def test_the_length_that_was_announced_is_kept(name: str) -> None:
    """More or less audio than was announced is an error, and what a resampler rounds is not."""
    sound = speech(1)
    with encoder(name, RATE, seconds=0.9) as stream, pytest.raises(ValueError, match="more audio"):
        stream.feed(sound)
    with encoder(name, RATE, seconds=1.1) as stream:
        assert stream.feed(sound)
        with pytest.raises(ValueError, match=r"0\.100 s .* missing"):
            stream.finish()
    odd = (RATE - 13) / RATE
    heard, rate = decoded(encoded(name, [sound[:-13]], RATE, 16_000, seconds=odd), name, 16_000)
    assert abs(len(heard) - delay(name, True) - odd * rate) <= frame_size(name, rate) + 1


def test_a_wav_stream_can_be_read() -> None:
    """Readers that do not expect a stream find all of its samples."""
    sound = speech(1.5)
    data = encoded("wav", pieces(sound))
    with wave.open(io.BytesIO(data)) as file:
        found = file.readframes(file.getnframes())
    assert found == to_s16(sound).ljust(len(found), b"\0")
    assert len(found) % 4096 == 0
    assert soundfile.read(io.BytesIO(data), dtype="int16")[0].tobytes() == found


@pytest.mark.parametrize("known", [False, True], ids=["stream", "known"])
@pytest.mark.parametrize("name", ["mp3", "aac", "flac", "wav", "pcm"])
def test_one_server_understands_another(name: str, known: bool) -> None:
    """What a server sends, a server that has it as its backend can speak."""
    sound = speech(1.1)
    data = encoded(name, pieces(sound), seconds=len(sound) / RATE if known else None)
    reader = AudioStream(RATE, FORMATS[name].media_type)
    heard = np.concatenate(
        [*(reader.feed(data[i : i + 999]) for i in range(0, len(data), 999)), reader.finish()]
    )
    assert -1 <= len(heard) - len(sound) <= LAME_DELAY + 2 * 1024


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="there is no ffmpeg")
@pytest.mark.parametrize("piped", [True, False], ids=["pipe", "file"])
@pytest.mark.parametrize("known", [False, True], ids=["stream", "known"])
@pytest.mark.parametrize("name", FILES)
def test_ffmpeg_has_nothing_to_say(name: str, known: bool, piped: bool, tmp_path: Any) -> None:
    """It decodes to the end without a warning, but those that it has for any file of the kind."""
    sound = speech(2.345)
    path = tmp_path / f"speech{FORMATS[name].extension}"
    path.write_bytes(encoded(name, pieces(sound), seconds=len(sound) / RATE if known else None))
    source = "-" if piped else str(path)
    command = ["ffmpeg", "-v", "warning", "-i", source, "-f", "s16le", "-ar", str(RATE), "-"]
    done = subprocess.run(
        command, input=path.read_bytes() if piped else None, capture_output=True, check=True
    )
    unknown = not piped and (name == "aac" or not known)
    tolerated = [LAYOUT] * (name == "wav") + [LENGTH] * unknown
    said = [line for line in done.stderr.decode().splitlines() if not any(t in line for t in tolerated)]
    assert said == []
    assert -1 <= len(done.stdout) // 2 - delay(name, known) - len(sound) < frame_size(name, RATE, known)


@pytest.mark.parametrize("name", ["ogg", "MP3", "", "audio/mpeg"])
def test_an_unknown_format_is_told_which_there_are(name: str) -> None:
    """All names are in the message."""
    with pytest.raises(UnsupportedFormatError) as error:
        encoder(name, RATE)
    assert "mp3, opus, aac, flac, wav, pcm" in str(error.value)


@pytest.mark.parametrize(
    ("name", "wanted", "right"),
    [
        ("opus", 22_050, "8000, 12000, 16000, 24000, 48000"),
        ("mp3", 96_000, "8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000"),
        ("aac", 10_000, "8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000"),
        *(
            (name, wanted, "8000 to 48000")
            for name in ("flac", "wav", "pcm")
            for wanted in (7_999, 48_001, 0, -1)
        ),
    ],
)
def test_a_rate_that_is_wrong_is_told_which_are_right(name: str, wanted: int, right: str) -> None:
    """The message names the rates that the format can have."""
    with pytest.raises(UnsupportedFormatError) as error:
        encoder(name, RATE, wanted)
    assert str(error.value).endswith(right)


@pytest.mark.parametrize("name", CODED)
def test_a_missing_package_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyAV the caller is told what to install, and can have WAV and PCM."""
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(UnsupportedFormatError, match=r"wyoming-tts\[http\]"):
        encoder(name, RATE)
    assert encoded("wav", [speech(0.1)])
    assert encoded("pcm", [speech(0.1)])


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_held_behind_the_end(name: str) -> None:
    """Encoders that are closed, in whatever state, leave no memory, file or thread behind."""
    process, sound = psutil.Process(), speech(0.3)

    def some(number: int) -> tuple[int, int, int]:
        for _ in range(number):
            encoder(name, RATE).close()
            with encoder(name, RATE) as stream:
                stream.feed(sound)
            encoded(name, [sound])
        return process.memory_info().rss, process.num_fds(), process.num_threads()

    memory, *handles = some(20)
    after, *left = some(70)
    assert left == handles
    assert after - memory < 3e6


@pytest.mark.parametrize("name", FORMATS)
def test_a_closed_stream_takes_nothing(name: str) -> None:
    """Behind its end a stream can only be closed once more."""
    for end in ("finish", "close"):
        stream = encoder(name, RATE)
        getattr(stream, end)()
        stream.close()
        with pytest.raises(ValueError, match="closed"):
            stream.feed(speech(0.1))
        with pytest.raises(ValueError, match="closed"):
            stream.finish()


@pytest.mark.parametrize("name", FORMATS)
def test_each_call_may_come_from_another_thread(name: str) -> None:
    """Two streams beside each other, in turns, on threads that change, are what each is alone."""
    sounds = [speech(0.7), speech(0.9)[::-1].copy()]
    streams = [encoder(name, RATE) for _ in sounds]
    data = [b"", b""]
    with ThreadPoolExecutor(4) as threads:
        for at in range(0, RATE, 3_000):
            work = [
                threads.submit(s.feed, sound[at : at + 3_000])
                for s, sound in zip(streams, sounds, strict=True)
            ]
            data = [before + part.result() for before, part in zip(data, work, strict=True)]
        data = [b + threads.submit(s.finish).result() for b, s in zip(data, streams, strict=True)]
    for made, sound in zip(data, sounds, strict=True):
        assert np.array_equal(decoded(made, name)[0], decoded(encoded(name, [sound]), name)[0])
