"""Text to phonemes: every language by its own phonemiser, nothing lost, nothing the model does not know."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wyoming_tts.errors import SynthesisError
from wyoming_tts.g2p.align import align
from wyoming_tts.g2p.clauses import clean, cut
from wyoming_tts.g2p.mandarin import number_words
from wyoming_tts.phonemes import LANGUAGES, VOCABULARY, Phonemes, Phonemizer
from wyoming_tts.types import Pronunciation
from wyoming_tts.voices import load_catalogue

SPACED = [language for language in LANGUAGES if language not in ("ja", "zh-CN")]
SENTENCES = {
    "en-US": "I think that the water in the kitchen is 21.5 degrees, isn't it?",
    "en-GB": "The chair over there, near the fire, was rather old-fashioned.",
    "es": "¿Qué tiempo hace? Hay 21,5 grados en la cocina.",
    "fr-FR": "Bonjour ! Les amis de la garçonnière ont « froid », dit-il.",
    "hi": "रसोई का तापमान 21.5 डिग्री है। ठीक है?",
    "it": "Oggi ci sono ventuno gradi nella piazza rossa, e il garage è chiuso.",
    "pt-BR": "São 21,5 graus na cozinha; a garagem está fechada.",
    "ja": "台所の室温は21.5℃です。「はい」と言った。",
    "zh-CN": "厨房的温度是21.5度。他说：“很好！”",
}
ODD = "".join(
    map(chr, [0, 7, 0x200B, 0x202E, 0xD800, 0xDFFF, 0xFEFF, 0xFFFF, 0x1F600, 0x10FFFF, 0x300, 0xE000])
)
ANY_TEXT = st.text(
    st.one_of(st.characters(), st.sampled_from("aeiou .,!?\"'()-—…0123456789:ノ日é\u0903\n" + ODD))
)


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    """One for all: it is meant to be shared."""
    return Phonemizer()


def check(result: Phonemes, text: str) -> None:
    """Everything that must be true of any result."""
    assert all(symbol in VOCABULARY for symbol in result.text)
    assert result.tokens == tuple(VOCABULARY[symbol] for symbol in result.text)
    assert result.text == result.text.strip()
    assert "  " not in result.text
    token = char = 0
    for word in result.words:
        assert char <= word.char_start < word.char_end <= len(text)
        assert word.word == text[word.char_start : word.char_end]
        assert token <= word.token_start <= word.token_end <= len(result.tokens)
        token, char = word.token_end, word.char_end


def test_vocabulary_is_the_models() -> None:
    """114 different symbols with 114 different tokens below 178, none of them the padding."""
    assert len(VOCABULARY) == len(set(VOCABULARY.values())) == 114
    assert min(VOCABULARY.values()) == 1
    assert max(VOCABULARY.values()) == 177
    assert all(len(symbol) == 1 for symbol in VOCABULARY)


def test_every_language_of_the_catalogue_has_a_phonemizer() -> None:
    """No voice is offered that could not be spoken."""
    assert set(load_catalogue().languages()) == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_ordinary_sentences(phonemizer: Phonemizer, language: str) -> None:
    """A sentence of each language has phonemes for each of its words, and keeps its last mark."""
    text = SENTENCES[language]
    result = phonemizer.phonemize(text, language)
    check(result, text)
    assert result.text[-1] in ".?”"
    spoken = [word for word in result.words if any(symbol.isalnum() for symbol in word.word)]
    assert all(word.token_end > word.token_start for word in spoken)
    assert len(spoken) > 4


@pytest.mark.parametrize("language", SPACED)
def test_each_language_has_its_own_voice(phonemizer: Phonemizer, language: str) -> None:
    """The same words sound different in every language."""
    text = "Radio total, animal central water." if language != "hi" else "21 45 99"
    mine = phonemizer.phonemize(text, language).text
    others = [phonemizer.phonemize(text, other).text for other in SPACED if other != language]
    assert mine
    assert mine not in others


def test_accents(phonemizer: Phonemizer) -> None:
    """American English has no long vowels and its own o, British English has both."""
    american = phonemizer.phonemize("Go home in the car, nurse.", "en-US").text
    british = phonemizer.phonemize("Go home in the car, nurse.", "en-GB").text
    assert "ː" not in american
    assert "O" in american
    assert "Q" not in american
    assert "ɜɹ" in american
    assert "ː" in british
    assert "Q" in british
    assert "O" not in british
    assert "ɜː" in british


POINTS = {
    "en-US": "pYnt",
    "en-GB": "pYnt",
    "es": "kˌoma",
    "fr-FR": "viʁɡyl",
    "hi": "dəsəml",
    "it": "vˈirɡola",
    "pt-BR": "vˈirɡulæ",
}


@pytest.mark.parametrize("text", ["21.5", "It is 21.5.", "21.5, 21.5.", "a 21.5 b."])
@pytest.mark.parametrize("language", SPACED)
def test_decimals_survive(phonemizer: Phonemizer, language: str, text: str) -> None:
    """A decimal number is read as one, with its point or comma, also at the end of a sentence."""
    result = phonemizer.phonemize(text, language)
    assert result.text.count(POINTS[language]) == text.count("21.5")
    for word in result.words:
        if "21.5" in word.word:
            inside = result.text[word.token_start : word.token_end]
            assert POINTS[language] in inside
            assert not any(mark in inside for mark in ".,")


@pytest.mark.parametrize("language", ["es", "fr-FR", "hi", "it", "pt-BR", "en-US", "en-GB"])
def test_minus_is_spoken(phonemizer: Phonemizer, language: str) -> None:
    """A negative number is not read as a positive one."""
    assert len(phonemizer.phonemize("-3", language).text) > len(phonemizer.phonemize("3", language).text)


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("3,500", "θɹˈi θˈWzənd fˈIvhˈʌndɹɪd"),
        ("7:05", "sˈɛvən zˈiəɹO fˈIv"),
        ("2026-11-21", "tˈu θˈWzənd twˈɛnti sˈɪks ɪlˈɛvən twˈɛnti wˈʌn"),
        ("U.S.", "jˌuˈɛs."),
        ("No. 5", "nˈO fˈIv"),
        ("I", "ˈI"),
        ("I like it", "ˌI lˈIk ɪt"),
        ("a cat", "ɐ kˈæt"),
        ("in the house", "ɪn ðə hˈWs"),
        ("water", "wˈɔTəɹ"),
        ("hurry", "hˈɜɹi"),
        ("button", "bˈʌtn"),
        ("judge", "ʤˈʌʤ"),
    ],
)
def test_american_readings(phonemizer: Phonemizer, text: str, phonemes: str) -> None:
    """Numbers, small words and the sounds of American English are written as the model learnt them."""
    assert phonemizer.phonemize(text, "en-US").text == phonemes


@pytest.mark.parametrize(
    ("text", "skeleton"),
    [
        ('Hello (world), "yes"... no!', 'w (w), "w"… w!'),
        ("Wait--what?", "w—w?"),
        ("One - two", "w— w"),
        ("“One” two.", "“w” w."),
        ("The U.S. Army. Dr. Smith, e.g. here.", "w w w. w w, w w."),
        ("really?! no,, yes", "w? w, w"),
        (", one .", "w."),
        ("(one", "(w"),
        ("one (", "w"),
    ],
)
def test_punctuation_is_kept(phonemizer: Phonemizer, text: str, skeleton: str) -> None:
    """Marks stay where they were, in the model's spelling; abbreviations make no pause."""
    result = phonemizer.phonemize(text, "en-US").text
    marks = set(';:,.!?—…"()“”')
    shape = "".join(symbol if symbol in marks or symbol == " " else "w" for symbol in result)
    while "ww" in shape:
        shape = shape.replace("ww", "w")
    words = len(skeleton.split())
    assert len(shape.split()) >= words
    assert "".join(symbol for symbol in shape if symbol in marks) == "".join(
        s for s in skeleton if s in marks
    )


