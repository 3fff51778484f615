"""Chatterbox's real classes, shrunken, with random weights, as checkpoints for its own `from_local`."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from tests.speech import surroundings
from wyoming_tts.backends.chatterbox import ChatterboxBackend, ChatterboxOptions
from wyoming_tts.backends.chatterbox_clips import Clip, read_clip
from wyoming_tts.backends.chatterbox_models import KINDS, Model
from wyoming_tts.backends.chatterbox_tokens import SPEECH_CODES

WIDTH = 64

TEXT = "The light is on."

TOKEN = 960
"""Samples of a token."""

WARNINGS = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # diffusers of its own classes
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's weight_norm and the like
    pytest.mark.filterwarnings("ignore::UserWarning"),  # torchaudio and transformers
]
"""What the package's own packages say and nobody here can change."""


@contextlib.contextmanager
def shrunken() -> Iterator[None]:
    """While it is open the package makes its networks small."""
    from chatterbox.models.s3gen import s3gen
    from chatterbox.models.t3 import llama_configs
    from chatterbox.models.t3.modules import cond_enc
    from s3tokenizer import model_v2

    llama = dict(
        llama_configs.LLAMA_520M_CONFIG_DICT, hidden_size=WIDTH, intermediate_size=2 * WIDTH,
        num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=4, head_dim=16,
    )  # fmt: skip
    gpt = dict(llama_configs.GPT2_MEDIUM_CONFIG, n_embd=WIDTH, hidden_size=WIDTH, n_head=4, n_layer=2)
    tokenizer = model_v2.ModelConfig(n_audio_state=64, n_audio_head=1, n_audio_layer=1)

    def smaller(kind: Any, **sizes: int) -> Any:
        return lambda **arguments: kind(**{**arguments, **sizes})

    perceiver = functools.partial(cond_enc.Perceiver, pre_attention_query_size=WIDTH, embedding_dim=WIDTH)
    configs = {"Llama_520M": llama, "GPT2_medium": gpt, "GPT2_small": gpt}
    with contextlib.ExitStack() as stack:
        for patch in (
            mock.patch.dict(llama_configs.LLAMA_CONFIGS, configs),
            mock.patch.object(cond_enc, "Perceiver", perceiver),
            mock.patch.object(model_v2.S3TokenizerV2.__init__, "__defaults__", (tokenizer,)),
            mock.patch.object(
                s3gen,
                "UpsampleConformerEncoder",
                smaller(s3gen.UpsampleConformerEncoder, linear_units=64, num_blocks=1),
            ),
            mock.patch.object(
                s3gen,
                "ConditionalDecoder",
                smaller(s3gen.ConditionalDecoder, n_blocks=1, num_mid_blocks=1, num_heads=2),
            ),
            mock.patch.object(s3gen, "HiFTGenerator", smaller(s3gen.HiFTGenerator, base_channels=32)),
        ):
            stack.enter_context(patch)
        yield


def make_checkpoint(kind: str, folder: Path) -> Path:
    """Write one for `english`, `multilingual`, `turbo` or `nano`: in full size unless `shrunken` is open."""
    from chatterbox.models.s3gen import S3Gen
    from chatterbox.models.voice_encoder import VoiceEncoder

    folder.mkdir(parents=True)
    torch.manual_seed(1)
    gpt = kind in ("turbo", "nano")
    t3 = _t3(kind)
    with torch.no_grad():  # hardly ever a token that is no sound
        t3.speech_head.weight[SPEECH_CODES:] = 0
    s3gen, encoder = S3Gen(meanflow=gpt), VoiceEncoder()
    with torch.no_grad():  # a pitch, whose periods do not end with frames: else its phase were not tested
        s3gen.mel2wav.f0_predictor.classifier.bias.fill_(163)
    if kind == "multilingual":
        torch.save(encoder.state_dict(), folder / "ve.pt")
        torch.save(s3gen.state_dict(), folder / "s3gen.pt")
        save_file(_state(t3), folder / "t3_mtl23ls_v2.safetensors")
        _write_tokenizer(folder / "grapheme_mtl_merged_expanded_v1.json")
        (folder / "Cangjie5_TC.json").write_text("[]")
        return folder
    save_file(_state(encoder), folder / "ve.safetensors")
    save_file(_state(s3gen), folder / ("s3gen_meanflow.safetensors" if gpt else "s3gen.safetensors"))
    names = {"english": "t3_cfg", "turbo": "t3_turbo_v1", "nano": "t3_nano_v1"}
    save_file(_state(t3), folder / f"{names[kind]}.safetensors")
    if gpt:
        _write_gpt_tokenizer(folder)
    else:
        _write_tokenizer(folder / "tokenizer.json")
    return folder


