"""Written Hindi that is no plain quantity: abbreviations, addresses, versions, telephone numbers."""

from __future__ import annotations

import re

from wyoming_tts.text import hi_words as say
from wyoming_tts.text.aligned import Rule
from wyoming_tts.text.hi_dates import START

DEVANAGARI = "\u0900-\u0963\u0970-\u097f"
"""What Devanagari words are made of, as part of a character class."""

NUMBER = r"(?:(?:\d{1,3}(?:,\d\d){0,7},\d{3}(?![\d,])|\d{1,3}(?:,\d{3}){1,5}(?![\d,])|\d++)(?:\.\d++)?)"
"""A number without its sign, with Indian or western groups."""

_LEFT = rf"(?<![\w{DEVANAGARI}])"
_RIGHT = rf"(?![\w{DEVANAGARI}])"
_STOP = "[.\u0970]"
_DIGIT = "[\\d\u0966-\u096f]"


def groups(text: str) -> str:
    """Telephone numbers and the like: digit by digit, with a pause between groups."""
    said = [say.digits(group) for group in re.findall(r"\d+", text)]
    return ("प्लस " if text.startswith("+") else "") + ", ".join(said)


def _short(written: str, said: str, ahead: str = "") -> Rule:
    """An abbreviation; each of its stops may be Devanagari's sign, and a space follows what is inserted."""
    return re.compile(_LEFT + written.replace(".", _STOP) + ahead), said


_DAYS = "सोम|मंगल|बुध|गुरु|शुक्र|शनि|रवि"

ABBREVIATIONS: tuple[Rule, ...] = (
    _short("डॉ.", "डॉक्टर"),
    _short("डा.", "डॉक्टर"),
    _short("प्रो.", "प्रोफ़ेसर"),
    _short("पं.", "पंडित"),
    _short("स्व.", "स्वर्गीय"),
    _short("उदा.", "उदाहरण"),
    (re.compile(rf"(?<=[{DEVANAGARI}]\s)किमी(?![./\w{DEVANAGARI}])"), "किलोमीटर"),
    _short(r"प्रा.\s?लि.", "प्राइवेट लिमिटेड"),
    _short(f"(?<!{_DIGIT} )लि.", "लिमिटेड"),
    _short("कं.", "कंपनी"),
    _short(r"म.\s?प्र.", "मध्य प्रदेश"),
    _short(r"उ.\s?प्र.", "उत्तर प्रदेश"),
    (
        re.compile(rf"{_LEFT}({_DAYS})\s?[-–—]\s?({_DAYS}){_RIGHT}"),
        lambda m: f"{m[1]}वार से {m[2]}वार",
    ),
    (
        re.compile(rf"{_LEFT}({_DAYS}){_STOP}(?=,|\s?{_DIGIT}|\s[^\s])"),
        lambda m: f"{m[1]}वार",
    ),
    _short(r"ई.\s?पू.", "ईसा पूर्व"),
    _short(r"नं.?\s?", "नंबर ", f"(?={_DIGIT})"),
    _short(r"क्र.\s?(?:सं.\s?)?", "क्रम संख्या ", f"(?={_DIGIT})"),
    _short(r"पृ.\s?(?:सं.\s?)?", "पृष्ठ ", f"(?={_DIGIT})"),
    _short(r"सं.\s?", "संख्या ", f"(?={_DIGIT})"),
    (re.compile(rf"(?:№|(?<![A-Za-z])No\.|(?<!\w)#)\s?(?={_DIGIT})"), "नंबर "),
    (re.compile(rf"(?<={_DIGIT})\s?ई{_STOP}{_RIGHT}"), " ईस्वी"),
    (re.compile(r"(?<![A-Za-z])Dr\.(?=\s)"), "डॉक्टर"),
    (re.compile(r"(?<![A-Za-z])Mr\.(?=\s)"), "मिस्टर"),
    (re.compile(r"(?<![A-Za-z])Mrs\.(?=\s)"), "मिसेज़"),
    (re.compile(r"(?<![A-Za-z])Prof\.(?=\s)"), "प्रोफ़ेसर"),
    (re.compile(r"(?<![A-Za-z])e\.\s?g\.,?"), "उदाहरण के लिए"),
    (re.compile(r"(?<![A-Za-z])i\.\s?e\.,?"), "यानी"),
    (re.compile(r"(?<![A-Za-z])etc\."), "इत्यादि"),
    (re.compile(r"(?<=\s)vs\b\.?"), "बनाम"),
)
"""Abbreviations of words."""


