"""Which of its readings an English word has in its sentence: "record a record", "lead pipes"."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass


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
_RATHER_ADJECTIVES = _words(
    "moderate approximate appropriate intimate elaborate deliberate perfect frequent absent"
)
_ASKING = _words("how what where who whether when if why")
_PLACES = _words("nice reading mobile")
_NUMBERS = _words(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"
)
_MARKS = frozenset(".,;:!?—…")

_OBJECTS = _words("me him her us them it")
_SINGLE_SUBJECTS = _words("he she it who which that this never always automatically")
_FEW = _words("only my less more")

_BEFORE_A_NOUN = _words("DT PRP$ JJ JJR JJS CD POS")
_AFTER_A_NOUN = _words("IN CC VBD VBN VBZ VBP MD TO VBG")
_BEFORE_A_QUESTION = _words("RB JJ NN NNS UH NNP")
_IN_A_SUBJECT = _words("DT PRP PRP$ NN NNS NNP NNPS JJ CD POS")
_ENDS_A_SUBJECT = _words("PRP NN NNS NNP NNPS")


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
    found = [_possible(word, tag) for word, tag in zip(small, tags, strict=True)]
    for place, word in enumerate(words):
        choice = readings(word)
        if len(choice) > 1:
            found[place] = _sense(_Spot(place, small, found), word)
            if found[place] == "JJ" and "ADJ" not in choice and _names_a_noun(_Spot(place, small, found)):
                found[place] = "NN"
    return found


@dataclass(frozen=True, slots=True)
class _Spot:
    """A word in its sentence."""

    place: int
    """Index of the word."""

    words: Sequence[str]
    """The sentence in small letters."""

    tags: Sequence[str]
    """Parts of speech; those before the word are decided, the others are the tagger's."""

    @property
    def word(self) -> str:
        """The word itself."""
        return self.words[self.place]

    @property
    def tag(self) -> str:
        """What the tagger takes it for."""
        return self.tags[self.place]

    def near(self, distance: int) -> str:
        """The word so far away, a full stop outside the sentence."""
        place = self.place + distance
        return self.words[place] if 0 <= place < len(self.words) else "."

    def near_tag(self, distance: int) -> str:
        """The part of speech of the word so far away."""
        place = self.place + distance
        return self.tags[place] if 0 <= place < len(self.tags) else "."

    @property
    def start(self) -> int:
        """Index of the first word of the clause."""
        place = self.place
        while place and self.words[place - 1] not in _MARKS:
            place -= 1
        return place

    @property
    def noun_follows(self) -> bool:
        """Whether the next word is a noun."""
        return self.near_tag(1).startswith("NN")

    @property
    def finite_follows(self) -> bool:
        """Whether the rest of the clause has a verb that says what happens."""
        for word, tag in zip(self.words[self.place + 1 :], self.tags[self.place + 1 :], strict=True):
            if word in _MARKS or word in _SUBORDINATE:
                return False
            if word in _FINITE or tag in ("VBZ", "VBP", "VBD", "MD"):
                return True
        return False

    @property
    def only_verb(self) -> bool:
        """Whether the clause has no other verb."""
        earlier = self.tags[self.start : self.place]
        return not self.finite_follows and not any(tag.startswith(("VB", "MD")) for tag in earlier)

    @property
    def object_follows(self) -> bool:
        """Whether what follows is what a verb is done to."""
        after = self.near(1)
        return after in _DETERMINERS or after in _PRONOUNS - {"all", "both"} or after in _AMOUNTS


def _possible(word: str, tag: str) -> str:
    """The tag, or a likelier one where the tagger was misled by a rare word."""
    if word in _NUMBERS:
        return "CD"
    return "VBP" if tag == "VBZ" and not word.endswith("s") else tag


def _names_a_noun(spot: _Spot) -> bool:
    """Whether what was taken for an adjective is the first of two nouns: "the overflow pipe"."""
    return spot.noun_follows and spot.word not in _ADJECTIVES


def _sense(spot: _Spot, spelled: str) -> str:
    if spot.word in _PLACES and not spelled[:1].isupper():
        return spot.tag
    if spot.word == "polish" and spelled[:1].isupper() and spot.near(-1) not in _MARKS:
        return "POLAND"
    around = [*spot.words[max(spot.place - _WINDOW, 0) : spot.place], "@"]
    sentence = " ".join([*around, *spot.words[spot.place + 1 : spot.place + _WINDOW]])
    meant = next((sense for sense, pattern in _patterns(spot.word) if pattern.search(sentence)), None)
    if meant or spot.word == "read":
        return meant or _read(spot)
    return next(filter(None, (rule(spot) for rule in _RULES)), spot.tag)


def _read(spot: _Spot) -> str:
    """After a single thing or a name, or after another verb in the past, "read" is in the past."""
    told = spot.near(-1) in ("and", "then") and "VBD" in spot.tags[: spot.place]
    return "PAST" if told or spot.near_tag(-1) in ("NN", "NNP") else "VB"


# Each rule puts a tag right where people talk to a house otherwise than newspapers, which the tagger learnt.


