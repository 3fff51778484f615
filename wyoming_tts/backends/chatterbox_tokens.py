"""Chatterbox's first half: a text becomes speech tokens, 25 for a second, one at a time."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from transformers import StaticCache

from wyoming_tts.backends.chatterbox_cache import Voices, cache_name, new_cache, takes

_LOGGER = logging.getLogger(__name__)

SPEECH_CODES = 6561
"""Tokens from here on are no sound; some of them mean start and end."""

PROMPT_ROOM = 768
"""Positions of a fixed cache for voice and text: Turbo's voice takes 376, a sentence rarely 200."""

GRAPH_TOLERANCE = 0.05
"""Relative difference to the plain computation up to which a graph is used: half precision makes 0.01."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn."""

    temperature: float = 0.8
    """0 takes the likeliest."""

    cfg_weight: float = 0.5
    """How much the text counts against the voice; 0 computes half as much. Turbo and Nano have none."""

    repetition_penalty: float = 1.2
    """By how much what was said is less likely."""

    penalty_last: bool = False
    """Whether that counts behind the choice of those that are drawn from, as Turbo and Nano have it."""

    min_p: float = 0.05
    """Least probability beside the likeliest's."""

    top_p: float = 1.0
    """Share of the probability that is drawn from."""

    top_k: int = 0
    """Number of tokens that are drawn from; 0 are all."""


@torch.inference_mode()
def tokens(
    t3: Any,
    condition: Any,
    text: torch.Tensor,
    sampling: Sampling,
    *,
    seed: int,
    limit: int,
    fixed: Fixed | None = None,
    voices: Voices | None = None,
) -> Generator[int, None, None]:
    """The speech tokens of a text, at most `limit`; ends where the model ends it.

    `text` are text tokens, (1, length), with start and stop where the model wants them. The global random
    numbers are neither read nor changed, and so is the model: two loops can run in turn. Of those, one
    computes with `fixed`, where that has room; others begin with what `voices` keeps.
    """
    generator = torch.Generator(device=t3.device).manual_seed(seed)
    use_cfg = sampling.cfg_weight > 0 and not t3.is_gpt
    embedded, length = _beginning(t3, condition, text, use_cfg, sampling.cfg_weight)
    seen = torch.zeros(t3.hp.speech_tokens_dict_size, dtype=torch.bool, device=t3.device)
    seen[t3.hp.start_speech_token] = True
    growing = Growing(t3, voices, length)
    with _steps(growing, fixed, embedded, limit) as steps:
        logits = steps.begin(embedded)
        for position in range(limit):
            token = _draw(_guided(logits, use_cfg, sampling), seen, sampling, t3, generator)
            if token == t3.hp.stop_speech_token:
                return
            seen[token] = True
            yield token
            logits = steps.next(_embedding(t3, token, position + 1))


class Growing:
    """Steps whose cache grows: on any device, for a text of any length."""

    def __init__(self, t3: Any, voices: Voices | None = None, length: int = 0) -> None:
        """Of one utterance, whose first `length` positions are a voice that `voices` may know."""
        self._t3, self._voices, self._length = t3, voices, length

    def begin(self, embedded: torch.Tensor) -> torch.Tensor:
        """Logits, (rows, tokens), behind the embeddings of voice and text, (rows, length, width)."""
        self._rows, embedded = embedded.size(0), _as_weights(self._t3, embedded)
        if self._voices is None:
            cache = new_cache(self._t3)
        else:
            cache = self._voices.read(self._t3, embedded[:, : self._length])
            embedded = embedded[:, self._length :]
        self._given = {"use_cache": True, cache_name(self._t3): cache}
        return _logits(self._t3, self._t3.tfmr(inputs_embeds=embedded, **self._given))

    def next(self, embedded: torch.Tensor) -> torch.Tensor:
        """Those behind one more token, (1, 1, width), which is the same for all rows."""
        step = _as_weights(self._t3, embedded).expand(self._rows, -1, -1)
        return _logits(self._t3, self._t3.tfmr(inputs_embeds=step, **self._given))


