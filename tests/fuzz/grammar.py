"""Wyoming frames by grammar and by mutation, each with what a reader must make of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from wyoming_tts.wire import Limits

Verdict = Literal["event", "refused", "either"]

TYPES = (
    *("describe", "ping", "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop"),
    *("select-program", "audio-chunk", "transcribe", "error", "info", "synthesize-stopped", "x"),
)
KEYS = ("text", "voice", "name", "context", "speed", "text_format", "type", "data", "data_length", "", "é")
TEXTS = (
    *("", "Hello.", "The light is on.", "21.5°C at 7:05", "\0", "\u202e\u200b\ufeff", "\U0001f600" * 3),
    *(
        "<speak>a<break time='1s'/>b</speak>",
        "</speak>",
        "&amp;<",
        "```",
        "[a](/b/)",
        "a\r\n\r\nb",
        "…",
        "。",
    ),
    *("1" * 300, "9:" * 40, "(" * 60, "*" * 80, "a." * 50, "\u0301" * 40, "http://" + "a" * 80, "-" * 100),
)
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**40, 1.5, -0.0, 1e308, True)
WRONG_LENGTHS = (
    *("-1", "-9223372036854775808", "1.0", "1e3", "1e400", "-1e400", "NaN", "Infinity", "true", "false"),
    *('"1"', '""', "[]", "{}", "[1]", "1000000000000", "18446744073709551616", "1" * 4000, "-0.0"),
)
NOT_UTF8 = (b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xc0\xaf", b"\x80")
WRONG_TYPES = ("null", "1", "true", "[]", "{}", '""', '["ping"]', "1.5", "NaN")


@dataclass(frozen=True, slots=True)
class Frame:
    """Bytes, and what they must become."""

    raw: bytes
    verdict: Verdict
    type: str = ""
    data: dict[str, Any] | None = None


class Grammar:
    """Frames at random; the same random numbers give the same frames."""

    def __init__(self, rng: random.Random, limits: Limits) -> None:
        """`limits` say what is too much."""
        self._rng, self._limits = rng, limits
        self._kinds: list[tuple[Callable[[], Frame], int]] = [
            (self.valid, 50), (self.wrong_length, 6), (self.wrong_type, 6), (self.wrong_data, 4),
            (self.not_utf8, 4), (self.too_long, 3), (self.deep, 3), (self.doubled, 4), (self.surrogate, 3),
            (self.mutated, 20), (self.spliced, 6), (self.noise, 4), (self.huge_number, 1),
        ]  # fmt: skip

    def frame(self) -> Frame:
        """Of any kind."""
        kinds, weights = zip(*self._kinds, strict=True)
        made: Frame = self._rng.choices(kinds, weights)[0]()
        return made

    def valid(self) -> Frame:
        """An event, with data in the line, behind it, in both or nowhere, and perhaps a payload."""
        rng = self._rng
        kind = rng.choice(TYPES)
        inline, behind = self._object(2), self._object(2)
        header: dict[str, Any] = {"type": kind}
        expected: dict[str, Any] = {}
        tail = b""
        if rng.random() < 0.6:
            header["data"] = inline
            expected |= inline
        if rng.random() < 0.6:
            tail = self._dumped(behind)
            header["data_length"] = len(tail)
            expected |= behind
        if rng.random() < 0.3:
            payload = rng.randbytes(rng.choice((0, 1, 7, 100, self._limits.payload_bytes)))
            header["payload_length"] = len(payload)
            tail += payload
        if rng.random() < 0.2:
            header |= {"version": "1.5.4", "new": self._value(1), "payload_type": None}
        items = list(header.items())
        rng.shuffle(items)
        line = self._dumped(dict(items))
        if max(len(line) + 1, header.get("data_length", 0)) > self._limits.data_bytes:
            return self.valid()
        return Frame(line + b"\n" + tail, "event", kind, expected)

    def wrong_length(self) -> Frame:
        """A length that is negative, huge or no whole number."""
        key, value = self._rng.choice(("data_length", "payload_length")), self._rng.choice(WRONG_LENGTHS)
        return Frame(b'{"type":"x","%s":%s}\n' % (key.encode(), value.encode()), "refused")

    def wrong_type(self) -> Frame:
        """A type that is no string, or none."""
        value = self._rng.choice(WRONG_TYPES)
        return Frame(self._rng.choice(('{"type":%s}', '{"data":{},"type":%s}', "%s")).replace("%s", value)
                     .encode() + b"\n", "refused")  # fmt: skip

    def wrong_data(self) -> Frame:
        """Data that is no object, in the line or behind it."""
        value = self._rng.choice(('"x"', "1", "[]", "true", "[{}]", "NaN")).encode()
        if self._rng.random() < 0.5:
            return Frame(b'{"type":"x","data":%s}\n' % value, "refused")
        return Frame(b'{"type":"x","data_length":%d}\n%s' % (len(value), value), "refused")

    def not_utf8(self) -> Frame:
        """Bytes that are no UTF-8, in the line or behind it."""
        wrong = b'{"type":"ping","text":"' + self._rng.choice(NOT_UTF8) + b'"}'
        if self._rng.random() < 0.5:
            return Frame(wrong + b"\n", "refused")
        return Frame(b'{"type":"x","data_length":%d}\n%s' % (len(wrong), wrong), "refused")

    def too_long(self) -> Frame:
        """One byte more than is taken, or many."""
        more = self._rng.choice((1, 2, 1000))
        if self._rng.random() < 0.5:
            body = b'{"type":"x","data":{"a":"%s"}}' % (b"a" * (self._limits.line_bytes + more))
            return Frame(body + b"\n", "refused")
        key = self._rng.choice(("data_length", "payload_length"))
        limit = self._limits.data_bytes if key == "data_length" else self._limits.payload_bytes
        return Frame(b'{"type":"x","%s":%d}\n' % (key.encode(), limit + more) + b"a" * more, "refused")

    def deep(self) -> Frame:
        """Deeper than is taken, in lists, objects or both, ended or not."""
        depth = self._rng.choice((self._limits.nesting, self._limits.nesting + 1, 500, 3000))
        opening, closing = self._rng.choice((("[", "]"), ('{"a":', "}"), ('[{"":', "}]")))
        inner = opening * depth + "1" + closing * self._rng.choice((depth, 0, depth + 1))
        body = ('{"a":' + inner + "}").encode()
        if len(body) <= self._limits.data_bytes and self._rng.random() < 0.5:
            return Frame(b'{"type":"x","data_length":%d}\n%s' % (len(body), body), "refused")
        return Frame(b'{"type":"x","data":%s}\n' % body, "refused")

    def doubled(self) -> Frame:
        """Keys that are there twice: the last one holds."""
        first, last = self._rng.choice(WRONG_TYPES), self._rng.choice(TYPES)
        raw = f'{{"type":{first},"data_length":-1,"type":"{last}","data":[],"data":{{"a":1,"a":2}}'
        raw += ',"data_length":0}'
        return Frame(raw.encode() + b"\n", "event", last, {"a": 2})

    def surrogate(self) -> Frame:
        """Half a character, as JSON can spell it."""
        half = self._rng.choice((r"\ud800", r"\uDFFF", r"a\uD8bcb", r"\udc00\ud800"))
        body = b'{"text":"%s"}' % half.encode()
        if self._rng.random() < 0.5:
            return Frame(b'{"type":"ping","data":%s}\n' % body, "refused")
        return Frame(b'{"type":"ping","data_length":%d}\n%s' % (len(body), body), "refused")

    def huge_number(self) -> Frame:
        """A number with more digits than Python makes a number of."""
        return Frame(b'{"type":"x","data":{"a":%s}}\n' % (b"7" * 4301), "refused")

    def mutated(self) -> Frame:
        """A frame with some bytes wrong, doubled, moved or missing."""
        raw = bytearray(self.valid().raw)
        for _ in range(self._rng.choice((1, 1, 2, 5))):
            self._mutate(raw)
        return Frame(bytes(raw), "either")

    def spliced(self) -> Frame:
        """The beginning of one frame and the end of another."""
        first, second = self.valid().raw, self.valid().raw
        return Frame(first[: self._place(first)] + second[self._place(second) :], "either")

    def noise(self) -> Frame:
        """Anything."""
        return Frame(self._rng.randbytes(self._rng.choice((1, 2, 30, 300))) + b"\n", "either")

    def _place(self, raw: bytes | bytearray) -> int:
        return self._rng.randrange(len(raw) + 1)

    def _mutate(self, raw: bytearray) -> None:
        rng, at = self._rng, self._place(raw)
        size = rng.choice((1, 1, 4, 30))
        match rng.randrange(6):
            case 0:
                raw[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del raw[at : at + size]
            case 2:
                raw[at:at] = rng.randbytes(size)
            case 3:
                raw[at:at] = raw[at : at + size]
            case 4:
                raw[at:at] = rng.choice((b'"', b"{", b"}", b"\n", b"\\u", b":", b",", b"-", b"e9", b"\0"))
            case _ if raw and at < len(raw):
                raw[at] ^= 1 << rng.randrange(8)

    def _value(self, depth: int) -> Any:
        rng = self._rng
        if depth > 0 and rng.random() < 0.3:
            return (
                self._object(depth - 1) if rng.random() < 0.5 else [self._value(depth - 1)] * rng.randrange(3)
            )
        return rng.choice((None, True, False, rng.choice(NUMBERS), rng.choice(TEXTS), rng.choice(TEXTS)))

    def _object(self, depth: int) -> dict[str, Any]:
        keys = self._rng.choices(KEYS, k=self._rng.choice((0, 1, 1, 2, 4)))
        return {key: self._value(depth) for key in keys}

    def _dumped(self, value: dict[str, Any]) -> bytes:
        separators = self._rng.choice(((",", ":"), (", ", ": "), (" ,\t", " :\r")))
        return json.dumps(value, ensure_ascii=self._rng.random() < 0.5, separators=separators).encode()
