"""Which of its readings an English word has in its sentence: "record a record", "lead pipes", "I have read"."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Callable, Collection, Mapping, Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WINDOW = 12
"""Words on either side that are looked at."""

_DETERMINERS = _words(
    "the a an this these those my your his her its our their no every each some any another one's"
)
_PRONOUNS = _words("me you him her it us them this that these those everything all both")
_SUBJECTS = _words("i you we they")
_MODALS = _words(
    "can could will would shall should may might must do does did don't doesn't didn't can't cannot "
    "couldn't won't wouldn't shan't shouldn't mustn't to let's lets i'll you'll we'll they'll he'll "
    "she'll it'll i'd you'd we'd they'd he'd she'd it'd please"
)
_QUESTION = _words(
    "can could will would shall should may might must do does did don't doesn't didn't can't couldn't "
    "won't wouldn't shouldn't"
)
_BE = _words("is are was were be been being am isn't aren't wasn't weren't it's that's he's she's i'm")
_HELPERS = _words("let make makes made help helps helped have watch see hear saw heard bid")
_OPENERS = _words(
    "please then now just also first next finally lastly and but or so ok okay hey well alexa always "
    "never don't let's kindly simply quickly slowly carefully gently meanwhile yes no sure afterwards "
    "again"
)
_PARTICLES = _words("up down off out over back away between")
_FINITE = _words(
    "is are was were has have had will would can could should may might must isn't aren't wasn't weren't "
    "won't can't couldn't doesn't don't didn't hasn't haven't"
)
_SUBORDINATE = _words("when if because before after until while that which who so unless where as and but")
_NOT_THE_INFINITIVE = _words(
    "due thanks according listen listened listening listens next close compared similar related prior "
    "belong belongs refer refers referring addition contrary owing opposed respect regard rose rise risen "
    "rises fell falling rising climbed access answer response reaction subscribe subscribed tune tuned "
    "switch switched"
)
_LIKE_PLURALS = _words("sales sports news systems savings goods arms customs windows series")
_AMOUNTS = _words("more less only about too up around two three four five ten twenty much")
_ADJECTIVES = _words("upset covert overweight uptown downhill overhead")
_NUMBERS = _words(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
_MARKS = frozenset(".,;:!?—…")

_NOUN_BEFORE = _words("DT PRP$ JJ JJR JJS CD POS NNP")


@functools.cache
def _table() -> Mapping[str, Sequence[tuple[str, str]]]:
    """Word -> its senses and the patterns of the sentences they are meant in."""
    text = importlib.resources.files("wyoming_tts.g2p").joinpath("data/homographs.tsv").read_text("utf-8")
    names: dict[str, str] = {}
    table: dict[str, list[tuple[str, str]]] = {}
    for line in text.splitlines():
        if line.startswith("<"):
            name, pattern = line.split("\t")
            names[name] = pattern
        elif not line.startswith("#"):
            word, sense, pattern = line.split("\t")
            pattern = re.sub("<[A-Z]+>", lambda name: names[name.group()], pattern)
            table.setdefault(word, []).append((sense, pattern))
    return table


@functools.cache
def _patterns(word: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sense, re.compile(pattern)) for sense, pattern in _table().get(word, ()))


def senses(
    words: Sequence[str], tags: Sequence[str], readings: Callable[[str], Collection[str]]
) -> list[str]:
    """For each word of a sentence its sense, or its part of speech; marks count as words.

    `readings` says of a word on which of either its sound depends, with a DEFAULT.
    """
    small = [word.lower() for word in words]
    found = ["CD" if word in _NUMBERS else tag for word, tag in zip(small, tags, strict=True)]
    for place, word in enumerate(words):
        choice = readings(word)
        if len(choice) > 1:
            found[place] = _sense(place, small, found, word)
            if found[place] == "JJ" and "ADJ" not in choice and _names_a_noun(place, small, tags):
                found[place] = "NN"
    return found


def _names_a_noun(place: int, words: list[str], tags: Sequence[str]) -> bool:
    """Whether what was taken for an adjective is the first of two nouns: "the overflow pipe"."""
    return _noun_follows(place, tags) and words[place] not in _ADJECTIVES


def _sense(place: int, words: list[str], tags: list[str], word: str) -> str:
    start = max(place - _WINDOW, 0)
    sense = _meant(words[place], " ".join([*words[start:place], "@", *words[place + 1 : place + _WINDOW]]))
    if words[place] == "polish" and word[:1].isupper() and place and words[place - 1] not in _MARKS:
        return "POLAND"
    if words[place] in ("nice", "reading", "mobile") and not word[:1].isupper():
        return tags[place]
    if sense:
        return sense
    if words[place] == "read":
        return _read(place, words, tags)
    return _repaired(place, words, tags)


def _meant(word: str, sentence: str) -> str | None:
    return next((sense for sense, pattern in _patterns(word) if pattern.search(sentence)), None)


def _read(place: int, words: list[str], tags: list[str]) -> str:
    """After a single thing or a name, or after another verb in the past, "read" is in the past."""
    before = tags[place - 1] if place else ""
    if before in ("NN", "NNP") or (words[place - 1] in ("and", "then") and "VBD" in tags[:place]):
        return "PAST"
    return "VB"


def _repaired(place: int, words: list[str], tags: list[str]) -> str:
    """The tag, put right where people talk to a house otherwise than newspapers, which the tagger learnt from."""
    tag = tags[place]
    before = words[place - 1] if place else "."
    earlier = words[place - 2] if place > 1 else "."
    after = words[place + 1] if place + 1 < len(words) else "."
    if before in _DETERMINERS and not (before == "her" and earlier in _HELPERS):
        return tag if not tag.startswith("VB") else "JJ" if _noun_follows(place, tags) else "NN"
    if _is_infinitive(place, words, tags):
        return "VB"
    if before in _SUBJECTS and not tag.startswith(("VBD", "VBN", "NNS", "VBZ")):
        return "VBP"
    if before in ("me", "him", "her", "us", "them", "it") and earlier in _HELPERS:
        return "VB"
    if _opens_clause(place, words, tags):
        return "VB" if _is_command(place, words, tags) else _not_a_verb(tag)
    if before in ("and", "or", "then", ",") and (after in _DETERMINERS or after in _PRONOUNS):
        return tag if tag.startswith("VB") else "VB"
    if tag in ("VBZ", "NNS", "NNPS"):
        return _plural(place, words, tags)
    if tag in ("NN", "JJ", "JJS", "RB") and _is_done_by_many(place, words, tags):
        return "VBP"
    return tag


def _is_done_by_many(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether a word is what a plural in front of it does: "metals contract in the cold"."""
    many = place and tags[place - 1] in ("NNS", "NNPS") and words[place - 1] not in _LIKE_PLURALS
    return bool(many) and not _noun_follows(place, tags) and not _has_other_verb(place, words, tags)


