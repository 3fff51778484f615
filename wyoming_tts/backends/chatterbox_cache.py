"""What Chatterbox's first half has read so far, so that nothing is read twice."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from transformers import DynamicCache

KEPT_VOICES = 2
"""Voices that need not be read again; of Turbo each takes 75 MB."""


class Voices:
    """What the model has read of the voices that spoke last, which is the same for all that they say.

    For Turbo that is most of what it reads before its first token.
    """

    def __init__(self) -> None:
        """Of one model."""
        self._kept: tuple[tuple[torch.Tensor, DynamicCache], ...] = ()

    def read(self, t3: Any, voice: torch.Tensor) -> DynamicCache:
        """The caller's own cache behind the embeddings of a voice, (rows, length, width)."""
        kept = next((one for one in self._kept if torch.equal(one[0], voice)), None)
        if kept is None:
            kept = (voice.clone(), new_cache(t3))
            t3.tfmr(inputs_embeds=voice, use_cache=True, **{cache_name(t3): kept[1]})
        others = (one for one in self._kept if one is not kept)
        self._kept = (kept, *others)[:KEPT_VOICES]  # at once, as others may look meanwhile
        own = new_cache(t3)
        layers: list[Any] = kept[1].layers  # of those kinds that have keys and values
        for number, layer in enumerate(layers):
            own.update(layer.keys, layer.values, number)
        return own


def new_cache(t3: Any) -> DynamicCache:
    """One that has read nothing yet."""
    return DynamicCache(config=t3.tfmr.config)


def cache_name(t3: Any) -> str:
    """What transformers calls the cache: the old name from 5.24 on only with a warning."""
    return "cache" if takes(t3, "cache") else "past_key_values"


def takes(t3: Any, name: str) -> bool:
    """Whether the transformer has such an argument."""
    return name in inspect.signature(t3.tfmr.forward).parameters
