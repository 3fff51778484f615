"""Chatterbox: a large voice that can be anybody's, streamed while its tokens are drawn."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import random
import sys
import threading
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from wyoming_tts.backends.base import BackendOptions, Surroundings
from wyoming_tts.backends.chatterbox_clips import RATE, Clip, find_clips, read_clip
from wyoming_tts.backends.resident import Resident
from wyoming_tts.backends.workers import Workers, iterate_in
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError, SynthesisError
from wyoming_tts.files import publish_bytes
from wyoming_tts.types import AudioChunk, AudioFormat, Samples, SynthesisRequest, Voice

if TYPE_CHECKING:
    from wyoming_tts.backends.chatterbox_models import Model

_LOGGER = logging.getLogger(__name__)

LANGUAGES = (
    "en", "ar", "da", "de", "el", "es", "fi", "fr", "he", "hi", "it", "ja", "ko", "ms", "nl", "no", "pl",
    "pt", "ru", "sv", "sw", "tr", "zh",
)  # fmt: skip
"""What the multilingual model speaks."""

CLIPS = "clips"
"""Folder of clips in the data directory."""

BUILT_IN = "default"
"""Name of the checkpoint's own voice."""

KEPT_VOICES, KEPT_FILES = 8, 64
"""Embedded voices that are kept in memory, and on disk."""

FREE_TOKENS, TOKENS_PER_CHARACTER = 75, 5
"""How many tokens a text may have: thrice what it needs, for a model that does not find its end."""

MARKED_SECONDS = 1.0
"""Seconds of sound that a watermark is put into at once: in shorter pieces it is heard."""


