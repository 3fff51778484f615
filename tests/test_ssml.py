"""SSML becomes runs of text, each with its style, its silence and where it was in the document."""

from __future__ import annotations

import itertools
import logging
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wyoming_tts.text.ssml import DEEPEST, LONGEST_VALUE, MOST_ATTRIBUTES, Run, SsmlReader, Style
from wyoming_tts.text.ssml_runs import joined
from wyoming_tts.text.ssml_scan import LIMIT
from wyoming_tts.text.ssml_style import FASTEST, LONGEST_PAUSE, LOUDEST, SLOWEST


def read(*pieces: str) -> list[Run]:
    """All runs of a text that arrives in pieces, joined where nothing ends between them."""
    reader = SsmlReader()
    runs = [run for piece in pieces for run in reader.feed(piece)] + reader.finish()
    groups: list[list[Run]] = [[]]
    for run in runs:
        last = groups[-1][-1] if groups[-1] else run
        if last.style != run.style or last.pause or last.boundary != "none":
            groups.append([])
        groups[-1].append(run)
    return [replace(group[-1], text=joined([run.text for run in group])) for group in groups if group]


def spoken(*pieces: str) -> str:
    return "".join(run.text.text for run in read(*pieces))


def element(text: str) -> Run:
    """The run of a document that holds one element."""
    return next(run for run in read(f"<speak>{text}</speak>") if run.text.text.strip())


WORDS = [
    ("<speak>Hello <emphasis level='strong'>big</emphasis> world</speak>", "Hello big world"),
    ("<?xml version='1.0' encoding='UTF-16'?><speak version='1.1'>Hi</speak>", "Hi"),
    ("\ufeff<?xml version='1.0'?>\n<!-- one --><speak>Hi</speak>\n", "\ufeff\nHi"),
    ("<speak>Salt &amp; pepper, 3 &lt; 4, it&#39;s &#x41;&quot;</speak>", "Salt & pepper, 3 < 4, it's A\""),
    ("<speak>20&nbsp;&deg;C &mdash; caf&eacute;</speak>", "20\xa0°C — café"),
    ("<speak>&amp;lt; stays</speak>", "&lt; stays"),
    ("<speak>AT&T, &unknown; and 1 < 2</speak>", "AT&T, &unknown; and 1 < 2"),
    ("plain text & more", "plain text & more"),
    ("I <3 you", "I <3 you"),
    ("Lights <emphasis>on</emphasis>, please", "Lights on, please"),
    ("<speak>one</speak> <speak>two</speak> three", "onetwothree"),
    ("<speak><sub alias='World &quot;Wide&quot; Web'>WWW</sub> is old</speak>", 'World "Wide" Web is old'),
    ("<speak><sub>WWW</sub> is old</speak>", "WWW is old"),
    ("<speak>One<!-- <b>not said</b> & > -->two</speak>", "Onetwo"),
    ("<speak>One<![CDATA[ <b> & &amp; ]] ]]>two</speak>", "One <b> & &amp; ]] two"),
    ("<speak>The light\r\n\t  is   on</speak>", "The light is on"),
    ("The light\nis on", "The light\nis on"),
    ("<speak>Hi<mark name='x'/> <bookmark mark='y'/>you</speak>", "Hi you"),
    ("<speak>one<break strength='none'/>two</speak>", "one two"),
    ("<speak><audio src='x.mp3'><desc>a bell</desc>ding</audio></speak>", "ding"),
    ("<speak><audio src='x.mp3'/>Hi</speak>", "Hi"),
    ("<speak><metadata><x>not</x> said</metadata><meta name='a'/><lexicon uri='b'/>Hi</speak>", "Hi"),
    ("<speak><amazon:effect name='whispered'>Hi</amazon:effect> you</speak>", "Hi you"),
    ("<speak><mstts:express-as style='sad'>Hi</mstts:express-as> <foo:bar a:b='c'/>you</speak>", "Hi you"),
    ("<speak xmlns='http://www.w3.org/2001/10/synthesis' xmlns:x='y'>Hi</speak>", "Hi"),
    ("<speak><say-as interpret-as='expletive'>darn</say-as></speak>", "darn"),
    ("<speak title='AT&T &nbsp; &foo;'>Hi</speak>", "Hi"),
    ("<speak>lone \ud800 and \x00</speak>", "lone \ud800 and \x00"),
    ("", ""),
]


