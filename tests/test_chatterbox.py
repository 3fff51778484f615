"""Chatterbox: the package's real classes, small and with random weights. How it sounds is not tested here."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from tests.fakes import PATIENCE
from tests.remote import joined, said, seconds, started
from tests.speech import surroundings
from tests.tiny_chatterbox import hum, make_checkpoint, shrunken
from wyoming_tts.backends import chatterbox_stream, chatterbox_tokens
from wyoming_tts.backends.chatterbox import LANGUAGES, ChatterboxBackend, ChatterboxOptions, Speaker
from wyoming_tts.backends.chatterbox_clips import Clip, find_clips, read_clip
from wyoming_tts.backends.chatterbox_models import KINDS, PROMPT_TOKENS, Model
from wyoming_tts.backends.chatterbox_stream import MelStream, Pieces, WaveStream, stream
from wyoming_tts.backends.chatterbox_tokens import Sampling, tokens
from wyoming_tts.errors import BackendOverloadedError, BackendUnavailableError, SynthesisError
from wyoming_tts.types import Playhead, Samples, SynthesisRequest

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),  # diffusers of its own classes
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's weight_norm and the like
    pytest.mark.filterwarnings("ignore::UserWarning"),  # torchaudio and transformers
]

TEXT = "The light is on."
TOKEN = 960
"""Samples of a token."""

SPEAKING = {"max_tokens": 60, "steps": 2, "threads": 2}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One of each kind; the networks stay small while they are used."""
    folder = tmp_path_factory.mktemp("chatterbox")
    torch.set_num_threads(2)
    with shrunken():
        for kind in KINDS:
            make_checkpoint(kind, folder / kind)
        yield folder


@pytest.fixture(scope="module")
def models(checkpoints: Path) -> dict[str, Model]:
    return {kind: Model.load(kind, checkpoints / kind, "cpu", offline=True) for kind in KINDS}