def _address(match: re.Match[str]) -> str:
    """An address of the web or of mail, without the web's protocol and without a query."""
    text = match[0]
    body = text.rstrip(".,!?;:)]}'\"")
    tail = text[len(body) :]
    protocol = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", body)
    name = protocol[1].lower() if protocol else ""
    body = body[protocol.end() :] if protocol else body
    spelled = "" if name in ("", "http", "https") else f"{say.letters(name)} "
    body = re.split(r"[?#]", re.sub(r"^www\.", "", body), maxsplit=1)[0].rstrip("/")
    return spelled + say.address(body) + tail


def _entity(match: re.Match[str]) -> str:
    return " ".join(match[0].replace(".", " डॉट ").replace("_", " ").split())


_ENDINGS = (
    "com|org|net|io|in|local|lan|home|dev|co|gov|edu|info|app|uk|eu|yaml|yml|json|txt|mp3|mp4|pdf|jpg|png|py"
)
_HOST = rf"(?:[A-Za-z0-9-]{{1,63}}\.){{1,6}}(?:{_ENDINGS})(?![\w-])"
_DOMAINS = (
    "light|switch|sensor|binary_sensor|climate|cover|fan|lock|media_player|scene|script|automation"
    "|person|camera|vacuum|input_boolean|input_number|number|select|button|weather|sun|zone"
    "|timer|humidifier|device_tracker"
)

ADDRESSES: tuple[Rule, ...] = (
    (re.compile(r"(?<![\w.+-])[\w.+-]{1,64}+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}"), _address),
    (re.compile(r"(?<=[A-Za-z0-9])@(?=[A-Za-z0-9])"), " एट "),
    (re.compile(r"(?<![A-Za-z+.-])[A-Za-z][A-Za-z0-9+.-]{0,14}://[A-Za-z0-9\[][^\s<>।]{0,2000}"), _address),
    (re.compile(r"(?<![A-Za-z_.-])www\.[A-Za-z0-9][^\s<>।]{0,2000}"), _address),
    (re.compile(rf"(?<![\w.@-]){_HOST}(?::\d{{1,5}})?(?:/[^\s<>।]{{0,2000}})?"), _address),
    (
        re.compile(
            rf"(?<![\w.])(?:[a-z][a-z0-9_]{{0,40}}\.[a-z0-9]{{1,40}}(?:_[a-z0-9]{{1,40}}){{1,12}}"
            rf"|(?:{_DOMAINS})\.[a-z0-9_]{{2,80}})(?![\w@])"
        ),
        _entity,
    ),
    (re.compile(r"(?<=[A-Za-z0-9])_++(?=[A-Za-z0-9])"), " "),
)
"""What is read with the names of its signs."""

DIGITS: tuple[Rule, ...] = ((re.compile("[\u0966-\u096f]"), lambda match: str(int(match[0]))),)
"""Devanagari's digits become those of the other rules."""


def _groups(match: re.Match[str]) -> str:
    return groups(match[0])


def _kept_and_digits(match: re.Match[str]) -> str:
    return match[1] + say.digits(match[2])


def _version(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 10) : match.start()]
    known = not match[1] or re.search(r"(?i)(?:version|वर्शन|वर्ज़न|संस्करण)\s*$", before)
    return ("" if known else "वर्शन ") + " पॉइंट ".join(say.spoken(part) for part in match[2].split("."))


def _code(match: re.Match[str]) -> str:
    """Letters and a number, as in "A4", "AI302", "PM2.5"."""
    number = match[2]
    digit_by_digit = number.isdecimal() and len(number) > 2
    return f"{say.letters(match[1])} {say.digits(number) if digit_by_digit else say.spoken(number)}"


_CALL = r"(?:कॉल|फ़ोन|फोन|डायल)"
_SECRET = (
    r"(?:पिन|कोड|ओटीपी|पासवर्ड|पासकोड|हेल्पलाइन|फ़ोन|फोन|मोबाइल|डायल|PIN|OTP|pin|otp|code|Pin|Code)"
    r"(?:\s(?:कोड|नंबर|करें|करो|नंबर है|है|code|number))?(?:\s?[:=-])?\s"
)
_NO_MORE = r"(?![.,:/-]?\d)"

