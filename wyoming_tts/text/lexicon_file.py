"""What a lexicon file says: its entries, and what is wrong with the others, by line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_BYTES = 1_000_000
"""Size of a file; a larger one is not read."""

MOST_ENTRIES = 10_000
"""Entries of a file; those behind them are not used."""

LONGEST = {"text": 200, "say": 1000, "phonemes": 500, "language": 35, "voice": 200}
"""Characters of each value."""

_KEYS = (*LONGEST, "case_sensitive")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*")
_PLACE = re.compile(r"line (\d+), column (\d+)")
_NAME = r"(?:entry|\"entry\"|'entry')"
_PARTS = re.compile(
    rf"(?P<table>^[ \t]*+\[\[[ \t]*+{_NAME}[ \t]*+\]\])"
    rf"|(?P<list>^[ \t]*+{_NAME}[ \t]*+=[ \t]*+\[)"
    r"|\"\"\"(?:[^\\]|\\.)*?\"{3,5}|'''.*?'{3,5}|\"(?:[^\"\\\n]|\\.)*+\"|'[^'\n]*+'|#[^\n]*+"
    r"|(?P<open>[{\[])|(?P<close>[}\]])",
    re.MULTILINE | re.DOTALL,
)


class LexiconError(Exception):
    """The file is no TOML; says where."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How some words are said, and where."""

    texts: tuple[str, ...]
    """The words as they are written."""

    say: str | None
    """What is said in their place, or None where they have phonemes."""

    phonemes: str | None
    """How they sound, or None where something else is said."""

    languages: tuple[str, ...] = ()
    """Language tags in lower case (`en` stands for `en-gb`, too); none for all."""

    voices: tuple[str, ...] = ()
    """Names of voices, case folded; none for all."""

    case_sensitive: bool = False
    """Whether the words have to be written in the very same case."""


@dataclass(frozen=True, slots=True)
class Contents:
    """All there is in a file."""

    entries: tuple[Entry, ...] = ()
    """The good ones, in their order."""

    problems: tuple[str, ...] = ()
    """What is wrong with the rest, each with its line."""


def parse(data: bytes) -> Contents:
    """Read a lexicon. Raises LexiconError for what is not TOML; a bad entry is only left out."""
    text = _decoded(data)
    try:
        content = tomllib.loads(text)
    except RecursionError:
        raise LexiconError("it is nested too deeply") from None
    except ValueError as error:
        raise LexiconError(_with_place(str(error), text)) from None
    return _contents(content, text)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", "replace")
        raise LexiconError(f"it is not UTF-8 ({_end_of(before)})") from None


def _with_place(message: str, text: str) -> str:
    """An error with its line and column, which is not said of an error at the end."""
    message = message.replace(" (at ", " (").replace("end of document", _end_of(text))
    return message if _PLACE.search(message) else f"{message} ({_end_of(text)})"


def _end_of(text: str) -> str:
    return f"line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}"


def _contents(content: Mapping[str, Any], text: str) -> Contents:
    problems = [_unknown(key, text) for key in content if key != "entry"]
    tables = content.get("entry", [])
    if not isinstance(tables, list):
        problems.append("an entry begins with [[entry]], in two pairs of brackets")
        tables = []
    if len(tables) > MOST_ENTRIES:
        problems.append(f"there are more than {MOST_ENTRIES} entries: those behind them are not used")
        tables = tables[:MOST_ENTRIES]
    entries = []
    lines = _lines(text, len(tables))
    for place, table in zip(lines, tables, strict=True):
        try:
            entries.append(_entry(table))
        except ValueError as error:
            problems.append(f"{place}: {error}")
    return Contents(tuple(entries), tuple(problems))


def _unknown(key: str, text: str) -> str:
    found = re.search(rf"^[ \t]*\[*[ \t]*[\"']?{re.escape(key)}", text, re.MULTILINE)
    place = f"line {text.count(chr(10), 0, found.start()) + 1}: " if found else ""
    return f"{place}{key[:64]!r} is not known; each entry begins with [[entry]]"


def _lines(text: str, count: int) -> list[str]:
    """Where each entry begins; its number, should the file be written in a way that is not understood."""
    starts = list(_starts(text))
    if len(starts) < count:
        return [f"entry {number + 1}" for number in range(count)]
    places, line, last = [], 1, 0
    for start in starts[:count]:
        line, last = line + text.count("\n", last, start), start
        places.append(f"line {line}")
    return places


def _starts(text: str) -> Iterator[int]:
    """Offsets of all `[[entry]]`, or of the tables in `entry = […]`, outside of strings and comments."""
    depth, listed = 0, False
    for part in _PARTS.finditer(text):
        if part["table"] and not depth:
            yield part.start()
        elif part["list"] and not depth:
            depth, listed = 1, True
        elif opened := part["table"] or part["list"] or part["open"]:
            if listed and depth == 1:
                yield part.start()
            depth += opened.count("[") - opened.count("]") + opened.count("{")
        elif part["close"]:
            depth -= 1
            listed = listed and depth > 0


def _entry(table: object) -> Entry:
    """Raises ValueError that says what would be right."""
    if not isinstance(table, dict):
        raise ValueError("an entry is a table, such as [[entry]] with lines behind it")
    _check_keys(table)
    sensitive = table.get("case_sensitive", False)
    if not isinstance(sensitive, bool):
        raise ValueError("case_sensitive must be true or false, without quotes")
    return Entry(
        texts=_texts(table),
        say=_string("say", table["say"], may_be_empty=True) if "say" in table else None,
        phonemes=_phonemes(table["phonemes"]) if "phonemes" in table else None,
        languages=_languages(table),
        voices=tuple(voice.casefold() for voice in _strings("voice", table)),
        case_sensitive=sensitive,
    )


def _check_keys(table: Mapping[str, object]) -> None:
    for key in table:
        if key not in _KEYS:
            near = difflib.get_close_matches(key[:64], _KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KEYS)}"
            raise ValueError(f"{key[:64]!r} is not known; {hint}")
    if "text" not in table:
        raise ValueError('text = "…" is missing, the words as they are written')
    if "say" in table and "phonemes" in table:
        raise ValueError("there are say and phonemes; only one of them can be")
    if "say" not in table and "phonemes" not in table:
        raise ValueError('say = "…" or phonemes = "…" is missing')


def _texts(table: Mapping[str, object]) -> tuple[str, ...]:
    texts = _strings("text", table)
    if not texts:
        raise ValueError("text holds no words")
    return texts


def _phonemes(value: object) -> str:
    phonemes = _string("phonemes", value).strip("/[] ")
    if not phonemes:
        raise ValueError("phonemes holds no phonemes")
    return phonemes


def _languages(table: Mapping[str, object]) -> tuple[str, ...]:
    languages = _strings("language", table)
    if not all(_LANGUAGE.fullmatch(language) for language in languages):
        raise ValueError('language must be a tag such as "en" or "en-GB"')
    return tuple(language.lower().replace("_", "-") for language in languages)


def _strings(key: str, table: Mapping[str, object]) -> tuple[str, ...]:
    value = table.get(key, [])
    values: Sequence[object] = value if isinstance(value, list) else [value]
    return tuple(_string(key, one) for one in values)


def _string(key: str, value: object, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str):
        also = "" if key in ("say", "phonemes") else " or a list of texts"
        raise ValueError(f"{key} must be a text in quotes{also}")
    if len(value) > LONGEST[key]:
        raise ValueError(f"{key} is longer than {LONGEST[key]} characters")
    value = " ".join(value.split())
    if not value and not may_be_empty:
        raise ValueError(f"{key} is empty")
    return value
