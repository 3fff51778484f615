"""Chatterbox's models as the installed package offers them: found, loaded, and given voices."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import soundfile
import torch
import torch.nn.functional as functional

from wyoming_tts.backends.chatterbox_clips import RATE
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError, SynthesisError
from wyoming_tts.types import Samples

_LOGGER = logging.getLogger(__name__)

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
        ),
        "turbo": Kind(
            "chatterbox.tts_turbo",
            "ChatterboxTurboTTS",
            ("ve.safetensors", "t3_turbo_v1.safetensors", "s3gen_meanflow.safetensors"),
        ),
        "nano": Kind(
            "chatterbox.tts_turbo",
            "ChatterboxTurboTTS",
            ("ve.safetensors", "t3_nano_v1.safetensors", "s3gen_meanflow.safetensors"),
            MappingProxyType({"nano": True}),
        ),
    }
)


class Model:
    """A loaded model; its parts are only read, so that several utterances can be computed in turn."""

    def __init__(self, kind: str, package: Any) -> None:
        """`package` is an object of the package's class."""
        self.kind, self._package = kind, package
        self.t3, self.s3gen = package.t3, package.s3gen
        self.builtin = package.conds
        """The checkpoint's own voice; None where it has none."""
        self.watermarker = getattr(package, "watermarker", None)
        """What the package would mark speech with; None where it brings nothing."""

    @classmethod
    def load(cls, kind: str, checkpoint: Path | None, device: str, *, offline: bool) -> Model:
        """From a folder, or else from the hub. Raises BackendUnavailableError, naming what is missing."""
        known = KINDS[kind]
        package = _class_of(known)
        if checkpoint is None and offline:
            raise BackendUnavailableError(
                f"Chatterbox's {kind} model is not fetched with --offline; name a folder that has it in "
                "`checkpoint`"
            )
        if checkpoint is not None:
            _check_files(known, checkpoint)
        try:
            with _quiet():
                if checkpoint is None:
                    return cls(kind, package.from_pretrained(device, **known.arguments))
                return cls(kind, package.from_local(checkpoint, device, **known.arguments))
        except torch.OutOfMemoryError as error:
            raise BackendOverloadedError(f"Chatterbox does not fit into the memory of {device}") from error
        except Exception as error:  # whatever a checkpoint makes the package raise
            place = checkpoint or "the hub"
            raise BackendUnavailableError(f"Chatterbox's {kind} model from {place}: {error}") from error

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
    def embed(self, samples: Samples, exaggeration: float) -> Any:
        """The voice of a clip at `RATE`, as the package keeps one. Raises BackendUnavailableError."""
        before = self._package.conds
        try:
            with tempfile.TemporaryDirectory() as folder, _quiet():
                path = Path(folder) / "clip.wav"
                soundfile.write(path, samples, RATE, subtype="FLOAT")
                self._package.prepare_conditionals(str(path), exaggeration=exaggeration)
            return _shortened(self._package.conds)
        except AssertionError as error:  # Turbo wants more than five seconds
            raise BackendUnavailableError(f"the clip makes no voice for {self.kind}: {error}") from error
        finally:
            self._package.conds = before

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


def _class_of(kind: Kind) -> Any:
    if importlib.util.find_spec("chatterbox") is None:
        raise BackendUnavailableError(
            "Chatterbox is not installed: script/setup chatterbox, or pip install 'wyoming-tts[chatterbox]' "
            "and then pip install --no-deps chatterbox-light s3tokenizer torchaudio"
        )
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        return getattr(importlib.import_module(kind.module), kind.name)
    except (ImportError, AttributeError, OSError) as error:
        raise BackendUnavailableError(
            f"the installed chatterbox has no {kind.name} to use: {error}"
        ) from error


def _check_files(kind: Kind, checkpoint: Path) -> None:
    missing = [name for name in kind.files if not (checkpoint / name).is_file()]
    if missing:
        raise BackendUnavailableError(f"the checkpoint {checkpoint} lacks {', '.join(missing)}")


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
