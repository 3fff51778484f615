"""Mandarin: words by jieba, pinyin by pypinyin, and pinyin written as the model was trained on it."""

from __future__ import annotations

import functools
import re

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.g2p.base import Piece, Reader
from wyoming_tts.g2p.symbols import in_vocabulary

_INITIALS = {
    "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n", "l": "l", "g": "k", "k": "kʰ",
    "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "r": "ɻ", "z": "ʦ",
    "c": "ʦʰ", "s": "s", "": "",
}  # fmt: skip
"""Initial in pinyin -> symbols."""

_FINALS = {
    "a": "a0", "ai": "ai0", "an": "a0n", "ang": "a0ŋ", "ao": "au0", "e": "ɤ0", "ei": "ei0", "en": "ə0n",
    "eng": "ə0ŋ", "i": "i0", "ia": "ja0", "ian": "jɛ0n", "iang": "ja0ŋ", "iao": "jau0", "ie": "je0",
    "in": "i0n", "iou": "jou0", "ing": "i0ŋ", "iong": "jʊ0ŋ", "ong": "ʊ0ŋ", "ou": "ou0", "u": "u0",
    "uei": "wei0", "ua": "wa0", "uai": "wai0", "uan": "wa0n", "uen": "wə0n", "uang": "wa0ŋ",
    "ueng": "wə0ŋ", "uo": "wo0", "o": "wo0", "ü": "y0", "üe": "ɥe0", "üan": "ɥɛ0n", "ün": "y0n",
}  # fmt: skip
"""Final in pinyin -> symbols, 0 where the tone goes."""

_WHOLE = {
    "er": "ɚ0", "o": "ɔ0", "io": "jɔ0", "ê": "ɛ0", "hm": "hm0", "hng": "hŋ0", "m": "m0", "n": "n0",
    "ng": "ŋ0",
}  # fmt: skip
"""Syllables that are not an initial and a final."""

_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}
_BUZZING = frozenset(("zh", "ch", "sh", "r", "z", "c", "s"))
"""Initials after which i is not an i."""

_DIGITS = "零一二三四五六七八九"
_UNITS = {"%": "百分之", "℃": "摄氏度", "°": "度", "€": "欧元", "$": "美元", "¥": "元", "￥": "元"}
_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?::[0-9]{2})+|[-−]?[0-9][0-9,]*(?:\.[0-9]+)?[%％]?)"
    r"|(?P<latin>[A-Za-z\u00c0-\u024f][A-Za-z0-9\u00c0-\u024f'’&+.-]*)"
    r"|(?P<han>[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff〇]+)|(?P<unit>[℃°€$¥￥])"
)


class MandarinReader:
    """Reads Mandarin, and what is in Latin letters through another reader."""

    own_words = True

    def __init__(self, latin: Reader) -> None:
        """`latin` reads words in Latin letters. Raises BackendUnavailableError."""
        try:
            import pypinyin
            import rjieba
        except ImportError as error:
            raise BackendUnavailableError(
                f"Mandarin needs more packages ({error}): pip install 'wyoming-tts[zh]'"
            ) from error
        self._latin = latin
        self._cut = rjieba.cut
        self._pinyin = functools.partial(
            pypinyin.lazy_pinyin, style=pypinyin.Style.TONE3, errors="ignore", neutral_tone_with_five=True
        )

    def read(self, clause: str) -> list[Piece]:
        """One piece for each word that jieba finds, number, unit, or word in Latin letters."""
        pieces: list[Piece] = []
        for match in _TOKEN.finditer(clause):
            text, start = match.group(), match.start()
            if text in ("A", "a"):  # the letter; in English it would be the article
                pieces.append(Piece("ˈA", start, match.end()))
            elif match.lastgroup == "latin":
                pieces += [Piece(p.phonemes, p.start + start, p.end + start) for p in self._latin.read(text)]
            elif match.lastgroup == "han":
                pieces += self._words(text, start)
            else:
                year = clause[match.end() :].lstrip().startswith("年")
                spoken = _UNITS.get(text) or number_words(text, year)
                pieces.append(Piece(self._phonemes(spoken), start, match.end()))
        return pieces

    def _words(self, text: str, start: int) -> list[Piece]:
        pieces = []
        end = 0
        for word in self._cut(text):
            sounds = _alone(word, text[:end], text[end + len(word) :])
            phonemes = in_vocabulary(syllable(sounds)) if sounds else self._phonemes(word)
            pieces.append(Piece(phonemes, start + end, start + end + len(word)))
            end += len(word)
        return pieces

    def _phonemes(self, word: str) -> str:
        if word in _TUNING:
            return in_vocabulary(syllable("tiao2") + self._phonemes(word[1:]))
        if len(word) == 2 and word[1] == "只" and word[0] in _COUNT:
            return in_vocabulary(self._phonemes(word[0]) + syllable("zhi1"))
        return in_vocabulary("".join(map(syllable, self._pinyin(word))))


