"""Chatterbox's models as the installed package offers them: found, loaded, and given voices."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.metadata
import importlib.util
import io
import logging
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import soundfile
import torch
import torch.nn.functional as functional

from wyoming_tts.backends.chatterbox_clips import RATE, Clip, read_clip
from wyoming_tts.backends.torch_device import is_out_of_memory
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError, SynthesisError
from wyoming_tts.files import publish_bytes
from wyoming_tts.types import Samples

_LOGGER = logging.getLogger(__name__)

RECIPE = "2"
"""Version of how a voice is made of a clip: raise it with every change to that."""

KEPT_VOICES, KEPT_FILES = 8, 64
"""Embedded voices that are kept in memory, and on disk."""

CANGJIE = "Cangjie5_TC.json"
"""How the multilingual model reads Chinese; the package fetches it where a checkpoint has it not."""

PROMPT_TOKENS = 100
"""Tokens of a clip that the flow hears in front of each piece: 4 s. More make each piece dearer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the package's models."""

    module: str
    """Where its class is."""

    name: str
    """What its class is called."""

    files: tuple[str, ...]
    """What a checkpoint must have."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What loading it is told besides."""

    silence: int = 0
    """Tokens of silence that it wants behind what it has said, as the package adds them."""

    unheard: int = 0
    """Last tokens that are noise, as the package leaves them out."""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "english": Kind(
            "chatterbox.tts",
            "ChatterboxTTS",
            ("ve.safetensors", "t3_cfg.safetensors", "s3gen.safetensors", "tokenizer.json"),
        ),
        "multilingual": Kind(
            "chatterbox.mtl_tts",
            "ChatterboxMultilingualTTS",
            ("ve.pt", "t3_mtl23ls_v2.safetensors", "s3gen.pt", "grapheme_mtl_merged_expanded_v1.json"),
            unheard=1,
        ),
        "turbo": Kind(
            "chatterbox.tts_turbo",
            "ChatterboxTurboTTS",
            ("ve.safetensors", "t3_turbo_v1.safetensors", "s3gen_meanflow.safetensors"),
            silence=3,
        ),
        "nano": Kind(
            "chatterbox.tts_turbo",
            "ChatterboxTurboTTS",
            ("ve.safetensors", "t3_nano_v1.safetensors", "s3gen_meanflow.safetensors"),
            MappingProxyType({"nano": True}),
            silence=3,
        ),
    }
)