@pytest.mark.parametrize(("ssml", "words"), WORDS)
def test_speaks_the_words(ssml: str, words: str) -> None:
    """Tags are not spoken, references are resolved once, and space that is mere layout is one space."""
    assert spoken(ssml).strip() == words


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [
        ("<break time='500ms'/>", 0.5),
        ("<break time='1.5s'/>", 1.5),
        ("<break time=' +2S '/>", 2.0),
        ("<break time='.25s'/>", 0.25),
        ("<break time='99s'/>", LONGEST_PAUSE),
        ("<break time='999999999999999999s'/>", 0.4),
        ("<break time='soon' strength='x-weak'/>", 0.1),
        ("<break time='-1s' strength='strong'/>", 0.7),
        ("<break strength='medium'/>", 0.4),
        ("<break/>", 0.4),
        ("<break time='1s' strength='none'></break>", 1.0),
        ("<ssml:break time='1s'/>", 1.0),
    ],
)
def test_breaks_are_silence(tag: str, seconds: float) -> None:
    """A break is silence behind what was said before, by its time, its strength, or a medium one."""
    first, second = read(f"<speak>one {tag} two</speak>")
    assert (first.text.text.strip(), first.pause, first.boundary) == ("one", seconds, "none")
    assert second.text.text == "two"


def test_silence_has_a_bound() -> None:
    """Any number of breaks between two words are together no longer than the longest pause."""
    breaks = "<break time='4s'/> " * 1000
    runs = read(f"<speak>one{breaks}two<break time='1s'/></speak>")
    assert sum(run.pause for run in runs) == LONGEST_PAUSE + 1


def test_sentences_and_paragraphs_end_once() -> None:
    """What ends is said behind the words that it ends, also where the next one only begins."""
    runs = read("<speak>Zero<p>\n <s>One.</s> <s>Two.</s>\n</p><p></p>Three<s>Four</s></speak>")
    found = [(run.text.text, run.boundary) for run in runs]
    assert found == [
        ("Zero", "paragraph"),
        ("One.", "sentence"),
        ("Two.", "sentence"),
        ("", "paragraph"),
        ("Three", "sentence"),
        ("Four", "sentence"),
    ]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ("x-slow", 0.5), ("slow", 0.75), ("medium", 1.0), ("default", 1.0), ("fast", 1.25), ("X-Fast", 1.5),
        ("80%", 0.8), ("120%", 1.2), ("+20%", 1.2), ("-25%", 0.75), ("1.3", 1.3), ("0%", 1.0),
        ("+0.00%", 1.0), ("1000%", FASTEST), ("-99%", SLOWEST), ("quick", 1.0), ("", 1.0), ("3dB", 1.0),
        ("1e5", 1.0),
    ],
)  # fmt: skip
def test_rates(rate: str, expected: float) -> None:
    """A rate is a name, a share of the usual rate, or a change; nonsense is the rate as it was."""
    assert element(f"<prosody rate='{rate}' pitch='high'>Hi</prosody>").style.rate == pytest.approx(expected)


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        ("silent", 0.0), ("x-soft", 0.25), ("soft", 0.5), ("medium", 1.0), ("loud", 1.5), ("x-loud", 2.0),
        ("+6dB", 1.995), ("-6db", 0.501), ("0dB", 1.0), ("50", 0.5), ("50%", 0.5), ("+10%", 1.1),
        ("-20", 0.8), ("+99dB", LOUDEST), ("-999dB", 0.0), ("noisy", 1.0), ("5s", 1.0),
    ],
)  # fmt: skip
def test_volumes(volume: str, expected: float) -> None:
    """A volume is a name, decibels, a share of the usual volume, or a change of it."""
    found = element(f"<prosody volume='{volume}'>Hi</prosody>").style.volume
    assert found == pytest.approx(expected, abs=1e-3)


def test_changes_add_up_inside_each_other() -> None:
    """A change changes what is, a name is meant for itself, and each ends with its element."""
    runs = read(
        "<speak><prosody rate='slow' volume='-6dB'>a <prosody rate='+100%' volume='+6dB'>b</prosody>"
        " c <prosody rate='fast'>d</prosody></prosody> e</speak>"
    )
    assert [(run.text.text.strip(), run.style.rate) for run in runs] == [
        ("a", 0.75), ("b", 1.5), ("c", 0.75), ("d", 1.25), ("e", 1.0),
    ]  # fmt: skip
    assert runs[1].style.volume == pytest.approx(1.0)