def test_nothing_is_left_for_the_next_text(phonemizer: Phonemizer) -> None:
    """What espeak holds back at the end of a text is spoken with that text, not with the next."""
    alone = phonemizer.phonemize("cat", "en-US").text
    for text in ("x. 7 y. 8", "a ; 5", "foo\n\n5", "e.g. 4", "a։ 5"):
        phonemizer.phonemize(text, "en-US")
        assert phonemizer.phonemize("cat", "en-US").text == alone


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["", " \n\t", "...", "?!", "😀", "\x00", "\ud800", "“”", "— —", "\u200b", "()", "*_*"]
)
def test_nothing_to_say(phonemizer: Phonemizer, language: str, text: str) -> None:
    """Text without a word has no tokens."""
    result = phonemizer.phonemize(text, language)
    check(result, text)
    assert result.tokens == ()


def test_unknown_language(phonemizer: Phonemizer) -> None:
    """A language without a phonemiser is refused, never read as English."""
    with pytest.raises(SynthesisError, match="de"):
        phonemizer.phonemize("Guten Tag", "de")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", ["a" * 10_000, "in the " * 1_400, "1" * 10_000, ". " * 5_000, "日本" * 2_000, "a-" * 5_000]
)
def test_long_texts_end(phonemizer: Phonemizer, language: str, text: str) -> None:
    """Ten thousand characters of anything are read to their end."""
    check(phonemizer.phonemize(text, language), text)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=ANY_TEXT, language=st.sampled_from(LANGUAGES))