_TUNING = frozenset(f"调{how}" for how in ("亮", "暗", "高", "低", "大", "小", "到", "至", "成", "为", "好"))
"""Words in which 调 is "to adjust", which pypinyin does not know."""

_FOR = frozenset("了什何你我他她它您此谁大咱")
"""What stands behind 为 where it means "for" and not "to be"."""

_COUNT = frozenset("一二三四五六七八九十两几这那每半多百千")
_DEGREE = frozenset("很更太非比不好快慢多少高低亮暗大远久早晚真特相十越像")


def _alone(word: str, before: str, behind: str) -> str:
    """Pinyin of a character that is a word of its own and sounds otherwise in longer words; else ""."""
    if word == "为":
        return "wei4" if behind[:1] in _FOR and behind else "wei2"
    if word == "调":
        return "tiao2"
    if word == "只":
        return "zhi1" if before and before[-1] in _COUNT else ""
    if word == "得":
        return "de5" if before and behind[:1] in _DEGREE and behind else ""
    if word == "地":
        return "de5" if len(before) > 1 and before[-1] == before[-2] and behind else ""
    return ""


@functools.lru_cache(maxsize=2048)
def syllable(pinyin: str) -> str:
    """One syllable of pinyin with its tone behind (`hao3`) in symbols; "" for what is no pinyin."""
    from pypinyin.contrib.tone_convert import to_finals, to_initials

    plain, tone = pinyin[:-1].replace("v", "ü"), _TONES.get(pinyin[-1:], "")
    if plain in _WHOLE:
        return _WHOLE[plain].replace("0", tone)
    initial, final = to_initials(plain, strict=True), to_finals(plain, strict=True, v_to_u=True)
    sounds = "ɨ0" if final in ("i", "-i") and initial in _BUZZING else _FINALS.get(final, "")
    return (_INITIALS.get(initial, "") + sounds).replace("0", tone) if sounds else ""


def number_words(number: str, year: bool = False) -> str:
    """A number in Chinese words: `-21.5` -> 负二十一点五, `45%` -> 百分之四十五, `7:05` -> 七点零五."""
    if number[0] in "-−":
        return "负" + number_words(number[1:])
    if number[-1] in "%％":
        return "百分之" + number_words(number[:-1])
    if ":" in number:
        hour, minute = number.split(":")[:2]
        return f"{number_words(hour)}点{number_words(minute) if minute != '00' else ''}"
    whole, _, fraction = number.replace(",", "").partition(".")
    spell = len(whole) > 16 or (whole[0] == "0" and len(whole) > 1) or (year and len(whole) == 4)
    words = digit_words(whole) if spell else _integer(int(whole))
    return f"{words}点{digit_words(fraction)}" if fraction else words


def digit_words(digits: str) -> str:
    """Digits one by one."""
    return "".join(_DIGITS[int(digit)] for digit in digits)


def _integer(value: int) -> str:
    """0 to 9,999,999,999,999,999 in words."""
    if value < 10_000:
        return _below_ten_thousand(value)
    size, name = (10**12, "兆") if value >= 10**12 else (10**8, "亿") if value >= 10**8 else (10**4, "万")
    head, rest = divmod(value, size)
    gap = "零" if rest and rest < size // 10 else ""
    tail = "一" if 10 <= rest < 20 else ""
    return _integer(head) + name + gap + tail + (_integer(rest) if rest else "")


def _below_ten_thousand(value: int) -> str:
    if value < 10:
        return _DIGITS[value]
    if value < 20:
        return "十" + (_DIGITS[value % 10] if value % 10 else "")
    size, name = (1000, "千") if value >= 1000 else (100, "百") if value >= 100 else (10, "十")
    head, rest = divmod(value, size)
    gap = "零" if rest and rest < size // 10 else ""
    tail = "一" if 10 <= rest < 20 else ""
    return _DIGITS[head] + name + gap + tail + (_below_ten_thousand(rest) if rest else "")