def _has_other_verb(place: int, words: list[str], tags: list[str]) -> bool:
    start = _clause_start(place, words)
    earlier = any(tag.startswith(("VB", "MD")) for tag in tags[start:place])
    return earlier or _finite_follows(place, words, tags)


def _is_infinitive(place: int, words: list[str], tags: list[str]) -> bool:
    """After "to", "can", "don't", and in questions such as "did the heater use"."""
    before = words[place - 1] if place else "."
    earlier = words[place - 2] if place > 1 else "."
    if before == "to":
        return not (earlier in _NOT_THE_INFINITIVE and _noun_follows(place, tags))
    if before in _MODALS:
        return not (tags[place] in ("JJ", "RB") and before in ("do", "does", "did"))
    if before == "not" or (before.endswith("ly") and tags[place - 1] == "RB"):
        return earlier in _MODALS
    return _in_question(place, words, tags)


def _in_question(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether an auxiliary opens the clause and all between it and the word is its subject."""
    start = _clause_start(place, words)
    opening = next((n for n in range(start, min(place, start + 5)) if words[n] in _QUESTION), None)
    if (
        opening is None
        or opening + 1 >= place
        or not all(
            tag[:1] == "W" or tag in ("RB", "JJ", "NN", "NNS", "UH", "NNP") for tag in tags[start:opening]
        )
    ):
        return False
    subject = tags[opening + 1 : place]
    whole = all(
        tag in ("DT", "PRP", "PRP$", "NN", "NNS", "NNP", "NNPS", "JJ", "CD", "POS", "RB") for tag in subject
    )
    last = next((tag for tag in reversed(subject) if tag != "RB"), "")
    return whole and last in ("PRP", "NN", "NNS", "NNP", "NNPS") and tags[place + 1 : place + 2] != ["VB"]


def _clause_start(place: int, words: list[str]) -> int:
    while place and words[place - 1] not in _MARKS:
        place -= 1
    return place


def _opens_clause(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether nothing but "please", "then", adverbs and the like stands before the word in its clause."""
    start = _clause_start(place, words)
    return all(
        word in _OPENERS or (word.endswith("ly") and tag == "RB")
        for word, tag in zip(words[start:place], tags[start:place], strict=True)
    )


def _is_command(place: int, words: list[str], tags: list[str]) -> bool:
    """Whether a word at the head of its clause tells somebody to do something."""
    after = words[place + 1] if place + 1 < len(words) else "."
    tag = tags[place + 1] if place + 1 < len(tags) else "."
    if (
        after in _DETERMINERS
        or after in _PRONOUNS
        or after in _PARTICLES
        or after in ("only", "my", "less", "more")
    ):
        return True
    if (
        after in _MARKS
        or after in _FINITE
        or tag in ("IN", "CC", "VBD", "VBN", "VBZ", "VBP", "MD", "TO", "VBG")
    ):
        return False
    return not _finite_follows(place, words, tags)


def _finite_follows(place: int, words: list[str], tags: list[str]) -> bool:
    for word, tag in zip(words[place + 1 :], tags[place + 1 :], strict=False):
        if word in _MARKS or word in _SUBORDINATE:
            return False
        if word in _FINITE or tag in ("VBZ", "VBP", "VBD", "MD"):
            return True
    return False


def _noun_follows(place: int, tags: Sequence[str]) -> bool:
    return any(tag.startswith("NN") for tag in tags[place + 1 : place + 2])


def _not_a_verb(tag: str) -> str:
    return "NN" if tag.startswith(("VB", "NNP")) else tag


def _plural(place: int, words: list[str], tags: list[str]) -> str:
    """Of words in -s, plural or verb: "the records show", "it records the show"."""
    before = words[place - 1] if place else "."
    after = words[place + 1] if place + 1 < len(words) else "."
    if before in ("he", "she", "it", "who", "which", "that", "this", "never", "always", "automatically"):
        return "VBZ"
    follows = after in _DETERMINERS or after in _PRONOUNS - {"all", "both"} or after in _AMOUNTS
    if (
        follows
        and place
        and tags[place - 1] in ("JJ", "NN", "NNP")
        and not _has_other_verb(place, words, tags)
    ):
        return "VBZ"
    if before in _MARKS or (place and tags[place - 1] in _NOUN_BEFORE - {"NNP"}) or before in _BE:
        return "NNS"
    if place and tags[place - 1] in ("NN", "NNP"):
        return "VBZ" if follows or not _has_other_verb(place, words, tags) else tags[place]
    return tags[place]
