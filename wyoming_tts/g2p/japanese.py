"""Japanese: readings by haqumei (Open JTalk's method), kana written as the model was trained on them."""

from __future__ import annotations

import re
import threading
import unicodedata

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.g2p.base import Piece
from wyoming_tts.g2p.symbols import in_vocabulary

_ROWS = {
    "": "アイウエオ", "k": "カ*クケコ", "ɡ": "ガ*グゲゴ", "s": "サ**セソ", "ʣ": "ザ**ゼゾ",
    "t": "タ**テト", "d": "ダ**デド", "n": "ナ*ヌネノ", "h": "ハ**ヘホ", "b": "バ*ブベボ",
    "p": "パ*プペポ", "m": "マ*ムメモ", "ɾ": "ラ*ルレロ", "j": "ヤ*ユ*ヨ",
}  # fmt: skip
"""Consonant -> its kana with a i ɯ e o; * where another consonant takes its place."""

_SINGLES = {
    "キ": "kʲi", "ギ": "ɡʲi", "シ": "ɕi", "ジ": "ʥi", "ス": "sɨ", "ズ": "zɨ", "チ": "ʨi", "ヂ": "ʥi",
    "ツ": "ʦɨ", "ヅ": "zɨ", "ニ": "ɲi", "ヒ": "çi", "フ": "ɸɯ", "ビ": "bʲi", "ピ": "pʲi", "ミ": "mʲi",
    "リ": "ɾʲi", "ワ": "βa", "ヰ": "i", "ヱ": "e", "ヲ": "o", "ヴ": "vɯ", "ァ": "a", "ィ": "i", "ゥ": "ɯ",
    "ェ": "e", "ォ": "o", "ャ": "ja", "ュ": "jɯ", "ョ": "jo", "ヮ": "βa", "ヵ": "ka", "ヶ": "ke",
    "ヷ": "va", "ヸ": "vʲi", "ヹ": "ve", "ヺ": "vo", "ー": "ː", "ッ": "ʔ",
}  # fmt: skip

_PALATALS = {
    "キ": "kʲ", "ギ": "ɡʲ", "シ": "ɕ", "ジ": "ʥ", "チ": "ʨ", "ヂ": "ʥ", "ニ": "ɲ", "ヒ": "ç", "ビ": "bʲ",
    "ピ": "pʲ", "ミ": "mʲ", "リ": "ɾʲ", "テ": "tʲ", "デ": "dʲ", "フ": "ɸʲ", "ヴ": "bʲ",
}  # fmt: skip
"""Kana before a small ャ ュ ョ ェ."""

_PAIRS = {
    "イェ": "je", "ウィ": "βi", "ウェ": "βe", "ウォ": "βo", "トゥ": "tɯ", "ドゥ": "dɯ", "ティ": "tʲi",
    "ディ": "dʲi", "ツァ": "ʦa", "ツィ": "ʦʲi", "ツェ": "ʦe", "ツォ": "ʦo", "ファ": "ɸa", "フィ": "ɸʲi",
    "フェ": "ɸe", "フォ": "ɸo", "ヴァ": "va", "ヴィ": "vʲi", "ヴェ": "ve", "ヴォ": "vo", "クァ": "kᵝa",
    "クィ": "kᵝi", "クェ": "kᵝe", "クォ": "kᵝo", "グァ": "ɡᵝa", "グィ": "ɡᵝi", "グェ": "ɡᵝe",
    "グォ": "ɡᵝo", "スィ": "si", "ズィ": "zi",
}  # fmt: skip

_NASAL = (("mpb", "m"), ("kɡ", "ŋ"), ("ɲʨʥ", "ɲ"), ("ntdɾz", "n"))
"""What ン sounds like before a consonant."""


