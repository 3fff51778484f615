"""Wide and joined characters of Chinese and Japanese text as the plain ones that the rules know."""

from __future__ import annotations

import re
import unicodedata

from wyoming_tts.text.aligned import AlignedText

SPECIAL = "½¼¾⅓⅔⅛Ⅰ-Ⅻ①-⑳²³"
"""Characters with a number in them that are no digits, as part of a character class."""

_FOLDED = re.compile("[０-９Ａ-Ｚａ-ｚ％＄￥￡￦＋＝＃＆㎀-㏝㏿℃℉Ω№µ⁄∕①-⑳Ⅰ-Ⅻ]")
_FOLDS = {"℃": "°C", "℉": "°F", "№": "No.", "µ": "μ", "Ω": "Ω", "⁄": "/", "∕": "/", "￥": "¥"}
_POWERS = str.maketrans({"2": "²", "3": "³"})
_FULL_MARKS = re.compile(r"(?<=\d)[：．，](?=\d)")
_THOUSANDS = re.compile(r"(?<![\d,.])(\d{1,3})((?:,\d{3}){1,8})(?![\d,])")
_ROMAN = re.compile(r"(?<=第)\s?(X{0,3}(?:IX|IV|V?I{0,3}))(?![A-Za-z])")
_LIST = re.compile(r"(?<=\d),(?=\d)")
_PART = re.compile(r"(\d?)\s?([½¼¾⅓⅔⅛])")


def fold(text: AlignedText) -> AlignedText:
    """Full-width digits, letters and signs as plain ones, squared units spelled, thousands without commas."""
    return text.apply(
        (
            (_FOLDED, lambda m: _folded(m[0])),
            (_ROMAN, lambda m: _roman(m[1])),
            (_PART, _fraction),
            (_FULL_MARKS, lambda m: unicodedata.normalize("NFKC", m[0])),
            (_THOUSANDS, lambda m: m[1] + m[2].replace(",", "")),
            (_LIST, "、"),
        )
    )


def _roman(written: str) -> str | None:
    """`XIV` -> 14."""
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in written]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return str(sum(-value if value < after else value for value, after in pairs)) if values else None


def _fraction(match: re.Match[str]) -> str:
    """`½` -> 1/2, `1½` -> 1 1/2."""
    part = unicodedata.normalize("NFKC", match[2]).replace("⁄", "/")
    return f"{match[1]} {part}" if match[1] else part


def _folded(symbol: str) -> str:
    if symbol in _FOLDS:
        return _FOLDS[symbol]
    if "Ⅰ" <= symbol <= "⑳":
        return f"{unicodedata.numeric(symbol):.0f}"
    plain = unicodedata.normalize("NFKC", symbol).replace("∕", "/").replace("⁄", "/")
    return plain.translate(_POWERS) if "㎀" <= symbol <= "㏝" and not plain[0].isdigit() else plain
