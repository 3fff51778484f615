"""Markdown, HTML and stray SSML become the words that were meant; plain text stays as it is.

What is no markup (`2*3*4`, `snake_case`, `a < b`) is recognised by what stands around its marks, as
one segment is all that is known. Takes time in proportion to the text's length, whatever it is.
"""

from __future__ import annotations

import html
import html.entities
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from wyoming_tts.text import characters
from wyoming_tts.text.aligned import AlignedText, Mark
from wyoming_tts.text.characters import PAUSE, STOP, shield_edits, shielded
from wyoming_tts.text.emphasis import emphasis_edits

_Edit = tuple[int, int, str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PLAIN_LETTERS = r"A-Za-z0-9À-ÖØ-öø-ÿ"
_PLAIN_WORD = rf"[(\"'$€£°]?[{_PLAIN_LETTERS}](?:[{_PLAIN_LETTERS},.?!'\"%°()/$€£–-]|[:;](?=[\d ]))*+"
_PLAIN = re.compile(rf"(?!\(?[0-9A-Za-z]{{1,3}}[.)] ){_PLAIN_WORD}(?: {_PLAIN_WORD})*+")

_FENCE = re.compile(r"^[> ]{0,4}(`{3,}+|~{3,}+)([^`\n]*+)(?:\n|\Z)", re.MULTILINE)
_WORD = re.compile(r"[^\W_]")
_LINE = re.compile(r"[^\n]++")
_BACKTICKS = re.compile(r"(?<!\\)`++")
_STRAY_BACKTICK = re.compile(r"(?<=[^\W\d_])[`´](?=[^\W\d_])")
_ESCAPE = re.compile(r"\\([!#*+\-.()<>\[\]_`{|}~$&^=:])")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")

_BRACKET = re.compile(r"!?\[|\]|\n")
_DESTINATION = re.compile(
    r"\( ?(?:<[^<>\n]*+>|[^\s()<>]*+(?:\([^\s()]*+\)[^\s()]*+)*+)"
    r"(?: (?:\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?+ ?\)"
)
_PHONEMES = re.compile(r"\(/([^/()\n]{1,200})/\)")
_SPEECH_SOUNDS = frozenset(" ˈˌːˑ.|‿↓→↗↘")
_REFERENCE = re.compile(r"\[[^\[\]\n]{0,80}+\]")
_SOURCE_NUMBER = re.compile(r"[\[^]*[0-9]{1,3}\]*")
_DEFINITION = re.compile(
    r"^ ?\[(?!\^)[^\[\]\n]{1,80}+\]: ?(?:<[^<>\n]*+>|[/#][^ \n]*+|[a-z]{1,10}+://[^ \n]*+)"
    r"(?: [\"'(][^\n]*+)? ?$",
    re.MULTILINE,
)
_NOTES = (
    (re.compile(r"^ ?\[\^[^\[\]\n]{1,40}+\]: ?", re.MULTILINE), ""),
    (re.compile(r" ?\[\^[^\[\]\n]{1,40}+\]| ?【[^【】†\n]{1,60}+†[^【】\n]{0,60}+】"), ""),
    (re.compile(r"(?<=[^\W\d_]{2}|[.!?]['\")]|[^\W_][.,;!?)])(?:\[[1-9][0-9]?\])++(?!\w|\.\w|\(| ?=)"), ""),
    (
        re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]:?", re.IGNORECASE),
        lambda match: match[1].capitalize() + ":",
    ),
)