class ChatterboxOptions(BackendOptions):
    """Options of Chatterbox."""

    model: Literal["english", "multilingual", "turbo", "nano"] = "turbo"
    """Which of its models; turbo and nano are quick and speak English."""

    checkpoint: Path | None = None
    """Folder with the model's files; none fetches them from the hub."""

    device: str = "auto"
    """`cpu`, `cuda`, `cuda:N`, `mps`, or `auto`: the best there is."""

    threads: int = Field(default=1, ge=1)
    """Threads of the processor to compute with."""

    exaggeration: float = Field(default=0.5, ge=0, le=2)
    """How lively it speaks (english and multilingual)."""

    cfg_weight: float = Field(default=0.5, ge=0, le=2)
    """How closely it keeps to the text's pace; 0 computes half as much (english and multilingual)."""

    temperature: float = Field(default=0.8, ge=0, le=2)
    """How much it varies; 0 not at all."""

    seed: int | None = 0
    """Makes the same text sound the same; none draws lots anew each time."""

    steps: int | None = Field(default=None, ge=1, le=50)
    """Steps of the flow; none is the model's own number."""

    max_tokens: int = Field(default=1000, ge=25)
    """Most speech tokens of a sentence, 25 a second."""

    watermark: bool = True
    """Whether speech is marked as made, where the package brings what that takes; it comes later then."""

    unload_after: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Seconds without a request after which the model is unloaded; 0 keeps it."""

    first_audio_timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds in which a sentence's first audio must come; then the next backend is asked."""

    stall_timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds in which more audio must follow, once there was some."""


class ChatterboxBackend:
    """One model; sentences are computed in turn, piece by piece."""

    Options = ChatterboxOptions
    format = AudioFormat(RATE)
    max_concurrency = 1
    own_turns = False

    def __init__(self, options: ChatterboxOptions, surroundings: Surroundings) -> None:
        """Loads nothing yet."""
        self.name = surroundings.name
        self._options, self._around = options, surroundings
        self._clips = surroundings.data_dir / CLIPS
        self._workers = Workers(1, self.name)
        self._model = Resident("Chatterbox", self._load, options.unload_after)
        self._seeds = random.Random()

    @property
    def engine(self) -> str:
        """See `Backend.engine`."""
        return f"Chatterbox {self._options.model}, {self._model.state}"

    async def start(self) -> None:
        """Load the model. Requests that come while it loads wait for it; when it fails they fail alike."""
        await self._model.start()

    async def stop(self) -> None:
        """Drop the model; what is being computed is waited for."""
        await self._model.stop()
        await self._workers.stop()

    async def probe(self) -> None:
        """See `Backend.probe`: load the model, where it is not."""
        with self._model.use() as loaded:
            await asyncio.shield(loaded)

    def wake(self) -> None:
        """See `Backend.wake`."""
        if self._model.running:
            with self._model.use():
                pass

    def voices(self) -> Sequence[Voice]:
        """The checkpoint's own voice, and one for each clip."""
        clips = [(clip.name, clip.language) for clip in find_clips(self._clips)]
        return [self._voice(name, language) for name, language in [(BUILT_IN, None), *clips]]

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: None where lots are drawn."""
        if self._options.seed is None:
            return None
        with contextlib.suppress(BackendUnavailableError):
            clip = self._clip(voice)
            return f"chatterbox {self._options!r} {clip.digest() if clip else BUILT_IN}"
        return None

    async def synthesize(self, request: SynthesisRequest) -> AsyncGenerator[AudioChunk, None]:
        """See `Backend.synthesize`. The model has one pace, so the request's is not heeded."""
        left = threading.Event()
        with self._model.use() as loaded:
            speaker = await asyncio.shield(loaded)
            steps = iterate_in(
                lambda: self._workers.pool(urgent=request.allowance.urgent),
                self._speak(speaker, request, left),
            )
            try:
                async with contextlib.aclosing(steps) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except BackendOverloadedError:
                self._model.drop()
                raise
            finally:
                left.set()

    def _speak(
        self, speaker: Speaker, request: SynthesisRequest, left: threading.Event
    ) -> Generator[AudioChunk, None, None]:
        """In a worker, a piece a step; ends between two tokens when the listener has left."""

        def check() -> None:
            self._model.check()
            if left.is_set():
                raise BackendUnavailableError("nobody listens any more")

        check()
        seed = self._options.seed
        seed = self._seeds.getrandbits(31) if seed is None else seed
        for samples in speaker.speak(request, self._clip(request.voice), seed, check):
            yield AudioChunk(np.clip(samples, -1, 1), self.format)

    def _load(self) -> Speaker:
        """In a thread."""
        if "torch" not in sys.modules:
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads shall not spin
        try:
            import torch

            from wyoming_tts.backends.chatterbox_models import Model
        except ImportError as error:
            raise BackendUnavailableError(
                f"Chatterbox is not installed ({error}): script/setup chatterbox"
            ) from error
        options = self._options
        torch.set_num_threads(options.threads)
        device = _device(options.device)
        model = Model.load(options.model, options.checkpoint, device, offline=self._around.offline)
        if options.watermark and model.watermarker is None:
            _LOGGER.info("The installed chatterbox brings no watermark: speech is not marked")
        return Speaker(model, options, self._around.data_dir / f"{CLIPS}-embedded")

    def _voice(self, name: str, language: str | None) -> Voice:
        many = self._options.model == "multilingual"
        first = language if many and language and language.split("-")[0] in LANGUAGES else "en"
        if language and language.split("-")[0] not in (LANGUAGES if many else ("en",)):
            _LOGGER.warning("Chatterbox's %s model does not speak %s", self._options.model, language)
        return Voice(
            name=f"{self.name}/{name}", language=first, backend=self.name,
            description=f"{name.replace('_', ' ')} (Chatterbox)", languages=LANGUAGES if many else (),
        )  # fmt: skip

    def _clip(self, voice: Voice) -> Clip | None:
        """The clip of a voice; None for the checkpoint's own. Raises BackendUnavailableError."""
        name = voice.name.removeprefix(f"{self.name}/")
        if name == BUILT_IN:
            return None
        for clip in find_clips(self._clips):
            if clip.name == name:
                return clip
        raise BackendUnavailableError(f"there is no clip for {voice.name} in {self._clips}")


def _device(wanted: str) -> str:
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


