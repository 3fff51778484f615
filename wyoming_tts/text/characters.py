"""Single characters that are not for the ear: control characters, look-alikes, emoji, arrows."""

from __future__ import annotations

import re
import unicodedata

from wyoming_tts.text.aligned import AlignedText

PAUSE = "\ue000"
"""Stands where a short pause is wanted; `resolved` makes a comma or a space of it."""

STOP = "\ue001"
"""Stands where a long pause is wanted; `resolved` makes a full stop or a space of it."""

_SHIELD = 0xE100  # an ASCII mark that is no markup is kept as the private character this far on
_SHIELDED = re.compile("[\ue100-\ue17f]")
_ASCII_MARK = re.compile(r"[!-/:-@\[-`{-~]")

_CONTROLS = re.compile(
    r"\x1b\[[0-9;]{0,20}[A-Za-z]|"
    "[\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffd\ufdd0-\ufdef"
    "\ud800-\udfff\ue000-\uf8ff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]++"
)
_LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_LINE_FEED = re.compile("\n")
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")

_SAME = {
    **dict.fromkeys("‘’‚‛ʻʼ＇❛❜", "'"),
    **dict.fromkeys("❝❞＂", '"'),
    **dict.fromkeys("‐‑﹣－", "-"),
    **dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋", "0123456789+-", strict=True)),
    **dict(zip("❶❷❸❹❺❻❼❽❾➊➋➌➍➎➏➐➑➒➀➁➂➃➄➅➆➇➈", "123456789" * 3, strict=True)),
    **{"µ": "μ", "Ω": "Ω", "K": "K", "Å": "Å", "⁄": "/", "∕": "/", "∶": ":", "№": "No. ", "🔟": "10"},
    **{"❗": "!", "❕": "!", "❓": "?", "❔": "?", "‼": "!!", "⁇": "??", "⁈": "?!", "⁉": "!?", "￥": "¥"},
    **dict.fromkeys("❿➉➓", "10"),
}
_LOOK_ALIKE = re.compile(
    f"[{''.join(_SAME)}]|"
    # full-width letters, digits and signs (the stops and commas stay), half-width kana
    "[\uff03-\uff06\uff0a\uff0b\uff0f-\uff19\uff1c-\uff1e\uff20-\uff3a\uff3c\uff3f\uff41-\uff5a]"
    "|[\uff66-\uff9f]++|[\ufb00-\ufb06]|[\u3371-\u33df\u3358-\u3370\u33e0-\u33fe]|(?<=\\d)[．，：](?=\\d)"
    # Roman numerals, circled and squared letters and digits, letters for formulas
    "|[\u2160-\u217f\u24b6-\u24e9]|[\u2460-\u249b]|[\U0001d400-\U0001d7ff\U0001f100-\U0001f149]"
)
_DECOMPOSED = re.compile("[^\\W\\d_](?:[\u0300-\u036f]++|[\u3099\u309a])")

_KEYCAP = re.compile(r"([0-9#*])\u20e3( ?)(?=(\w?))")
_FOOTNOTE_SIGN = re.compile(r"(?<=[^\W\d_]{4})[¹²³†‡](?!\w)|[™®℠]")
_ARROW = re.compile(
    "[ ]?[\u2190-\u21ff\u2794\u2798-\u27af\u27b1-\u27be\u27f0-\u27ff\u2900-\u297f\u2b00-\u2b11"
    "\u2b30-\u2b4f]++[ ]?|(?:(?<= )|^)(?:-{1,2}|=)>(?= )"
)
_SIGN = {"➕": "+", "➖": "−", "✖": "×", "➗": "÷"}
_EMOJI_SIGN = re.compile("(?<=\\d)( ?)([➕➖✖➗])(?= ?\\d)")
_NOTABLE = frozenset("✅☑✔✓✗✘✖❌❎⚠ℹ")
_PICTURE = (
    "\u231a\u231b\u2328\u23cf\u23e9-\u23fa\u2500-\u266c\u2670-\u27bf\u2b12-\u2b2f\u2b50-\u2bff\u3030\u303d"
    "\u2139\u20d0-\u20ff\U0001f000-\U0001faff\U0001fb00-\U0001fbef"
)
_EMOJI = re.compile(f",? ?[{_PICTURE}]++(?: [{_PICTURE}]++)*+")

