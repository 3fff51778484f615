"""Chinese as it is read out."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from wyoming_tts.text import cjk, cjk_rules
from wyoming_tts.text.aligned import AlignedText, Kind, Rule
from wyoming_tts.text.cjk import DASH, NUMBER, SIGNED, Speech
from wyoming_tts.text.cjk_fold import fold
from wyoming_tts.text.zh_units import COMPARED, CURRENCIES, OPERATORS, PER, SIGNS, UNITS

_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_MEASURES = (
    r"个小时|个|個|岁|歲|分(?!之)|小时|小時|钟头|分钟|分鐘|秒|天|周|週|年(?![级級])|次|人|位|名|"
    r"只|隻|条|條|张|張|本|台|臺|盏|盞|扇|间|間|件|杯|瓶|块|塊|元|米|公里|公斤|千克|克|斤|升|"
    r"毫升|吨|噸|倍|层|層|种|種|部|辆|輛|家|份|步|顿|頓|碗|片|颗|顆|粒|根|支|枝|把|双|雙|套|对|"
    r"對|场|場|首|遍|道|段|句|项|項|组|組|盒|包|袋|箱|桶|罐|盘|盤|架|艘|座|栋|棟|所|笔|筆|封|篇|"
    r"夜|晚|菜|页|頁|点钟|點鐘|度|摄氏度|点|點|厘米|毫米|平方|立方|瓦|千瓦|伏|美元|欧元|万|萬|亿|億|千|半|"
    r"口|匹|头|頭|朵|棵|束|滴|勺|节(?!能)|圈|趟|回|轮|輪|样|樣|手"
)
_COUNTED_RANGE = re.compile(
    rf"(?<![A-Za-z第/])({SIGNED})\s?(?:{DASH}|到|至|、)\s?([-−–]?{NUMBER})(?=\s?(?:{_MEASURES}))"
)
_TWO = re.compile(rf"(?<![0-9A-Za-z./第])2(?=\s?(?:{_MEASURES}))(?!\s?手房)")
_HALVES = {"a": "上午", "p": "下午"}
_CODES = re.compile(
    r"(?:密[码碼]|[验驗][证證][码碼]|PIN码?)[^\d。,]{0,7}$|"
    r"(?:口令|代[码碼]|[编編][号號]|(?<!\d)[号號][码碼]?|[电電][话話]|手[机機]|[拨撥]打?|致[电電]|[热熱][线線]|房[间間]|端口"
    r"|[邮郵][编編]|尾[号號]|航班|[车車]次|[车車]牌|分[机機]|ID|[账帳][号號])\s?[是为為号號:：=,]?\D{0,2}$"
)
_CALLED = re.compile(
    r"(?<![\d.])(?:(?<=[打叫])(?:1[12]\d|911|999)(?!\d|\s?[分元个個块塊折万萬千份次通])"
    r"|(?:1[12]\d|911|9\d{4}|1\d{4})(?=(?:服务|客服|急救|报警|火警|[热熱][线線]|[电電][话話]|平台)))"
)
"""What one calls: 打110, 12345热线."""

_POWER = re.compile(r"(?<=[0-9A-Za-z一二三四五六七八九十百千])([²³])(?![A-Za-z])")
_LASTING = re.compile(
    r"(?:剩余?|还有|倒[计計][时時]|[计計][时時]器?|[时時][长長]|持续|用[时時]|耗时|已播放|播放)[^\d。,]{0,6}$"
)
_SCORES = re.compile(r"(?:比分|比例|比率|[战戰][胜勝]|[击擊][败敗]|大胜|打成|以|画幅)[^\d。,]{0,6}$")
_VERSIONS = re.compile(
    r"(?:版本|[Vv]ersion|Assistant|OS|固件|Core|Android|系统|更新到|升级到)\s?[:为是到]?\s?[vV]?$"
)
_WEEKDAYS = re.compile(rf"(?<=[周週期][一二三四五六日天])\s?{DASH}\s?(?=周|週|星期)")
_CARBON_DIOXIDE = re.compile(r"(?<![A-Za-z])CO[2₂](?![A-Za-z0-9])")


class Mandarin(Speech):
    """Mandarin; 2 is 两 in front of what is counted."""

    language = "zh"
    units = UNITS
    per = PER
    currencies = CURRENCIES
    signs = SIGNS
    to = "到"
    minus = "负"
    versus = "比"
    times = "乘"
    plus = "正"
    lengths = ("小时", "分", "秒")
    no_time = "零秒"
    share = "分之"
    plus_minus = "正负"
    about = "约"
    compared = COMPARED
    mixed = "又"
    operators = OPERATORS

    def digits(self, written: str) -> str:
        """`101` -> 一零一."""
        return "".join(str(int(digit)) for digit in written if digit.isdecimal()).translate(_DIGITS)

    def number(self, written: str) -> str:
        """`2000.50` -> 两千点五零."""
        whole, _, part = written.partition(".")
        words = re.sub("^二(?=[千万亿])", "两", self.whole(whole))
        return f"{words}点{self.digits(part)}" if part else words

    def year(self, written: str) -> str:
        """Digit by digit."""
        return self.digits(written)

    def quantity(self, written: str, unit: str) -> str:
        """`2` and 米 -> 两米."""
        return ("两" if written == "2" else self.number(written)) + unit

    def bare(self, written: str) -> str:
        """`2` -> 两."""
        return "两" if written == "2" else self.signed(written)

    def signed_quantity(self, written: str, unit: str) -> str:
        """Below zero is 零下 for degrees."""
        if written[0] in "-−–" and unit[0] == "°":
            return "零下" + self.quantity(written[1:].lstrip(), self.unit(unit))
        return super().signed_quantity(written, unit)

    def percent(self, written: str, sign: str) -> str:
        """`45` -> 百分之四十五, `100` -> 百分之百."""
        if sign == "‰":
            return f"千分之{self.number(written)}"
        return "百分之百" if written == "100" else f"百分之{self.number(written)}"

    def whole(self, written: str) -> str:
        """万亿 is said of what is 兆 elsewhere."""
        if len(written) < 13 or written[0] == "0" or len(written) > 16:
            return super().whole(written)
        high, low = written[:-8], written[-8:].lstrip("0")
        zero = "零" if low and len(low) < 8 else ""
        return f"{self.number(high)}亿{zero}{super().whole(low) if low else ''}"

    def date(self, year: str, month: str, day: str) -> str:
        """The year digit by digit."""
        said = f"{self.year(year)}年" if year else ""
        said += f"{self.number(str(int(month)))}月" if month else ""
        return said + (f"{self.number(str(int(day)))}日" if day else "")

    def time(self, hour: str, minute: str, second: str, half: str) -> str:
        """`7`, `05` -> 七点零五分."""
        hours = "两" if int(hour) == 2 else self.number(str(int(hour)))
        minutes = self.digits(minute) if minute[:1] == "0" else self.number(minute or "0")
        said = f"{_HALVES.get(half, '')}{hours}点"
        if int(second or 0):
            return f"{said}{minutes if int(minute) else '零'}分{self.number(str(int(second)))}秒"
        return f"{said}{minutes}分" if int(minute or 0) else said


_SPEECH = Mandarin()


@functools.cache
def _rules() -> Sequence[Rule]:
    speech = _SPEECH

    def counted(match: re.Match[str]) -> str:
        ends = speech.bare(match[1]), speech.bare(match[2])
        pair = re.fullmatch("([1-9])、([1-9])", match[0])
        return ("" if pair and int(pair[2]) - int(pair[1]) == 1 else "到").join(ends)

    return (
        (
            re.compile(
                r"(?<=[元块度瓦米升克])/(年|月|天|日|小时|分钟|次|人|度|kWh|平方米|m²|升|L|公斤|kg|个)"
            ),
            lambda m: PER[m[1]],
        ),
        (
            re.compile(r"(?<![A-Za-z])([AP])\.?M\.?\s?(?=\d{1,2}(?::\d\d|[点點时時]))"),
            lambda m: _HALVES[m[1].lower()],
        ),
        (re.compile(r"(?<![\d./])(?:24/7|7\s?[*×xX/]\s?24小时)(?![\d/])"), "全天候"),
        *cjk_rules.sums(speech),
        *cjk_rules.calendar(speech, _VERSIONS),
        (re.compile(r"(?<=日)\s?[(（]([一二三四五六日])[)）]"), lambda m: f"(周{m[1]})"),
        *cjk_rules.clock(speech, _LASTING, _SCORES),
        *cjk_rules.codes(speech, _CODES, _VERSIONS),
        *_names(speech),
        *cjk_rules.signs(speech),
        *cjk_rules.money(speech),
        (_COUNTED_RANGE, counted),
        *cjk_rules.quantities(speech),
        (_TWO, "两"),
        *cjk_rules.numbers(speech),
    )


def _names(speech: Mandarin) -> Sequence[Rule]:
    """Numbers that name something: rooms, lines, ranks, quarters, models, plates."""
    return (
        (
            re.compile(
                r"(?<![\d.])\d{3,4}(?=\s?(?:号房|房间|房間|室|路(?![口程人段])|国道|航班|次列车|端口))"
            ),
            lambda m: speech.digits(m[0]),
        ),
        (
            re.compile(rf"第\s?(\d{{1,15}})\s?{DASH}\s?第?(\d{{1,15}})(?![\d.])"),
            lambda m: f"{speech.ordinal(m[1])}到{speech.ordinal(m[2])}",
        ),
        (re.compile(r"第\s?(\d{1,15})(?![\d.])"), lambda m: speech.ordinal(m[1])),
        (
            re.compile(r"(?<=[\d零一二三四五六七八九][转轉])\d{3,5}(?![\d元块塊万萬])"),
            lambda m: speech.digits(m[0]),
        ),
        (
            re.compile(r"(?<![\d.])((?:19|20)\d\d)\s?年?Q([1-4])(?![\w])"),
            lambda m: f"{speech.year(m[1])}年第{speech.number(m[2])}季度",
        ),
        (
            re.compile(
                r"(?<![\d.])(?:19|20)\d\d(?=\s?(?:奥运|世界杯|欧洲杯|亚运|赛季|春晚|财年|春节|高考|款))"
            ),
            lambda m: speech.year(m[0]),
        ),
        (_CALLED, lambda m: speech.digits(m[0])),
        (
            re.compile(r"(?<=[A-Z][·•])(?=[A-Z0-9]{5,6}(?![A-Z0-9]))[A-Z]?\d{3,6}"),
            lambda m: speech.address(m[0]),
        ),
        (re.compile(r"(?<![\d.])([0-9][05])(?=后)"), lambda m: speech.digits(m[1])),
        (
            re.compile(r"(?<![\d.A-Za-z])(\d)([A-Z])(?=[店级級景游认認制胶膠])"),
            lambda m: speech.number(m[1]) + m[2],
        ),
        (
            re.compile(
                r"(?<=\d)/(?=\d{2,3}\s?mmHg)|(?<=血[压壓]\d{3})/(?=\d)|(?<=血[压壓][是为為]\d{3})/(?=\d)"
            ),
            "，",
        ),
        (re.compile(r"(?<=\d)\+(?![\dA-Za-z])|(?<=\d[万亿千百])\+(?![\dA-Za-z])"), "加"),
        (re.compile(r"(?:No\.\s?|#)(\d{1,9})(?![\d.]?\d)"), lambda m: speech.number(m[1]) + "号"),
        (
            re.compile(r"(?<![\d.])(\d{0,3}(?:1(?=st)|2(?=nd)|3(?=rd)|\d(?=th)))(?:st|nd|rd|th)(?![A-Za-z])"),
            lambda m: speech.ordinal(m[1]),
        ),
    )


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as it is read out."""
    return cjk.settled(text, _once)


def _once(text: AlignedText) -> AlignedText:
    text = fold(text).sub(_CARBON_DIOXIDE, "二氧化碳").sub(_WEEKDAYS, "到")
    text = text.apply(_SPEECH.addresses())
    text = text.apply(_rules()) if cjk.has_digit(text.text) else text
    return text.sub(_POWER, lambda m: "的平方" if m[1] == "²" else "的立方")


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; None where it cannot be."""
    return cjk.say_as(_SPEECH, text, kind, form)