class Fixed:
    """Steps whose tensors stay where they are, so that a card can be given all of a step as one graph."""

    def __init__(self, t3: Any, rows: int, length: int) -> None:
        """For utterances of `rows` rows and up to `length` positions, one at a time."""
        self._t3, self.rows, self.length = t3, rows, length
        self.lease = threading.Lock()
        """Whoever computes with it holds this."""
        weights = next(t3.tfmr.parameters())
        self._cache = StaticCache(config=t3.tfmr.config, max_cache_len=length)
        self._name, self._told = cache_name(t3), takes(t3, "cache_position")
        self._places = torch.arange(length, device=weights.device)
        self._position = torch.zeros(1, dtype=torch.long, device=weights.device)
        self._input = torch.zeros(rows, 1, t3.dim, device=weights.device, dtype=weights.dtype)
        self._replay: Callable[[], torch.Tensor] = self._step

    def begin(self, embedded: torch.Tensor) -> torch.Tensor:
        """See `Growing.begin`; forgets the utterance before."""
        self._cache.reset()  # type: ignore[no-untyped-call]
        self._position.fill_(embedded.size(1) - 1)
        return self._run(_as_weights(self._t3, embedded), self._places[: embedded.size(1)])

    def next(self, embedded: torch.Tensor) -> torch.Tensor:
        """See `Growing.next`."""
        self._position += 1
        self._input.copy_(embedded)
        return self._replay()

    @torch.inference_mode()
    def capture(self) -> None:
        """Record a step, which is only played again from now on. Raises what CUDA raises."""
        with torch.cuda.device(self._input.device):
            self.begin(torch.zeros_like(self._input))
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(3):  # libraries set themselves up in the first steps
                    self._step()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # others compute meanwhile
                logits = self._step()

        def replay() -> torch.Tensor:
            graph.replay()
            return logits

        self._replay = replay

    @torch.inference_mode()
    def deviation(self) -> float:
        """The greatest relative difference to `Growing` over a few steps."""
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(self.rows, 12, self._t3.dim, generator=generator).to(self._input)
        plain, worst = Growing(self._t3), 0.0
        for start, end in ((0, 8), *((place, place + 1) for place in range(8, 12))):
            given = inputs[:, start:end] if not start else inputs[:1, start:end]
            one, other = ((steps.next if start else steps.begin)(given) for steps in (self, plain))
            worst = max(worst, float((one - other).norm() / other.norm()))
        return worst

    def _step(self) -> torch.Tensor:
        return self._run(self._input, self._position)

    def _run(self, embedded: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """Each position sees those up to itself; told outright, as finding it out waits for the card."""
        hidden = self._places > positions[:, None]
        lowest = torch.finfo(embedded.dtype).min
        mask = torch.zeros_like(hidden, dtype=embedded.dtype).masked_fill(hidden, lowest)
        given = {self._name: self._cache, **({"cache_position": positions} if self._told else {})}
        return _logits(
            self._t3,
            self._t3.tfmr(
                inputs_embeds=embedded,
                attention_mask=mask[None, None],
                position_ids=positions[None],
                use_cache=True,
                **given,
            ),
        )


def fixed_steps(t3: Any, rows: int, limit: int) -> Fixed | None:
    """For a CUDA card; None elsewhere, and where the graph does not do what the plain computation does."""
    if t3.device.type != "cuda":
        return None
    try:
        fixed = Fixed(t3, rows, limit + PROMPT_ROOM)
        fixed.capture()
        deviation = fixed.deviation()
    except Exception as error:  # whatever a driver or a release of a library makes of it: it is only speed
        _LOGGER.warning("Chatterbox computes without a CUDA graph: %s", error)
        torch.cuda.empty_cache()
        return None
    if not deviation < GRAPH_TOLERANCE:
        _LOGGER.warning("Chatterbox computes without a CUDA graph: it is off by %.2g", deviation)
        return None
    return fixed


@contextlib.contextmanager
def _steps(
    growing: Growing, fixed: Fixed | None, embedded: torch.Tensor, limit: int
) -> Iterator[Growing | Fixed]:
    """The fixed ones for whoever comes first and has room in them, growing ones for others."""
    rows, length = embedded.shape[:2]
    fits = fixed is not None and fixed.rows == rows and length + limit <= fixed.length
    if fixed is None or not fits or not fixed.lease.acquire(blocking=False):
        yield growing
        return
    try:
        yield fixed
    finally:
        fixed.lease.release()


def _as_weights(t3: Any, embedded: torch.Tensor) -> torch.Tensor:
    return embedded.to(next(t3.tfmr.parameters()).dtype)


def _logits(t3: Any, out: Any) -> torch.Tensor:
    """In single precision, whatever the layers compute in."""
    return t3.speech_head(out.last_hidden_state[:, -1].to(t3.speech_head.weight.dtype)).float()


def _beginning(
    t3: Any, condition: Any, text: torch.Tensor, use_cfg: bool, weight: float
) -> tuple[torch.Tensor, int]:
    """Embeddings of voice, text and start; twice with guidance, the second time without the text.

    And how many of them are the voice's.
    """
    own = type(condition)(**{one.name: getattr(condition, one.name) for one in dataclasses.fields(condition)})
    ids = text.repeat(2, 1) if use_cfg else text
    start = torch.full_like(ids[:, :1], t3.hp.start_speech_token)
    embedded, voice = t3.prepare_input_embeds(
        t3_cond=own, text_tokens=ids, speech_tokens=start, cfg_weight=weight if use_cfg else 0.0
    )
    if t3.is_gpt:
        return embedded, voice
    again = _embedding(t3, t3.hp.start_speech_token, 0)  # the model was made with two starts
    return torch.cat([embedded, again.expand(embedded.size(0), -1, -1)], 1), voice


def _embedding(t3: Any, token: int, position: int) -> torch.Tensor:
    embedded = t3.speech_emb(torch.tensor([[token]], device=t3.device))
    return embedded if t3.is_gpt else embedded + t3.speech_pos_emb.get_fixed_embedding(position)


def _guided(logits: torch.Tensor, use_cfg: bool, sampling: Sampling) -> torch.Tensor:
    """Logits of one row, (tokens,)."""
    if not use_cfg:
        return logits[0]
    return logits[0] + sampling.cfg_weight * (logits[0] - logits[1])


def _draw(
    logits: torch.Tensor, seen: torch.Tensor, sampling: Sampling, t3: Any, generator: torch.Generator
) -> int:
    allowed = torch.zeros_like(seen)
    allowed[:SPEECH_CODES] = allowed[t3.hp.stop_speech_token] = True
    logits = logits.masked_fill(~allowed, -math.inf)
    if sampling.temperature <= 0:
        return int((logits if sampling.penalty_last else _penalised(logits, seen, sampling)).argmax())
    return int(torch.multinomial(chances(logits, seen, sampling), 1, generator=generator))


def chances(logits: torch.Tensor, seen: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """What each token's probability is, in the order in which the package narrows it down."""
    if not sampling.penalty_last:
        logits = _penalised(logits, seen, sampling)
    logits = _narrowed(logits / sampling.temperature, sampling)
    if sampling.penalty_last:
        logits = _penalised(logits, seen, sampling)
    return logits.softmax(-1)


def _penalised(logits: torch.Tensor, seen: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    penalty = sampling.repetition_penalty
    return torch.where(seen, torch.where(logits < 0, logits * penalty, logits / penalty), logits)


def _narrowed(logits: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """With what is too unlikely to be drawn at minus infinity."""
    if sampling.top_k:
        least = logits.topk(min(sampling.top_k, len(logits))).values[-1]
        logits = logits.masked_fill(logits < least, -math.inf)
    if sampling.min_p:
        likely = logits.softmax(-1)
        logits = logits.masked_fill(likely < sampling.min_p * likely.max(), -math.inf)
    if sampling.top_p < 1:
        ordered, places = logits.softmax(-1).sort(descending=True)
        unlikely = ordered.cumsum(-1) - ordered > sampling.top_p
        logits = logits.masked_fill(torch.zeros_like(unlikely).scatter(0, places, unlikely), -math.inf)
    return logits
