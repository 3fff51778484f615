"""The voices there are now: of all backends, blends, and those of `voices.toml`."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.fakes import Clock
from wyoming_tts.blends import is_blend, parse_blend
from wyoming_tts.catalogue import LiveCatalogue
from wyoming_tts.errors import UnknownVoiceError
from wyoming_tts.presets import Presets
from wyoming_tts.types import Voice, VoiceQuery
from wyoming_tts.voices import VoiceCatalogue, load_catalogue

KOKORO = load_catalogue().voices()
NOVA = Voice(name="openai/nova", language="en", backend="openai", description="Nova", languages=("de", "fr"))
LAST = Voice(name="espeak/pl", language="pl", backend="espeak", description="Polish", last_resort=True)


def catalogue(tmp_path: Path, text: str = "", default: str = "af_heart") -> LiveCatalogue:
    if text:
        (tmp_path / "voices.toml").write_text(text)
    return LiveCatalogue(lambda: [*KOKORO, NOVA, LAST], default, Presets(tmp_path / "voices.toml"))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("af_bella+af_sky", [("af_bella", 1), ("af_sky", 1)]),
        ("af_bella(2)+af_sky(1)", [("af_bella", 2), ("af_sky", 1)]),
        (" af_bella ( 0.5 ) - bella(0.25) ", [("af_bella", 0.5), ("bella", -0.25)]),
        ("af_bella-af_nicole(0.3)+af_sky", [("af_bella", 1), ("af_nicole", -0.3), ("af_sky", 1)]),
    ],
)
def test_blends_are_read(name: str, parts: list[tuple[str, float]]) -> None:
    """Shares in brackets, 1 where there are none; `-` takes away."""
    assert is_blend(name)
    assert [(part.voice, part.weight) for part in parse_blend(name)] == parts


@pytest.mark.parametrize(
    "name",
    ["a+", "+", "a(2", "a()+b", "a(x)+b", "a(1)-b(1)", "a-b(2)", "a(1)b(1)", "+".join("abcdefghijklmnopq")],
)
def test_what_is_no_blend_is_said(name: str) -> None:
    """With how one is written."""
    with pytest.raises(UnknownVoiceError, match="blend"):
        parse_blend(name)


@pytest.mark.parametrize("name", ["af_heart", "openai/nova", "night"])
def test_single_voices_are_no_blends(name: str) -> None:
    """A name without a sign is a voice."""
    assert not is_blend(name)


def test_a_blend_is_a_voice(tmp_path: Path) -> None:
    """It speaks as its largest part does, under one name however it was written."""
    live = catalogue(tmp_path)
    one, two = (
        live.resolve(VoiceQuery(name=name)) for name in ("bf_emma+af_sky(0.5)", "BF_Emma(1) + sky(.5)")
    )
    assert one.name == "bf_emma(1)+af_sky(0.5)"
    assert (one.language, one.backend, one.blend) == ("en-GB", "kokoro", True)
    with pytest.raises(UnknownVoiceError):
        live.resolve(VoiceQuery(name="bf_emma+nobody"))
    with pytest.raises(UnknownVoiceError, match="cannot be blended"):
        live.resolve(VoiceQuery(name="bf_emma+openai/nova"))
    assert two.name == one.name


def test_own_voices(tmp_path: Path) -> None:
    """They have the language of what they are made of, and all that the file says."""
    live = catalogue(
        tmp_path,
        'night = { voice = "af_bella(2)+af_sky", speed = 0.9, gain = -6, fallbacks = ["openai/nova"] }\n'
        'butler = "bm_george"\n',
    )
    night = live.resolve(VoiceQuery(name="night"))
    assert (night.language, night.speed, night.gain) == ("en-US", 0.9, -6)
    assert night.speaker.name == "af_bella(2)+af_sky(1)"
    assert night.speaker.fallbacks == ("openai/nova",)
    assert live.resolve(VoiceQuery(name="butler")).speaker.name == "bm_george"
    assert {"night", "butler"} <= {voice.name for voice in live.voices()}
    assert catalogue(tmp_path, default="night").default.name == "night"


def test_wrong_ones_are_named_and_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One mistake costs one voice; a file that is no TOML changes nothing."""
    clock = Clock()
    file = tmp_path / "voices.toml"
    file.write_text(
        'a = { voice = "nobody" }\nb = { voice = "af_sky", speed = 9 }\nc = "af_sky"\n"d e" = "af_sky"\n'
    )
    live = LiveCatalogue(lambda: KOKORO, "af_heart", Presets(file, clock))
    own = {voice.name for voice in live.voices()} - {voice.name for voice in KOKORO}
    assert own == {"c"}
    for word in ("nobody", "speed", "d e"):
        assert word in caplog.text
    file.write_text("= broken")
    clock.now += 2
    assert {voice.name for voice in live.voices()} - {voice.name for voice in KOKORO} == {"c"}
    assert "still used" in caplog.text
    file.unlink()
    clock.now += 2
    assert {voice.name for voice in live.voices()} == {voice.name for voice in KOKORO}


def test_same_until_something_changes(tmp_path: Path) -> None:
    """`describe` is encoded once for as long as the voices are the same."""
    live = catalogue(tmp_path)
    assert live.current() is live.current()


def test_languages(tmp_path: Path) -> None:
    """A language has its best voice: one of its own, else one of many languages, else the last resort."""
    live = catalogue(tmp_path)
    expected = {
        "fr": "ff_siwis",
        "de": "openai/nova",
        "pl": "espeak/pl",
        "en": "af_heart",
        "en-GB": "bf_emma",
    }
    for tag, name in expected.items():
        voice = live.best_for_language(tag)
        assert voice is not None
        assert voice.name == name
        assert voice.language.split("-")[0] == tag.split("-")[0]
    assert live.best_for_language("xx") is None
    assert "pl" not in live.natural_languages()


def test_default_of_many_languages_speaks_them() -> None:
    """Where the default voice speaks a language, it is the voice for it."""
    voices = VoiceCatalogue((NOVA, *KOKORO), NOVA)
    french = voices.best_for_language("fr-FR")
    assert french is not None
    assert (french.name, french.language) == ("openai/nova", "fr")


def test_unknown_default_is_said_and_does_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While the service that has it has not listed it, the first voice speaks."""
    caplog.set_level(logging.WARNING)
    live = catalogue(tmp_path, default="openai/later")
    assert live.default.name == "af_heart"
    assert "openai/later" in caplog.text
    assert LiveCatalogue(list, "x", Presets(tmp_path / "none")).voices() == ()