def _t3(kind: str) -> Any:
    from chatterbox.models.t3 import T3
    from chatterbox.models.t3.modules.t3_config import T3Config

    if kind == "english":
        return T3()
    if kind == "multilingual":
        return T3(T3Config.multilingual())
    hp = T3Config(text_tokens_dict_size=50276)
    hp.llama_config_name = "GPT2_small" if kind == "nano" else "GPT2_medium"
    hp.speech_tokens_dict_size = 6563
    hp.input_pos_emb = None
    hp.speech_cond_prompt_len = 375
    hp.use_perceiver_resampler = False
    hp.emotion_adv = False
    return T3(hp)


def _state(module: Any) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone().contiguous() for name, value in module.state_dict().items()}


def _write_tokenizer(path: Path) -> None:
    """Letters and the special tokens that the package looks for, under the numbers that it knows."""
    special = {"[STOP]": 0, "[UNK]": 1, "[SPACE]": 2, "[START]": 255}
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ .,!?'-"
    vocabulary = {**special, **{letter: 3 + number for number, letter in enumerate(letters)}}
    languages = {f"[{tag}]": 300 + number for number, tag in enumerate(("en", "de", "fr", "es"))}
    added = [
        {"id": number, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for name, number in {**special, **languages}.items()
    ]  # fmt: skip
    path.write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
        "pre_tokenizer": None, "post_processor": None, "decoder": None,
        "model": {"type": "BPE", "dropout": None, "unk_token": "[UNK]", "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "vocab": {**vocabulary, **languages}, "merges": []},
    }))  # fmt: skip


def _write_gpt_tokenizer(folder: Path) -> None:
    """Bytes as GPT-2 writes them."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    vocabulary = {letter: number for number, letter in enumerate([*letters, "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer"}))


def hum(path: Path, seconds: float = 7.0, rate: int = 24_000, level: float = 0.3) -> Path:
    """A clip that is something like a voice: a hum with harmonics that rises and falls."""
    time = np.arange(round(seconds * rate)) / rate
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.7 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    wave = sum(np.sin(k * phase) / k for k in range(1, 12)) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time))
    soundfile.write(path, (level * wave / np.abs(wave).max()).astype(np.float32), rate)
    return path


def checkpoints(base: Path) -> Path:
    """One of each kind in a folder of `base`, made once; load them while `shrunken` is open."""
    folder = base / "chatterbox"
    if not folder.is_dir():
        with shrunken():
            for kind in KINDS:
                make_checkpoint(kind, folder / kind)
    return folder


def load(kind: str, base: Path, **more: Any) -> Model:
    torch.set_num_threads(1)  # several that wait for each other are slow where other tests run
    with shrunken():
        return Model.load(kind, checkpoints(base) / kind, "cpu", offline=True, **more)


def embed(model: Model, base: Path) -> Any:
    """The voice of a hum."""
    path = base / "hum.wav"
    return model.embed(read_clip(Clip("hum", None, path if path.is_file() else hum(path))))


def backend(
    folder: Path, data: Path, kind: str = "turbo", *, clip: float = 7.0, **options: Any
) -> ChatterboxBackend:
    """A server's, with the voice of a hum of `clip` seconds; it says little, and roughly."""
    (data / "clips").mkdir(parents=True, exist_ok=True)
    hum(data / "clips" / "hum.wav", clip)
    chosen = {"max_tokens": 40, "steps": 1, "model": kind, "checkpoint": folder / kind, **options}
    return ChatterboxBackend(ChatterboxOptions(**chosen), surroundings(data, name="chatterbox"))
