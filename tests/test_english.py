"""English: words from lexicons, the sense that a word has in its sentence, and no word that is silent."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.g2p.clauses import Part, clean, cut
from wyoming_tts.g2p.english import EnglishReader
from wyoming_tts.g2p.english_lexicon import EnglishLexicon
from wyoming_tts.g2p.english_words import Ahead, EnglishWords, stressed
from wyoming_tts.g2p.symbols import VOCABULARY
from wyoming_tts.phonemes import Phonemizer

CASES = Path(__file__).parent / "cases"


@pytest.fixture(scope="module")
def american() -> EnglishReader:
    return EnglishReader("en-US")


@pytest.fixture(scope="module")
def british() -> EnglishReader:
    return EnglishReader("en-GB")


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer()


def lines(name: str) -> list[list[str]]:
    rows = (CASES / name).read_text("utf-8").splitlines()
    return [row.split("\t") for row in rows if row and not row.startswith("#")]


def spoken(phonemizer: Phonemizer, text: str, place: int) -> str:
    """The phonemes of the word at a place, without the marks around it."""
    result = phonemizer.phonemize(text, "en-US")
    word = next(word for word in result.words if word.char_start <= place < word.char_end)
    return re.sub(r"[^\wˈˌ]", "", result.text[word.token_start : word.token_end])


@pytest.mark.parametrize(("sentence", "phonemes"), lines("english_senses.tsv"))
def test_senses(phonemizer: Phonemizer, sentence: str, phonemes: str) -> None:
    """A homograph is read in the sense that its sentence gives it."""
    assert spoken(phonemizer, re.sub(r"[\[\]]", "", sentence), sentence.index("[")) == phonemes


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("the apple", "ði ˈæpᵊl"),
        ("the cat", "ðə kˈæt"),
        ("the hour", "ði ˈWəɹ"),
        ("the UN", "ðə jˌuˈɛn"),
        ("to Anna", "tʊ ˈɑnə"),
        ("to bed", "tə bˈɛd"),
        ("an egg", "ɐn ˈɛɡ"),
        ("a cat", "ɐ kˈæt"),
        ("come in", "kˈʌm ˈɪn"),
        ("in bed", "ɪn bˈɛd"),
        ("I am home", "ˌI ɐm hˈOm"),
        ("I", "ˈI"),
        ("vitamin A", "vˈITəmən ˈA"),
        ("seven a m", "sˈɛvən ˈA ˈɛm"),
        ("I used to", "ˌI jˈust tu"),
    ],
)
def test_small_words(american: EnglishReader, text: str, phonemes: str) -> None:
    """Articles, "to", "in", "am" and "I" sound as what follows asks for."""
    assert " ".join(piece.phonemes for piece in american.read(text)) == phonemes


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("thermostats", "θˈɜɹməstˌæts"),
        ("kitchen's", "kˈɪʧᵊnz"),
        ("boys'", "bˈYz"),
        ("geofenced", "ʤˈiOfˌɛnst"),
        ("geofencing", "ʤˈiOfˌɛnsɪŋ"),
        ("USB-C", "juɛsbˌisˈi"),
        ("AC/DC", "ˌAsˈi dˌisˈi"),
        ("AT&T", "ˌAtˈi ænd tˈi"),
        ("NASA", "nˈæsə"),
        ("FBI", "ˌɛfbˌiˈI"),
        ("TVs", "tˌivˈiz"),
        ("HomeKit", "hˈOmkˌɪt"),
        ("café", "kæfˈA"),
        ("résumé", "ɹˈɛzəmˌA"),
        ("well-known", "wˌɛlnˈOn"),
        ("re-record", "ɹˌiɹˈɛkəɹd"),
        ("isn’t", "ˈɪzᵊnt"),
        ("U.S.", "jˌuˈɛs"),
        ("Zigbee", "zˈɪɡbˌi"),
        ("ZIGBEE", "zˈɪɡbˌi"),
        ("mqtt", "ˌɛmkjˌutˌitˈi"),
        ("CO2", "sˌiˈO tˈu"),
        ("Wi-Fi", "wˈIfˌI"),
        ("'tis", "tˈɪz"),
        ("50%", "fˈɪfti pəɹsˈɛnt"),
    ],
)
def test_words(american: EnglishReader, word: str, phonemes: str) -> None:
    """Endings, compounds, acronyms, accents and the names of a smart home are known."""
    (piece,) = american.read(word)
    assert (piece.phonemes, piece.guessed) == (phonemes, False)


def test_accents_differ(american: EnglishReader, british: EnglishReader) -> None:
    """Each accent has its own lexicon, and its own endings."""
    assert american.read("router")[0].phonemes == "ɹˈWTəɹ"
    assert british.read("router")[0].phonemes == "ɹˈuːtə"
    assert british.read("geofenced wiring")[0].phonemes == "ʤˈiːQfɛnst"
    assert british.read("to the hour")[2].phonemes == "ˈWə"


def test_shouting_is_read_like_speech(american: EnglishReader) -> None:
    """A text in capitals is read as words, but for its acronyms."""
    loud = [piece.phonemes for piece in american.read("WATER LEAK IN THE BASEMENT USB")]
    soft = [piece.phonemes for piece in american.read("water leak in the basement USB")]
    assert loud == soft


@pytest.mark.parametrize(
    "word", ["Frobnitz", "Schwarzenbrück", "Øystein", "Привет", "日本", "𐌰𐌱", "ꙮ", "Łódź"]
)
def test_no_word_is_silent(american: EnglishReader, word: str) -> None:
    """What no lexicon has is spoken as well as can be, and reported as guessed."""
    (piece,) = american.read(word)
    assert piece.phonemes
    assert piece.guessed


def test_unknown_words_are_named(phonemizer: Phonemizer) -> None:
    """A caller learns which words of the text were guessed."""
    text = "The (Frobnitz) is on, and the frobnitz's light."
    assert phonemizer.phonemize(text, "en-US").unknown == ("Frobnitz", "frobnitz's")
    assert phonemizer.phonemize("The light is on.", "en-US").unknown == ()


@pytest.mark.parametrize("british_english", [False, True])
def test_lexicon_finds_every_word(british_english: bool) -> None:
    """The search finds what stands in the table: the first word, the last, and a sample between."""
    lexicon = EnglishLexicon(british_english)
    words = [line.split("\t")[0] for line in lexicon._table.decode().splitlines()]
    assert words == sorted(words, key=str.encode)
    for word in (words[0], words[-1], *words[:: len(words) // 2000]):
        assert lexicon._find(word) is not None, word
    assert lexicon._find("") is None
    assert lexicon._find("zzzzz") is None
    assert lexicon._find("'") is None


@pytest.mark.parametrize("british_english", [False, True])
def test_every_sound_is_known_to_the_model(british_english: bool) -> None:
    """All words of the program's own list, in every sense, are written in symbols of the model."""
    lexicon = EnglishLexicon(british_english)
    for word, entry in lexicon._own.items():
        assert "DEFAULT" in entry.sounds, word
        for sound in entry.sounds.values():
            assert sound is None or set(sound) <= set(VOCABULARY) | {"ɾ", "ʔ"}, word


