"""Text becomes segments: at the right places, as early as can be, whatever pieces it came in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.boundaries import spoken_length
from wyoming_tts.text.markup import clean
from wyoming_tts.text.split import CODE_BLOCK_LIMIT, FIRST_CLAUSE, SHORTEST_REST, Segment, Splitter


def split(text: str, step: int | None = None, *, queued: bool = False, **options: Any) -> list[Segment]:
    """All segments of a text that arrives in pieces of `step` characters, or in one."""
    splitter = Splitter(**options)
    splitter.queued = queued
    step = step or max(len(text), 1)
    found = [segment for at in range(0, len(text), step) for segment in splitter.feed(text[at : at + step])]
    return found + splitter.finish()


SENTENCES = [
    "Hello world.| How are you?| I'm fine!",
    "It is 21.5 degrees.| Done.",
    "It is 21.| The door is open.",
    "Wait…| Done!",
    "Really?!| Yes.",
    "the light is on.| the door is closed.",
    "what?| no.",
    "Well... maybe so.| Yes.",
    "Hmm...| The light is on.",
    "Well… maybe.",
    '"Stop!" he said.| Then he left.',
    'He said "Stop."| Then he left.',
    "(It is on.)| The door is open.",
    "**Done.**| The light is on.",
    "*Note.*| The light is on.",
    "It is **really. very** warm.| Yes.",
    "Run `ls . foo` now.| Yes.",
    "See [the manual. It helps](http://a.b/c.) now.| Yes.",
    'Say <break time="1. 2"/> it.| Yes.',
    "Dr. Smith is here.| Mrs. Jones too.",
    "Mr. and Mrs. Brown, e.g. Anna, i.e. his wife.| Yes.",
    "Ask Gen. Grant and Ms. Hill.| It took 9 ms.| Good.",
    "It takes 5 ms.| The rest is fast.",
    "Wake me at 7 p.m. on Monday.| Good.",
    "It is 7 p.m.| The door is open.",
    "The U.S. Navy is here.| Yes.",
    "He lives in the U.S.| He likes it.",
    "J. R. R. Tolkien wrote it.| J. A. Smith read it.",
    "He took vitamin C.| The doctor agreed.",
    "No. 5 is alive.| The answer is no.| Ask again.",
    "Milk, eggs, etc. are on the list.| Butter, etc.| The end.",
    "Main St. Station is near.| It is on Main St.| The bus stops.",
    "See fig. 3 and vol. 2, p. 7.| Fine.",
    "Due on Mar. 5 and Nov. 6 at noon.| Fine.",
    "The sun.| The sat.| We go.",
    "Acme Inc. makes it.| He works at Acme Inc.| Fine.",
    "Set it to max. brightness.| Done.",
    "Visit https://example.com/a.b?c=d.| Then go.",
    "Mail joe.doe@example.com.| Then go.",
    "The address is 192.168.1.1.| Version 2.5.1 runs.",
    "It is 7:05.| It is 19:05:30.| Fine.",
    "Node.js and .NET are there.| Yes.",
    "1. Turn it on\n|2. Turn it off",
    "1.\nTurn on the light",
    "You can do this: 1. Turn it on.| 2. Turn it off.",
    "- Milk\n|- Eggs\n|- Bread",
    "Shopping list\n|Milk\n|Eggs",
    "Line one\r\n|Line two",
    "One.\u2028|Two.",
    "Done!| 🎉",
    "Done!🎉| Next.",
    "¿Qué hora es?| Son las 7:05 p. m.| La puerta está abierta.",
    "Hola.|¿Qué tal?",
    "El Sr. García vive en EE. UU. desde 1990.| La Dra. Ruiz también.",
    "Pan, leche, etc. en la lista, p. ej. hoy.| Vale.",
    "No sé qué es.| La luz está encendida.",
    "Il fait 21,5 °C.| M. Dupont est là.| C'est ça !| Ça va ?| Oui.",
    "Mme Curie et Mlle. Rose, av. Foch, env. 5 m.| Bien.",
    "Il sig. Rossi e la dott.ssa Bianchi, ad es. oggi.| Bene.",
    "O Sr. Silva e a Sra. Souza, pág. 5, tel. 123.| Bom.",
    "はい。|電気をつけました。|他に何か？",
    "「はい。」と言った。|次の文です。",
    "彼は「はい。」|次です。",
    "今天很好。|明天见！|真的吗？",
    "温度は３．５度です。|次です。",
    "नमस्ते।| आप कैसे हैं?| ठीक है॥",
    "مرحبا۔| كيف حالك؟| بخير.",
    "Non\u00a0!\u00a0| Oui\u202f!",
    "3.14 is pi.| 2 * 3 * 4 = 24.| snake_case is fine.",
    "Is x < y.| Or not.",
    "Aula de português.| O prof. Lima e o eng. Reis.| Fim.",
    "[1] Done.| [2] Next.",
    "He said: 'No.'| Then he left.",
]


@pytest.mark.parametrize("marked", SENTENCES)
def test_sentences_end_where_they_should(marked: str) -> None:
    """Text is divided at the marked places and nowhere else, in whatever pieces it arrives."""
    text = marked.replace("|", "")
    expected = [part.strip() for part in marked.split("|")]
    for step in (None, 1, 2, 3, 7):
        assert [segment.text for segment in split(text, step, first_clause=False)] == expected, step


def test_blank_lines_end_paragraphs() -> None:
    """The kind tells a paragraph's end from a sentence's and from a cut inside a sentence."""
    segments = split("Hi there.\n\nOne\nTwo. Three\n\nFour is about something, that I will explain now")
    assert [segment.kind for segment in segments] == [
        *("paragraph", "sentence", "sentence", "paragraph", "clause", "sentence"),
    ]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (
            "I turned on the kitchen light, and the heating in the hall is off now.",
            "I turned on the kitchen light,",
        ),
        (
            "Yes, I turned on the lamp in the hall, and more is to come.",
            "Yes, I turned on the lamp in the hall,",
        ),
        ("The light in the kitchen is on — and the other one is off.", "The light in the kitchen is on —"),
        ("The light in the kitchen—which was on—is off now, I think.", "The light in the kitchen—"),
        ("客厅的灯刚才已经打开了，温度是二十一度，湿度是百分之四十五。", "客厅的灯刚才已经打开了，"),
        ("I turned on the kitchen light, please.", "I turned on the kitchen light, please."),
        (
            "The lights in the hall are 1, 2, 3 and 4 of them.",
            "The lights in the hall are 1, 2, 3 and 4 of them.",
        ),
        (
            "We will meet tomorrow at 19:30 in the kitchen of Joe.",
            "We will meet tomorrow at 19:30 in the kitchen of Joe.",
        ),
    ],
)
def test_the_first_segment_may_be_a_clause(text: str, first: str) -> None:
    """A long enough first clause goes ahead, unless hardly anything would be left."""
    for step in (None, 1, 5):
        assert split(text, step)[0].text == first


def test_clauses_are_cut_only_at_the_start() -> None:
    """After the first segment sentences stay whole, and without `first_clause` also before."""
    text = "I turned on the kitchen light, and the heating is off. I turned on the kitchen lamp, and more."
    assert len(split(text)) == 3
    assert len(split(text, first_clause=False)) == 2


def test_a_moment_of_speech_does_not_count_as_first() -> None:
    """After a very short first sentence the next one may begin with a clause too."""
    segments = split("Sure! I turned on the kitchen light, and the heating in the hall is off.")
    assert [segment.text for segment in segments[:2]] == ["Sure!", "I turned on the kitchen light,"]


LONG = (
    "The city of Paris has been the capital of the country for a very long time and it is still the place "
    "where most people who work for the government live today because the offices that they go to every "
    "morning are there too while the parliament meets in the same part of the town as it did when the "
    "republic was founded a long time ago"
)


def test_long_sentences_are_cut_between_phrases() -> None:
    """Without punctuation, cuts fall before connectives and prepositions, and lengths rise step by step."""
    segments = split(LONG)
    assert [segment.kind for segment in segments[:-1]] == ["clause"] * (len(segments) - 1)
    assert segments[0].text == "The city of Paris has been the capital of the country"
    assert all(
        segment.text.split()[0] in ("for", "because", "that", "while", "and", "as")
        for segment in segments[1:]
    )
    assert len(segments[0].text) <= 70 < len(segments[1].text) <= 140


def test_the_first_segment_of_a_long_sentence_is_short() -> None:
    """A sentence ten times as long has a first segment that is hardly longer."""
    assert len(split(LONG, first_limit=60)[0].text) <= 50


def test_no_tiny_rest_is_left() -> None:
    """However far a sentence goes beyond a limit, each of its parts is worth a breath."""
    words = ("lamp " * 80).split()
    for count in range(1, len(words)):
        parts = split(" ".join(words[:count]) + ".")
        assert len(parts) == 1 or min(len(part.text) for part in parts) >= SHORTEST_REST


def test_an_address_is_not_cut() -> None:
    """A URL longer than the first limit stays in one piece."""
    url = "https://example.com/" + "a-b," * 30
    assert any(url.rstrip(",") in segment.text for segment in split(f"Please have a look at {url} now."))


def test_text_without_spaces_is_cut_at_the_limit() -> None:
    """Even one endless word is released in pieces, and no accent is cut from its letter."""
    assert all(len(segment.text) <= 220 for segment in split("x" * 5000))
    assert not any(segment.text.startswith("\u0301") for segment in split("e\u0301" * 2000))


def test_a_code_block_is_left_out() -> None:
    """Fenced code is not spoken; the text around it is divided as ever."""
    block = "```python\nx = 1. Foo? Bar!\n\nprint(x)\n```"
    for step in (None, 1, 4):
        texts = [segment.text for segment in split(f"Here. See:\n{block}\nDone. Bye.", step)]
        assert texts == ["Here.", "See:", "Done.", "Bye."]
        assert [segment.text for segment in split(f"{block}\nDone.", step)] == ["Done."]
    assert [segment.text for segment in split(f"See: {block}\nBye.")] == ["See:", "Bye."]


def test_code_alone_is_spoken() -> None:
    """A text that is nothing but code is read line by line in the end, so that there is never silence."""
    text = "\n~~~yaml\nlight: on. Yes.\n  fan: off\n~~~\n\n```\nx = 1\n```"
    for step in (None, 1, 4):
        segments = split(text, step)
        assert [segment.text for segment in segments] == ["light: on.", "Yes.", "fan: off", "x = 1"]
        assert all(text[segment.start : segment.end] == segment.text for segment in segments)


def test_an_endless_code_block_is_left_out() -> None:
    """The end of a block beyond the bound is found all the same; without an end all of it is code."""
    code = "```\n" + "a. b\n" * 3000
    assert [segment.text for segment in split(code + "```\nDone. Bye.", 11)] == ["Done.", "Bye."]
    assert [segment.text for segment in split("Hi.\n" + code, 11)] == ["Hi."]
    assert [segment.text for segment in split(code, 11)] == ["a. b"] * 3000


QUEUED = [
    (
        "Yes. It is on. The door in the hall is closed now.",
        ["Yes. It is on. The door in the hall is closed now."],
    ),
    ("Yes.\nNo.\n- Milk\n- Eggs", ["Yes.", "No.", "- Milk", "- Eggs"]),
    ("The door in the hall is closed. Ok. Fine.", ["The door in the hall is closed.", "Ok. Fine."]),
    ("Ok. 2. Turn the light off. 3. Go.", ["Ok. 2. Turn the light off.", "3. Go."]),
    (
        "はい。そうです。次の文はとても長い文になります。",
        ["はい。そうです。次の文はとても長い文になります。"],
    ),
    ("Okay. " + "lamp " * 43 + "lamp.", ["Okay.", "lamp " * 43 + "lamp."]),
    ("Ok. ```\ncode\n``` Fine.", ["Ok.", "Fine."]),
    (
        "No. 5 is on. Dr. Who. Yes. Bye to you all, then.",
        ["No. 5 is on. Dr. Who. Yes.", "Bye to you all, then."],
    ),
]


@pytest.mark.parametrize(("text", "joined"), QUEUED)
def test_short_sentences_are_joined_while_audio_is_queued(text: str, joined: list[str]) -> None:
    """A sentence that is over in a moment goes with the next on its line, in whatever pieces both arrive."""
    start = "I turned on the kitchen light. The heating in the hall and in the garden is off as well. "
    for step in (1, 3, len(text)):
        splitter = Splitter()
        splitter.queued = True
        found = splitter.feed(start)
        for at in range(0, len(text), step):
            found += splitter.feed(text[at : at + step])
        assert [segment.text for segment in found[2:] + splitter.finish()] == joined


def test_a_waiting_sentence_goes_when_the_queue_is_empty() -> None:
    """When no audio is queued any more, the next call releases what only waited for company."""
    splitter = Splitter()
    splitter.queued = True
    assert len(splitter.feed("I turned on the kitchen light. Yes. It")) == 1
    assert splitter.flush() == []
    splitter.queued = False
    assert [segment.text for segment in splitter.flush()] == ["Yes."]
    assert [segment.text for segment in splitter.feed(" is on. ")] == ["It is on."]


def test_the_beginning_does_not_wait() -> None:
    """Until the listener has heard something worth the name, even a short sentence goes at once."""
    splitter = Splitter()
    splitter.queued = True
    assert [segment.text for segment in splitter.feed("Sure! Yes. I")] == ["Sure!", "Yes."]


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("The light is on. ", 1),
        ("The light is on.", 0),
        ("It is 21.", 0),
        ("Dr. ", 0),
        ("はい。次", 1),
        ("The light is on\nT", 1),
        ("I turned on the kitchen light, and the heat", 1),
        ("I turned on the kitchen light, and", 0),
    ],
)
def test_segments_come_as_soon_as_they_are_sure(text: str, ready: int) -> None:
    """What is sure is released at once, what the next character may change is not."""
    assert len(Splitter().feed(text)) == ready


@pytest.mark.parametrize(
    ("text", "released"),
    [
        ("The light is on.", ["The light is on."]),
        ("Is it on?", ["Is it on?"]),
        ('He said "stop."', ['He said "stop."']),
        ("It is 7 p.m.", ["It is 7 p.m."]),
        ("Milk etc.", ["Milk etc."]),
        ("はい。", ["はい。"]),
        ("A title\n", ["A title"]),
        ("**Done.**", ["**Done.**"]),
        ("It is 45%.", ["It is 45%."]),
        ("It is on (really).", ["It is on (really)."]),
        ("वह ठीक है.", ["वह ठीक है."]),
        ("यह श्री.", []),
        ("It is 21.", []),
        ("Ask Dr.", []),
        ("Written by J.", []),
        ("1.", []),
        ("Visit www.example.", []),
        ("**Done. And", []),
        ("**Done.", []),
        ("```\ncode.", []),
        ("The light is", []),
        ("...", []),
        ("  ", []),
        ("", []),
    ],
)
def test_quiet_releases_what_ends_in_a_stop(text: str, released: list[str]) -> None:
    """When nothing comes for a while, a finished sentence goes out and anything else stays."""
    splitter = Splitter()
    assert splitter.feed(text) == []
    assert [segment.text for segment in splitter.flush()] == released
    assert splitter.pending == (bool(text.strip()) and not released)


def test_offsets_go_on_after_quiet() -> None:
    """A flush loses nothing, and offsets still count from the beginning of the text."""
    splitter = Splitter()
    segments = [
        *splitter.feed("Is it on?"),
        *splitter.flush(),
        *splitter.feed(" Yes, it"),
        *splitter.finish(),
    ]
    assert [(segment.start, segment.end) for segment in segments] == [(0, 9), (10, 17)]


@pytest.mark.parametrize(("first", "limit"), [(10, 220), (100, 80)])
def test_senseless_limits_are_refused(first: int, limit: int) -> None:
    """Limits that leave no room for a cut are an error."""
    with pytest.raises(ValueError, match="limits"):
        Splitter(first_limit=first, limit=limit)


_CHARACTERS = "abIJ.!?…。！？।,;:—–-、，\n\r \u00a0*_`~<>[]()\"'”」¿1234と漢かé\u0301😀/"
_WORDS = [
    *("\n\n", "...", "**", "```\n", "~~~\n", "://", "a.b", "21.5", "Dr.", "p.m.", "etc.", "No.", "1."),
    *(" The ", " and ", " word", " lamps and tables", " lamp" * 12, "x" * 60, "漢字かな" * 5),
    *(
        "```",
        "\n~~~\n",
        " Yes.",
        "\n| a | b |",
        "« ",
        " »",
        "&amp;",
        "<!--",
        "-->",
        "\n1.1. ",
        "डॉ. ",
        "‼",
        "؟",
    ),
    *("<b>", "](x)", "[link](http://a.b/c)", "http://example.com/path"),
]
_TEXT = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*_CHARACTERS, *_WORDS]), max_size=60).map("".join),
)


@settings(max_examples=300, deadline=None)
@given(_TEXT, st.lists(st.integers(1, 30), min_size=1, max_size=20), st.booleans())
def test_pieces_do_not_matter(text: str, steps: list[int], queued: bool) -> None:
    """Any chunking of the same text gives the same segments, and so the same cleaned text."""
    splitter, at, found = Splitter(), 0, []
    splitter.queued = queued
    while at < len(text):
        step = steps[at % len(steps)]
        found += splitter.feed(text[at : at + step])
        at += step
    found += splitter.finish()
    assert found == split(text, queued=queued) == split(text, 1, queued=queued)
    assert [_cleaned(segment) for segment in found] == [
        _cleaned(segment) for segment in split(text, 7, queued=queued)
    ]


def _cleaned(segment: Segment) -> AlignedText:
    return clean(AlignedText.of(segment.text, segment.start))


@settings(max_examples=300, deadline=None)
@given(_TEXT)
def test_nothing_is_lost_or_said_twice(text: str) -> None:
    """The segments are slices of the text, in order, and all between them is space or fenced code."""
    at = 0
    for segment in split(text, 3):
        assert segment.text == text[segment.start : segment.end] == segment.text.strip() != ""
        assert not _lost(text[at : segment.start])
        at = segment.end
    assert not _lost(text[at:])


def _lost(text: str) -> str:
    return "" if text.lstrip().startswith(("```", "~~~")) else text.strip()


@settings(max_examples=200, deadline=None)
@given(
    _TEXT.filter(lambda text: "```" not in text and "~~~" not in text),
    st.sets(st.integers(0, 400), max_size=8),
)
def test_quiet_moments_lose_nothing(text: str, quiet: set[int]) -> None:
    """Flushing anywhere may move a boundary but covers the text all the same."""
    splitter, found = Splitter(), []
    for at, character in enumerate(text):
        found += splitter.feed(character)
        found += splitter.flush() if at in quiet else []
    found += splitter.finish()
    assert "".join("".join(segment.text.split()) for segment in found) == "".join(text.split())


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="`~*_<[:\n"), max_size=2000))
def test_segments_stay_below_the_limit(text: str) -> None:
    """Plain text never gives a segment over the limit, its closing marks apart."""
    assert all(spoken_length(part.text, 0, len(part.text)) <= 220 + 80 for part in split(text))


UNITS = [
    "abcde fghij ",
    "x",
    ".",
    ". ",
    " ",
    "*",
    " **a",
    '."',
    "漢",
    "[",
    "<a ",
    "Dr. ",
    "a,",
    "\n",
    "://a",
    " _a ",
    "`",
    "1. ",
]


@pytest.mark.parametrize("unit", [*UNITS, "```\n", "21.", "— ", "é\u0301 "])
def test_long_text_takes_bounded_memory(unit: str) -> None:
    """However long a text without sentences goes on, little of it is held back."""
    splitter, text = Splitter(), unit * (40_000 // len(unit))
    for at in range(0, len(text), 5):
        splitter.feed(text[at : at + 5])
        assert len(splitter._buffer) <= CODE_BLOCK_LIMIT + 100


def test_a_first_clause_is_worth_hearing() -> None:
    """No clause shorter than the bound goes ahead of its sentence."""
    text = "One, two, three, four, five, six, seven, eight, nine, ten, eleven and so on it goes."
    assert len(split(text)[0].text) >= FIRST_CLAUSE