_NAME = r"[A-Za-z][\w:.-]*+"
_ATTRIBUTE = (
    rf"\s++(?:{_NAME}\s*+=\s*+(?:\"[^\"<]*+\"|'[^'<]*+'|[^\s\"'<>=]++)"
    r"|(?:open|disabled|checked|hidden|selected|controls|required|async|defer|autoplay)(?=[\s/>]))"
)
_TAG = re.compile(rf"<(/?)({_NAME})((?:{_ATTRIBUTE})*+)\s*+(/?)>")
_CLOSING_TAG = re.compile(rf"</({_NAME})")
_SUBSTITUTE = re.compile(
    r"<sub\s[^<>]{0,80}?\balias\s*+=\s*+[\"']([^\"'<>]{1,200})[\"'][^<>]{0,80}>[^<]*+</sub\s*+>"
)
_POWER = re.compile(r"<sup>\s*+([23])\s*+</sup>", re.IGNORECASE)
_PICTURE = re.compile(r"<img\s[^<>]{0,400}?\balt\s*+=\s*+[\"']([^\"'<>]{1,200})[\"'][^<>]*+>", re.IGNORECASE)
_NOT_TEXT = re.compile(
    r"<!--(?:[^-<]|<(?!!--)|-(?!->))*+-->|<(?:![A-Za-z]|\?)[^<>]*+>|<!\[CDATA\[|\]\]>|<\|[a-z_]{1,30}\|>"
    r"|<(script|style)\b[^<>]*+>(?:[^<]|<(?!/?(?:script|style)))*+</\1\s*+>",
    re.IGNORECASE,
)
_AUTOLINK = re.compile(
    r"<(?=[A-Za-z][A-Za-z0-9+.-]{1,20}:[^\s<>]++>|[^\s<>@]{1,64}@[^\s<>@]++>)(?:mailto:)?([^<>]++)>"
)
_URL = re.compile(r"(?<![^\W_])(?:[A-Za-z][A-Za-z0-9+.-]{1,20}+://|www\.)[^\s<>]++")
_URL_MARKS = "*_~.,;:!?'\")]}|"
_INLINE = _words(
    "a abbr acronym b bdi bdo big cite code del dfn em font i ins kbd label mark q rp rt ruby samp small "
    "span strike strong sub sup time tt u var wbr html head body audio video source svg img nobr summary "
    "details speak prosody emphasis voice lang say-as phoneme token lexeme w think"
)
_BLOCK = _words(
    "p s br hr div li ul ol dl dt dd table thead tbody tr td th caption h1 h2 h3 h4 h5 h6 blockquote pre "
    "section article header footer nav main aside figure figcaption option select form button break title"
)

