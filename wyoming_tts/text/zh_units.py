"""Units as they are read in Chinese."""

from __future__ import annotations

from collections.abc import Iterator

_PREFIXES = {
    "n": "纳", "μ": "微", "m": "毫", "c": "厘", "d": "分", "h": "百", "": "", "k": "千", "M": "兆", "G": "吉", "T": "太",
}  # fmt: skip

_METRIC = {
    "W": ("瓦", "mkMGT"), "Wh": ("瓦时", "mkMGT"), "VA": ("伏安", "mk"), "var": ("乏", "mk"), "varh": ("乏时", "k"),
    "J": ("焦", "kMG"), "cal": ("卡", "kMG"), "A": ("安", "μmk"), "Ah": ("安时", "m"), "V": ("伏", "μmkM"),
    "Hz": ("赫兹", "mkMG"), "Pa": ("帕", "mhkM"), "bar": ("巴", "cm"), "L": ("升", "mcd"), "l": ("升", "mcd"),
    "g": ("克", "μmk"), "S": ("西门子", "μm"), "m": ("米", "nμ"), "s": ("秒", "nμm"), "mol": ("摩尔", "m"),
    "Bq": ("贝可", "k"), "lm": ("流明", ""), "Ω": ("欧", "kM"), "F": ("法", "μn"), "N": ("牛", "k"), "Sv": ("西弗", "μm"),
}  # fmt: skip
"""Unit -> its name and the prefixes that it is used with."""

_OTHER = {
    "°": "度", "°C": "摄氏度", "°F": "华氏度", "K": "开尔文", "mm": "毫米", "cm": "厘米", "dm": "分米", "km": "公里",
    "KM": "公里", "in": "英寸", "ft": "英尺", "yd": "码", "mi": "英里", "nmi": "海里", "BTU": "英热单位",
    "min": "分钟", "mins": "分钟", "h": "小时", "hr": "小时", "hrs": "小时", "sec": "秒", "d": "天", "w": "周", "y": "年",
    "mmHg": "毫米汞柱", "inHg": "英寸汞柱", "inH₂O": "英寸水柱", "inH2O": "英寸水柱", "psi": "磅每平方英寸", "atm": "大气压",
    "dB": "分贝", "dBA": "A加权分贝", "dBm": "分贝毫瓦", "CCF": "百立方英尺", "MCF": "千立方英尺", "gal": "加仑",
    "fl. oz.": "液量盎司", "fl oz": "液量盎司", "mm²": "平方毫米", "cm²": "平方厘米", "m²": "平方米", "km²": "平方公里",
    "in²": "平方英寸", "ft²": "平方英尺", "yd²": "平方码", "mi²": "平方英里", "ac": "英亩", "ha": "公顷",
    "mm³": "立方毫米", "cm³": "立方厘米", "m³": "立方米", "in³": "立方英寸", "ft³": "立方英尺", "KG": "千克",
    "oz": "盎司", "lb": "磅", "lbs": "磅", "st": "英石", "thm": "撒姆", "ppm": "ppm", "ppb": "ppb", "lx": "勒克斯",
    "kn": "节", "mph": "英里每小时", "kph": "公里每小时", "rpm": "转每分钟", "Beaufort": "级", "mcg": "微克",
    "UV index": "紫外线指数", "pCi": "皮居里", "t": "吨", "px": "像素", "Mbps": "兆比特每秒",
    "kbps": "千比特每秒", "Gbps": "吉比特每秒", "bit": "比特", "kbit": "千比特", "Mbit": "兆比特", "Gbit": "吉比特",
    "B": "字节", "kB": "千字节", "KB": "千字节", "MB": "兆字节", "GB": "吉字节", "TB": "太字节", "PB": "拍字节",
    "EB": "艾字节", "ZB": "泽字节", "YB": "尧字节", "KiB": "二进制千字节", "MiB": "二进制兆字节", "GiB": "二进制吉字节",
    "TiB": "二进制太字节", "PiB": "二进制拍字节", "EiB": "二进制艾字节", "ZiB": "二进制泽字节", "YiB": "二进制尧字节",
}  # fmt: skip

_BELOW = {
    "h": "小时", "hr": "小时", "min": "分钟", "s": "秒", "d": "天", "day": "天", "m²": "平方米", "m³": "立方米", "m3": "立方米",
    "m2": "平方米", "ft²": "平方英尺", "ft³": "立方英尺", "L": "升", "l": "升", "dL": "分升", "mL": "毫升", "km": "公里",
    "100km": "百公里", "100 km": "百公里", "kWh": "千瓦时", "cm": "厘米", "m": "米", "kg": "千克", "g": "克", "mol": "摩尔",
    "(h⋅ft²)": "小时平方英尺", "(h·ft²)": "小时平方英尺", "年": "年", "月": "月", "天": "天", "日": "日", "小时": "小时", "分钟": "分钟",
    "分": "分", "秒": "秒", "次": "次", "人": "人", "度": "度", "平方米": "平方米", "立方米": "立方米", "升": "升", "公斤": "公斤", "个": "个",
}  # fmt: skip


def _metric() -> Iterator[tuple[str, str]]:
    for unit, (name, prefixes) in _METRIC.items():
        for prefix in ("", *prefixes):
            yield prefix + unit, _PREFIXES[prefix] + name


UNITS = {**dict(_metric()), **_OTHER}
"""Unit -> how it is read."""

PER = {unit: f"每{name}" for unit, name in _BELOW.items()}
"""What stands behind the `/` of a unit -> how it is read."""
