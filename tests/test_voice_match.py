"""Who speaks in whose place."""

from __future__ import annotations

import pytest

from wyoming_tts.backends.voice_match import match_voice, speaks
from wyoming_tts.types import Voice


def voice(name: str, language: str, gender: str | None = None, *more: str) -> Voice:
    return Voice(
        name=name,
        language=language,
        backend=name.split("/")[0],
        description=name,
        gender=gender,
        languages=more,
    )


HEART = voice("af_heart", "en-US", "female")
GEORGE = voice("bm_george", "en-GB", "male")
OFFERED = (
    voice("cloud/anna", "de-DE", "female"),
    voice("cloud/bill", "en-US", "male"),
    voice("cloud/carl", "en-GB", "male"),
    voice("cloud/dora", "en-US", "female"),
    voice("cloud/eve", "en", None, "fr", "es", "de"),
)


@pytest.mark.parametrize(
    ("wanted", "mapping", "name", "language"),
    [
        (HEART, {}, "cloud/dora", "en-US"),
        (GEORGE, {}, "cloud/carl", "en-GB"),
        (voice("x", "en-AU", "male"), {}, "cloud/bill", "en-US"),
        (voice("x", "de-AT", "female"), {}, "cloud/anna", "de-DE"),
        (voice("x", "de", "male"), {}, "cloud/eve", "de"),
        (voice("ef_dora", "es", "female"), {}, "cloud/eve", "es"),
        (HEART, {"af_heart": "bill"}, "cloud/bill", "en-US"),
        (HEART, {"af_heart": "cloud/eve"}, "cloud/eve", "en"),
        (HEART, {"en-US": "BILL"}, "cloud/bill", "en-US"),
        (HEART, {"af_heart": "nobody"}, "cloud/dora", "en-US"),
        (voice("dora", "en-GB", "male"), {}, "cloud/dora", "en-US"),
    ],
)
def test_match(wanted: Voice, mapping: dict[str, str], name: str, language: str) -> None:
    """By configuration, then by name, then by language, gender and region."""
    found = match_voice(wanted, OFFERED, mapping)
    assert found is not None
    assert (found.name, found.language) == (name, language)


def test_nobody_speaks_it() -> None:
    """A voice that does not speak the language is nobody's stand-in."""
    assert match_voice(voice("jf_alpha", "ja", "female"), OFFERED, {}) is None
    assert match_voice(HEART, (), {}) is None


def test_speaks() -> None:
    """Of whatever region, in any spelling."""
    assert speaks(OFFERED[4], "fr_CA")
    assert not speaks(OFFERED[0], "en")
