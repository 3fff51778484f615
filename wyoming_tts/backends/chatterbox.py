"""Chatterbox: a large voice that can be anybody's, streamed while its tokens are drawn."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import random
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from wyoming_tts.backends.base import BackendOptions, Surroundings
from wyoming_tts.backends.chatterbox_clips import RATE, Clip, find_clips
from wyoming_tts.backends.resident_backend import ResidentBackend
from wyoming_tts.backends.torch_device import choose_device, free_cache, prepare_torch
from wyoming_tts.errors import BackendUnavailableError, SynthesisError
from wyoming_tts.types import AudioChunk, AudioFormat, SynthesisRequest, Voice

if TYPE_CHECKING:
    from wyoming_tts.backends.chatterbox_models import Model
    from wyoming_tts.backends.chatterbox_speaker import Drawn, Speaker
    from wyoming_tts.backends.chatterbox_tokens import Sampling

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

NOT_INSTALLED = (
    "Chatterbox needs packages that are not installed ({error}). Run: script/setup chatterbox, or: "
    "pip install 'wyoming-tts[chatterbox]' && "
    "pip install --no-deps chatterbox-light==1.0.2 s3tokenizer==0.3.0 torchaudio==2.11.0"
)
"""Those come without what they depend on: most of it is not used, and some of it pins an old PyTorch."""


class ChatterboxOptions(BackendOptions):
    """Options of Chatterbox."""

    model: Literal["english", "multilingual", "turbo", "nano"] = "turbo"
    """Which of its models; turbo and nano are quick and speak English."""

    checkpoint: Path | None = None
    """Folder with the model's files; none fetches them from the hub."""

    voice: str | None = None
    """Clip that speaks where another backend's voice is asked for; none takes the first that fits."""

    clips: Path | None = None
    """Folder of clips; none is `clips` in the data directory."""

    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    """`cpu`, `cuda`, `cuda:N`, `mps`, or `auto`: the best there is."""

    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Of what draws tokens; `auto` is bfloat16 on a CUDA card that can, and float32 elsewhere."""

    threads: int = Field(default=1, ge=1)
    """Threads of the processor to compute with."""

    exaggeration: float = Field(default=0.5, ge=0, le=2)
    """How lively it speaks (english and multilingual)."""

    cfg_weight: float = Field(default=0.5, ge=0, le=2)
    """How closely it keeps to the text's pace; 0 computes half as much (english and multilingual)."""

    temperature: float = Field(default=0.8, ge=0, le=2)
    """How much it varies; 0 not at all."""

    seed: int | None = Field(default=0, ge=0, lt=2**63)
    """Makes the same text sound the same; none draws lots anew each time."""

    steps: int | None = Field(default=None, ge=1, le=50)
    """Steps of the flow; none is the model's own number."""

    max_tokens: int = Field(default=1000, ge=25, le=4000)
    """Most speech tokens of a sentence, 25 a second."""

    watermark: bool = True
    """Whether speech is marked as made, where the package brings what that takes; it comes later then."""

    unload_after: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Seconds without a request after which the model is unloaded; 0 keeps it."""

    first_audio_timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds in which a sentence's first audio must come; then the next backend is asked."""

    stall_timeout: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    """Seconds in which more audio must follow, once there was some."""


SOUNDING = {"exaggeration", "cfg_weight", "temperature", "seed", "steps", "max_tokens", "watermark"}
"""Options that decide what comes for a request, beside the model and what it computes on."""


