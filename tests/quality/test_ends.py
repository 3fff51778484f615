"""Every sentence is there from its first sound to its last."""

from __future__ import annotations

import numpy as np
import pytest

from tests.quality.texts import texts_for
from tests.speech import Model, deliver, loudest, place_of
from wyoming_tts.backends.kokoro import EDGE, RATE, SILENCE

SENTENCES = (
    ("af_heart", 0, "whole"),
    ("af_sky", 0, "unfinished"),
    ("am_michael", 6, "unfinished"),
    ("am_echo", 0, "whole"),
    ("bf_isabella", 4, "whole"),
    ("bm_fable", 3, "unfinished"),
    ("ef_dora", 5, "unfinished"),
    ("ff_siwis", 9, "whole"),
    ("hf_alpha", 0, "whole"),
    ("hm_psi", 0, "unfinished"),
    ("if_sara", 3, "unfinished"),
    ("im_nicola", 8, "whole"),
    ("pm_alex", 0, "whole"),
    ("jf_nezumi", 0, "unfinished"),
    ("zm_yunxi", 8, "whole"),
)
"""Voice, sentence, and whether its last mark is left away; half of them begin or end as few others do."""


HEARD = 2 * SILENCE
"""Beyond a quiet hundredth of a second there may be a little more than `SILENCE`; nobody hears it either."""


def spoken(model: Model, name: str, index: int, form: str, speed: float) -> tuple[float, float, float, float]:
    """What is loudest before, at the beginning, at the end and behind what is delivered of a sentence."""
    voice = model.voice(name)
    text = texts_for(voice, 10)[index]
    sentence = model.read(voice, text.rstrip(".!?।。") if form == "unfinished" else text, speed)
    whole, streamed = sentence.whole(), sentence.deliver().samples
    start = place_of(streamed, whole)
    before, behind = whole[:start], whole[start + len(streamed) :]
    return loudest(before), abs(float(streamed[0])), abs(float(streamed[-1])), loudest(behind)


@pytest.mark.parametrize(("name", "index", "form"), SENTENCES)
def test_nothing_audible_is_cut_away(model: Model, name: str, index: int, form: str) -> None:
    """All that is loud enough to be heard is delivered, and both ends are silent."""
    before, first, last, behind = spoken(model, name, index, form, 1.0)
    assert before <= HEARD
    assert behind <= HEARD
    assert first == last == 0


@pytest.mark.parametrize(
    ("name", "speed"),
    [("am_michael", 0.5), ("hf_alpha", 0.5), ("zf_xiaoni", 0.5), ("ff_siwis", 2.0), ("af_kore", 2.0)],
)
def test_nothing_is_cut_away_at_any_speed(model: Model, name: str, speed: float) -> None:
    """The same holds for the slowest and the fastest speech."""
    before, first, last, behind = spoken(model, name, 1, "whole", speed)
    assert before <= HEARD
    assert behind <= HEARD
    assert first == last == 0


@pytest.mark.parametrize("name", ["af_heart", "jf_alpha"])
def test_silence_around_a_sentence_is_not_delivered(model: Model, name: str) -> None:
    """What is heard begins within two hundredths of a second of the audio, and ends as late."""
    voice = model.voice(name)
    samples = deliver(model, voice, texts_for(voice, 10)[1]).samples
    audible = np.flatnonzero(np.abs(samples) > SILENCE)
    assert audible[0] <= 2 * EDGE
    assert audible[-1] >= len(samples) - 1 - 2 * EDGE


def test_speed_changes_the_length(model: Model) -> None:
    """Half the speed takes about twice as long as double speed takes half of it."""
    voice = model.voice("af_heart")
    text = texts_for(voice, 10)[1]
    lengths = {
        speed: len(deliver(model, voice, text, speed=speed).samples) / RATE for speed in (0.5, 1.0, 2.0)
    }
    assert 1.6 < lengths[0.5] / lengths[1.0] < 2.4
    assert 1.6 < lengths[1.0] / lengths[2.0] < 2.4
