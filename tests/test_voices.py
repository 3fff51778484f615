"""The voice catalogue, the voice packs, and the script that makes them."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from wyoming_tts.errors import BackendUnavailableError, ConfigError, UnknownVoiceError
from wyoming_tts.types import VoiceQuery
from wyoming_tts.voices import (
    VoiceCatalogue,
    load_catalogue,
    load_pack,
    read_arrays,
    voices_directory,
    write_arrays,
)

REPOSITORY = Path(__file__).resolve().parent.parent
OPENAI_NAMES = [
    "alloy",
    "ash",
    "ballad",
    "cedar",
    "coral",
    "echo",
    "fable",
    "marin",
    "nova",
    "onyx",
    "sage",
    "shimmer",
    "verse",
]
BEST = {
    "en-US": "af_heart",
    "en-GB": "bf_emma",
    "es": "ef_dora",
    "fr-FR": "ff_siwis",
    "hi": "hf_alpha",
    "it": "if_sara",
    "pt-BR": "pf_dora",
    "ja": "jf_alpha",
    "zh-CN": "zf_xiaobei",
}


@pytest.fixture(scope="module")
def catalogue() -> VoiceCatalogue:
    """The catalogue that is shipped."""
    return load_catalogue()


def test_catalogue_is_complete(catalogue: VoiceCatalogue) -> None:
    """All 54 voices of Kokoro v1.0 are there, each with what a person chooses by."""
    voices = catalogue.voices()
    assert len({voice.name for voice in voices}) == 54
    assert set(catalogue.languages()) == set(BEST)
    for voice in voices:
        assert voice.backend == "kokoro"
        assert voice.gender in ("female", "male")
        assert voice.description.count(",") == 2
        assert voice.description.endswith(voice.gender)
    assert catalogue.default.name == "af_heart"
    assert catalogue.default.description == "Heart, US English, female"


def test_names_and_aliases_are_unique(catalogue: VoiceCatalogue) -> None:
    """No name or alias means two voices, whatever case it is written in."""
    names = [name.casefold() for voice in catalogue.voices() for name in (voice.name, *voice.aliases)]
    assert len(names) == len(set(names))


def test_voices_come_best_first(catalogue: VoiceCatalogue) -> None:
    """Inside a language the best grade comes first, and languages are not mixed."""
    voices = catalogue.voices()
    firsts: dict[str, str] = {}
    for voice in voices:
        firsts.setdefault(voice.language, voice.name)
    assert firsts == BEST
    languages = [voice.language for voice in voices]
    assert sum(a != b for a, b in itertools.pairwise(languages)) == len(BEST) - 1


@pytest.mark.parametrize("name", OPENAI_NAMES)
def test_openai_names_are_aliases(catalogue: VoiceCatalogue, name: str) -> None:
    """Every voice name of OpenAI speaks."""
    assert name in catalogue.resolve(VoiceQuery(name=name)).aliases


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("am_puck", "am_puck"),
        ("AF_Bella", "af_bella"),
        ("heart", "af_heart"),
        ("Emma", "bf_emma"),
        ("NOVA", "af_nova"),
    ],
)
def test_resolve_by_name(catalogue: VoiceCatalogue, asked: str, name: str) -> None:
    """A name or alias means its voice in any case, and overrides the language."""
    assert catalogue.resolve(VoiceQuery(name=asked)).name == name
    assert catalogue.resolve(VoiceQuery(name=asked, language="it")).name == name


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        *((tag, "en-US") for tag in ("en", "en_US", "en-us", "EN", "eng", "en_US.UTF-8", "en-CA")),
        *((tag, "en-GB") for tag in ("en-GB", "en_gb", "en-AU", "en-IE")),
        *((tag, "es") for tag in ("es", "es-MX", "es_ES", "spa")),
        *((tag, "fr-FR") for tag in ("fr", "fr-FR", "fr_CA", "fra")),
        *((tag, "pt-BR") for tag in ("pt", "pt-br", "PT_BR", "pt-PT")),
        *((tag, "zh-CN") for tag in ("zh", "zh_CN", "cmn", "zh-Hans-CN", "cn")),
        *((tag, "ja") for tag in ("ja", "ja-JP", "jp")),
        *((tag, "hi") for tag in ("hi", "hi_IN")),
        *((tag, "it") for tag in ("it", "it-IT")),
    ],
)
def test_resolve_by_language(catalogue: VoiceCatalogue, tag: str, language: str) -> None:
    """A language in any spelling gets its best voice."""
    assert catalogue.resolve(VoiceQuery(language=tag)).name == BEST[language]


def test_default_voice_speaks_its_own_language() -> None:
    """A default voice somebody chose is also the voice of its language, and of nothing else."""
    catalogue = load_catalogue(default="george")
    assert catalogue.resolve(VoiceQuery()).name == "bm_george"
    assert catalogue.resolve(VoiceQuery(language="en-GB")).name == "bm_george"
    assert catalogue.resolve(VoiceQuery(language="en")).name == "bm_george"
    assert catalogue.resolve(VoiceQuery(language="en-US")).name == "af_heart"


def test_empty_query_is_the_default(catalogue: VoiceCatalogue) -> None:
    """Nothing asked, or only empty strings, means the default voice."""
    assert catalogue.resolve(VoiceQuery()).name == "af_heart"
    assert catalogue.resolve(VoiceQuery(name="", language="", speaker="")).name == "af_heart"


def test_unknown_name_offers_near_matches(catalogue: VoiceCatalogue) -> None:
    """A name that is nearly right is answered with the right one."""
    with pytest.raises(UnknownVoiceError, match=r"af_hart.*af_heart"):
        catalogue.resolve(VoiceQuery(name="af_hart"))


@pytest.mark.parametrize("name", ["zzzz", "x" * 1_000_000, "a\ud800\x00\n", "../af_heart", "😀"])
def test_unknown_name_is_shown_harmlessly(catalogue: VoiceCatalogue, name: str) -> None:
    """Any other name gives a short, printable message."""
    with pytest.raises(UnknownVoiceError) as caught:
        catalogue.resolve(VoiceQuery(name=name))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("tag", ["de", "x-klingon", "🎉", "-", "q" * 100_000])
def test_unknown_language_names_the_languages(catalogue: VoiceCatalogue, tag: str) -> None:
    """A language nobody speaks is answered with those that are spoken."""
    assert catalogue.best_for_language(tag) is None
    with pytest.raises(UnknownVoiceError, match=r"en-US.*zh-CN"):
        catalogue.resolve(VoiceQuery(language=tag))


def test_speaker_must_be_the_voice(catalogue: VoiceCatalogue) -> None:
    """A speaker is accepted when it is the voice's own name, and refused otherwise."""
    assert catalogue.resolve(VoiceQuery(name="af_sky", speaker="af_sky")).name == "af_sky"
    with pytest.raises(UnknownVoiceError, match="speaker"):
        catalogue.resolve(VoiceQuery(name="af_sky", speaker="af_heart"))