CODES: tuple[Rule, ...] = (
    (
        re.compile(rf"{START}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d{{1,5}}|/\d{{1,2}})?{_NO_MORE}"),
        lambda m: say.address(m[0]),
    ),
    (
        re.compile(rf"(?<![\w.,])([vV]\.?\s?)?(\d{{1,5}}(?:\.\d{{1,5}}){{2,5}}){_NO_MORE}"),
        lambda m: None if _is_date(m[2]) else _version(m),
    ),
    (re.compile(r"(?<![\w.,])([vV])(\d{1,4}(?:\.\d{1,4})?)(?!\w)"), _version),
    (re.compile(rf"(?<![\w+])\+\d{{1,3}}(?:[ -]?\(?\d{{2,5}}\)?){{2,5}}{_NO_MORE}"), _groups),
    (re.compile(rf"{START}[6-9]\d{{4}}[ -]?\d{{5}}{_NO_MORE}"), _groups),
    (re.compile(rf"{START}0\d{{2,4}}[ -]\d{{6,8}}{_NO_MORE}"), _groups),
    (re.compile(rf"{START}1800[ -]?\d{{3}}[ -]?\d{{3,4}}{_NO_MORE}"), _groups),
    (re.compile(rf"{START}\d{{3}}-\d{{3}}-\d{{4}}{_NO_MORE}"), _groups),
    (re.compile(rf"{_LEFT}({_SECRET})(\d{{3,8}}){_NO_MORE}(?!\s?(?:%|प्रतिशत|बार))"), _kept_and_digits),
    (re.compile(rf"(?<![\d.,:/-])()(\d{{3,4}})(?=\s(?:नंबर\s)?(?:(?:पर|को)\s)?{_CALL})"), _kept_and_digits),
    (
        re.compile(r"(?<![\w.])([A-Z]{2})[ -]?(\d{1,2})[ -]?([A-Z]{1,3})[ -]?(\d{4})(?!\w)"),
        lambda m: f"{say.letters(m[1])} {say.spoken(m[2])} {say.letters(m[3])} {say.digits(m[4])}",
    ),
    (
        re.compile(
            rf"{_LEFT}((?:ट्रेन|गाड़ी|खाता|ग्राहक|उपभोक्ता|बिल)\s(?:नंबर\s|संख्या\s|क्रमांक\s)?)"
            rf"(\d{{5,16}}){_NO_MORE}"
        ),
        _kept_and_digits,
    ),
    (
        re.compile(rf"{START}()(\d{{4,8}})(?=\s(?:आपका|आपकी|is your)\s(?:OTP|PIN|ओटीपी|पिन|कोड|code))"),
        _kept_and_digits,
    ),
    (re.compile(rf"{START}()(1\d{{2,3}})(?=\sहेल्पलाइन)"), _kept_and_digits),
    (
        re.compile(
            r"((?:फ्लैट|फ़्लैट|कमरा|सीट|गेट|ब्लॉक|सेक्टर|टावर|प्लॉट|रूम)\s(?:नंबर\s)?\d{1,3})"
            r"[ -]?([A-Z])(?!\w)"
        ),
        lambda m: f"{m[1]} {say.letters(m[2])}",
    ),
    (
        re.compile(r"(?<![\w.])(\d)([A-Z])[ -]?(\d{3,4})(?![\w.,:/])"),
        lambda m: f"{say.spoken(m[1])} {say.letters(m[2])} {say.digits(m[3])}",
    ),
    (re.compile(rf"{START}24/7(?![\d/])"), "चौबीसों घंटे, सातों दिन"),
    (re.compile(r"(?<![\w.])([A-Z]{1,4})-?(\d{1,4}(?:\.\d)?)(?![\w%°]|[.,:/]\d)"), _code),
)
"""Numbers that are no quantities: addresses, versions, telephone numbers, secrets, names."""


def _is_date(written: str) -> bool:
    return bool(re.fullmatch(r"\d{1,2}\.\d{1,2}\.\d{4}", written))