def test_patterns_name_known_senses() -> None:
    """Each sense in the table of homographs is a reading of its word, or a part of speech."""
    words = EnglishWords(british=False)
    for row in (
        (Path(__file__).parent.parent / "wyoming_tts/g2p/data/homographs.tsv").read_text("utf-8").splitlines()
    ):
        if row.startswith(("#", "<")):
            continue
        word, sense, pattern = row.split("\t")
        entry = (
            words.entry(word) if word not in ("nice", "reading", "mobile") else words.entry(word.capitalize())
        )
        assert entry is not None, word
        assert sense in {*entry.sounds, "VB", "VBZ", "NN", "NNS", "JJ", "DT"}, (word, sense)
        assert "@" in pattern or "\\b" in pattern or pattern == "." or "<PAST>" in pattern


@pytest.mark.parametrize(
    ("phonemes", "amount", "expected"),
    [
        ("kˈæt", -2, "kæt"),
        ("kˈæt", -1, "kˌæt"),
        ("kˈæt", 0, "kˌæt"),
        ("kæt", 0.5, "kˌæt"),
        ("kæt", 2, "kˈæt"),
        ("kˌæt", 2, "kˈæt"),
        ("kˈæt", 2, "kˈæt"),
        ("ts", 2, "ts"),
        ("kˈæt", None, "kˈæt"),
    ],
)
def test_stress(phonemes: str, amount: float | None, expected: str) -> None:
    """Stress is taken off, weakened or added in front of the first vowel."""
    assert stressed(phonemes, amount) == expected


def test_what_follows_matters_across_clauses(american: EnglishReader) -> None:
    """Parts of one text know each other, but for what a mark parts."""
    parts = list(cut(clean("Come in (apples)")))
    assert [part.is_mark for part in parts] == [False, True, False, True]
    pieces = american.read_parts(parts)
    assert [len(part) for part in pieces] == [2, 0, 1, 0]
    assert american.read("come in")[1].phonemes == "ˈɪn"
    assert EnglishWords(british=False).word("the", "DT", Ahead(vowel=True)) == "ði"


ODD = st.text(
    st.one_of(st.characters(), st.sampled_from("aeiouAIst '’-&/.%@#°0123456789éßİŉﬁ日")), max_size=60
)


@settings(max_examples=300, deadline=None)
@given(text=ODD, accent=st.sampled_from(["american", "british"]))
def test_any_clause(request: pytest.FixtureRequest, text: str, accent: str) -> None:
    """Whatever the clause, its pieces stand in order, in symbols of the model, and no letter is silent."""
    reader: EnglishReader = request.getfixturevalue(accent)
    cleaned = clean(text)
    end = 0
    for piece in reader.read(cleaned):
        assert end <= piece.start < piece.end <= len(cleaned)
        end = piece.end
        word = cleaned[piece.start : piece.end]
        assert set(piece.phonemes) <= set(VOCABULARY)
        assert piece.phonemes or not any(map(str.isalpha, word.strip("ʼ"))), word


def test_threads_share_a_reader() -> None:
    """Eight threads at once get what one gets."""
    sentences = [row[0] for row in lines("english_senses.tsv")] + ["Frobnitz und Schwarzenbrück 21.5"]
    parts = [[Part(text, 0, len(text), is_mark=False)] for text in sentences for _ in range(3)]
    alone, shared = EnglishReader("en-US"), EnglishReader("en-US")
    expected = [alone.read_parts(part) for part in parts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(shared.read_parts, parts)) == expected


def test_without_espeak_words_are_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where espeak-ng is not installed, a word that no lexicon has is spoken letter by letter."""

    def missing(text: str, voice: str) -> str:
        raise BackendUnavailableError("espeak-ng cannot be loaded")

    monkeypatch.setattr("wyoming_tts.g2p.english.ipa", missing)
    spoken = Phonemizer().phonemize("The zqxv is on.", "en-US")
    assert spoken.unknown == ("zqxv",)
    assert spoken.text == "ðə zˌikjˌuˌɛksvˈi ɪz ˌɔn."