class JapaneseReader:
    """Reads Japanese, Latin letters and numbers in it included."""

    own_words = True

    def __init__(self) -> None:
        """Load the dictionary (half a second). Raises BackendUnavailableError."""
        try:
            import haqumei
        except ImportError as error:
            raise BackendUnavailableError(
                f"Japanese needs more packages ({error}): pip install 'wyoming-tts[ja]'"
            ) from error
        self._analyser = haqumei.Haqumei()
        self._lock = threading.Lock()  # one analyser may be used by one thread at a time

    def read(self, clause: str) -> list[Piece]:
        """One piece for each word of the dictionary; the digits of a number are one word."""
        text = written_form(clause)
        with self._lock:
            features = self._analyser.run_frontend(text)
        words: list[tuple[str, str, bool]] = []
        for feature in features:
            number = feature.pos_group1 == "数" or feature.string in "．・"
            if words and number and words[-1][2]:
                words[-1] = (words[-1][0] + feature.string, words[-1][1] + feature.pron, True)
            else:
                words.append((feature.string, feature.pron, number))
        return _placed(clause, [(surface, from_kana(kana)) for surface, kana, _ in words])


def written_form(clause: str) -> str:
    """A clause with the numbers written so that the analyser reads them right."""
    clause = re.sub(r"[\u200b\ufeff]", " ", clause)
    clause = re.sub(r"(?<=\d),(?=\d{3})", "", clause)
    clause = re.sub(
        r"(?<![一二三四五六七八九十百千万億])[二五](?=点[零一二三四五六七八九])",
        lambda match: match[0].translate(_LONG),
        clause,
    )
    clause = _NAME.sub(lambda match: _NAMES[match[0]], clause)
    for pattern, reading in _READINGS:
        clause = pattern.sub(reading, clause)
    clause = _COUNTED.sub(_in_digits, clause)
    clause = _SPELLED.sub(lambda match: match[0].translate(_LONG), clause)
    clause = re.sub(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", r"\1年\2月\3日", clause)
    clause = re.sub(r"(?<![\d.])(\d{1,2}):(\d\d)(?![\d:])", lambda m: f"{int(m[1])}時{int(m[2])}分", clause)
    return re.sub(r"(?<![0-9A-Za-z.])[-−](?=\d)", "マイナス", clause)


_ONES = "一二三四五六七八九"
_READINGS = tuple(
    (re.compile(written), reading)
    for written, reading in (
        ("毎(?=立方|平方|百|[ァ-ヶ])", "マイ"),
        ("外気温", "ガイキオン"),
        ("風量", "フーリョー"),
        ("何曜日", "ナンヨービ"),
        ("(?<![一二三四五六七八九千])百十番(?![目地線])", "ヒャクトーバン"),
        ("零時", "レージ"),
        (f"(?<=[{_ONES}十百千数何]万)人(?![一-鿿])|(?<=億)人(?![一-鿿])", "ニン"),
        ("(?<![月一-鿿])二三日(?!曜)", "ニサンニチ"),
        ("(?<![月一-鿿])四五日(?!曜)", "シゴニチ"),
        ("(?<![月一-鿿])五六日(?!曜)", "ゴロクニチ"),
        ("四分の(?=[一二三四五六]拍子)", "シブンノ"),
        ("(?<=[ァ-ヶー])(?=毎[時分秒])", " "),
        ("(?<=[がはも])開い(?=て)", "アイ"),
        (r"(?<![一-鿿])強(?=に|で|モード|運転|、|。|$)", "キョー"),
    )
)
"""What the dictionary reads otherwise than is meant in a house."""

_NAMES = {
    "AC": "エーシー",
    "AQI": "エーキューアイ",
    "ChatGPT": "チャットジーピーティー",
    "ESPHome": "イーエスピーホーム",
    "HA": "エイチエー",
    "Gmail": "ジーメール",
    "gmail": "ジーメール",
    "MacBook": "マックブック",
    "HomeAssistant": "ホームアシスタント",
    "homeassistant": "ホームアシスタント",
    "OTA": "オーティーエー",
    "OpenAI": "オープンエーアイ",
    "PIR": "ピーアイアール",
    "Raspberry Pi": "ラズベリーパイ",
    "Roomba": "ルンバ",
    "Xbox": "エックスボックス",
}
"""Names and abbreviations that the dictionary does not know, and reads as if they were words."""

_NAME = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(_NAMES)})(?![A-Za-z])")