_SMILEY = re.compile(
    r" ?(?:(?<=[\s.!?…,])|^)(?:[:;=][-^o'’]?[)(\]DPpO]|:-?/|8-\)|:'\(|\^[_.]?\^|-_-)(?=[\s.!?…,]|\Z)"
    r"|¯\S{0,4}ツ\S{0,4}¯",
    re.MULTILINE,
)
_MENU = re.compile(r"\b([^\W\d_][\w']{0,60}+)( > )(?=([^\W\d_]{3}))")

_PAUSES = re.compile(f" ?[{PAUSE}{STOP}][ {PAUSE}{STOP}]*+")
_WIDE = re.compile("[\u2e80-\u9fff\uff00-\uffef]")
_POWERS = str.maketrans("23", "²³")
_PUNCTUATION = ",.;:!?…。、，！？；：।॥؟۔،؛—–"


def shielded(character: str) -> str:
    """A stand-in for a character that is not to be taken for markup, until `unshielded`."""
    return chr(_SHIELD + ord(character)) if _ASCII_MARK.match(character) else character


def unshielded(text: AlignedText) -> AlignedText:
    """With every stand-in replaced by its character."""
    return text.sub(_SHIELDED, lambda match: chr(ord(match[0]) - _SHIELD))


def shield_edits(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    """Edits that shield all marks in `text[start:end]`."""
    marks = _ASCII_MARK.finditer(text, start, end)
    return [(mark.start(), mark.end(), shielded(mark[0])) for mark in marks]


def tidied(text: AlignedText) -> AlignedText:
    """Without control and zero-width characters; spaces are single blanks, line ends line feeds."""
    return text.apply(((_CONTROLS, ""), (_LINE_ENDS, "\n"), (_SPACES, " ")))


def audible(text: AlignedText) -> AlignedText:
    """Without emoji and smileys; of characters that look or mean the same, the one that is known."""
    if not text.text.isascii():
        text = text.apply(_UNICODE)
    text = text.apply(((_SMILEY, ""), (_ARROW, PAUSE)))
    menus = [match for match in _MENU.finditer(text.text) if _is_menu(match)]
    return text.edited([(*match.span(2), PAUSE) for match in menus])


def resolved(text: AlignedText) -> AlignedText:
    """With commas, full stops or spaces for the pauses, unless other marks stand there already."""
    return text.apply(((_LINE_FEED, PAUSE), (_SPACES, " "), (_PAUSES, _pause), (_SPACES, " ")))


def _pause(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    if not start or end == len(text) or text[start - 1] in "([{" or text[end] in ",.;:!?…)]}":
        return ""
    if text[start - 1] in _PUNCTUATION or (text[start - 1] in "\"”'’)»" and text[start - 2] in _PUNCTUATION):
        return " "
    wide = _WIDE.match(text, start - 1)
    if STOP in match[0]:
        return "。" if wide else ". "
    return "，" if wide else ", "


def _is_menu(match: re.Match[str]) -> bool:
    """Whether `Settings > Devices` is a way through menus, and no comparison."""
    return len(match[1]) > 2 and match[1][0].isupper() and match[3][0].isupper()


def _same(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SAME:
        return _SAME[character]
    plain = unicodedata.normalize("NFKC", character).replace("∕", "/")
    if "\u3371" <= character <= "\u33df":
        return plain.translate(_POWERS)
    if "\u2460" <= character <= "\u249b" and match.string[match.end() : match.end() + 1].isalpha():
        return plain + PAUSE
    return plain


def _keycap(match: re.Match[str]) -> str:
    if not match[3]:
        return match[1] + match[2]
    line_start = match.start() == 0 or match.string[match.start() - 1] == "\n"
    return match[1] + (PAUSE if line_start else " ")


def _picture(match: re.Match[str]) -> str:
    text, start, end = match.string, match.start(), match.end()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    if after in ("", "\n") or after in _PUNCTUATION:
        return ""
    if match[0][0] == ",":
        return "," if after == " " else ", "
    following = text[end : end + 2].strip()[:1]
    if before.isalnum() and following.isalnum() and not _NOTABLE.isdisjoint(match[0]):
        return PAUSE
    glued = not before.strip() or after == " " or (_WIDE.match(before) and match[0][0] != " ")
    return "" if glued else " "


_UNICODE = (
    (_KEYCAP, _keycap),
    (_EMOJI_SIGN, lambda match: match[1] + _SIGN[match[2]]),
    (_FOOTNOTE_SIGN, ""),
    (_LOOK_ALIKE, _same),
    (_DECOMPOSED, lambda match: unicodedata.normalize("NFC", match[0])),
    (_EMOJI, _picture),
)