_RULE = re.compile(r"^[-=*_|:+~ ]{3,}+$", re.MULTILINE)
_PIPED = re.compile(r"^[^\n|]*+\|[^\n]*+$", re.MULTILINE)
_LONE_PIPE = re.compile(r"(?<= )\|(?= )")
_PREFIX = re.compile(
    r"^ ?(?:(?:> ?(?![\d =])|#{1,6} |[-*•‣◦▪▫●○·] |[+–] (?!\d)|\[[ xX✓]\] ) ?)++(?=\S)", re.MULTILINE
)
_NUMBER = re.compile(r"^ ?(?:\(?(\d{1,3})[.)]|([A-Za-z])\))[ \n]+(?=\S)", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[ \n]*\n")

_PHONEMES_START = 0xF0000  # a private character for each word that has phonemes
_PHONEMES_MOST = 65_000
_PHONEMES_END = "\ue002"
_PLACEHOLDER = re.compile(f"[\U000f0000-\U000ffffd]|{_PHONEMES_END}")


def clean(text: AlignedText) -> AlignedText:
    """One segment without its markup: what a person would read out; marks stay.

    `[word](/fəˈnim/)` becomes `word` with a mark for its phonemes. A fenced block is left out, unless
    it is all there is.
    """
    if _PLAIN.fullmatch(text.text):
        return text
    text = _without_code(characters.tidied(text))
    text = text.sub(_ESCAPE, lambda match: shielded(match[1])).sub(_ENTITY, _entity)
    text, phonemes = _without_links(text)
    text = _without_tags(text)
    text = _without_lines(text)
    text = _edited(text, emphasis_edits(text.text))
    text = characters.audible(text.sub(_STRAY_BACKTICK, "'").sub(_BACKTICKS, ""))
    text = text.sub(_NUMBER, lambda match: (match[1] or match[2]) + PAUSE).sub(_BLANK_LINES, STOP)
    text = characters.unshielded(characters.resolved(text))
    return _with_phonemes(text, phonemes).stripped()


def _edited(text: AlignedText, edits: list[_Edit]) -> AlignedText:
    """With the edits that touch no mark."""
    marks = text.marks
    if marks:
        edits = [
            edit for edit in edits if not any(mark.start < edit[1] and edit[0] < mark.end for mark in marks)
        ]
    return text.edited(edits)


def _without_code(text: AlignedText) -> AlignedText:
    """With what stands in code shielded from all that follows."""
    if "```" in text.text or "~~~" in text.text:
        text = _edited(text, _fence_edits(text.text))
    return _edited(text, _code_edits(text.text)) if "`" in text.text else text


def _fence_edits(text: str) -> list[_Edit]:
    blocks = _fenced_blocks(text)
    borders = [0, *(index for start, _, _, end in blocks for index in (start, end)), len(text)]
    outside = zip(borders[::2], borders[1::2], strict=True)
    if any(_WORD.search(text, start, end) for start, end in outside):
        return [(start, end, "\n") for start, _, _, end in blocks]
    edits = []
    for start, first, last, end in blocks:
        edits += [(start, first, ""), *shield_edits(text, first, last), (last, end, "")]
    return edits


def _fenced_blocks(text: str) -> list[tuple[int, int, int, int]]:
    """Of each fenced block its start, those of its first line and of its closing fence, and its end."""
    blocks = []
    opening: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if opening is None:
            opening = fence
        elif fence[1].startswith(opening[1]) and not fence[2].strip():
            blocks.append((opening.start(), opening.end(), fence.start(), fence.end()))
            opening = None
    if opening:
        blocks.append((opening.start(), opening.end(), len(text), len(text)))
    return blocks


def _code_edits(text: str) -> list[_Edit]:
    edits: list[_Edit] = []
    for line in _LINE.finditer(text):
        rows = [match.span() for match in _BACKTICKS.finditer(text, *line.span())]
        closing = _next_of_length(rows)
        index = 0
        while index < len(rows):
            start, end = rows[index]
            if closing[index] and not (text[start - 1 : start].isalpha() and text[start - 1] < "\u2e80"):
                index = closing[index]
                last, after = rows[index]
                edits += [(start, end, ""), *shield_edits(text, end, last), (last, after, "")]
            index += 1
    return edits


def _next_of_length(rows: list[tuple[int, int]]) -> list[int]:
    """For each row of backticks the index of the next one of its length; 0 if there is none."""
    found = [0] * len(rows)
    last: dict[int, int] = {}
    for index in range(len(rows) - 1, -1, -1):
        length = rows[index][1] - rows[index][0]
        found[index] = last.get(length, 0)
        last[length] = index
    return found


def _entity(match: re.Match[str]) -> str | None:
    meant = html.unescape(match[0])
    if meant == match[0] or (match[0][1] != "#" and match[0][1:] not in html.entities.html5):
        return None
    return "".join(map(shielded, characters.tidied(AlignedText.of(meant)).text))


def _without_links(text: AlignedText) -> tuple[AlignedText, list[str]]:
    """With the words of links, images and references; and the phonemes whose placeholders stand in it."""
    if "[" not in text.text and "【" not in text.text:
        return text, []
    phonemes: list[str] = []
    text = text.sub(_DEFINITION, "")
    text = _edited(text, sorted(_link_edits(text.text, phonemes)))
    return text.apply(_NOTES), phonemes


def _link_edits(text: str, phonemes: list[str]) -> Iterator[_Edit]:
    opened: list[tuple[int, int]] = []
    position = 0
    while bracket := _BRACKET.search(text, position):
        position = bracket.end()
        if bracket[0] == "\n":
            opened.clear()
        elif bracket[0] != "]":
            opened.append(bracket.span())
        elif opened:
            start, inner = opened.pop()
            for edit in _one_link(text, start, inner, bracket.start(), phonemes):
                position = max(position, edit[1])
                yield edit


def _one_link(text: str, start: int, inner: int, close: int, phonemes: list[str]) -> list[_Edit]:
    """The edits for the brackets around `text[inner:close]` and what follows them."""
    sounds = _PHONEMES.match(text, close + 1)
    if sounds and _are_phonemes(sounds[1]) and len(phonemes) < _PHONEMES_MOST:
        phonemes.append(sounds[1].strip())
        mark = chr(_PHONEMES_START + len(phonemes) - 1)
        return [(start, inner, mark), (close, sounds.end(), _PHONEMES_END)]
    if target := _DESTINATION.match(text, close + 1):
        if "://" in target[0] and _SOURCE_NUMBER.fullmatch(text, inner, close):
            return [(start - (text[start - 1 : start] == " "), target.end(), "")]
        return [(start, inner, ""), (close, target.end(), "")]
    reference = _REFERENCE.match(text, close + 1)
    glued = start > 0 and text[start - 1].isalnum()
    if reference and not glued and not reference[0].startswith("[^") and not text[inner:close].isdigit():
        return [(start, inner, ""), (close, reference.end(), "")]
    return []


def _are_phonemes(text: str) -> bool:
    return all(
        character in _SPEECH_SOUNDS or unicodedata.category(character)[0] in "LM" for character in text
    )


def _without_tags(text: AlignedText) -> AlignedText:
    """With the words of HTML and SSML, and with addresses shielded from all that follows."""
    if "<" in text.text:
        closed = {name.lower() for name in _CLOSING_TAG.findall(text.text)}
        text = text.apply(
            (
                (_AUTOLINK, lambda match: match[1]),
                (_NOT_TEXT, ""),
                (_SUBSTITUTE, lambda match: html.unescape(match[1])),
                (_PICTURE, lambda match: html.unescape(match[1])),
                (_POWER, lambda match: match[1].translate({50: "²", 51: "³"})),
                (_TAG, lambda match: _tag(match, closed)),
            )
        )
    edits: list[_Edit] = []
    for match in _URL.finditer(text.text):
        edits += shield_edits(text.text, match.start(), match.start() + len(match[0].rstrip(_URL_MARKS)))
    return _edited(text, edits)


def _tag(match: re.Match[str], closed: set[str]) -> str | None:
    """What stands for a tag: a name that is none of HTML or SSML is a word, like `<your name>`."""
    name = match[2].lower()
    if name in _BLOCK:
        return PAUSE
    if name in _INLINE or match[1] or match[3] or match[4] or ":" in name or name in closed:
        return ""
    if match.start() and match.string[match.start() - 1].isalnum():
        return None
    return match[2]


def _without_lines(text: AlignedText) -> AlignedText:
    """Without what tells lines apart: rules, cells, headings, bullets, quotes, boxes."""
    text = text.sub(_RULE, _rule)
    if "|" in text.text:
        edits = itertools.chain.from_iterable(map(_row_edits, _PIPED.finditer(text.text)))
        text = _edited(text, list(edits)).sub(_LONE_PIPE, PAUSE)
    return _edited(text, list(itertools.chain.from_iterable(map(_prefix_edits, _PREFIX.finditer(text.text)))))


def _rule(match: re.Match[str]) -> str | None:
    marks = match[0].replace(" ", "")
    lines = sum(map(marks.count, "-=*_~"))
    return "" if lines > 2 or ("|" in marks and "-" in marks) else None


def _row_edits(match: re.Match[str]) -> Iterator[_Edit]:
    """The edits that make pauses of the bars in a table's row; none if it is no row."""
    row = match[0].strip()
    begins = row[0] == "|" and len(row) > 1 and (row[-1] == "|" or row[1] == " ")
    if begins or (row.endswith(" |") and row.count("|") > 1):
        for bar in re.finditer(r"\|", match[0]):
            yield match.start() + bar.start(), match.start() + bar.end(), PAUSE


def _prefix_edits(match: re.Match[str]) -> Iterator[_Edit]:
    yield match.start(), match.end(), ""
    if "#" in match[0]:
        text = match.string
        end = text.find("\n", match.end())
        line = text[match.end() : end if end >= 0 else len(text)].rstrip()
        title = line.rstrip("#")
        if title.endswith(" "):
            yield match.end() + len(title), match.end() + len(line), ""


def _with_phonemes(text: AlignedText, phonemes: list[str]) -> AlignedText:
    """With a mark for each stretch between placeholders, which go."""
    if not phonemes:
        return text
    given = [
        match
        for match in _PLACEHOLDER.finditer(text.text)
        if not any(mark.start <= match.start() < mark.end for mark in text.marks)
    ]
    spoken = text.edited([(*match.span(), "") for match in given])
    marks = list(spoken.marks)
    start, sounds = -1, ""
    for removed, match in enumerate(given):
        index = match.start() - removed
        if match[0] != _PHONEMES_END:
            start, sounds = index, phonemes[ord(match[0]) - _PHONEMES_START]
        elif start >= 0:
            word = spoken.text[start:index]
            start += len(word) - len(word.lstrip())
            if word.strip():
                marks.append(Mark(start, start + len(word.strip()), "phonemes", sounds))
            start = -1
    return replace(spoken, marks=tuple(sorted(marks, key=lambda mark: mark.start)))