class Model:
    """A loaded model; its parts are only read, so that several utterances can be computed in turn."""

    def __init__(self, kind: str, package: Any, identity: str = "") -> None:
        """`package` is an object of the package's class; `identity` tells its weights from others."""
        self.kind, self._package, self.identity = kind, package, identity
        self.t3, self.s3gen = package.t3, package.s3gen
        self.builtin = _shortened(package.conds) if package.conds is not None else None
        """The checkpoint's own voice; None where it has none."""
        self.watermarker = getattr(package, "watermarker", None)
        """What the package would mark speech with; None where it brings nothing."""
        self._embedding = threading.Lock()

    @classmethod
    def load(
        cls, kind: str, checkpoint: Path | None, device: str, *, offline: bool, precision: str = "float32"
    ) -> Model:
        """From a folder, or else from the hub. Raises BackendUnavailableError, naming what is missing.

        `precision` is that of the layers that draw tokens; all that makes sound of them is in float32.
        """
        if checkpoint is None and offline:
            raise BackendUnavailableError(
                f"Chatterbox's {kind} model is not fetched with --offline; name a folder that has it in "
                "`checkpoint`"
            )
        known, package = KINDS[kind], _class_of(KINDS[kind])
        if checkpoint is not None:
            _check_files(kind, checkpoint, offline=offline)
        try:
            with _quiet():
                loaded = _loaded(package, known, checkpoint, device)
            loaded.t3.tfmr.to(getattr(torch, precision))
        except Exception as error:  # whatever a checkpoint makes the package raise
            if is_out_of_memory(error):
                raise BackendOverloadedError(
                    f"Chatterbox does not fit into the memory of {device}"
                ) from error
            place = checkpoint or "the hub"
            raise BackendUnavailableError(f"Chatterbox's {kind} model from {place}: {error}") from error
        return cls(kind, loaded, _identity(kind, checkpoint))

    def text_tokens(self, text: str, language: str) -> torch.Tensor:
        """A text as the model reads it, (1, length). Raises SynthesisError for a text without letters."""
        module = importlib.import_module(KINDS[self.kind].module)
        if not any(character.isalnum() for character in text):
            raise SynthesisError("there is nothing to say in the text")
        text = module.punc_norm(text)
        if self.t3.is_gpt:
            ids = self._package.tokenizer(text, return_tensors="pt", truncation=True).input_ids
            return ids.to(self.t3.device)
        given = {"language_id": language.split("-")[0]} if self.kind == "multilingual" else {}
        ids = self._package.tokenizer.text_to_tokens(text, **given).to(self.t3.device)
        hp = self.t3.hp
        return functional.pad(
            functional.pad(ids, (1, 0), value=hp.start_text_token), (0, 1), value=hp.stop_text_token
        )

    @torch.inference_mode()
    def embed(self, samples: Samples) -> Any:
        """The voice of a clip at `RATE`, as the package keeps one. Raises BackendUnavailableError."""
        package, more = self._package, {}
        if self.t3.is_gpt:  # chatterbox-tts makes numbers of twice the size of this, and then fails
            samples = np.asarray(package.norm_loudness(samples, RATE), np.float32)
            more = {"norm_loudness": False}
        with self._embedding, tempfile.TemporaryDirectory() as folder, _quiet():
            before, path = package.conds, Path(folder) / "clip.wav"
            soundfile.write(path, samples, RATE, subtype="FLOAT")
            try:
                package.prepare_conditionals(str(path), **more)
                return _shortened(package.conds)
            except AssertionError as error:  # Turbo wants more than five seconds
                raise BackendUnavailableError(f"the clip makes no voice for {self.kind}: {error}") from error
            finally:
                package.conds = before

    def moved(self, voice: Any, exaggeration: float) -> Any:
        """A voice that speaks as lively as that."""
        if self.t3.is_gpt:
            return voice
        emotion = torch.full((1, 1, 1), exaggeration, device=self.t3.device)
        t3 = type(voice.t3)(
            speaker_emb=voice.t3.speaker_emb,
            cond_prompt_speech_tokens=voice.t3.cond_prompt_speech_tokens,
            emotion_adv=emotion,
        )
        return type(voice)(t3, voice.gen)

    def dump(self, condition: Any) -> bytes:
        """A voice as bytes."""
        file = io.BytesIO()
        condition.save(file)
        return file.getvalue()

    def restore(self, data: bytes) -> Any:
        """A voice of bytes that `dump` made. Raises what torch raises for others."""
        module = importlib.import_module(KINDS[self.kind].module)
        found = module.Conditionals.load(io.BytesIO(data), map_location=str(self.t3.device))
        return found.to(self.t3.device)


class VoiceBook:
    """The voices of clips: each is listened to once, and kept in memory and on disk, some of them."""

    def __init__(self, model: Model, folder: Path, digest: Callable[[Clip], str] = Clip.digest) -> None:
        """`folder` is where they are kept; `digest` tells the contents of a clip from others."""
        self._model, self._folder, self._digest = model, folder, digest
        self._voices: OrderedDict[str, Any] = OrderedDict()

    def voice(self, clip: Clip | None) -> Any:
        """A voice as the model wants it; None is the checkpoint's own. Raises BackendUnavailableError."""
        if clip is None:
            if self._model.builtin is None:
                raise BackendUnavailableError("the checkpoint has no voice of its own; put a clip into clips")
            return self._model.builtin
        made_of = f"{RECIPE} {self._model.kind} {self._model.identity} {self._digest(clip)}"
        key = hashlib.sha256(made_of.encode()).hexdigest()[:32]
        voice = self._voices.pop(key, None) or self._kept(key) or self._made(clip, key)
        self._voices[key] = voice
        while len(self._voices) > KEPT_VOICES:
            self._voices.popitem(last=False)
        return voice

    def _kept(self, key: str) -> Any:
        path = self._folder / f"{key}.pt"
        try:
            data = path.read_bytes()
            path.touch()
            return self._model.restore(data)
        except FileNotFoundError:
            return None
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # torch raises anything for a damaged file; it is made anew
            _LOGGER.warning("%s is made anew: %s", path, error)
            return None

    def _made(self, clip: Clip, key: str) -> Any:
        _LOGGER.info("Listening to %s, once", clip.path)
        voice = self._model.embed(read_clip(clip))
        try:
            publish_bytes(self._folder / f"{key}.pt", self._model.dump(voice))
            files = sorted(self._folder.glob("*.pt"), key=lambda path: path.stat().st_mtime)
            for path in files[:-KEPT_FILES]:
                path.unlink(missing_ok=True)
        except OSError as error:
            _LOGGER.warning("The voice of %s cannot be kept: %s", clip.path, error)
        return voice