def test_wrong_default_is_a_config_error() -> None:
    """A default voice that does not exist is refused at start-up, with near matches."""
    with pytest.raises(ConfigError, match="af_heart"):
        load_catalogue(default="af_haert")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"backend": "kokoro", "voices": []}', '{"voices": 1}']
)
def test_damaged_catalogue_is_named(tmp_path: Path, content: str) -> None:
    """A catalogue that cannot be read is refused by its file name."""
    (tmp_path / "catalogue.json").write_text(content)
    with pytest.raises(ConfigError, match=r"catalogue\.json"):
        load_catalogue(tmp_path)


def test_every_pack_loads(catalogue: VoiceCatalogue) -> None:
    """Every voice has a pack of finite styles, unlike any other's, all together below 40 MB."""
    heads = set()
    for voice in catalogue.voices():
        pack = load_pack(voice.name)
        assert pack.styles.shape == (510, 256)
        assert pack.styles.dtype == np.float32
        heads.add(pack.styles.tobytes())
    assert len(heads) == 54
    assert sum(path.stat().st_size for path in voices_directory().iterdir()) < 40_000_000


def test_style_row_is_the_length() -> None:
    """Row n - 1 is for n tokens; lengths beyond the table use its ends."""
    pack = load_pack("af_heart")
    assert pack.style(1).shape == (1, 256)
    for tokens, row in [(0, 0), (1, 0), (2, 1), (510, 509), (9999, 509)]:
        assert np.array_equal(pack.style(tokens)[0], pack.styles[row])


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"style": np.zeros((510, 255), np.float16)},
        {"style": np.zeros((510, 256), np.int16)},
        {"style": np.full((510, 256), np.nan, np.float16)},
        {"style": np.full((510, 256), np.inf, np.float32)},
    ],
)
def test_wrong_pack_is_named(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    """A pack without a usable style is refused by its file name."""
    write_arrays(tmp_path / "odd.npz", arrays)
    with pytest.raises(BackendUnavailableError, match=r"odd\.npz"):
        load_pack("odd", tmp_path)


def test_damaged_pack_is_named(tmp_path: Path) -> None:
    """A pack that is missing, cut off, garbled or pickled is refused by its file name."""
    good = (voices_directory() / "af_heart.npz").read_bytes()
    garbled = bytearray(good)
    garbled[5000:5100] = bytes(100)
    np.savez(tmp_path / "pickle.npz", style=np.array([{}], dtype=object))
    broken = {"empty": b"", "cut": good[:1000], "half": good[: len(good) // 2], "garbled": bytes(garbled)}
    for name, content in broken.items():
        (tmp_path / f"{name}.npz").write_bytes(content)
    for name in ("empty", "cut", "half", "garbled", "pickle", "missing"):
        with pytest.raises(BackendUnavailableError, match=f"{name}.npz"):
            load_pack(name, tmp_path)


@pytest.mark.parametrize("name", ["../voices/af_heart", "", "a/b", "a\x00", "é" * 100])
def test_pack_name_is_no_path(name: str) -> None:
    """A pack's name cannot lead out of its folder."""
    with pytest.raises(BackendUnavailableError):
        load_pack(name)


def fake_source(folder: Path, seed: int = 0) -> dict[str, np.ndarray]:
    """A source of two voices, as the npm package has it."""
    numbers = np.random.default_rng(seed)
    styles = {name: numbers.normal(size=(510, 256)).astype(np.float32) for name in ("af_heart", "em_alex")}
    (folder / "package" / "voices").mkdir(parents=True, exist_ok=True)
    for name, style in styles.items():
        (folder / "package" / "voices" / f"{name}.bin").write_bytes(style.tobytes())
    return styles


def import_voices(source: Path, to: Path) -> str:
    """Run the script; returns what it says."""
    command = [sys.executable, str(REPOSITORY / "script" / "import-voices"), str(source), "--to", str(to)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_import_from_every_source(tmp_path: Path) -> None:
    """Folder, package and voices-v1.0.bin give the same bytes, and the catalogue has the source's SHA-256."""
    styles = fake_source(tmp_path)
    with tarfile.open(tmp_path / "package.tgz", "w:gz") as archive:
        archive.add(tmp_path / "package", "package")
    with open(tmp_path / "voices-v1.0.bin", "wb") as file:
        np.savez(file, af_heart=styles["af_heart"][:, None], em_alex=styles["em_alex"][:, None])
    results = []
    for source in ("package", "package.tgz", "voices-v1.0.bin"):
        to = tmp_path / f"from-{source}"
        import_voices(tmp_path / source, to)
        results.append({path.name: path.read_bytes() for path in to.iterdir()})
    assert results[0] == results[1] == results[2]
    assert set(results[0]) == {"af_heart.npz", "em_alex.npz", "catalogue.json"}
    entries = {entry["name"]: entry for entry in json.loads(results[0]["catalogue.json"])["voices"]}
    assert entries["em_alex"]["sha256"] == hashlib.sha256(styles["em_alex"].tobytes()).hexdigest()
    pack = load_pack("af_heart", tmp_path / "from-package")
    assert np.allclose(pack.styles, styles["af_heart"], atol=2e-3)


def test_import_keeps_statistics_of_unchanged_voices(tmp_path: Path) -> None:
    """What else a pack holds stays while its style stays, and goes when the style changes."""
    fake_source(tmp_path)
    to = tmp_path / "voices"
    import_voices(tmp_path / "package", to)
    path = to / "af_heart.npz"
    write_arrays(path, {**read_arrays(path), "mean": np.arange(3, dtype=np.float32)})
    assert "unchanged" in import_voices(tmp_path / "package", to)
    assert load_pack("af_heart", to).extras["mean"].tolist() == [0, 1, 2]
    fake_source(tmp_path, seed=1)
    assert "dropped mean" in import_voices(tmp_path / "package", to)
    assert not load_pack("af_heart", to).extras
