"""Chatterbox's second half as a stream: speech tokens become mel frames, and those become samples.

The flow that makes mel frames looks at all of its input, so it is run anew for each piece, over the voice's
prompt, some tokens that were spoken already, and the new ones. Its noise belongs to the frame and not to the
run, so what is computed again comes out nearly as before; the seam is crossfaded over a few frames. The last
tokens wait for those behind them. The vocoder is a convolution: with enough frames on both sides, and a sine
whose phase runs on, its pieces are what it would make of the whole.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional

from wyoming_tts.types import Samples

FRAMES = 2
"""Mel frames of a token."""

HOP = 480
"""Samples of a mel frame, at 24 kHz."""

CONTEXT = 25
"""Tokens in front of a piece that the flow hears again: a second."""

FADE = 4
"""Mel frames over which two runs of the flow are crossfaded."""

BEHIND, AHEAD = 14, 8
"""Mel frames that the vocoder wants in front of a piece and behind it: from 14 on nothing changes at all,
with 8 less than 1e-5."""

PITCH_AHEAD = 5
"""Mel frames that the pitch is told from, to either side."""


class MelStream:
    """Tokens to mel frames, (1, 80, frames), for one utterance."""

    def __init__(
        self,
        s3gen: Any,
        reference: dict[str, Any],
        *,
        seed: int,
        steps: int | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        """`reference` is the voice as the package embeds it; `steps` of the flow, None the model's own.

        `check` is called in front of each step, and raises when nobody wants it.
        """
        self._flow, self._meanflow = s3gen.flow, s3gen.meanflow
        self._check = check
        self._steps = steps or (2 if self._meanflow else 10)
        device, kind = s3gen.device, s3gen.dtype
        self._take_prompt(reference, device, kind)
        speaker = functional.normalize(reference["embedding"].to(device, kind).reshape(1, -1), dim=1)
        self._speaker = self._flow.spk_embed_affine_layer(speaker)
        self._generator = torch.Generator().manual_seed(seed)
        self._prompt_noise = self._more_noise(self._prompt_frames.size(1))
        self._noise = torch.zeros(1, 0, 80)
        self._tokens: list[int] = []
        self._done = 0
        self._tail: torch.Tensor | None = None

    def push(self, tokens: list[int], *, final: bool) -> torch.Tensor:
        """The frames that can be told with these tokens; all that are left with the final ones."""
        self._tokens += tokens
        held = 0 if final else self._flow.pre_lookahead_len
        end = FRAMES * max(0, len(self._tokens) - held)
        if end <= self._done:
            return self._prompt_frames.new_zeros(1, 80, 0)
        first = max(0, self._done // FRAMES - CONTEXT)
        frames = self._run(first)
        new = self._faded(frames[:, :, self._done - FRAMES * first : end - FRAMES * first])
        rest = frames[:, :, end - FRAMES * first :][:, :, :FADE]
        self._tail = rest if rest.size(2) else None
        self._done = end
        return new

    def _take_prompt(self, reference: dict[str, Any], device: Any, kind: Any) -> None:
        """Tokens and frames of the voice, exactly two frames for each token: else the output loses some."""
        tokens = reference["prompt_token"].long().to(device)
        frames = reference["prompt_feat"].to(device, kind)
        count = min(tokens.size(1), frames.size(1) // FRAMES)
        self._prompt, self._prompt_frames = tokens[:, :count], frames[:, : FRAMES * count]

    def _more_noise(self, frames: int) -> torch.Tensor:
        """Frame by frame, so that it is the same in whatever portions it is drawn."""
        return torch.randn(1, frames, 80, generator=self._generator)

    def _noise_from(self, first: int) -> torch.Tensor:
        missing = FRAMES * len(self._tokens) - self._noise.size(1)
        if missing > 0:
            self._noise = torch.cat([self._noise, self._more_noise(missing)], 1)
        return torch.cat([self._prompt_noise, self._noise[:, FRAMES * first :]], 1).transpose(1, 2)

    def _run(self, first: int) -> torch.Tensor:
        """The flow over the prompt and the tokens from `first` on; the frames of the latter."""
        flow, device = self._flow, self._prompt.device
        tokens = torch.cat([self._prompt, torch.tensor([self._tokens[first:]], device=device)], 1)
        hidden, _ = flow.encoder(flow.input_embedding(tokens), torch.tensor([tokens.size(1)], device=device))
        mean = flow.encoder_proj(hidden).transpose(1, 2).contiguous()
        prompt = self._prompt_frames.size(1)
        condition = torch.zeros_like(mean)
        condition[:, :, :prompt] = self._prompt_frames.transpose(1, 2)
        noise = self._noise_from(first).contiguous().to(mean)
        return self._solve(noise, mean, condition)[:, :, prompt:]

    def _solve(self, noise: torch.Tensor, mean: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """Euler's method, as the package has it, from noise to frames."""
        times = torch.linspace(0, 1, self._steps + 1).to(mean)
        given = {"mu": mean, "spks": self._speaker, "cond": condition}
        if not self._meanflow:
            times = 1 - torch.cos(times * 0.5 * torch.pi)
            given = {name: torch.cat([value, torch.zeros_like(value)]) for name, value in given.items()}
        given["mask"] = torch.ones_like(given["mu"][:, :1])
        for begin, end in itertools.pairwise(times):
            self._check()
            noise = noise + (end - begin) * self._slope(noise, begin[None], end[None], given)
        return noise

    def _slope(
        self, frames: torch.Tensor, begin: torch.Tensor, end: torch.Tensor, given: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        """Where frames go from `begin` on; the older models are asked with and without the voice."""
        decoder = self._flow.decoder
        if self._meanflow:
            return decoder.estimator(frames, t=begin, r=end, **given)
        with_voice, without = decoder.estimator(
            torch.cat([frames, frames]), t=begin.repeat(2), **given
        ).split(1)
        rate = decoder.inference_cfg_rate
        return (1 + rate) * with_voice - rate * without

    def _faded(self, new: torch.Tensor) -> torch.Tensor:
        """With the last run's idea of the first frames passing into this one's."""
        if self._tail is None:
            return new
        count = min(self._tail.size(2), new.size(2))
        rising = (0.5 - 0.5 * torch.cos(torch.pi * (torch.arange(count) + 0.5) / count)).to(new)
        seam = new[:, :, :count] * rising + self._tail[:, :, :count] * (1 - rising)
        return torch.cat([seam, new[:, :, count:]], 2)


class WaveStream:
    """Mel frames to samples, for one utterance."""

    def __init__(self, hift: Any, *, seed: int, rise: torch.Tensor | None = None) -> None:
        """`hift` is the vocoder; it is only read. `rise` is what the first samples are multiplied with."""
        self._hift = hift
        self._rise = np.zeros(0, np.float32) if rise is None else rise.float().cpu().numpy()
        self._device = next(hift.parameters()).device
        self._generator = torch.Generator().manual_seed(seed)
        sines = hift.m_source.l_sin_gen
        self._harmonics = torch.arange(1, sines.harmonic_num + 2, dtype=torch.float64).view(1, -1, 1)
        phases = torch.rand(1, sines.harmonic_num + 1, 1, generator=self._generator, dtype=torch.float64)
        self._phases = (phases * 2 - 1) * math.pi
        self._phases[:, 0] = 0
        self._turns = torch.zeros(1, 1, 1, dtype=torch.float64)
        self._mel = torch.zeros(1, 80, 0, device=self._device)
        self._source = torch.zeros(1, 1, 0, device=self._device)
        self._base = self._out = self._pitched = 0

    def push(self, mel: torch.Tensor, *, final: bool) -> Samples:
        """The samples that can be told with these frames; all that are left with the final ones."""
        self._mel = torch.cat([self._mel, mel.to(self._device)], 2)
        total = self._base + self._mel.size(2)
        self._extend_source(total if final else max(self._pitched, total - PITCH_AHEAD))
        end = total if final else max(self._out, min(self._pitched, total) - AHEAD)
        if end <= self._out:
            return np.zeros(0, np.float32)
        audio = self._decoded(end, 0 if final else AHEAD)
        rise = self._rise[self._out * HOP :][: len(audio)]
        audio[: len(rise)] *= rise
        self._out = end
        self._forget()
        return audio

    def _extend_source(self, end: int) -> None:
        """The harmonic source up to a frame."""
        if end <= self._pitched:
            return
        first = max(self._base, self._pitched - PITCH_AHEAD)
        pitch = self._hift.f0_predictor(self._mel[:, :, first - self._base :])
        new = self._sines(pitch[:, self._pitched - first : end - first])
        self._source = torch.cat([self._source, new], 2)
        self._pitched = end

    def _sines(self, pitch: torch.Tensor) -> torch.Tensor:
        """Sine and noise as the network's own source makes them, but with a phase that runs on."""
        source = self._hift.m_source
        sines = source.l_sin_gen
        hertz = pitch.repeat_interleave(HOP, -1)[:, None].cpu().double()
        turns = self._turns + torch.cumsum(hertz / sines.sampling_rate, -1)
        self._turns = turns[..., -1:] % 1.0
        waves = sines.sine_amp * torch.sin(2 * math.pi * ((turns * self._harmonics) % 1) + self._phases)
        voiced = (hertz > sines.voiced_threshold).double()
        level = voiced * sines.noise_std + (1 - voiced) * sines.sine_amp / 3
        size = (1, waves.size(2), waves.size(1))
        noise = torch.randn(size, generator=self._generator, dtype=torch.float64).transpose(1, 2)
        mixed = (waves * voiced + noise * level).float().transpose(1, 2).to(self._device)
        return source.l_tanh(source.l_linear(mixed)).transpose(1, 2)

    def _decoded(self, end: int, ahead: int) -> Samples:
        left, right = max(self._base, self._out - BEHIND), min(self._pitched, end + ahead)
        wave = self._hift.decode(
            x=self._mel[:, :, left - self._base : right - self._base],
            s=self._source[:, :, (left - self._base) * HOP : (right - self._base) * HOP],
        )[0]
        return wave[(self._out - left) * HOP : (end - left) * HOP].float().cpu().numpy()

    def _forget(self) -> None:
        """What no later piece looks at."""
        gone = max(0, self._out - BEHIND - PITCH_AHEAD - self._base)
        self._mel, self._source = self._mel[:, :, gone:], self._source[:, :, gone * HOP :]
        self._base += gone


@dataclass(frozen=True, slots=True)
class Pieces:
    """How many tokens are made into sound at once."""

    first: int = 10
    """At first: less sounds rough, more takes longer."""

    usual: int = 25
    """While little is in store."""

    largest: int = 100
    """Far ahead of the listener, where larger ones cost less."""

    def next(self, previous: int, lead: float) -> int:
        """Behind one of `previous` tokens (0 at first), with so many seconds in store."""
        if not previous:
            return self.first
        if lead < 2 * previous / 25:
            return self.usual
        return min(self.largest, max(self.usual, 2 * previous))


@torch.inference_mode()
def stream(
    spoken: Iterable[int],
    mels: MelStream,
    waves: WaveStream,
    held: int,
    lead: Callable[[], float],
    pieces: Pieces = Pieces(),
    unheard: int = 0,
) -> Iterator[Samples]:
    """Samples of speech tokens as they come, of which the last `held` wait for those behind them.

    `lead()` is how many seconds the listener has in store. Of the last tokens, `unheard` (at most `held`) are
    not spoken, unless there is nothing else.
    """
    waiting: list[int] = []
    size = pieces.next(0, 0.0)
    want = size + held
    for token in spoken:
        waiting.append(token)
        if len(waiting) < want:
            continue
        audio = waves.push(mels.push(waiting, final=False), final=False)
        waiting = []
        if len(audio):
            yield audio
        want = size = pieces.next(size, lead())
    audio = waves.push(mels.push(waiting, final=True), final=True)
    audio = audio[: max(FRAMES * HOP, len(audio) - unheard * FRAMES * HOP)]
    if len(audio):
        yield audio