def _class_of(kind: Kind) -> Any:
    if importlib.util.find_spec("chatterbox") is None:
        raise BackendUnavailableError(
            "Chatterbox is not installed: script/setup chatterbox, or pip install 'wyoming-tts[chatterbox]' "
            "&& pip install --no-deps chatterbox-light==1.0.2 s3tokenizer==0.3.0 torchaudio==2.11.0"
        )
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        found = getattr(importlib.import_module(kind.module), kind.name)
        _check_perth()
        return found
    except (ImportError, AttributeError, OSError) as error:
        raise BackendUnavailableError(
            f"the installed chatterbox cannot be used for {kind.name}: {error}"
        ) from error


def _check_perth() -> None:
    """Where chatterbox-tts brings its watermark, that can be loaded: with a new setuptools it cannot."""
    if importlib.util.find_spec("perth") is None:
        return
    if getattr(importlib.import_module("perth"), "PerthImplicitWatermarker", None) is None:
        raise ImportError("resemble-perth needs pkg_resources: pip install 'setuptools<81'")


def _loaded(package: Any, kind: Kind, checkpoint: Path | None, device: str) -> Any:
    if checkpoint is None:
        return package.from_pretrained(device, **kind.arguments)
    loaded = package.from_local(checkpoint, device, **kind.arguments)
    if "s3gen.safetensors" in kind.files:
        _check_s3gen(loaded.s3gen, checkpoint / "s3gen.safetensors")
    return loaded


def _check_s3gen(s3gen: Any, path: Path) -> None:
    """The package takes any file for this one, and would speak with random weights. Raises ValueError."""
    from safetensors import safe_open

    with safe_open(path, "pt") as weights:
        missing = set(s3gen.state_dict()) - set(weights.keys()) - set(s3gen.ignore_state_dict_missing)
    if missing:
        raise ValueError(f"{path.name} lacks {len(missing)} weights, such as {min(missing)}")


def _check_files(kind: str, checkpoint: Path, *, offline: bool) -> None:
    wanted = [*KINDS[kind].files, *([CANGJIE] if offline and kind == "multilingual" else [])]
    missing = [name for name in wanted if not (checkpoint / name).is_file()]
    if missing:
        raise BackendUnavailableError(f"the checkpoint {checkpoint} lacks {', '.join(missing)}")


def _identity(kind: str, checkpoint: Path | None) -> str:
    """What tells a model from others: the package's version, and its files as they were last written."""
    found = [kind, *_versions(("chatterbox-light", "chatterbox-tts"))]
    if checkpoint is None:
        found += _fetched(kind)
    else:
        for path in (checkpoint / name for name in (*KINDS[kind].files, "conds.pt")):
            if path.is_file():
                status = path.stat()
                found.append(f"{path.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def _fetched(kind: str) -> Iterator[str]:
    """Names of the hub's files, which the hub names by their content."""
    from huggingface_hub import try_to_load_from_cache

    module = importlib.import_module(KINDS[kind].module)
    repository = getattr(module, "NANO_REPO_ID" if kind == "nano" else "REPO_ID", "")
    for name in (*KINDS[kind].files, "conds.pt"):
        path = try_to_load_from_cache(repository, name)
        if isinstance(path, str):
            yield Path(path).resolve().name


def _versions(names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            yield f"{name} {importlib.metadata.version(name)}"


def _shortened(condition: Any) -> Any:
    """With as much of the clip in front of each piece as pays, and two frames for each of its tokens."""
    reference = dict(condition.gen)
    count = min(PROMPT_TOKENS, reference["prompt_token"].size(1), reference["prompt_feat"].size(1) // 2)
    reference["prompt_token"] = reference["prompt_token"][:, :count].clone()
    reference["prompt_feat"] = reference["prompt_feat"][:, : 2 * count].clone()
    reference["prompt_token_len"] = torch.tensor([count], device=reference["prompt_token"].device)
    return type(condition)(condition.t3, reference)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The package prints; a server's standard output belongs to its clients."""
    with io.StringIO() as said, contextlib.redirect_stdout(said):
        yield
        if text := said.getvalue().strip():
            _LOGGER.debug("chatterbox: %s", text)