def test_any_text_in_any_language(phonemizer: Phonemizer, text: str, language: str) -> None:
    """Whatever the text, only symbols of the vocabulary come out and the words' ranges are in order."""
    check(phonemizer.phonemize(text, language), text)


WORDS = [
    "in",
    "the",
    "of",
    "a",
    "for",
    "on",
    "I",
    "am",
    "has",
    "been",
    "there",
    "is",
    "21.5",
    "-3",
    "3,500",
    "U.S.",
    "it's",
    "well-known",
    "(yes),",
    '"no"',
    "end.",
    "7:05",
    "—",
    "😀",
]


@settings(max_examples=80, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=20), language=st.sampled_from(SPACED))
def test_words_cover_the_text(phonemizer: Phonemizer, words: list[str], language: str) -> None:
    """There is one range for each word between spaces, and together they hold all that is spoken."""
    text = " ".join(words)
    result = phonemizer.phonemize(text, language)
    check(result, text)
    assert [word.word for word in result.words] == words
    covered = {token for word in result.words for token in range(word.token_start, word.token_end)}
    left = {symbol for place, symbol in enumerate(result.text) if place not in covered}
    assert left <= set(' ;:,.!?—…"()“”')


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("in the house", ["ɪn", "ðə", "hˈWs"]),
        ("for a while of the year", ["fɔɹ", "ɐ", "wˌIl", "ʌv", "ðə", "jˈɪɹ"]),
        ("more than a car", ["mˈɔɹ", "ðən", "ɐ", "kˈɑɹ"]),
        ("I am in the car", ["ˌI", "ɐm", "ɪn", "ðə", "kˈɑɹ"]),
        ("of the 21 in the box", ["ʌv", "ðə", "twˈɛnti wˈʌn", "ɪn", "ðə", "bˈɑks"]),
    ],
)
def test_small_words_stand_alone(phonemizer: Phonemizer, words: str, expected: list[str]) -> None:
    """Words that people run together have each their own phonemes."""
    result = phonemizer.phonemize(words, "en-US")
    assert [result.text[word.token_start : word.token_end] for word in result.words] == expected


GIVEN = {
    "en-US": ("The kokoro's name", "kokoro", "kəˈkɔroʊ", "kəˈkɔɹO"),
    "en-GB": ("The kokoro's name", "kokoro", "kəˈkɔːrəʊ", "kəˈkɔːɹQ"),
    "es": ("Hola, Chechu, buenos", "Chechu", "/ˈtʃe.tʃu/", "ˈʧeʧu"),
    "fr-FR": ("Le groupe «INXS» est là.", "INXS", "inɛksɛs", "inɛksɛs"),
    "hi": ("रसोई में Wipro है", "Wipro", "ʋɪpɾoː", "ʋɪpɾoː"),
    "it": ("Il signor Pizzi dorme", "Pizzi", "[ˈpittsi]", "ˈpitʦi"),
    "pt-BR": ("O Djalma dorme", "Djalma", "ˈdʒawmɐ", "ˈʤawmɐ"),
    "ja": ("今日はKokoroです", "Kokoro", "kokoɾo", "kokoɾo"),
    "zh-CN": ("我用Kokoro说话", "Kokoro", "kʰɤʰkʰɤ", "kʰɤʰkʰɤ"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_given_pronunciations(phonemizer: Phonemizer, language: str) -> None:
    """In every language a stretch gets the phonemes given for it, and its neighbours keep theirs."""
    text, word, ipa, symbols = GIVEN[language]
    start = text.index(word)
    given = Pronunciation(start, start + len(word), ipa)
    result = phonemizer.phonemize(text, language, [given])
    check(result, text)
    owner = next(span for span in result.words if span.char_start <= start < span.char_end)
    assert symbols in result.text[owner.token_start : owner.token_end]
    others = [span for span in result.words if span is not owner and any(map(str.isalpha, span.word))]
    assert others
    assert all(span.token_end > span.token_start for span in others)


@pytest.mark.parametrize(
    ("text", "stretch", "ipa", "phonemes"),
    [
        ("Kokoro's voice", "Kokoro", "kəkˈɔɹO", "kəkˈɔɹOz vˈYs"),
        ("the (Iris) bulb", "Iris", "ˈIɹɪs", "ði (ˈIɹɪs) bˈʌlb"),
        ("say a.b, c! now", "a.b, c!", "tˈu wˈɜɹdz", "sˈA tˈu wˈɜɹdz nˈW"),
        ("use the cat", "cat", "☃", "jˈuz ðə kˈæt"),
        ("use the cat", "cat", "", "jˈuz ðə kˈæt"),
        ("unlight", "light", "lˈIt", "ˈʌnlˈIt"),
    ],
)
def test_given_phonemes_in_place(
    phonemizer: Phonemizer, text: str, stretch: str, ipa: str, phonemes: str
) -> None:
    """Marks inside a stretch make no pause, endings join it, and phonemes nobody knows are not used."""
    start = text.index(stretch)
    given = Pronunciation(start, start + len(stretch), ipa)
    assert phonemizer.phonemize(text, "en-US", [given]).text == phonemes


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    text=ANY_TEXT,
    language=st.sampled_from(LANGUAGES),
    given_=st.lists(
        st.builds(
            Pronunciation,
            st.integers(-2, 30),
            st.integers(-2, 40),
            st.text("aɪtʃˈ. ☃/") | st.text(max_size=5),
        ),
        max_size=4,
    ),
)
def test_any_pronunciations(
    phonemizer: Phonemizer, text: str, language: str, given_: list[Pronunciation]
) -> None:
    """Whatever stretches are given, the result is in order."""
    check(phonemizer.phonemize(text, language, given_), text)


SOUNDS = st.lists(st.text("aeiouptk", min_size=1, max_size=6), max_size=8)


@given(
    spoken=SOUNDS,
    words=st.lists(st.lists(st.text("aeiouptkˈ", max_size=6), max_size=3), min_size=1, max_size=8),
)
def test_alignment_loses_nothing(spoken: list[str], words: list[list[str]]) -> None:
    """However unlike the words are to what is spoken, all of it is shared out, in order."""
    groups = align(spoken, words)
    assert len(groups) == len(words)
    assert "".join(groups).replace(" ", "") == "".join(spoken)


@given(text=ANY_TEXT)
def test_cleaning_keeps_offsets(text: str) -> None:
    """A cleaned text is as long as it was, and its parts stand where they say."""
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert not any(unicodedata.category(symbol) in ("Cc", "Cs", "Cn") for symbol in cleaned)
    end = 0
    for part in cut(cleaned):
        assert part.start >= end
        end = part.end
        assert part.is_mark or cleaned[part.start : end] == part.text


def test_threads_do_not_disturb_each_other() -> None:
    """Eight threads in all languages at once get what one thread gets."""
    jobs = [(SENTENCES[language], language) for language in LANGUAGES] * 12
    alone = Phonemizer()
    expected = [alone.phonemize(*job) for job in jobs]
    shared = Phonemizer()
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda job: shared.phonemize(*job), jobs)) == expected