_COUNTED = re.compile(
    rf"(?<![〇{_ONES}十百千万億点第分])(?!二十歳|三位一体|(?<!時)十分)(?=[{_ONES}十百千])"
    rf"((?:[{_ONES}]?千)?(?:[{_ONES}]?百)?(?:[{_ONES}]?十)?[{_ONES}]?)"
    rf"(?=[本階軒歳頭位]|キロ|(?<=時.)分|(?<=時..)分|(?<=時...)分|分[{_ONES}十]{{1,3}}秒|分(?![のけ割かづ咲丈目袖別布野{_ONES}十]))"
)
"""Numbers that are read right in digits only, by the counter behind them."""

_SPELLED = re.compile(rf"(?:(?:ゼロ|[{_ONES}]) )++(?:ゼロ|[{_ONES}])")
_LONG = str.maketrans({"二": "ニー", "五": "ゴー"})
"""Digits that are said one by one are each two beats long."""


def _in_digits(match: re.Match[str]) -> str:
    total = digit = 0
    for symbol in match[1]:
        if symbol in _ONES:
            digit = _ONES.index(symbol) + 1
        else:
            total, digit = total + (digit or 1) * {"十": 10, "百": 100, "千": 1000}[symbol], 0
    return str(total + digit)


def from_kana(kana: str) -> str:
    """Katakana of a pronunciation in symbols; whatever is not katakana is left out."""
    sounds: list[str] = []
    kana = unicodedata.normalize("NFC", kana)
    place = 0
    while place < len(kana):
        pair = _pair(kana[place : place + 2])
        sounds.append(pair or _KANA.get(kana[place], ""))
        place += 2 if pair else 1
    return in_vocabulary("".join(_nasals(sounds)))


def _pair(two: str) -> str:
    """The sound of a kana and a small one behind it; "" where they do not belong together."""
    if two in _PAIRS or len(two) < 2:
        return _PAIRS.get(two, "")
    vowel = {"ャ": "a", "ュ": "ɨ", "ョ": "o", "ェ": "e"}.get(two[1], "")
    return _PALATALS[two[0]] + vowel if vowel and two[0] in _PALATALS else ""


def _nasals(sounds: list[str]) -> list[str]:
    """The sounds with every ン made to suit the one behind it."""
    following = [*sounds, ""][1:]
    return [_nasal(after) if sound == "ン" else sound for sound, after in zip(sounds, following, strict=True)]


def _nasal(after: str) -> str:
    return next((sound for consonants, sound in _NASAL if after[:1] and after[0] in consonants), "ɴ")


def _kana_table() -> dict[str, str]:
    rows = ((consonant, zip(row, "aiɯeo", strict=True)) for consonant, row in _ROWS.items())
    table = {kana: consonant + vowel for consonant, row in rows for kana, vowel in row}
    return {**table, **_SINGLES, "ン": "ン"}


_KANA = _kana_table()


def _placed(clause: str, words: list[tuple[str, str]]) -> list[Piece]:
    """Words at their places in the clause; those written otherwise (21 as 二十一) share what is between."""
    pieces: list[Piece] = []
    waiting: list[str] = []
    end = 0
    for surface, phonemes in words:
        found = _find(clause, surface, end) if phonemes else None
        if found is None:
            waiting += [phonemes] * bool(phonemes)
            continue
        waiting = _between(clause, end, found[0], waiting, pieces)
        pieces.append(Piece(" ".join([*waiting, phonemes]), *found))
        waiting, end = [], found[1]
    if waiting := _between(clause, end, len(clause), waiting, pieces):
        pieces.append(Piece(" ".join(waiting), len(clause), len(clause)))
    return pieces


def _between(clause: str, start: int, end: int, waiting: list[str], pieces: list[Piece]) -> list[str]:
    """Give waiting phonemes the text of a gap, or else the piece before it; returns what nobody took."""
    gap = clause[start:end]
    if waiting and gap.strip():
        start += len(gap) - len(gap.lstrip())
        pieces.append(Piece(" ".join(waiting), start, start + len(gap.strip())))
    elif waiting and pieces:
        last = pieces.pop()
        pieces.append(Piece(" ".join([last.phonemes, *waiting]), last.start, last.end))
    else:
        return waiting
    return []


def _find(clause: str, surface: str, start: int) -> tuple[int, int] | None:
    for form in (surface, unicodedata.normalize("NFKC", surface)):
        place = clause.find(form, start, start + len(form) + 12)
        if place >= 0:
            return place, place + len(form)
    return None
