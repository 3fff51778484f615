"""Japanese as it is read out: numbers in kanji, which the dictionary reads as their counters want."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from wyoming_tts.text import cjk, cjk_rules
from wyoming_tts.text.aligned import AlignedText, Kind, Rule
from wyoming_tts.text.cjk import DASH, Speech
from wyoming_tts.text.cjk_fold import fold
from wyoming_tts.text.ja_units import COMPARED, CURRENCIES, OPERATORS, PER, SIGNS, UNITS

_DIGITS = ("ゼロ", "一", "二", "三", "四", "五", "六", "七", "八", "九")
_HALVES = {"a": "午前", "p": "午後"}
_CODES = re.compile(
    r"(?:暗証番号|暗証コード|パスワード|パスコード|認証コード|確認コード|コード|PIN|ピン)[^\d。、]{0,6}$"
    r"|(?:番号|電話|ポート|内線|ルーム|ID|便名?)\s?(?:は|が|:|=)?\D{0,2}$"
)
_LASTING = re.compile(r"(?:残り|曲|タイマー|経過|所要|再生|長さ|ラップ)[^\d。、]{0,6}$")
_SCORES = re.compile(r"(?:スコア|得点|比率|比|アスペクト|試合)[^\d。、]{0,6}$")
_VERSIONS = re.compile(
    r"(?:バージョン|Assistant|OS|[Vv]ersion|Core|Android|ファームウェア|アップデート)\s?[:はが]?\s?[vV]?$"
)
_DAY = r"([月火水木金土日])(?:曜日?)?"
_WEEKDAYS = re.compile(rf"(?<![一-鿿0-9]){_DAY}\s?{DASH}\s?{_DAY}(?![一-鿿])")
_WEEKDAY_LIST = re.compile(r"(?<![一-鿿0-9])[月火水木金土日](?:・[月火水木金土日]){1,6}(?![一-鿿])")
_PRICE = re.compile(
    r"(?<=[円ドルロ元])/(?:(kWh|L|l|kg|g|m²|m³|h|min|km)|(月|年|日|時)間?|(人|個|本|回|台|枚|件|泊|食))(?![一-鿿A-Za-z²³])"
)
_POWER = re.compile(r"(?<=[0-9A-Za-z一二三四五六七八九十百千])([²³])(?![A-Za-z])")
_CARBON_DIOXIDE = re.compile(r"(?<![A-Za-z])CO[2₂](?![A-Za-z0-9])")


class Japanese(Speech):
    """Japanese."""

    language = "ja"
    units = UNITS
    per = PER
    currencies = CURRENCIES
    signs = SIGNS
    to = "から"
    minus = "マイナス"
    versus = "対"
    times = "かける"
    plus = "プラス"
    lengths = ("時間", "分", "秒")
    no_time = "ゼロ秒"
    share = "分の"
    plus_minus = "プラスマイナス"
    about = "約"
    compared = COMPARED
    mixed = "と"
    pause = "、"
    operators = OPERATORS

    def digits(self, written: str) -> str:
        """`101` -> 一 ゼロ 一, parted so that it does not become a number."""
        return " ".join(_DIGITS[int(digit)] for digit in written if digit.isdecimal())

    def number(self, written: str) -> str:
        """`20.05` -> 二十点零五."""
        whole, _, part = written.partition(".")
        if not part:
            return self.whole(whole).replace("〇", "ゼロ")
        said = f"{self.whole(whole)}点{self.digits(part).replace(' ', '')}"
        return said.replace("〇", "零").replace("ゼロ", "零")

    def left(self, written: str, behind: str) -> str:
        """`10` minutes keep their digits: 十分 is read as "enough"."""
        if written == "0" and behind[:1] == "時":
            return "零"
        return (
            written if written == "10" and behind[:1] == "分" and behind != "分の" else self.number(written)
        )

    def year(self, written: str) -> str:
        """As a number."""
        return self.whole(written)

    def quantity(self, written: str, unit: str) -> str:
        """`21.5` and 度 -> 二十一点五度."""
        if unit[0] == "分":
            return self.left(written, unit) + unit
        if unit.startswith("華氏"):
            return f"華氏{self.number(written)}度"
        if unit == "度" and written == "0":
            return "零度"
        return self.number(written) + unit

    def percent(self, written: str, sign: str) -> str:
        """`45` -> 四十五パーセント."""
        return self.number(written) + ("パーミル" if sign == "‰" else "パーセント")

    def date(self, year: str, month: str, day: str) -> str:
        """`2026`, `11`, `21` -> 二千二十六年十一月二十一日."""
        said = f"{self.year(year)}年" if year else ""
        said += f"{self.number(str(int(month)))}月" if month else ""
        return said + (f"{self.number(str(int(day)))}日" if day else "")

    def time(self, hour: str, minute: str, second: str, half: str) -> str:
        """`7`, `05` -> 七時五分."""
        said = _HALVES.get(half, "") + (self.number(str(int(hour))) if int(hour) else "零") + "時"
        if int(minute or 0) or int(second or 0):
            said += (self.number(str(int(minute))) if int(minute) else "零") + "分"
        return said + (f"{self.number(str(int(second)))}秒" if int(second or 0) else "")


_SPEECH = Japanese()


def _block(match: re.Match[str]) -> str:
    """The numbers of a house in its block: 1-2-3 is 一の二の三."""
    return "の".join(map(_SPEECH.number, match[0].split("-")))


def _price(match: re.Match[str]) -> str:
    """What an amount of money is for."""
    unit, time, one = match.groups()
    return PER[unit] if unit else f"毎{time}" if time else f"、一{one}あたり"


@functools.cache
def _rules() -> Sequence[Rule]:
    speech = _SPEECH
    return (
        (
            re.compile(r"(?<![A-Za-z])([AP])\.?M\.?\s?(?=\d{1,2}(?::\d\d|時))"),
            lambda m: _HALVES[m[1].lower()],
        ),
        (re.compile(r"(?<![\d./])24/7(?![\d/])"), "二十四時間年中無休"),
        *cjk_rules.sums(speech),
        *cjk_rules.calendar(speech, _VERSIONS),
        (re.compile(r"(?<=日)\s?[(（]([月火水木金土日])[)）]"), lambda m: f"({m[1]}曜日)"),
        *cjk_rules.clock(speech, _LASTING, _SCORES),
        *cjk_rules.codes(speech, _CODES, _VERSIONS),
        (re.compile(r"(?<![\d.])\d{3,4}(?=\s?(?:号室|号線|便|番ポート))"), lambda m: speech.digits(m[0])),
        (re.compile(r"(?:No\.\s?|#)(\d{1,9})(?![\d.]?\d)"), lambda m: "ナンバー" + speech.number(m[1])),
        (
            re.compile(r"(?<![\d.])(\d{0,3}(?:1(?=st)|2(?=nd)|3(?=rd)|\d(?=th)))(?:st|nd|rd|th)(?![A-Za-z])"),
            lambda m: speech.number(m[1]) + "番目",
        ),
        (
            re.compile(rf"(?<![\d.A-Za-z])(\d{{1,2}})\s?{DASH}\s?(\d{{1,2}})([月日]|時(?!間))(?![本語])"),
            lambda m: f"{speech.number(m[1])}{m[3]}から{speech.number(m[2])}{m[3]}",
        ),
        (re.compile(r"(?<![\d.A-Za-z-])\d{1,4}(?:-\d{1,4}){2,3}(?![\d.-])"), _block),
        (re.compile(r"(?<=[区町村市目]\d)-(?=\d)|(?<=[区町村市目]\d\d)-(?=\d)"), "の"),
        (re.compile(r"(?<=\d)/(?=\d{2,3}\s?mmHg)|(?<=血圧\d{3})/(?=\d)|(?<=血圧は\d{3})/(?=\d)"), "、"),
        (
            re.compile(r"(?<![\d.])((?:19|20)\d\d)\s?年?Q([1-4])(?![A-Za-z0-9])"),
            lambda m: f"{speech.year(m[1])}年第{speech.number(m[2])}四半期",
        ),
        (
            re.compile(r"(?<![\d.月、-])(?:2、3|4、5|5、6)(?=日(?!曜))"),
            lambda m: "".join(map(speech.number, m[0].split("、"))),
        ),
        (re.compile(r"(?<=\d)\+(?![\dA-Za-z])"), "以上"),
        (re.compile(r"(?<=\d時)\d{1,2}(?=分)"), lambda m: speech.number(str(int(m[0])))),
        *cjk_rules.signs(speech),
        *cjk_rules.money(speech),
        *cjk_rules.quantities(speech),
        *cjk_rules.numbers(speech),
    )


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as it is read out."""
    return cjk.settled(text, _once)


def _once(text: AlignedText) -> AlignedText:
    text = fold(text).sub(_CARBON_DIOXIDE, "シーオーツー")
    text = text.sub(_WEEKDAYS, lambda m: f"{m[1]}曜から{m[2]}曜")
    text = text.sub(_WEEKDAY_LIST, lambda m: "、".join(f"{day}曜" for day in m[0].split("・")))
    text = text.apply(_SPEECH.addresses())
    text = text.sub(_PRICE, _price)
    text = text.apply(_rules()) if cjk.has_digit(text.text) else text
    return text.sub(_POWER, lambda m: "の二乗" if m[1] == "²" else "の三乗")


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; None where it cannot be."""
    return cjk.say_as(_SPEECH, text, kind, form)