NUMBERS = [
    "0",
    "零",
    "10",
    "十",
    "11",
    "十一",
    "21.5",
    "二十一点五",
    "105",
    "一百零五",
    "110",
    "一百一十",
    "3,500",
    "三千五百",
    "10010",
    "一万零一十",
    "1200000",
    "一百二十万",
    "100000001",
    "一亿零一",
    "-3",
    "负三",
    "45%",
    "百分之四十五",
    "007",
    "零零七",
    "7:05",
    "七点零五",
    "12:30",
    "十二点三十",
    "8:00",
    "八点",
    "11111111111111111111",
    "一一一一一一一一一一一一一一一一一一一一",
]


@pytest.mark.parametrize(("number", "words"), list(zip(NUMBERS[::2], NUMBERS[1::2], strict=True)))
def test_chinese_numbers(number: str, words: str) -> None:
    """Digits become Chinese words."""
    assert number_words(number) == words


def test_chinese_years_are_read_digit_by_digit() -> None:
    """A year keeps its zero."""
    assert number_words("2026", year=True) == "二零二六"


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [("你好。", "ni↓xau↓."), ("知识", "ꭧɨ→ʂɨ↗"), ("女儿", "ny↓ɚ↗"), ("学院", "ɕɥe↗ɥɛ↘n"), ("TV", "tˌivˈi")],
)
def test_mandarin_readings(phonemizer: Phonemizer, text: str, phonemes: str) -> None:
    """Syllables carry their tone, and Latin letters are read in English."""
    assert phonemizer.phonemize(text, "zh-CN").text == phonemes


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("今日は", "kʲoː βa"),
        ("21.5℃", "ɲiʥɨːiʔteŋɡo do"),
        ("新聞", "ɕimbɯɴ"),
        ("学校", "ɡaʔkoː"),
        ("ファン", "ɸaɴ"),
        ("7:05", "ɕiʨi ʥi ɡo ɸɯɴ"),
        ("Netflix", "neʔtoɸɯɾʲiʔkɯsɨ"),
    ],
)
def test_japanese_readings(phonemizer: Phonemizer, text: str, phonemes: str) -> None:
    """Kanji, numbers and Latin letters are read in Japanese."""
    assert phonemizer.phonemize(text, "ja").text == phonemes
