"""Every regular expression of the package, and the strings that are worst for each:

    python -m tests.fuzz.regexes

The report has the slowest, each with the string that is worst for it.
"""

from __future__ import annotations

import ast
import importlib
import json
import math
import pkgutil
import random
import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _constants as sre
from re import _parser as sre_parse
from typing import Any

import wyoming_tts

PACKAGE = Path(wyoming_tts.__file__).parent
SAMPLES = "a1 .Aé一ア:-,/'\n\0_%€<[(\"*#&@~|\\"
"""One or more characters of each class that expressions know."""

PUMPS = (
    "a",
    "1",
    " ",
    ".",
    "a ",
    "1 ",
    "1.",
    "1,",
    "1:",
    "-",
    "a.",
    "A",
    "一",
    "a-",
    "/",
    "<",
    "[",
    "(",
    "*",
    "_",
)
ENDS = ("\0", "!")
MOST_PUMPS = 60


@dataclass(frozen=True, slots=True)
class Found:
    """An expression, and where it is."""

    pattern: re.Pattern[str]
    where: str


def expressions() -> list[Found]:
    """All that are made when everything is imported and a text of each language was read, each once."""
    found: dict[tuple[str, int], Found] = {}
    for module in _modules():
        names = vars(module).items()
        for pattern in _patterns([value for name, value in names if not name.startswith("__")], 0, set()):
            found.setdefault((pattern.pattern, pattern.flags), Found(pattern, module.__name__))
    for path in sorted(PACKAGE.rglob("*.py")):
        for text in _inline(ast.parse(path.read_text())):
            found.setdefault((text, 32), Found(re.compile(text), str(path.relative_to(PACKAGE))))
    return list(found.values())


def _modules() -> Iterator[Any]:
    for info in pkgutil.walk_packages([str(PACKAGE)], "wyoming_tts."):
        if not info.name.endswith("__main__"):
            try:
                yield importlib.import_module(info.name)
            except ImportError:  # what it takes is not installed
                print(f"{info.name} is left out", file=sys.stderr)


def _patterns(values: Iterable[Any], depth: int, seen: set[int]) -> Iterator[re.Pattern[str]]:
    """Those in a module's values, however they are kept."""
    for value in values:
        if isinstance(value, re.Pattern):
            if isinstance(value.pattern, str):
                yield value
        elif depth < 6 and id(value) not in seen:
            seen.add(id(value))
            yield from _patterns(_inside(value), depth + 1, seen)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return list(value.values()) + list(value)
    if isinstance(value, list | tuple | set | frozenset):
        return value if len(value) < 5000 else ()
    kind = value if isinstance(value, type) else type(value)
    if not str(kind.__module__).startswith("wyoming_tts"):
        closure = getattr(value, "__closure__", None) or ()
        own = str(getattr(value, "__module__", "")).startswith("wyoming_tts")
        return [cell.cell_contents for cell in closure if own]
    kept = list(getattr(value, "__dict__", {}).values())
    slots = [getattr(value, name, None) for name in getattr(kind, "__slots__", ()) if isinstance(name, str)]
    return kept + slots


def _inline(tree: ast.AST) -> Iterator[str]:
    """Those that stand in a call of `re`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr not in ("escape", "compile")
            and node.args
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ):
            yield node.args[0].value


def attacks(pattern: re.Pattern[str], rng: random.Random, most: int) -> list[tuple[str, str, str]]:
    """What to begin with, what to repeat, and what to end with: of the expression's own parts, and others."""
    tree = sre_parse.parse(pattern.pattern, pattern.flags)
    made: dict[tuple[str, str], None] = {}
    for before, body in _repeats(list(tree), [], rng):
        made[before, body] = None
        made["", body] = None
    pumps = [pump for pump in made if pump[1]]
    rng.shuffle(pumps)
    pumps = [("", pump) for pump in PUMPS] + pumps[:most]
    return [(before, pump, end) for before, pump in pumps for end in ENDS]


def _repeats(nodes: list[Any], before: list[Any], rng: random.Random) -> Iterator[tuple[str, str]]:
    """The bodies of all repetitions, with something that leads to each; neighbours together, too."""
    path = list(before)
    last = ""
    for operator, argument in nodes:
        if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, body = argument
            if most > 8:
                one = _sample(list(body), rng)
                lead = _sample(path, rng)
                yield lead, one
                yield lead, one + _sample(list(body), rng)
                if last:
                    yield lead, last + one
                last = one
            yield from _repeats(list(body), path, rng)
        for inner in _children(operator, argument):
            yield from _repeats(inner, path, rng)
        path.append((operator, argument))