def _named(spot: _Spot) -> str | None:
    """After "the", "your" and the like there is no verb."""
    helped = spot.near(-1) == "her" and spot.near(-2) in _HELPERS
    if spot.near(-1) not in _DETERMINERS or helped:
        return None
    return spot.tag if not spot.tag.startswith("VB") else "JJ" if spot.noun_follows else "NN"


def _infinitive(spot: _Spot) -> str | None:
    """After "to", "can", "don't", and in questions such as "did the heater use"."""
    before, earlier = spot.near(-1), spot.near(-2)
    if before == "to":
        return None if earlier in _NOT_THE_INFINITIVE and spot.noun_follows else "VB"
    if before in _MODALS:
        return None if spot.tag in ("JJ", "RB") and before in ("do", "does", "did") else "VB"
    if before == "not" or (before.endswith("ly") and spot.near_tag(-1) == "RB"):
        return "VB" if earlier in _MODALS else None
    return "VB" if _asked(spot) else None


def _asked(spot: _Spot) -> bool:
    """Whether an auxiliary opens the clause and all between it and the word is its subject."""
    start, place, tags = spot.start, spot.place, spot.tags
    opening = next((n for n in range(start, min(place, start + 5)) if spot.words[n] in _QUESTION), place)
    if any(tag[:1] != "W" and tag not in _BEFORE_A_QUESTION for tag in tags[start:opening]):
        return False
    subject = [tag for tag in tags[opening + 1 : place] if tag != "RB"]
    whole = bool(subject) and all(tag in _IN_A_SUBJECT for tag in subject)
    return whole and subject[-1] in _ENDS_A_SUBJECT and spot.near_tag(1) != "VB"


def _done_by_us(spot: _Spot) -> str | None:
    """After "I", "you", "we", "they", and after "let me"."""
    if spot.near(-1) in _SUBJECTS and not spot.tag.startswith(("VBD", "VBN", "NNS", "VBZ")):
        return "VBP"
    return "VB" if spot.near(-1) in _OBJECTS and spot.near(-2) in _HELPERS else None


def _counted(spot: _Spot) -> str | None:
    """ "Wash all produce": a noun."""
    counted = spot.near(-1) in ("all", "more", "less", "much", "enough") and spot.place > 1
    return "NN" if counted and spot.near_tag(-2) not in ("PRP", "NNS", "NNPS", "DT", "WP") else None


def _ordered(spot: _Spot) -> str | None:
    """At the head of its clause: a command, or else no verb."""
    head = slice(spot.start, spot.place)
    for word, tag in zip(spot.words[head], spot.tags[head], strict=True):
        if word not in _OPENERS and not (word.endswith("ly") and tag == "RB"):
            return None
    if _is_command(spot):
        return "VB"
    return "NN" if spot.tag.startswith(("VB", "NNP")) else spot.tag


def _is_command(spot: _Spot) -> bool:
    after, tag = spot.near(1), spot.near_tag(1)
    if spot.word in _RATHER_ADJECTIVES and tag.startswith("NN"):
        return False
    if after in _DETERMINERS | _PRONOUNS | _PARTICLES | _ASKING | _FEW:
        return True
    if after in _MARKS or after in _FINITE or tag in _AFTER_A_NOUN:
        return False
    return not spot.finite_follows


def _ordered_too(spot: _Spot) -> str | None:
    """ "Turn it on and record it"."""
    joined = spot.near(-1) in ("and", "or", "then", ",")
    if joined and (spot.near(1) in _DETERMINERS or spot.near(1) in _PRONOUNS):
        return spot.tag if spot.tag.startswith("VB") else "VB"
    return None


def _after_a_noun(spot: _Spot) -> str | None:
    """A single thing does nothing without an s: "set the treadmill incline"."""
    single = spot.near_tag(-1) in ("NN", "NNP") or (
        spot.near(-2) in _DETERMINERS and spot.near_tag(-1) == "JJ"
    )
    if spot.tag not in ("VB", "VBP") or not single or spot.near_tag(-2) == "CC":
        return None
    return None if _HELPERS.intersection(spot.words[spot.start : spot.place]) else "NN"


def _with_s(spot: _Spot) -> str | None:
    """Of words in -s, plural or verb: "the records show", "it records the show"."""
    if spot.tag not in ("VBZ", "NNS", "NNPS"):
        return None
    before, tag = spot.near(-1), spot.near_tag(-1)
    if before in _SINGLE_SUBJECTS:
        return "VBZ"
    if spot.object_follows and tag in ("JJ", "NN", "NNP") and spot.only_verb:
        return "VBZ"
    if before in _MARKS or before in _BE or tag in _BEFORE_A_NOUN:
        return "NNS"
    return "VBZ" if tag in ("NN", "NNP") and (spot.object_follows or spot.only_verb) else None


def _done_by_many(spot: _Spot) -> str | None:
    """What a plural in front of it does: "metals contract in the cold"."""
    many = spot.near_tag(-1) in ("NNS", "NNPS") and spot.near(-1) not in _LIKE_PLURALS
    verb = many and spot.tag in ("NN", "JJ", "JJS", "RB") and not spot.noun_follows and spot.only_verb
    return "VBP" if verb else None


_RULES: tuple[Callable[[_Spot], str | None], ...] = (
    _named, _infinitive, _done_by_us, _counted, _ordered, _ordered_too, _after_a_noun, _with_s, _done_by_many
)  # fmt: skip