def test_voices_and_languages() -> None:
    """A named voice speaks its own language unless told otherwise inside; `lang` keeps the voice."""
    runs = read(
        "<speak xml:lang='en-GB'>a <voice name='ff_siwis'>b <lang xml:lang='es'>c</lang></voice>"
        " <lang xml:lang='it'>d</lang> <voice xml:lang='fr-FR'>e</voice> <voice language='ja'>f</voice>"
        " <p xml:lang='pt-BR'>g</p> <lang xml:lang='../etc'>h</lang> <voice>i</voice></speak>"
    )
    found = {
        run.text.text.strip(): (run.style.voice, run.style.language) for run in runs if run.text.text.strip()
    }
    assert found == {
        "a": (None, "en-GB"), "b": ("ff_siwis", None), "c": ("ff_siwis", "es"), "d": (None, "it"),
        "e": (None, "fr-FR"), "f": (None, "ja"), "g": (None, "pt-BR"), "h i": (None, "en-GB"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("attributes", "kind", "value"),
    [
        ("interpret-as='characters'", "characters", ""),
        ("interpret-as='spell-out'", "characters", ""),
        ("interpret-as='verbatim' format='glyphs'", "characters", ""),
        ("interpret-as='digits'", "digits", ""),
        ("interpret-as='cardinal'", "cardinal", ""),
        ("interpret-as='number'", "cardinal", ""),
        ("interpret-as='number' format='ordinal'", "ordinal", ""),
        ("interpret-as='number:digits'", "digits", ""),
        ("interpret-as='Ordinal'", "ordinal", ""),
        ("interpret-as='date' format='MDY'", "date", "mdy"),
        ("interpret-as='date:dmy'", "date", "dmy"),
        ("interpret-as='vxml:date'", "date", ""),
        ("interpret-as='time' format='hms12'", "time", "hms12"),
        ("interpret-as='telephone' format='1'", "telephone", ""),
    ],
)
def test_say_as_is_a_mark(attributes: str, kind: str, value: str) -> None:
    """What `say-as` holds is marked with how it is to be read, without the space around it."""
    text = element(f"on <say-as {attributes}> <b>1/2</b>/2026 </say-as>").text
    assert text.text == "on 1/2/2026 "
    assert [(mark.start, mark.end, mark.kind, mark.value) for mark in text.marks] == [(3, 11, kind, value)]


def test_phonemes_are_a_mark() -> None:
    """`phoneme` marks its text with phonemes, of which the IPA is understood; without text they are it."""
    text = element(
        "<phoneme alphabet='ipa' ph='təˈmɑːtəʊ'>tomato</phoneme> <phoneme ph='wɪn'/> "
        "<phoneme alphabet='x-sampa' ph='a'>no</phoneme>"
    ).text
    assert text.text == "tomato wɪn no"
    assert [(text.text[mark.start : mark.end], mark.kind, mark.value) for mark in text.marks] == [
        ("tomato", "phonemes", "təˈmɑːtəʊ"),
        ("wɪn", "phonemes", "wɪn"),
    ]


def test_offsets_are_those_of_the_document() -> None:
    """Each word comes from where it stands in the document, an alias from the words it is said for."""
    ssml = "<speak>é😀 one <b>t&amp;wo</b>\n <sub alias='three'>3</sub></speak>"
    text = element(ssml[7:-8]).text
    found = {word[0]: ssml[slice(*text.source(*word.span()))] for word in re.finditer(r"\S+", text.text)}
    assert found == {"é😀": "é😀", "one": "one", "t&wo": "t&amp;wo", "three": "3"}


@pytest.mark.parametrize(
    ("ssml", "said", "place"),
    [
        ("<speak>one <b>two</i> three</speak>", "one two three", "line 1, column 18"),
        ("<speak>one\ntwo <b>three</speak>", "one two three", "line 2, column 13"),
        ("<speak>one two", "one two", "line 1, column 15"),
        ("<speak>one <say-as interpret-as='date'>1/2", "one 1/2", "line 1, column 43"),
        ("<speak>one <desc>two", "one two", "line 1, column 21"),
        ("<speak>one <sub alias='a b'>t</b>wo</sub> three</speak>", "one a b three", "line 1, column 30"),
        ("<!DOCTYPE s [<!ENTITY a 'ha'>]><speak>&a; b</speak>", "&a; b", "line 1, column 1"),
        ("<speak>one <!ENTITY a 'ha'>two</speak>", "one two", "line 1, column 12"),
        ("<speak>one <?php two ?>three</speak>", "one three", "line 1, column 12"),
        ("<speak>one <?xml version='1.0'?>three</speak>", "one three", "line 1, column 12"),
        ("<speak>one <b c='1' c='2'>two</b></speak>", "one two", "line 1, column 12"),
        ("<speak>x<y and z>2</speak>", "x<y and z>2", "line 1, column 9"),
        ("<speak>one <b c='<'>two</b></speak>", "one <b c='<'>two", "line 1, column 12"),
        ("<speak>one <break time=1s/>two</speak>", "one  two", "line 1, column 12"),
        ("</speak>one", "one", "line 1, column 1"),
        ("<speak>one <b", "one <b", "line 1, column 12"),
        ("<speak>one <!-- two", "one <!-- two", "line 1, column 12"),
    ],
)
def test_bad_ssml_is_spoken_as_its_text(
    ssml: str, said: str, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    """From an error on the words are spoken without tags; one warning says where, and quotes nothing."""
    caplog.set_level(logging.DEBUG)
    assert spoken(ssml).strip().replace("\n", " ") == said
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{place} on" in record.getMessage()
    assert not re.search("one|two|three|ha", record.getMessage().replace("more than one", ""))


def test_a_bare_ampersand_is_said_once_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A character that should have been escaped is spoken and styles go on; the log says it once."""
    runs = read("<speak>a & b < c <prosody rate='fast'>d & e</prosody></speak>")
    assert [run.text.text for run in runs] == ["a & b < c ", "d & e"]
    assert len(caplog.records) == 1
    assert "line 1, column 10" in caplog.records[0].getMessage()


def test_the_style_of_the_document_survives_an_error() -> None:
    """Text behind an error is in the style of `speak`, not in that of an element that went wrong."""
    runs = read("<speak xml:lang='fr'>un <prosody rate='slow'>deux</voice> trois</speak>")
    assert [(run.text.text.strip(), run.style) for run in runs] == [
        ("un", Style(language="fr")),
        ("deux", Style(language="fr", rate=0.75)),
        ("trois", Style(language="fr")),
    ]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<b>" * DEEPEST + "x" + "</b>" * DEEPEST, "<b>" * (DEEPEST + 1) + "x" + "</b>" * (DEEPEST + 1)),
        *[
            (f"<b {attributes[:-1]}>x</b>", f"<b {attributes}1='1'>x</b>")
            for attributes in [" ".join(f"a{number}='1'" for number in range(MOST_ATTRIBUTES)) + " a"]
        ],
        (f"<b a='{'y' * LONGEST_VALUE}'>x</b>", f"<b a='{'y' * (LONGEST_VALUE + 1)}'>x</b>"),
        (f"<!--{'y' * (LIMIT - 7)}-->x", f"<!--{'y' * (LIMIT - 6)}-->x"),
        (f"<desc>{'y' * (LIMIT - 7)}</desc>x", f"<desc>{'y' * (LIMIT - 6)}</desc>x"),
    ],
)
def test_limits(good: str, bad: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is just inside a limit is SSML, one more is not; the words are spoken either way."""
    assert spoken(good) == "x"
    assert not caplog.records
    assert spoken(bad).strip().endswith("x")
    assert len(caplog.records) == 1


def test_text_is_released_as_it_arrives() -> None:
    """Words wait neither for the end of their element nor for that of the document."""
    reader = SsmlReader()
    assert [run.text.text for run in reader.feed("<speak><p>Hello wo")] == ["Hello wo"]
    assert [run.text.text for run in reader.feed("rld. <emph")] == ["rld. "]
    assert reader.feed("asis>") == []
    assert [run.text.text for run in reader.feed("I < you")] == ["I < you"]
    assert [run.text.text for run in reader.feed(" <heart it's you")] == [" <heart it's you"]


_NOISE = (  # noqa: SIM905 - a list would be far less readable
    "<speak> </speak> <p> </p> <s> </s> <!-- --> <![CDATA[ ]]> ] &amp; &nbsp; & &#65; &foo; ; < > /> </ <? ?>"
    " <!D [ ' \" = / word é <break/> <desc> </desc> <prosody </prosody> <?xml version='1.0'?>"
).split()
_ELEMENTS = [
    "<sub alias='a b'>", "</sub>", "<say-as interpret-as='date'>", "</say-as>", "<voice name='v'>",
    "</voice>", "<prosody rate='fast'>", "<phoneme ph='a'>", "</phoneme>", "<break time='2s'/>", "<b c='d'/>",
    " ", "\n",
]  # fmt: skip
_DOCUMENTS = st.lists(st.sampled_from([*_NOISE, *_ELEMENTS]), max_size=30).map("".join)


@example("</speak><![CDATA[<speak>]]>", [18])
@given(_DOCUMENTS, st.lists(st.integers(0, 300), max_size=12))
def test_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    """Any chunking of the same text gives the same runs with the same offsets, once they are joined."""
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(borders)]
    assert read(*pieces) == read(text)
    assert read(*text) == read(text)


@given(st.one_of(st.text(), _DOCUMENTS))
def test_any_text_is_survived(text: str) -> None:
    """No text raises; offsets are inside the text, and characters that stand for one are that one."""
    for run in read(text):
        words = run.text
        for index, (start, end) in enumerate(zip(words.starts, words.ends, strict=True)):
            assert 0 <= start < end <= len(text)
            assert (
                end - start > 1
                or words.text[index] == text[start]
                or text[start] in "\n\r\x0b\x0c\x85\u2028\u2029<"
            )
        assert all(0 <= mark.start < mark.end <= len(words) for mark in words.marks)


@given(st.text(alphabet=st.characters(exclude_characters="<&")))
def test_text_without_markup_is_left_alone(text: str) -> None:
    """What is no SSML at all is spoken as it is."""
    assert spoken(text) == text


_LEAVES = st.sampled_from(
    ["WORD ", "WORD <break/> ", "<sub alias='WORD'>x</sub> ", "<desc>x</desc>", "&amp; "]
)
_NAMES = st.sampled_from(["speak", "p", "s", "prosody", "voice", "emphasis", "b"])
_SAY_AS = st.just(["<say-as interpret-as='date'>", "WORD ", "<b>", "WORD ", "</b>", "</say-as>"])
_TREES = st.recursive(
    st.lists(_LEAVES, max_size=3) | _SAY_AS,
    lambda inner: st.tuples(_NAMES, st.lists(inner, max_size=4)).map(
        lambda made: [f"<{made[0]}>", *itertools.chain.from_iterable(made[1]), f"</{made[0]}>"]
    ),
    max_leaves=8,
)
_MISTAKES = ["</x>", "<!DOCTYPE y>", "<?pi?>", "<a b>", "<a b='1' b='2'>", "</p>", "<b>", "& ", "< ", ""]


@given(st.lists(_TREES, max_size=3), st.sampled_from(_MISTAKES), st.integers(0, 60), st.integers(0, 60))
def test_nothing_is_lost_or_said_twice(
    trees: list[list[str]], mistake: str, place: int, left_out: int
) -> None:
    """Whatever mistake stands in a document, and wherever, each of its words is spoken once and in order."""
    parts = list(itertools.chain.from_iterable(trees))
    if left_out < len(parts) and parts[left_out].startswith("</"):
        del parts[left_out]
    parts.insert(place, mistake)
    numbers = itertools.count()
    text = re.sub("WORD", lambda _: f"word{next(numbers)}.", "".join(parts))
    expected = re.findall(r"word\d+", text)
    assert re.findall(r"word\d+", spoken(text)) == expected
    assert re.findall(r"word\d+", spoken(*text)) == expected


@pytest.mark.parametrize(
    "unit",
    [
        "<", "<a ", "<a b='", "<a b='1' ", "<b>", "<b/>", "</b>", "<sub alias='x'>", "<!--", "<!D ",
        "<![CDATA[", "&#1", "&", "&amp;", "<?", " ", "\n ", "<desc>",
        "<say-as interpret-as='date'>1</say-as>",
        "<p>x</p>", "]]", "<break/>", "<a b='>",
    ],
)  # fmt: skip
@pytest.mark.parametrize("begin", ["", "<speak>", "</bad>"])
def test_long_nonsense_keeps_its_words(unit: str, begin: str) -> None:
    """A long run of anything, good or broken, is worked through to the word at its end, in any pieces."""
    text = f"{begin}{unit * 3000}'> --> end"
    assert spoken(text).endswith("end")
    assert spoken(*re.findall("(?s).{1,7}", text)).endswith("end")


def test_little_is_kept() -> None:
    """However long the document, no more of it waits than one element may hold."""
    reader = SsmlReader()
    released = sum(
        len(run.text)
        for _ in range(200)
        for run in reader.feed("<p>Hello <b>world</b> &amp; all.</p>\n" * 10)
    )
    assert released == 200 * 10 * len("Hello world & all.")