class ChatterboxBackend(ResidentBackend["Speaker"]):
    """One model; sentences are computed in turn, piece by piece."""

    Options = ChatterboxOptions
    format = AudioFormat(RATE)

    def __init__(self, options: ChatterboxOptions, surroundings: Surroundings) -> None:
        """Loads nothing yet."""
        super().__init__(surroundings, "Chatterbox", threads=1, unload_after=options.unload_after)
        self._options = options
        self._clips = options.clips or surroundings.data_dir / CLIPS
        self._seeds = random.Random()
        self._loaded_as = self._identity = ""
        self._device = "cpu"
        self._digests: dict[Clip, tuple[float, str]] = {}

    @property
    def engine(self) -> str:
        """See `Backend.engine`."""
        where = f" on {self._loaded_as}" if self._model.state == "loaded" else ""
        return f"Chatterbox {self._options.model}{where}, {self._model.state}"

    def voices(self) -> Sequence[Voice]:
        """The checkpoint's own voice, and one for each clip; the preferred one first."""
        found = {clip.name: clip.language for clip in find_clips(self._clips) if not self._foreign(clip)}
        folder = self._options.checkpoint
        own = {BUILT_IN: None} if folder is None or (folder / "conds.pt").is_file() else {}
        names = {**own, **found}
        ordered = sorted(names, key=lambda name: name != self._options.voice)
        return [self._voice(name, names[name]) for name in ordered]

    def fingerprint(self, voice: Voice) -> str | None:
        """See `Backend.fingerprint`: None where lots are drawn, and before the model was loaded."""
        if self._options.seed is None or not self._identity:
            return None
        with contextlib.suppress(BackendUnavailableError):
            clip = self._clip(voice)
            return f"chatterbox {self._identity} {self._digest(clip) if clip else BUILT_IN}"
        return None

    def _speak(
        self, speaker: Speaker, request: SynthesisRequest, check: Callable[[], None]
    ) -> Generator[AudioChunk, None, None]:
        """In a worker, a piece a step, which ends between two tokens when it is not wanted.

        The model has one pace, so the request's is not heeded.
        """
        check()
        self._check_language(request.voice)
        seed = self._options.seed
        seed = self._seeds.getrandbits(31) if seed is None else seed
        drawn, seconds = _drawn_tokens(), 0.0
        for samples in speaker.speak(request, self._clip(request.voice), seed, check, drawn):
            seconds += len(samples) / RATE
            fraction = drawn.fraction(seconds, len(request.text))
            yield AudioChunk(np.clip(samples, -1, 1), self.format, fraction=fraction)

    def _load(self) -> Speaker:
        """In a thread."""
        prepare_torch()
        if self._around.offline:
            os.environ["HF_HUB_OFFLINE"] = "1"  # chatterbox-tts asks the hub for some of what it has
        try:
            return self._load_with_torch()
        except ImportError as error:
            raise BackendUnavailableError(NOT_INSTALLED.format(error=error)) from error

    def _free(self) -> None:
        """See `ResidentBackend`."""
        free_cache(self._device)

    def _load_with_torch(self) -> Speaker:
        import torch

        from wyoming_tts.backends.chatterbox_models import Model

        options = self._options
        torch.set_num_threads(options.threads)
        device = self._device = choose_device(options.device)
        precision = choose_precision(options.precision, device)
        offline = self._around.offline
        model = Model.load(options.model, options.checkpoint, device, offline=offline, precision=precision)
        if options.watermark and model.watermarker is None:
            _LOGGER.info("The installed chatterbox brings no watermark: speech is not marked")
        self._warn_of_clips()
        self._loaded_as = f"{device} in {precision}"
        self._identity = self._sound(model.identity, torch.__version__)
        return self._speaker(model)

    def _speaker(self, model: Model) -> Speaker:
        from wyoming_tts.backends.chatterbox_models import VoiceBook
        from wyoming_tts.backends.chatterbox_speaker import Speaker
        from wyoming_tts.backends.chatterbox_tokens import fixed_steps

        options = self._options
        rows = 2 if options.cfg_weight > 0 and not model.t3.is_gpt else 1
        return Speaker(
            model=model,
            book=VoiceBook(model, self._around.data_dir / f"{CLIPS}-embedded", self._digest),
            sampling=_sampling(options, model.t3.is_gpt),
            fixed=fixed_steps(model.t3, rows, options.max_tokens),
            exaggeration=options.exaggeration,
            steps=options.steps,
            max_tokens=options.max_tokens,
            watermark=options.watermark,
        )

    def _sound(self, weights: str, torch: str) -> str:
        """What decides how it sounds."""
        options = self._options.model_dump_json(include=SOUNDING)
        return hashlib.sha256(f"{weights} {torch} {self._loaded_as} {options}".encode()).hexdigest()[:16]

    def _warn_of_clips(self) -> None:
        clips = find_clips(self._clips)
        for clip in filter(self._foreign, clips):
            _LOGGER.warning("%s is left out: %s", clip.path, _not_spoken(self._options.model, clip.language))
        wanted = self._options.voice
        if wanted not in (None, BUILT_IN, *(clip.name for clip in clips)):
            _LOGGER.warning("There is no clip %s.wav in %s for `voice`", wanted, self._clips)

    def _foreign(self, clip: Clip) -> bool:
        """Whether it is of a language that is not spoken; the English models only take its sound."""
        many = self._options.model == "multilingual"
        return many and clip.language is not None and _primary(clip.language) not in LANGUAGES

    def _check_language(self, voice: Voice) -> None:
        """Raises SynthesisError."""
        spoken = LANGUAGES if self._options.model == "multilingual" else LANGUAGES[:1]
        if _primary(voice.language) not in spoken:
            raise SynthesisError(_not_spoken(self._options.model, voice.language))

    def _voice(self, name: str, language: str | None) -> Voice:
        many = self._options.model == "multilingual"
        return Voice(
            name=f"{self.name}/{name}", language=(language if many else None) or "en", backend=self.name,
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

    def _digest(self, clip: Clip) -> str:
        """As `Clip.digest`, read once as long as the file stays as it is."""
        try:
            written = clip.path.stat().st_mtime
        except OSError as error:
            raise BackendUnavailableError(f"the clip {clip.path} cannot be read: {error}") from error
        known = self._digests.get(clip)
        if known is None or known[0] != written:
            known = self._digests[clip] = (written, clip.digest())
        return known[1]


def _drawn_tokens() -> Drawn:
    """A count that has begun; its module is loaded with the model."""
    from wyoming_tts.backends.chatterbox_speaker import Drawn

    return Drawn()


def _primary(language: str) -> str:
    return language.split("-")[0].lower()


def _not_spoken(model: str, language: str | None) -> str:
    spoken = f"it speaks {', '.join(LANGUAGES)}" if model == "multilingual" else "it speaks English"
    return f"Chatterbox's {model} model does not speak {language!r}; {spoken}"


def choose_precision(wanted: str, device: str) -> str:
    """What tokens are drawn in: half precision is faster where the card has it."""
    import torch

    if wanted != "auto":
        return wanted
    return "bfloat16" if device.startswith("cuda") and torch.cuda.is_bf16_supported() else "float32"


def _sampling(options: ChatterboxOptions, is_gpt: bool) -> Sampling:
    """As the package does it by default, but for what the options say."""
    from wyoming_tts.backends.chatterbox_tokens import Sampling

    warmth = options.temperature
    if is_gpt:
        return Sampling(temperature=warmth, min_p=0, top_p=0.95, top_k=1000, penalty_last=True)
    penalty = 2.0 if options.model == "multilingual" else 1.2
    return Sampling(temperature=warmth, cfg_weight=options.cfg_weight, repetition_penalty=penalty)
