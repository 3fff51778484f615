"""What is kept of voices that spoke: it changes nothing but the time to the first token."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("torch")
PACKAGE = pytest.importorskip("chatterbox")

import torch  # noqa: E402  below what may be missing

from tests.tiny_chatterbox import TEXT, WARNINGS, embed, load  # noqa: E402
from wyoming_tts.backends import chatterbox_cache  # noqa: E402
from wyoming_tts.backends.chatterbox_cache import Voices  # noqa: E402
from wyoming_tts.backends.chatterbox_models import Model  # noqa: E402
from wyoming_tts.backends.chatterbox_tokens import Growing, Sampling, tokens  # noqa: E402

pytestmark = WARNINGS


@pytest.fixture(scope="module", params=["english", "turbo"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(request.param, tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def voice(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return embed(model, tmp_path_factory.getbasetemp()).t3


def drawn(model: Model, voice: Any, voices: Voices | None, text: str = TEXT) -> Iterator[int]:
    """The likeliest tokens of a text."""
    sampling = Sampling(temperature=0, penalty_last=model.t3.is_gpt)
    given = model.text_tokens(text, "en")
    return tokens(model.t3, voice, given, sampling, seed=0, limit=12, voices=voices)


def other(voice: Any, number: int = 1) -> Any:
    """Somebody else's."""
    return type(voice)(
        speaker_emb=voice.speaker_emb.roll(number, -1),
        cond_prompt_speech_tokens=voice.cond_prompt_speech_tokens.flip(-1),
        emotion_adv=voice.emotion_adv,
    )


@contextlib.contextmanager
def counted(model: Model) -> Iterator[list[int]]:
    """How many positions the model reads in each of its runs."""
    read: list[int] = []

    def note(module: Any, given: Any, named: dict[str, Any]) -> None:
        read.append(named["inputs_embeds"].size(1))

    hook = model.t3.tfmr.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield read
    finally:
        hook.remove()


@torch.inference_mode()
def test_logits_are_the_same(model: Model) -> None:
    """The first time, when the voice is known, and behind another one."""
    generator, voices = torch.Generator().manual_seed(3), Voices()
    rows = 1 if model.t3.is_gpt else 2
    one, two, text, token = (
        torch.randn(rows, length, model.t3.dim, generator=generator) for length in (20, 20, 6, 1)
    )

    def logits(voice: torch.Tensor, voices: Voices | None) -> torch.Tensor:
        steps = Growing(model.t3, voices, 20)
        return torch.cat([steps.begin(torch.cat([voice, text], 1)), steps.next(token[:1])])

    expected = [logits(voice, None) for voice in (one, two)]
    assert not torch.allclose(expected[0], expected[1], rtol=0, atol=1e-3)
    first = logits(one, voices)
    torch.testing.assert_close(first, expected[0], rtol=0, atol=1e-5)
    torch.testing.assert_close(logits(two, voices), expected[1], rtol=0, atol=1e-5)
    assert torch.equal(logits(one, voices), first)


def test_a_voice_is_read_once(model: Model, voice: Any) -> None:
    """Each of the last voices, whatever they say, and anew when others came in between."""
    voices = Voices()
    with counted(model) as plain:
        next(drawn(model, voice, None))
    with counted(model) as read:
        next(drawn(model, voice, voices))
        next(drawn(model, voice, voices))
        next(drawn(model, other(voice), voices))
        next(drawn(model, voice, voices, "It is off."))
    known, text = read[:2]
    assert [known + text] == plain
    assert read[2:5] == [text, known, text]
    assert len(read) == 6
    assert 0 < read[5] < text
    with counted(model) as read:
        for flips in range(chatterbox_cache.KEPT_VOICES):
            next(drawn(model, other(voice, flips + 1), voices))
        next(drawn(model, voice, voices))
    assert read[-2:] == [known, text]


def test_utterances_in_turn(model: Model, voice: Any) -> None:
    """Each goes on from the voice alone, whatever another has said meanwhile."""
    voices, text = Voices(), "It is off."
    expected = [list(drawn(model, voice, None, said)) for said in (TEXT, text)]
    both = [drawn(model, voice, voices, said) for said in (TEXT, text)]
    found = [list(pair) for pair in zip(*zip(*both, strict=True), strict=True)]
    assert found == expected
