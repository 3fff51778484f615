"""Which phonemes of a clause belong to which of its words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence

_WEAK = str.maketrans({"ɐ": "ə", "ᵻ": "ə", "ɪ": "ə", "ᵊ": "ə", "ʌ": "ə", "ˈ": None, "ˌ": None, "ː": None})
_SNAP = 2
"""A word that ends this near to a space ends at the space."""


def align(spoken: Sequence[str], words: Sequence[Sequence[str]]) -> list[str]:
    """Share out the phonemes of a clause among its words.

    `spoken` are the phonemes of the clause between spaces, `words` those of each of its words when read
    alone: mostly the same, but a number is several, and "in the" may be glued into one, which is cut here.
    Returns as many strings as there are words, "" for a silent one; all of `spoken` is in them, in order.
    """
    if not words:
        return []
    if len(words) == 1:
        return [" ".join(spoken)]
    alone = [(_bare(part), owner) for owner, parts in enumerate(words) for part in parts]
    groups: list[list[str]] = [[] for _ in words]
    blocks = difflib.SequenceMatcher(
        None, [part for part, _ in alone], [_bare(part) for part in spoken], False
    )
    for _, i1, i2, j1, j2 in blocks.get_opcodes():
        _share(spoken[j1:j2], alone[i1:i2], groups, alone[max(i1 - 1, 0)][1] if alone else 0)
    return [" ".join(group) for group in groups]


def _share(
    spoken: Sequence[str], alone: Sequence[tuple[str, int]], groups: list[list[str]], before: int
) -> None:
    """Share out one stretch; `before` is the word in front of it, which gets what nobody claims."""
    if len(spoken) == len(alone):
        for part, (_, owner) in zip(spoken, alone, strict=True):
            groups[owner].append(part)
    elif not alone:
        groups[before].extend(spoken)
    elif spoken:
        owners = list(dict.fromkeys(owner for _, owner in alone))
        expected = ["".join(part for part, of in alone if of == owner) for owner in owners]
        for owner, part in zip(owners, _cut(" ".join(spoken), expected), strict=True):
            groups[owner].extend(part.split())


def _cut(spoken: str, expected: Sequence[str]) -> list[str]:
    """Cut phonemes into as many parts as are expected, at spaces where there is one near enough."""
    places = [place for place, symbol in enumerate(spoken) if symbol != " " and _bare(symbol)]
    target, source = _bare(spoken.replace(" ", "")), "".join(expected)
    starts = {n for n, place in enumerate(places) if " " in spoken[places[n - 1] if n else 0 : place]}
    position = _mapping(source, target)
    cuts, reached, last = [0], 0, 0
    for word in expected[:-1]:
        reached += len(word)
        last = max(
            last, _nearest(position(reached), starts, last, _matches(source, target, reached, position))
        )
        cuts.append(_before_stress(spoken, places[last]) if last < len(places) else len(spoken))
    return [spoken[a:b].strip() for a, b in zip(cuts, [*cuts[1:], len(spoken)], strict=True)]


def _nearest(wanted: int, starts: set[int], last: int, sure: bool) -> int:
    """Where to cut: at a space near the wanted place, inside glued words only where it is sure."""
    near = [start for start in starts if start > last and (abs(start - wanted) <= _SNAP or not sure)]
    if sure and wanted > last and (wanted in starts or not near or min(abs(n - wanted) for n in near) > 1):
        return wanted
    return min(near, key=lambda start: abs(start - wanted), default=wanted)


def _matches(source: str, target: str, reached: int, position: Callable[[int], int]) -> bool:
    """Whether a phoneme next to the cut is the one that was expected there."""
    place = position(reached)
    behind = source[reached : reached + 1] == target[place : place + 1] != ""
    return behind or source[max(reached - 1, 0) : reached] == target[max(place - 1, 0) : place] != ""


def _mapping(source: str, target: str) -> Callable[[int], int]:
    """Where a place in `source` is in `target`; never decreasing."""
    codes = difflib.SequenceMatcher(None, source, target, autojunk=False).get_opcodes()

    def position(place: int) -> int:
        for _, i1, i2, j1, j2 in codes:
            if i1 <= place < i2:
                return j1 + (place - i1) * (j2 - j1) // (i2 - i1)
        return len(target)

    return position


def _before_stress(spoken: str, place: int) -> int:
    """The place, or in front of the stress marks that belong to it."""
    while place and spoken[place - 1] in "ˈˌ":
        place -= 1
    return place


def _bare(phonemes: str) -> str:
    """Phonemes without what differs between a word alone and the word in its sentence."""
    return phonemes.translate(_WEAK)