@pytest.fixture(scope="module")
def conditions(models: dict[str, Model], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    clip = read_clip(Clip("hum", None, hum(tmp_path_factory.mktemp("clip") / "hum.wav")))
    return {kind: model.embed(clip, 0.5) for kind, model in models.items()}


def backend(checkpoints: Path, data: Path, kind: str = "turbo", **options: Any) -> ChatterboxBackend:
    data.mkdir(exist_ok=True)
    (data / "clips").mkdir(exist_ok=True)
    hum(data / "clips" / "hum.wav")
    chosen = {**SPEAKING, "model": kind, "checkpoint": checkpoints / kind, **options}
    return ChatterboxBackend(ChatterboxOptions(**chosen), surroundings(data, name="chatterbox"))


@pytest.mark.parametrize("kind", KINDS)
async def test_each_model_speaks(kind: str, checkpoints: Path, tmp_path: Path) -> None:
    """Loaded by the package's own code, in somebody's voice, in pieces, with the format that is announced."""
    async with started(backend(checkpoints, tmp_path, kind)) as speaker:
        default, mine = speaker.voices()
        assert (default.name, mine.name) == ("chatterbox/default", "chatterbox/hum")
        assert mine.spoken == (LANGUAGES if kind == "multilingual" else ("en",))
        chunks = await said(speaker, TEXT, mine)
    samples = joined(chunks)
    assert len(chunks) > 1
    assert len(samples) % TOKEN == 0
    assert 0 < len(samples) <= 60 * TOKEN
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() <= 1


@pytest.mark.parametrize("kind", ["english", "multilingual"])
@torch.inference_mode()
def test_tokens_are_the_packages(
    kind: str, models: dict[str, Model], conditions: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """With no lots to draw, the loop gives what `T3.inference` gives."""
    model = models[kind]
    text = model.text_tokens(TEXT, "en")
    expected = model.t3.inference(
        t3_cond=conditions[kind].t3, text_tokens=text.repeat(2, 1), max_new_tokens=40, temperature=1e-5,
        cfg_weight=0.5, repetition_penalty=1.2, min_p=0.05, top_p=1.0,
    )[0].tolist()  # fmt: skip
    found = list(tokens(model.t3, conditions[kind].t3, text, Sampling(temperature=0), seed=0, limit=40))
    shared = next((i for i, token in enumerate(expected) if token >= 6561), len(expected))
    shared = min(shared, 40)  # from a token on that is no sound the package's own is another's beginning
    assert shared > 1
    assert found[:shared] == expected[:shared]


@torch.inference_mode()
def test_turbos_tokens_are_the_packages(models: dict[str, Model], conditions: dict[str, Any]) -> None:
    """And what `T3.inference_turbo` gives."""
    model = models["turbo"]
    text = model.text_tokens(TEXT, "en")
    expected = model.t3.inference_turbo(
        t3_cond=conditions["turbo"].t3, text_tokens=text, temperature=1e-5, top_k=1000, top_p=0.95,
        repetition_penalty=1.2, max_gen_len=40,
    )[0].tolist()  # fmt: skip
    sampling = Sampling(temperature=0, min_p=0)
    found = list(tokens(model.t3, conditions["turbo"].t3, text, sampling, seed=0, limit=40))
    shared = next((i for i, token in enumerate(expected) if token >= 6561), len(expected))
    shared = min(shared, 40)  # from a token on that is no sound the package's own is another's beginning
    assert shared > 1
    assert found[:shared] == expected[:shared]


def drawn(model: Model, condition: Any, count: int = 60, seed: int = 3) -> list[int]:
    sampling = Sampling(min_p=0, top_p=0.95, top_k=1000)
    text = model.text_tokens(TEXT * 4, "en")
    found: list[int] = []
    while len(found) < count:  # random weights end when they like
        found += tokens(model.t3, condition.t3, text, sampling, seed=seed + len(found), limit=count)
    return found[:count]


@torch.inference_mode()
def whole(model: Model, condition: Any, spoken: list[int], seed: int = 0) -> Samples:
    """All at once, the way that a server which does not stream would."""
    mels = MelStream(model.s3gen, condition.gen, seed=seed).push(spoken, final=True)
    return WaveStream(model.s3gen.mel2wav, seed=seed).push(mels, final=True)


def streamed(model: Model, condition: Any, spoken: list[int], seed: int = 0) -> list[Samples]:
    mels = MelStream(model.s3gen, condition.gen, seed=seed)
    waves = WaveStream(model.s3gen.mel2wav, seed=seed)
    return list(stream(iter(spoken), mels, waves, model.s3gen.flow.pre_lookahead_len, lambda: 0.0))


@torch.inference_mode()
def test_vocoder_in_pieces_is_the_vocoder(models: dict[str, Model], conditions: dict[str, Any]) -> None:
    """However the frames are cut, the samples are those of the whole: to 1e-3 of the loudest."""
    model = models["turbo"]
    spoken = drawn(model, conditions["turbo"])
    mel = MelStream(model.s3gen, conditions["turbo"].gen, seed=0).push(spoken, final=True)
    at_once = WaveStream(model.s3gen.mel2wav, seed=0).push(mel, final=True)
    waves = WaveStream(model.s3gen.mel2wav, seed=0)
    cuts = [0, 7, 20, 21, 60, 100, mel.size(2)]
    pieces = [waves.push(mel[:, :, a:b], final=b == cuts[-1]) for a, b in itertools.pairwise(cuts)]
    assert sum(map(len, pieces)) == len(at_once) == TOKEN * len(spoken)
    np.testing.assert_allclose(np.concatenate(pieces), at_once, atol=1e-3 * np.abs(at_once).max())


@pytest.mark.parametrize("kind", ["english", "turbo"])
def test_streamed_is_near_the_whole(kind: str, models: dict[str, Model], conditions: dict[str, Any]) -> None:
    """Nothing is lost or said twice, and the spectra differ by what the flow's shorter look makes."""
    model, condition = models[kind], conditions[kind]
    spoken = drawn(model, condition)
    pieces, at_once = streamed(model, condition, spoken), whole(model, condition, spoken)
    assert len(pieces) >= 3
    samples = np.concatenate(pieces)
    assert len(samples) == len(at_once) == TOKEN * len(spoken)
    assert decibels_apart(samples, at_once) < 1.5


def decibels_apart(one: Samples, other: Samples) -> float:
    """Mean distance of two logarithmic spectra, in dB."""

    def spectra(samples: Samples) -> Any:
        frames = np.lib.stride_tricks.sliding_window_view(samples, 960)[::480] * np.hanning(960)
        return 20 * np.log10(np.abs(np.fft.rfft(frames)) + 1e-4)

    return float(np.abs(spectra(one) - spectra(other)).mean())


def test_joins_do_not_click(models: dict[str, Model], conditions: dict[str, Any]) -> None:
    """The step at a join is no larger than steps are inside."""
    model = models["turbo"]
    pieces = streamed(model, conditions["turbo"], drawn(model, conditions["turbo"], 100))
    samples = np.concatenate(pieces)
    steps = np.abs(np.diff(samples))
    for join in np.cumsum([len(piece) for piece in pieces])[:-1]:
        assert steps[join - 1] <= np.quantile(steps[join - 2400 : join + 2400], 0.999) * 1.5


def test_two_at_once_are_as_each_alone(models: dict[str, Model], conditions: dict[str, Any]) -> None:
    """Utterances that are computed in turn share nothing."""
    model, condition = models["turbo"], conditions["turbo"]
    speaker = Speaker(model, ChatterboxOptions(max_tokens=60), Path("unused"))
    model.builtin, before = condition, model.builtin
    try:
        requests = [request(text) for text in ("Good morning.", "The door is open.")]
        alone = [list(speaker.speak(one, None, 5, lambda: None)) for one in requests]
        both: list[list[Samples]] = [[], []]
        speaking = [speaker.speak(one, None, 5, lambda: None) for one in requests]
        for pair in itertools.zip_longest(*speaking):
            for found, piece in zip(both, pair, strict=True):
                found += [] if piece is None else [piece]
    finally:
        model.builtin = before
    for one, other in zip(alone, both, strict=True):
        np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def request(text: str) -> SynthesisRequest:
    (voice, *_) = ChatterboxBackend(ChatterboxOptions(), surroundings(Path("unused"), name="c")).voices()
    return SynthesisRequest(text=text, voice=voice, playhead=Playhead())


async def test_a_seed_makes_it_the_same(checkpoints: Path, tmp_path: Path) -> None:
    """Twice the same; without a seed twice another, and then it has no fingerprint."""
    async with started(backend(checkpoints, tmp_path)) as speaker:
        mine = speaker.voices()[1]
        one, two = [joined(await said(speaker, TEXT, mine)) for _ in range(2)]
        np.testing.assert_array_equal(one, two)
        assert (
            speaker.fingerprint(mine) == speaker.fingerprint(mine) != speaker.fingerprint(speaker.voices()[0])
        )
    async with started(backend(checkpoints, tmp_path, seed=None)) as speaker:
        one, two = [joined(await said(speaker, TEXT, mine)) for _ in range(2)]
        assert one.shape != two.shape or not np.array_equal(one, two)
        assert speaker.fingerprint(mine) is None


async def test_leaving_stops_between_two_tokens(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever leaves while tokens are drawn is drawn for no more."""
    count, reached, go_on = [0], threading.Event(), threading.Event()
    real = chatterbox_tokens.tokens

    def slow(*arguments: Any, **more: Any) -> Iterator[int]:
        for _ in range(1000):
            for token in real(*arguments, **more):
                count[0] += 1
                if count[0] == 5:
                    reached.set()
                    go_on.wait(PATIENCE)
                yield token

    monkeypatch.setattr(chatterbox_tokens, "tokens", slow)
    async with started(backend(checkpoints, tmp_path)) as speaker:
        task = asyncio.create_task(said(speaker, TEXT, speaker.voices()[1]))
        assert await asyncio.to_thread(reached.wait, PATIENCE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        go_on.set()
    assert count[0] <= 6


async def test_first_piece_comes_before_the_last_token(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sound leaves while tokens are still drawn."""
    count = [0]

    def counted(*arguments: Any, **more: Any) -> Iterator[int]:
        for token in range(60):
            count[0] += 1
            yield token

    monkeypatch.setattr(chatterbox_tokens, "tokens", counted)
    async with started(backend(checkpoints, tmp_path)) as speaker:
        chunks = speaker.synthesize(SynthesisRequest(text=TEXT, voice=speaker.voices()[1]))
        await anext(chunks)
        assert count[0] < 60
        assert seconds([chunk async for chunk in chunks]) > 1


async def test_without_memory_the_model_is_dropped(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running out of memory is said as such, and the next request loads it again."""
    broken = [True]
    real = chatterbox_stream.WaveStream.push

    def push(*arguments: Any, **more: Any) -> Samples:
        if broken[0]:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(*arguments, **more)

    monkeypatch.setattr(chatterbox_stream.WaveStream, "push", push)
    async with started(backend(checkpoints, tmp_path)) as speaker:
        with pytest.raises(BackendOverloadedError):
            await said(speaker, TEXT, speaker.voices()[1])
        assert speaker._model.state == "unloaded"
        broken[0] = False
        assert await said(speaker, TEXT, speaker.voices()[1])


def test_pieces_grow_with_what_is_in_store() -> None:
    """A small one first, then a second, then larger ones, but never while the listener runs dry."""
    pieces = Pieces()
    assert [pieces.next(0, 0), pieces.next(10, 0), pieces.next(25, 1.9), pieces.next(25, 2.5)] == [
        10,
        25,
        25,
        50,
    ]
    assert [pieces.next(50, 9), pieces.next(100, 99), pieces.next(100, 0)] == [100, 100, 25]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seconds": 1.0}, r"it has 1\.0 s, and should have 3 to 60"),
        ({"seconds": 61.0}, r"it has 61\.0 s"),
        ({"level": 0.0}, "silent"),
        ({"level": 1e-4}, "silent"),
    ],
)
def test_clips_are_checked(change: dict[str, float], message: str, tmp_path: Path) -> None:
    """What would make no voice is refused, with the reason and the file."""
    path = hum(tmp_path / "anna.wav", **change)  # type: ignore[arg-type]
    with pytest.raises(BackendUnavailableError, match=message) as caught:
        read_clip(Clip("anna", None, path))
    assert "anna.wav" in str(caught.value)


def test_overdriven_and_broken_clips(tmp_path: Path) -> None:
    """A clip at full scale, one that is no sound, one that is not there."""
    loud = tmp_path / "loud.wav"
    soundfile.write(loud, np.sign(np.sin(np.arange(96_000) / 20)), 24_000)
    with pytest.raises(BackendUnavailableError, match="overdriven"):
        read_clip(Clip("loud", None, loud))
    (tmp_path / "text.wav").write_text("hello")
    for name in ("text", "nowhere"):
        with pytest.raises(BackendUnavailableError, match="cannot be read"):
            read_clip(Clip(name, None, tmp_path / f"{name}.wav"))


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_clips_of_any_rate(rate: int, tmp_path: Path) -> None:
    """Brought to one rate and one channel, and no longer than what is listened to."""
    path = hum(tmp_path / "long.wav", 20, rate)
    samples, _ = soundfile.read(path)
    soundfile.write(path, np.stack([samples, samples], 1), rate)
    assert len(read_clip(Clip("long", None, path))) == 15 * 24_000


def test_clips_are_found(tmp_path: Path) -> None:
    """By their names, with a language where one stands there; other files are no voices."""
    for name in ("anna.wav", "bert.de.flac", "carl.en-GB.ogg", "notes.txt", "bad name.wav"):
        (tmp_path / name).write_bytes(b"x")
    assert [(clip.name, clip.language) for clip in find_clips(tmp_path)] == [
        ("anna", None),
        ("bert", "de"),
        ("carl", "en-GB"),
    ]
    assert find_clips(tmp_path / "nowhere") == ()


async def test_voices_are_made_once_and_kept(
    checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip is listened to once, also over a restart; a damaged file is made anew, and few are kept."""
    made = [0]
    real = Model.embed

    def embed(self: Model, *arguments: Any) -> Any:
        made[0] += 1
        return real(self, *arguments)

    monkeypatch.setattr(Model, "embed", embed)
    for _ in range(2):
        async with started(backend(checkpoints, tmp_path)) as speaker:
            one = joined(await said(speaker, TEXT, speaker.voices()[1]))
            again = joined(await said(speaker, TEXT, speaker.voices()[1]))
            np.testing.assert_array_equal(one, again)
    assert made[0] == 1
    (kept,) = (tmp_path / "clips-embedded").glob("*.pt")
    kept.write_bytes(b"garbage")
    async with started(backend(checkpoints, tmp_path)) as speaker:
        np.testing.assert_array_equal(joined(await said(speaker, TEXT, speaker.voices()[1])), one)
    assert made[0] == 2


def test_prompts_are_short(conditions: dict[str, Any]) -> None:
    """Two frames for each token, and no more than what pays."""
    for condition in conditions.values():
        tokens = condition.gen["prompt_token"].size(1)
        assert tokens <= PROMPT_TOKENS
        assert condition.gen["prompt_feat"].size(1) == 2 * tokens


async def test_what_is_missing_is_named(checkpoints: Path, tmp_path: Path) -> None:
    """A folder without a file, the hub when there must be no network, a voice that nobody has."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(BackendUnavailableError, match=r"lacks ve\.safetensors, t3_turbo_v1\.safetensors"):
        Model.load("turbo", tmp_path / "empty", "cpu", offline=True)
    with pytest.raises(BackendUnavailableError, match="--offline"):
        Model.load("turbo", None, "cpu", offline=True)
    async with started(backend(checkpoints, tmp_path / "data")) as speaker:
        default, mine = speaker.voices()
        with pytest.raises(BackendUnavailableError, match="no voice of its own"):
            await said(speaker, TEXT, default)
        (tmp_path / "data" / "clips" / "hum.wav").unlink()
        with pytest.raises(BackendUnavailableError, match="there is no clip for chatterbox/hum"):
            await said(speaker, TEXT, mine)


def test_a_wrong_checkpoint_is_named(checkpoints: Path, tmp_path: Path) -> None:
    """Weights of another model are refused with what the loader says."""
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in (checkpoints / "turbo").iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    (broken / "t3_turbo_v1.safetensors").write_bytes(b"nothing")
    with pytest.raises(BackendUnavailableError, match="Chatterbox's turbo model from"):
        Model.load("turbo", broken, "cpu", offline=True)


async def test_odd_texts(checkpoints: Path, tmp_path: Path) -> None:
    """Nothing to say is an error, and not what the package says instead; a long text has a bound."""
    async with started(backend(checkpoints, tmp_path)) as speaker:
        mine = speaker.voices()[1]
        with pytest.raises(SynthesisError, match="nothing to say"):
            await said(speaker, "...", mine)
        assert seconds(await said(speaker, "word " * 400, mine)) < 60 / 25 + 0.01
    with contextlib.suppress(BackendUnavailableError):
        await said(speaker, TEXT, mine)


def test_watermarks_are_put_into_long_blocks(models: dict[str, Model], conditions: dict[str, Any]) -> None:
    """Where the package brings one, all speech is marked, in blocks of a second, and none of it is lost."""

    class Marker:
        blocks: list[int] = []  # noqa: RUF012 - one test's

        def apply_watermark(self, wave: Samples, sample_rate: int) -> Samples:
            self.blocks.append(len(wave))
            return wave[: len(wave) // 240 * 240] * np.float32(0.5)

    model = models["turbo"]
    before = model.builtin, model.watermarker
    model.builtin, model.watermarker = conditions["turbo"], Marker()
    try:
        plain, marked = (
            np.concatenate(list(Speaker(model, ChatterboxOptions(watermark=on), Path("x")).speak(
                request(TEXT * 5), None, 5, lambda: None)))
            for on in (False, True)
        )  # fmt: skip
    finally:
        model.builtin, model.watermarker = before
    assert len(plain) == len(marked)
    np.testing.assert_allclose(marked, plain * 0.5, atol=1e-6)
    assert all(size >= 24_000 for size in Marker.blocks[:-1])


async def test_stop_while_it_speaks(checkpoints: Path, tmp_path: Path) -> None:
    """Nothing hangs, and nothing is spoken behind it."""
    speaker = backend(checkpoints, tmp_path)
    await speaker.start()
    mine = speaker.voices()[1]
    task = asyncio.create_task(said(speaker, TEXT * 5, mine))
    await asyncio.sleep(0.2)
    async with asyncio.timeout(PATIENCE):
        await speaker.stop()
        await asyncio.gather(task, return_exceptions=True)
    with pytest.raises(BackendUnavailableError):
        await said(speaker, TEXT, mine)


async def test_several_at_once(checkpoints: Path, tmp_path: Path) -> None:
    """Each gets his own."""
    async with started(backend(checkpoints, tmp_path)) as speaker:
        mine = speaker.voices()[1]
        texts = ["Good morning.", "The door is open.", TEXT]
        alone = [joined(await said(speaker, text, mine)) for text in texts]
        together: list[Any] = await asyncio.gather(*(said(speaker, text, mine) for text in texts))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, joined(other))
