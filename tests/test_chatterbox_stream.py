"""Chatterbox's tokens, frames and samples as streams: what the package makes at once, in pieces."""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.quality.seams import seams
from wyoming_tts.backends.chatterbox import ChatterboxBackend, ChatterboxOptions
from wyoming_tts.types import Playhead, Samples, SynthesisRequest

pytest.importorskip("torch")
PACKAGE = pytest.importorskip("chatterbox")

import torch  # noqa: E402  below what may be missing

from tests.speech import surroundings  # noqa: E402
from tests.tiny_chatterbox import TEXT, TOKEN, WARNINGS, embed, load  # noqa: E402
from wyoming_tts.backends import chatterbox_tokens  # noqa: E402
from wyoming_tts.backends.chatterbox_models import KINDS, Model, VoiceBook  # noqa: E402
from wyoming_tts.backends.chatterbox_speaker import Drawn, Speaker  # noqa: E402
from wyoming_tts.backends.chatterbox_stream import (  # noqa: E402
    MelStream,
    Pieces,
    WaveStream,
    stream,
)
from wyoming_tts.backends.chatterbox_tokens import (  # noqa: E402
    Fixed,
    Growing,
    Sampling,
    chances,
    fixed_steps,
    tokens,
)
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError, SynthesisError  # noqa: E402

pytestmark = WARNINGS

