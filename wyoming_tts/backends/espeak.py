"""espeak-ng: a plain voice for every language, so that something is said when nothing else can speak."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import re
import threading
from collections.abc import AsyncGenerator, Generator, Sequence
from concurrent.futures import Future

import numpy as np

from wyoming_tts import espeak
from wyoming_tts.audio import Resampler
from wyoming_tts.backends.base import BackendOptions, Surroundings
from wyoming_tts.backends.workers import Workers, iterate_in
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice, WordTiming

RATE = 24_000
"""Samples per second of what comes out; the library's own 22,050 are resampled."""

CHUNK = 0.25
"""Seconds in a chunk, about."""

FEMALE = "+f3"
"""The library's variant of a voice that sounds like a woman."""

TAGS = {"cmn": "zh-CN", "yue": "yue", "nb": "nb", "fa-latn": ""}
"""BCP 47 tags of what the library calls otherwise."""

INVENTED = frozenset(
    ("bpy", "chr", "eo", "grc", "ia", "io", "jbo", "lfn", "nci", "piqd", "py", "qdb", "qya", "sjn", "xex")
)
"""Languages that nobody speaks to a house in, or that are only written here."""

MUTE = frozenset(("fo", "kaa"))
"""Languages whose dictionaries are missing in the library's package."""

_WORD = re.compile(r"\w(?:[\w'’-]*\w)?")
_TAG = re.compile(r"[a-z]{2,3}(-[a-z]{2}|-\d{3})?")


class EspeakOptions(BackendOptions):
    """Options of espeak-ng: those of any backend."""


class EspeakBackend:
    """The library that also gives phonemes."""

    Options = EspeakOptions
    format = AudioFormat(RATE)
    max_concurrency = 1
    own_turns = True  # nobody waits for it: a sentence takes it some milliseconds
    engine = "espeak-ng"

    def __init__(self, options: EspeakOptions, surroundings: Surroundings) -> None:
        """Loads nothing yet."""
        self.name = surroundings.name
        self._workers = Workers(1, self.name)
        self._voices: tuple[Voice, ...] | None = None
        self._stopped = False

    async def start(self) -> None:
        """Load the library. Raises BackendUnavailableError."""
        await self.probe()

    async def stop(self) -> None:
        """End what is being said."""
        self._stopped = True
        await self._workers.stop()

    async def probe(self) -> None:
        """See `Backend.probe`."""
        await asyncio.to_thread(self.voices)

    def wake(self) -> None:
        """See `Backend.wake`: it is always awake."""

    def voices(self) -> Sequence[Voice]:
        """A man's and a woman's voice for each language; none where the library cannot be loaded."""
        if self._voices is None:
            self._voices = tuple(_voices(self.name))
        return self._voices

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: it is quicker than any cache."""
        return None

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`."""
        self._check()
        steps = iterate_in(lambda: self._workers.pool(urgent=True), self._speak(request))
        async with contextlib.aclosing(steps) as chunks:
            async for chunk in chunks:
                yield chunk

    def _check(self) -> None:
        if self._stopped:
            raise BackendUnavailableError(f"{self.name} was stopped")

    def _speak(self, request: SynthesisRequest) -> Generator[AudioChunk, None, None]:
        """In a worker: chunks of about `CHUNK` seconds."""
        joined = _Joined(request.text)
        with contextlib.closing(_Speech(request, request.voice.aliases[0])) as speech:
            for sound in speech:
                self._check()
                if (chunk := joined.feed(sound)) is not None:
                    yield chunk
        yield joined.finish()


class _Speech:
    """What the library says, as an iterator; it speaks in a thread of its own, since it calls back."""

    def __init__(self, request: SynthesisRequest, voice: str) -> None:
        self._sounds: queue.SimpleQueue[espeak.Sound | None] = queue.SimpleQueue()
        self._wanted, self._result = True, Future[None]()
        arguments = (request.text, voice, request.speed)
        self._thread = threading.Thread(target=self._run, args=arguments, name="espeak-ng")
        self._thread.start()

    def _run(self, text: str, voice: str, speed: float) -> None:
        try:
            espeak.speak(text, voice, speed, self._heard)
            self._result.set_result(None)
        except BaseException as error:
            self._result.set_exception(error)
        finally:
            self._sounds.put(None)

    def _heard(self, sound: espeak.Sound) -> bool:
        self._sounds.put(sound)
        return self._wanted

    def __iter__(self) -> Generator[espeak.Sound, None, None]:
        while (sound := self._sounds.get()) is not None:
            yield sound
        self._result.result()

    def close(self) -> None:
        """Stop it."""
        self._wanted = False
        self._thread.join()


class _Joined:
    """The library's many small pieces as chunks, with words whose end is known."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._resampler = Resampler(espeak.rate(), RATE)
        self._pieces: list[np.ndarray] = []
        self._seconds = 0.0
        self._begun = (0, 0.0)  # the library does not always tell of the first word
        self._words: list[WordTiming] = []

    def feed(self, sound: espeak.Sound) -> AudioChunk | None:
        self._seconds += len(sound.samples) / espeak.rate()
        self._pieces.append(self._resampler.feed(sound.samples))
        for start, _, begin in sound.words:
            self._end_words(start, begin)
            self._begun = (start, begin)
        return self._chunk() if sum(map(len, self._pieces)) >= CHUNK * RATE else None

    def finish(self) -> AudioChunk:
        self._end_words(len(self._text), self._seconds)
        self._pieces.append(self._resampler.finish())
        return self._chunk()

    def _end_words(self, stop: int, end: float) -> None:
        """The words up to a place in the text: the library speaks `in the` as one, so they share its time."""
        (start, begin), text = self._begun, self._text
        spans = [span.span() for span in _WORD.finditer(text, start, stop)]
        each = max(0.0, end - begin) / max(1, sum(last - first for first, last in spans))
        for first, last in spans:
            finish = begin + each * (last - first)
            self._words.append(WordTiming(text[first:last], begin, finish, first, last))
            begin = finish

    def _chunk(self) -> AudioChunk:
        samples = np.concatenate([np.zeros(0, np.float32), *self._pieces])
        words, self._pieces, self._words = tuple(self._words), [], []
        return AudioChunk(samples, AudioFormat(RATE), words)


def _voices(backend: str) -> list[Voice]:
    try:
        tongues = espeak.tongues()
    except BackendUnavailableError:
        return []
    found = [_voice(backend, tongue, gender) for tongue in tongues for gender in ("male", "female")]
    return list({voice.name: voice for voice in reversed(found) if voice.language}.values())[::-1]


def _voice(backend: str, tongue: espeak.Tongue, gender: str) -> Voice:
    variant = FEMALE if gender == "female" else ""
    return Voice(
        name=f"{backend}/{tongue.language}{variant}",
        language=_bcp47(tongue.language),
        backend=backend,
        description=f"{tongue.description}, {gender}, espeak-ng",
        gender=gender,
        aliases=(f"{tongue.identifier}{variant}",),
        last_resort=True,
    )


def _bcp47(name: str) -> str:
    """The tag of what the library calls a language; empty where it is not one to be offered."""
    tag = TAGS.get(name, name)
    if not tag or name.split("-")[0].lower() in INVENTED | MUTE or not _TAG.fullmatch(tag.lower()):
        return ""
    primary, *region = tag.split("-")
    return "-".join([primary, *(part.upper() for part in region)])