@dataclass(slots=True)
class Speaker:
    """A loaded model and the voices that were made for it."""

    model: Model
    options: ChatterboxOptions
    folder: Path
    """Where embedded voices are kept."""
    _voices: OrderedDict[str, Any] = field(default_factory=OrderedDict)

    def speak(
        self, request: SynthesisRequest, clip: Clip | None, seed: int, check: Callable[[], None]
    ) -> Iterator[Samples]:
        """Samples of one sentence; `check` raises when it is not wanted any more."""
        import torch

        from wyoming_tts.backends import chatterbox_stream, chatterbox_tokens

        voice = self._voice(clip)
        text = self.model.text_tokens(request.text, request.voice.language)
        limit = min(self.options.max_tokens, FREE_TOKENS + TOKENS_PER_CHARACTER * len(request.text))
        drawn = chatterbox_tokens.tokens(
            self.model.t3, voice.t3, text, self._sampling(), seed=seed, limit=limit
        )
        s3gen = self.model.s3gen
        mels = chatterbox_stream.MelStream(s3gen, voice.gen, seed=seed, steps=self.options.steps)
        waves = chatterbox_stream.WaveStream(s3gen.mel2wav, seed=seed)
        pieces = chatterbox_stream.stream(
            _checked(drawn, check), mels, waves, s3gen.flow.pre_lookahead_len, request.playhead.lead
        )
        try:
            yield from self._marked(pieces)
        except torch.OutOfMemoryError as error:
            raise BackendOverloadedError("no memory is left to compute in") from error
        except (RuntimeError, IndexError, ValueError) as error:
            raise SynthesisError(f"Chatterbox failed: {error}") from error

    def _sampling(self) -> Any:
        from wyoming_tts.backends.chatterbox_tokens import Sampling

        options = self.options
        if self.model.t3.is_gpt:
            return Sampling(temperature=options.temperature, min_p=0, top_p=0.95, top_k=1000)
        penalty = 2.0 if self.model.kind == "multilingual" else 1.2
        return Sampling(
            temperature=options.temperature, cfg_weight=options.cfg_weight, repetition_penalty=penalty
        )

    def _marked(self, pieces: Iterator[Samples]) -> Iterator[Samples]:
        """With the package's watermark, where it brings one and that is wanted."""
        marker = self.model.watermarker if self.options.watermark else None
        if marker is None:
            yield from pieces
            return
        waiting: list[Samples] = []
        for piece in itertools.chain(pieces, [None]):
            if piece is not None:
                waiting.append(piece)
            if waiting and (piece is None or sum(map(len, waiting)) >= MARKED_SECONDS * RATE):
                block = np.concatenate(waiting)
                waiting = []
                marked = np.asarray(marker.apply_watermark(block, sample_rate=RATE), np.float32)
                yield np.concatenate([marked, block[len(marked) :]])  # its STFT drops a remainder

    def _voice(self, clip: Clip | None) -> Any:
        """A voice as the model wants it: the checkpoint's own, from memory, from disk, or made now."""
        if clip is None:
            if self.model.builtin is None:
                raise BackendUnavailableError("the checkpoint has no voice of its own; put a clip into clips")
            return self.model.builtin
        key = f"{clip.digest()[:32]}-{self.model.kind}-{self.options.exaggeration:g}"
        voice = self._voices.pop(key, None) or self._kept(key) or self._made(clip, key)
        self._voices[key] = voice
        while len(self._voices) > KEPT_VOICES:
            self._voices.popitem(last=False)
        return voice

    def _kept(self, key: str) -> Any:
        path = self.folder / f"{key}.pt"
        try:
            data = path.read_bytes()
            path.touch()
            return self.model.restore(data)
        except FileNotFoundError:
            return None
        except Exception as error:  # torch raises anything for a damaged file; it is made anew
            _LOGGER.warning("%s is made anew: %s", path, error)
            return None

    def _made(self, clip: Clip, key: str) -> Any:
        _LOGGER.info("Listening to %s, once", clip.path)
        voice = self.model.embed(read_clip(clip), self.options.exaggeration)
        try:
            publish_bytes(self.folder / f"{key}.pt", self.model.dump(voice))
            files = sorted(self.folder.glob("*.pt"), key=lambda path: path.stat().st_mtime)
            for path in files[:-KEPT_FILES]:
                path.unlink(missing_ok=True)
        except OSError as error:
            _LOGGER.warning("The voice of %s cannot be kept: %s", clip.path, error)
        return voice


def _checked(drawn: Iterator[int], check: Callable[[], None]) -> Iterator[int]:
    """Tokens, for as long as somebody wants them."""
    for token in drawn:
        check()
        yield token