TURBO = Sampling(min_p=0, top_p=0.95, top_k=1000, penalty_last=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp()


@pytest.fixture(scope="module")
def models(base: Path) -> dict[str, Model]:
    return {kind: load(kind, base) for kind in ("english", "multilingual", "turbo")}


@pytest.fixture(scope="module")
def voices(models: dict[str, Model], base: Path) -> dict[str, Any]:
    return {kind: embed(model, base) for kind, model in models.items()}


def package_tokens(model: Model, voice: Any, text: Any) -> list[int]:
    """The package's own, hardly drawn; up to the first that is no sound, which it would go on from."""
    if model.t3.is_gpt:
        found = model.t3.inference_turbo(
            t3_cond=voice.t3, text_tokens=text, temperature=1e-5, top_k=1000, top_p=0.95,
            repetition_penalty=1.2, max_gen_len=30,
        )[0].tolist()  # fmt: skip
    else:
        found = model.t3.inference(
            t3_cond=voice.t3, text_tokens=text.repeat(2, 1), max_new_tokens=30, temperature=1e-5,
            cfg_weight=0.5, repetition_penalty=1.2, min_p=0.05, top_p=1.0,
        )[0].tolist()  # fmt: skip
    return list(itertools.takewhile(lambda token: token < 6561, found))[:30]


@pytest.mark.parametrize("kind", ["english", "multilingual", "turbo"])
@torch.inference_mode()
def test_tokens_are_the_packages(kind: str, models: dict[str, Model], voices: dict[str, Any]) -> None:
    """With no lots to draw, the loop gives what `T3.inference` and `inference_turbo` give."""
    model, voice = models[kind], voices[kind]
    text = model.text_tokens(TEXT, "en")
    expected = package_tokens(model, voice, text)
    sampling = Sampling(temperature=0, penalty_last=model.t3.is_gpt)
    found = list(tokens(model.t3, voice.t3, text, sampling, seed=0, limit=30))
    assert len(expected) == 30
    assert found == expected


@pytest.mark.parametrize("turbo", [False, True])
def test_lots_are_drawn_as_the_package_draws_them(turbo: bool) -> None:
    """Each token's probability is that behind transformers' own processors, in the package's order."""
    from transformers.generation import logits_process as generation

    logits = 3 * torch.randn(500, generator=torch.Generator().manual_seed(1))
    seen = torch.zeros(500, dtype=torch.bool)
    seen[logits.topk(20).indices[::2]] = True
    penalty = generation.RepetitionPenaltyLogitsProcessor(1.2)
    warm = generation.TemperatureLogitsWarper(0.8)
    if turbo:
        order = [warm, generation.TopKLogitsWarper(100), generation.TopPLogitsWarper(0.95), penalty]
        sampling = Sampling(min_p=0, top_p=0.95, top_k=100, penalty_last=True)
    else:
        order = [penalty, warm, generation.MinPLogitsWarper(0.05), generation.TopPLogitsWarper(0.9)]
        sampling = Sampling(min_p=0.05, top_p=0.9)
    expected = logits[None]
    for processor in order:
        expected = processor(seen.nonzero().T, expected)
    torch.testing.assert_close(chances(logits, seen, sampling), expected.softmax(-1)[0])


@pytest.mark.parametrize(("kind", "rows"), [("english", 2), ("turbo", 1)])
def test_fixed_steps_are_growing_ones(kind: str, rows: int, models: dict[str, Model]) -> None:
    """What a card would be given as a graph computes the same, here step by step, also the second time."""
    fixed = Fixed(models[kind].t3, rows, 64)
    assert fixed.deviation() < 1e-4
    assert fixed.deviation() < 1e-4


@torch.inference_mode()
def test_fixed_steps_are_lent(models: dict[str, Model], voices: dict[str, Any]) -> None:
    """The first gets them, whoever comes meanwhile does without, and all get the same tokens."""
    model, voice = models["turbo"], voices["turbo"]
    text = model.text_tokens(TEXT, "en")
    fixed = Fixed(model.t3, 1, 600)

    def drawn(fixed: Fixed | None, limit: int = 12) -> Iterator[int]:
        return tokens(model.t3, voice.t3, text, Sampling(temperature=0), seed=0, limit=limit, fixed=fixed)

    expected = list(drawn(None))
    first, second, long = drawn(fixed), drawn(fixed), drawn(fixed, 1000)
    assert (next(first), next(second), next(long)) == (expected[0],) * 3
    assert fixed.lease.locked()
    assert [*first] == [*second] == expected[1:]
    assert not fixed.lease.locked()
    assert next(long) == expected[1]


def test_leaving_gives_fixed_steps_back(
    models: dict[str, Model], voices: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever leaves in the middle leaves them to the next."""
    fixed = Fixed(models["turbo"].t3, 1, 600)
    said = speaker(models["turbo"], voices["turbo"], monkeypatch, fixed=fixed)
    chunks: Any = said.speak(request(TEXT), None, 5, lambda: None)
    next(chunks)
    assert fixed.lease.locked()
    chunks.close()
    assert not fixed.lease.locked()


def test_without_a_card_there_is_no_graph(
    models: dict[str, Model], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor with one on which it fails, or says something else; that is told, and speech goes on without."""
    assert fixed_steps(models["turbo"].t3, 1, 100) is None
    card: Any = SimpleNamespace(device=SimpleNamespace(type="cuda"))
    made: Any = SimpleNamespace(capture=lambda: None, deviation=lambda: 0.001)
    monkeypatch.setattr(chatterbox_tokens, "Fixed", lambda *_: made)
    assert fixed_steps(card, 1, 100) is not None
    made.deviation = lambda: math.nan
    assert fixed_steps(card, 1, 100) is None
    made.deviation = lambda: 1 / 0
    with caplog.at_level(logging.WARNING):
        assert fixed_steps(card, 1, 100) is None
    assert "division by zero" in caplog.text


@torch.inference_mode()
def test_half_precision(base: Path, models: dict[str, Model], voices: dict[str, Any]) -> None:
    """Only what draws tokens is in half precision, and its first logits are near."""
    half, whole = load("english", base, precision="bfloat16"), models["english"]
    assert {weights.dtype for weights in half.t3.tfmr.parameters()} == {torch.bfloat16}
    assert {weights.dtype for weights in half.s3gen.parameters()} == {torch.float32}
    inputs = torch.randn(1, 8, half.t3.dim, generator=torch.Generator().manual_seed(1))
    one, other = (Growing(model.t3).begin(inputs) for model in (half, whole))
    assert float((one - other).norm() / other.norm()) < 0.02
    text = half.text_tokens(TEXT, "en")
    assert list(tokens(half.t3, voices["english"].t3, text, Sampling(), seed=0, limit=3))


@pytest.mark.parametrize("kind", ["english", "turbo"])
@torch.inference_mode()
def test_flow_is_the_packages(
    kind: str, models: dict[str, Model], voices: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once and with the same noise, frames are bit by bit those of `flow.inference`."""
    s3gen, reference, spoken = models[kind].s3gen, voices[kind].gen, list(range(100, 120))
    mels = MelStream(s3gen, reference, seed=0)
    found = mels.push(spoken, final=True)
    noise = mels._noise_from(0).contiguous()
    monkeypatch.setattr(torch, "randn_like", lambda like: noise.to(like))
    expected, _ = s3gen.flow.inference(
        token=torch.tensor([spoken]), token_len=torch.tensor([len(spoken)]), finalize=True,
        n_timesteps=2 if s3gen.meanflow else 10, meanflow=s3gen.meanflow, **reference,
    )  # fmt: skip
    assert found.shape == (1, 80, 2 * len(spoken))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def spoken(count: int) -> list[int]:
    """Tokens as they would be drawn, more or less."""
    return np.random.default_rng(3).integers(0, 6561, count).tolist()


@torch.inference_mode()
def whole(model: Model, voice: Any, spoken: list[int]) -> Samples:
    """All at once, the way that a server which does not stream would."""
    mels = MelStream(model.s3gen, voice.gen, seed=0, steps=1).push(spoken, final=True)
    return WaveStream(model.s3gen.mel2wav, seed=0).push(mels, final=True)


def streamed(model: Model, voice: Any, spoken: list[int], **more: Any) -> list[Samples]:
    mels = MelStream(model.s3gen, voice.gen, seed=0, steps=1)
    waves = WaveStream(model.s3gen.mel2wav, seed=0)
    held = model.s3gen.flow.pre_lookahead_len
    return list(stream(iter(spoken), mels, waves, held, lambda: 0.0, **more))


@torch.inference_mode()
def test_vocoder_in_pieces_is_the_vocoder(models: dict[str, Model], voices: dict[str, Any]) -> None:
    """However the frames are cut, the samples are those of the whole: to 1e-4 of the loudest."""
    model = models["turbo"]
    mel = MelStream(model.s3gen, voices["turbo"].gen, seed=0, steps=1).push(spoken(60), final=True)
    at_once = WaveStream(model.s3gen.mel2wav, seed=0).push(mel, final=True)
    waves = WaveStream(model.s3gen.mel2wav, seed=0)
    cuts = [0, 7, 20, 21, 60, 100, mel.size(2)]
    pieces = [waves.push(mel[:, :, a:b], final=b == cuts[-1]) for a, b in itertools.pairwise(cuts)]
    assert sum(map(len, pieces)) == len(at_once) == TOKEN * 60
    np.testing.assert_allclose(np.concatenate(pieces), at_once, atol=1e-4 * np.abs(at_once).max())


@torch.inference_mode()
def test_source_is_the_packages(models: dict[str, Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same lots, sines and noise are those of the vocoder itself: to 1e-3 of the loudest."""
    from chatterbox.models.s3gen import hifigan

    vocoder = models["turbo"].s3gen.mel2wav
    waves = WaveStream(vocoder, seed=0)
    pitch = torch.tensor([[0.0, 120.0, 163.0, 240.0, 0.0, 90.0]])
    phases = waves._phases.float()
    size = (1, pitch.numel() * 480, phases.size(1))
    noise = torch.randn(size, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    waves._generator.manual_seed(9)
    found = waves._sines(pitch)
    monkeypatch.setattr(hifigan, "Uniform", lambda **_: SimpleNamespace(sample=lambda sample_shape: phases))
    monkeypatch.setattr(torch, "randn_like", lambda like: noise.float().transpose(1, 2)[:, : like.size(1)])
    expected, _, _ = vocoder.m_source(pitch.repeat_interleave(480, -1)[:, :, None])
    assert float((found - expected.transpose(1, 2)).abs().max()) < 1e-3 * float(expected.abs().max())


@torch.inference_mode()
def test_seams_of_frames_are_faded(models: dict[str, Model], voices: dict[str, Any]) -> None:
    """A piece begins as the run before it foretold, and passes into what the new run says in four frames."""
    plain, faded = (MelStream(models["turbo"].s3gen, voices["turbo"].gen, seed=0, steps=1) for _ in range(2))
    plain._faded = lambda new: new  # type: ignore[method-assign]
    said = spoken(30)
    plain.push(said[:13], final=False)
    faded.push(said[:13], final=False)
    foretold = faded._tail
    new, found = plain.push(said[13:], final=True), faded.push(said[13:], final=True)
    assert foretold is not None
    changed, change = (found[:, :, :4] - foretold).norm(dim=1), (new[:, :, :4] - foretold).norm(dim=1)
    parts = (changed / change)[0].tolist()
    assert parts == pytest.approx([0.038, 0.309, 0.691, 0.962], abs=0.001)
    torch.testing.assert_close(found[:, :, 4:], new[:, :, 4:], rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["english", "turbo"])
def test_streamed_is_near_the_whole(kind: str, models: dict[str, Model], voices: dict[str, Any]) -> None:
    """Nothing is lost or said twice, and the spectra differ by what the flow's shorter look makes."""
    said = spoken(50)
    pieces, at_once = streamed(models[kind], voices[kind], said), whole(models[kind], voices[kind], said)
    assert len(pieces) == 3
    samples = np.concatenate(pieces)
    assert len(samples) == len(at_once) == TOKEN * len(said)
    assert decibels_apart(samples, at_once) < 2


@pytest.mark.parametrize("kind", ["english", "turbo"])
@torch.inference_mode()
def test_frames_are_near_the_wholes(kind: str, models: dict[str, Model], voices: dict[str, Any]) -> None:
    """Frames in pieces are off by less than a fifth of their size.

    Without the tokens in front of a piece it is a third, with noise of its own in each piece more than half.
    """
    model, said = models[kind], spoken(50)
    expected = MelStream(model.s3gen, voices[kind].gen, seed=0, steps=1).push(list(said), final=True)
    mels = MelStream(model.s3gen, voices[kind].gen, seed=0, steps=1)
    cuts = [0, 13, 38, 50]
    pieces = [mels.push(said[a:b], final=b == 50) for a, b in itertools.pairwise(cuts)]
    assert [piece.size(2) for piece in pieces] == [20, 50, 30]
    off = (torch.cat(pieces, 2) - expected).norm(dim=1)[0] / expected.norm(dim=1).mean()
    assert float(off.square().mean().sqrt()) < 0.2


def decibels_apart(one: Samples, other: Samples) -> float:
    """Mean distance of two logarithmic spectra, in dB."""

    def spectra(samples: Samples) -> Any:
        frames = np.lib.stride_tricks.sliding_window_view(samples, 960)[::480] * np.hanning(960)
        return 20 * np.log10(np.abs(np.fft.rfft(frames)) + 1e-4)

    return float(np.abs(spectra(one) - spectra(other)).mean())


def test_joins_do_not_click(models: dict[str, Model], voices: dict[str, Any]) -> None:
    """No listener could hear where the pieces were joined."""
    pieces = streamed(models["turbo"], voices["turbo"], spoken(100))
    joins = np.cumsum([len(piece) for piece in pieces])[:-1].tolist()
    samples = np.concatenate(pieces)
    assert len(joins) == 4
    assert seams(samples, joins) == []
    samples[joins[1] :] += 0.5  # what a click would be
    assert seams(samples, joins) == [joins[1]]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 13, 14])
def test_few_tokens(count: int, models: dict[str, Model], voices: dict[str, Any]) -> None:
    """All of them are heard; the last one is not, where that is wanted and there is another."""
    model, voice = models["turbo"], voices["turbo"]
    assert sum(map(len, streamed(model, voice, spoken(count)))) == TOKEN * count
    left = sum(map(len, streamed(model, voice, spoken(count), unheard=1)))
    assert left == TOKEN * (count - 1 if count > 1 else count)


def test_first_samples_rise(models: dict[str, Model]) -> None:
    """The first milliseconds are faded in, as the package does it, in however small pieces they come."""
    vocoder, rise = models["turbo"].s3gen.mel2wav, models["turbo"].s3gen.trim_fade
    mel = torch.randn(1, 80, 20, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        plain = WaveStream(vocoder, seed=0).push(mel, final=True)
        waves = WaveStream(vocoder, seed=0, rise=rise)
        pieces = [waves.push(mel[:, :, a:b], final=b == 20) for a, b in ((0, 14), (14, 15), (15, 20))]
    assert len(pieces[0]) == 480 < len(rise)
    expected = plain * np.concatenate([rise.numpy(), np.ones(len(plain) - len(rise), np.float32)])
    np.testing.assert_allclose(np.concatenate(pieces), expected, atol=1e-4 * np.abs(plain).max())


def test_flow_stops_between_two_steps(models: dict[str, Model], voices: dict[str, Any]) -> None:
    """Nobody waits for the rest of a piece that is not wanted any more."""
    calls = [0]

    def check() -> None:
        calls[0] += 1
        if calls[0] == 4:
            raise InterruptedError

    mels = MelStream(models["english"].s3gen, voices["english"].gen, seed=0, check=check)
    with pytest.raises(InterruptedError):
        mels.push(spoken(5), final=True)


def speaker(model: Model, voice: Any, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Speaker:
    """One whose own voice is this one."""
    monkeypatch.setattr(model, "builtin", voice)
    given = {"sampling": TURBO, "max_tokens": 40, "steps": 1, **more}
    return Speaker(model=model, book=VoiceBook(model, Path("unused")), **given)


def request(text: str) -> SynthesisRequest:
    (voice,) = ChatterboxBackend(ChatterboxOptions(), surroundings(Path("unused"), name="c")).voices()
    return SynthesisRequest(text=text, voice=voice, playhead=Playhead())


def test_two_at_once_are_as_each_alone(
    models: dict[str, Model], voices: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Utterances that are computed in turn share nothing, and no random numbers of others."""
    one = speaker(models["turbo"], voices["turbo"], monkeypatch)
    requests = [request(text) for text in ("Good morning.", "The door is open.")]
    alone = [list(one.speak(said, None, 5, lambda: None)) for said in requests]
    torch.manual_seed(99)
    state = torch.random.get_rng_state()
    turns = itertools.zip_longest(*(one.speak(said, None, 5, lambda: None) for said in requests))
    both = [[piece for piece in pieces if piece is not None] for pieces in zip(*turns, strict=True)]
    assert torch.equal(state, torch.random.get_rng_state())
    for expected, found in zip(alone, both, strict=True):
        np.testing.assert_array_equal(np.concatenate(expected), np.concatenate(found))


def test_watermarks_are_put_into_long_blocks(
    models: dict[str, Model], voices: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the package brings one, all speech is marked, in blocks of a second, and none of it is lost."""
    blocks: list[int] = []

    class Marker:
        def apply_watermark(self, wave: Samples, sample_rate: int) -> Samples:
            blocks.append(len(wave))
            return wave[: len(wave) // 240 * 240] * np.float32(0.5)

    monkeypatch.setattr(models["turbo"], "watermarker", Marker())
    plain, marked = (
        np.concatenate(list(
            speaker(models["turbo"], voices["turbo"], monkeypatch, watermark=on, max_tokens=60).speak(
                request(TEXT * 5), None, 5, lambda: None)))
        for on in (False, True)
    )  # fmt: skip
    assert len(plain) == len(marked)
    np.testing.assert_allclose(marked, plain * 0.5, atol=1e-6)
    assert len(blocks) > 1
    assert all(size >= 24_000 for size in blocks[:-1])


@pytest.mark.parametrize("kind", ["multilingual", "turbo"])
def test_ends_are_the_packages(
    kind: str, models: dict[str, Model], voices: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Turbo gets its silence, the multilingual model loses its last token, and a runaway has an end."""
    monkeypatch.setattr("wyoming_tts.backends.chatterbox_speaker.tokens", endless)
    said = speaker(models[kind], voices[kind], monkeypatch, max_tokens=1000)
    samples = np.concatenate(list(said.speak(request("Hi"), None, 5, lambda: None)))
    limit = 75 + 5 * len("Hi")
    assert len(samples) == TOKEN * (limit + KINDS[kind].silence - KINDS[kind].unheard)


def endless(*_: Any, limit: int, **more: Any) -> Iterator[int]:
    yield from itertools.repeat(7, limit)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), BackendOverloadedError),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), BackendOverloadedError),
        (MemoryError(), BackendOverloadedError),
        (RuntimeError("shapes"), SynthesisError),
        (AssertionError("of the package"), SynthesisError),
        (ModuleNotFoundError("pykakasi"), BackendUnavailableError),
        (None, SynthesisError),
    ],
)
def test_errors_are_ours(
    error: Exception | None,
    ours: type[Exception],
    models: dict[str, Model],
    voices: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What PyTorch raises becomes what it means, and so does a model that says nothing."""

    def failing(*_: Any, **more: Any) -> Iterator[int]:
        if error:
            raise error
        yield from ()

    monkeypatch.setattr("wyoming_tts.backends.chatterbox_speaker.tokens", failing)
    said = speaker(models["turbo"], voices["turbo"], monkeypatch)
    with pytest.raises(ours):
        list(said.speak(request(TEXT), None, 5, lambda: None))


def test_pieces_grow_with_what_is_in_store() -> None:
    """A small one first, then a second, then larger ones, but never while the listener runs dry."""
    pieces = Pieces()
    sizes = [pieces.next(*given) for given in ((0, 0), (10, 0), (25, 1.9), (25, 2.5), (50, 9), (100, 99))]
    assert sizes == [10, 25, 25, 50, 100, 100]
    assert pieces.next(100, 0) == 25


def test_progress_is_told_from_tokens() -> None:
    """While they are drawn from what such a text takes, at the end from what there were; it never falls."""
    drawn, fractions = Drawn(), []
    for tokens_, seconds in ((30, 0.5), (60, 1.5), (90, 3.0), (200, 3.2)):
        drawn.tokens = tokens_
        fractions.append(drawn.fraction(seconds, 60))
    assert fractions == sorted(fractions)
    assert 0 < fractions[0] < fractions[2] <= 0.95
    drawn.ended = True
    assert drawn.fraction(4.0, 60) == max(fractions[-1], 4.0 * 25 / 200)
    assert drawn.fraction(8.0, 60) == 1.0
