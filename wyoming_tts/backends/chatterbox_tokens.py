"""Chatterbox's first half: a text becomes speech tokens, 25 for a second, one at a time."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

SPEECH_CODES = 6561
"""Tokens from here on are no sound; some of them mean start and end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float = 0.8
    """0 takes the likeliest."""

    cfg_weight: float = 0.5
    """How much the text counts against the voice; 0 computes half as much. Turbo and Nano have none."""

    repetition_penalty: float = 1.2
    """By how much what was said is less likely."""

    min_p: float = 0.05
    """Least probability beside the likeliest's."""

    top_p: float = 1.0
    """Share of the probability that is drawn from."""

    top_k: int = 0
    """Number of tokens that are drawn from; 0 are all."""


@torch.inference_mode()
def tokens(
    t3: Any, condition: Any, text: torch.Tensor, sampling: Sampling, *, seed: int, limit: int
) -> Iterator[int]:
    """The speech tokens of a text, at most `limit`; ends where the model ends it.

    `text` are text tokens, (1, length), with start and stop where the model wants them. The global random
    numbers are neither read nor changed, and so is the model: two loops can run in turn.
    """
    generator = torch.Generator(device=t3.device).manual_seed(seed)
    use_cfg = sampling.cfg_weight > 0 and not t3.is_gpt
    embedded = _beginning(t3, condition, text, use_cfg, sampling.cfg_weight)
    rows = embedded.size(0)
    out = t3.tfmr(inputs_embeds=embedded, use_cache=True)
    seen = torch.zeros(t3.hp.speech_tokens_dict_size, dtype=torch.bool, device=t3.device)
    seen[t3.hp.start_speech_token] = True
    for position in range(limit):
        logits = t3.speech_head(out.last_hidden_state[:, -1]).float()
        token = _draw(_guided(logits, use_cfg, sampling), seen, sampling, t3.hp.stop_speech_token, generator)
        if token == t3.hp.stop_speech_token:
            return
        seen[token] = True
        yield token
        step = _embedding(t3, token, position + 1).expand(rows, -1, -1)
        out = t3.tfmr(inputs_embeds=step, past_key_values=out.past_key_values, use_cache=True)


def _beginning(t3: Any, condition: Any, text: torch.Tensor, use_cfg: bool, weight: float) -> torch.Tensor:
    """Embeddings of voice, text and start; twice with guidance, the second time without the text."""
    own = type(condition)(**{one.name: getattr(condition, one.name) for one in dataclasses.fields(condition)})
    ids = text.repeat(2, 1) if use_cfg else text
    start = torch.full_like(ids[:, :1], t3.hp.start_speech_token)
    embedded, _ = t3.prepare_input_embeds(
        t3_cond=own, text_tokens=ids, speech_tokens=start, cfg_weight=weight if use_cfg else 0.0
    )
    if t3.is_gpt:
        return embedded
    again = _embedding(t3, t3.hp.start_speech_token, 0)  # the model was made with two starts
    return torch.cat([embedded, again.expand(embedded.size(0), -1, -1)], 1)


def _embedding(t3: Any, token: int, position: int) -> torch.Tensor:
    embedded = t3.speech_emb(torch.tensor([[token]], device=t3.device))
    return embedded if t3.is_gpt else embedded + t3.speech_pos_emb.get_fixed_embedding(position)


def _guided(logits: torch.Tensor, use_cfg: bool, sampling: Sampling) -> torch.Tensor:
    """Logits of one row, (tokens,)."""
    if not use_cfg:
        return logits[0]
    return logits[0] + sampling.cfg_weight * (logits[0] - logits[1])


def _draw(
    logits: torch.Tensor, seen: torch.Tensor, sampling: Sampling, stop: int, generator: torch.Generator
) -> int:
    penalty = sampling.repetition_penalty
    logits = torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)
    allowed = torch.zeros_like(seen)
    allowed[:SPEECH_CODES] = allowed[stop] = True
    logits = logits.masked_fill(~allowed, -math.inf)
    if sampling.temperature <= 0:
        return int(logits.argmax())
    chances = _narrowed((logits / sampling.temperature).softmax(-1), sampling)
    return int(torch.multinomial(chances, 1, generator=generator))


def _narrowed(chances: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """Without what is too unlikely to be drawn."""
    if sampling.top_k:
        least = chances.topk(min(sampling.top_k, len(chances))).values[-1]
        chances = chances.masked_fill(chances < least, 0)
    if sampling.min_p:
        chances = chances.masked_fill(chances < sampling.min_p * chances.max(), 0)
    if sampling.top_p < 1:
        ordered, places = chances.sort(descending=True)
        before = ordered.cumsum(-1) - ordered
        ordered = ordered.masked_fill(before > sampling.top_p * chances.sum(), 0)
        chances = torch.zeros_like(chances).scatter(0, places, ordered)
    return chances / chances.sum()