def _children(operator: Any, argument: Any) -> list[list[Any]]:
    if operator is sre.SUBPATTERN:
        return [list(argument[3])]
    if operator is sre.BRANCH:
        return [list(one) for one in argument[1]]
    if operator in (sre.ASSERT, sre.ASSERT_NOT):
        return [list(argument[1])]
    if operator is sre.ATOMIC_GROUP:
        return [list(argument)]
    if operator is sre.GROUPREF_EXISTS:
        return [list(one) for one in argument[1:] if one]
    return []


def _sample(nodes: list[Any], rng: random.Random) -> str:
    """Something that matches, as far as that is easy."""
    return "".join(_sample_one(operator, argument, rng) for operator, argument in nodes)


def _sample_one(operator: Any, argument: Any, rng: random.Random) -> str:
    if operator is sre.LITERAL:
        return chr(argument)
    if operator is sre.NOT_LITERAL:
        return next(one for one in SAMPLES if ord(one) != argument)
    if operator is sre.ANY:
        return "a"
    if operator is sre.IN:
        return _member(argument, rng)
    if operator in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, most, body = argument
        return "".join(_sample(list(body), rng) for _ in range(max(least, min(1, most))))
    if operator in (sre.ASSERT, sre.ASSERT_NOT):
        return ""
    children = _children(operator, argument)
    return _sample(rng.choice(children), rng) if children else ""


def _member(items: list[Any], rng: random.Random) -> str:
    fitting = [one for one in SAMPLES if _is_in(one, items)]
    for operator, argument in items:
        if operator is sre.LITERAL:
            fitting.append(chr(argument))
        elif operator is sre.RANGE:
            fitting.append(chr(argument[0]))
    return rng.choice(fitting) if fitting else "x"


def _is_in(character: str, items: list[Any]) -> bool:
    negated = bool(items) and items[0][0] is sre.NEGATE
    hit = False
    for operator, argument in items:
        if operator is sre.LITERAL:
            hit |= ord(character) == argument
        elif operator is sre.RANGE:
            hit |= argument[0] <= ord(character) <= argument[1]
        elif operator is sre.CATEGORY:
            hit |= bool(re.match(_CATEGORIES.get(argument, r"(?!)"), character))
    return hit != negated


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D", sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S", sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def text_of(attack: tuple[str, str, str], length: int) -> str:
    """An attack in some length."""
    before, pump, end = attack
    return before + pump * max(1, length // len(pump)) + end


LADDER = (12, 16, 20, 24, 28, 48, 150, 600)
"""Lengths that are tried in turn: what doubles with each character is seen before it is too late."""

SENTENCE = 600
"""More characters than any sentence has that is given to an expression."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The worst string of an expression: its time, and the power of its length by which that grows."""

    found: Found
    attack: tuple[str, str, str]
    length: int
    seconds: float
    power: float


def worst_of(found: Found, rng: random.Random, *, pumps: int = MOST_PUMPS, bound: float = math.inf) -> Worst:
    """The worst of all attacks in growing lengths, up to one that takes more than `bound` seconds."""
    worst = Worst(found, ("", "a", ""), 1, 0.0, 0.0)
    for attack in attacks(found.pattern, rng, pumps):
        for length in LADDER:
            spent = _scan(found.pattern, text_of(attack, length))
            if spent > worst.seconds:
                worst = Worst(found, attack, length, spent, 0.0)
            if spent > bound:
                return worst
    if worst.seconds < 0.002:  # too little to tell how it grows
        return worst
    half, whole = (
        min(_scan(found.pattern, text_of(worst.attack, length)) for _ in range(3))
        for length in (worst.length // 2, worst.length)
    )
    return Worst(found, worst.attack, worst.length, whole, math.log2(whole / max(half, 1e-6)))


def _scan(pattern: re.Pattern[str], text: str) -> float:
    """Processor time that it takes to find all there is."""
    began = time.thread_time()
    for _ in pattern.finditer(text):
        pass
    return time.thread_time() - began


def main() -> None:
    """The command."""
    every = expressions()
    worst = sorted(
        (worst_of(one, random.Random(1), bound=1.0) for one in every), key=lambda one: -one.seconds
    )
    print(f"{len(every)} expressions, {SENTENCE} characters")
    for one in worst[:40]:
        told = [round(one.seconds * 1000, 2), round(one.power, 2), one.found.where, one.length, one.attack]
        print(json.dumps([*told, one.found.pattern.pattern[:110]], ensure_ascii=False))


if __name__ == "__main__":
    main()
