"""English readings of addresses: e-mail, web, network, files, and what Home Assistant calls things."""

from __future__ import annotations

import re

from wyoming_tts.text.en_words import SIGNS, English, Said, letters, rule, words

_SPELT = words(
    "uk eu de us tv ai fm fr nl pt jp ch es se fi pl cz ie tts stt llm mqtt zwave jpg jpeg md py txt html "
    "htm js css xml csv pdf mp wav exe doc docx xls xlsx yml svg png ssh ftp sftp http https www cpu ip id "
    "dns ha api vpn nas usb hdmi ws wss cgi php rtsp rtmp tcp udp ui ip lan ssl tls"
)
_TLD = (
    r"(?:com|org|net|io|local|dev|lan|home|info|app|cloud|edu|gov|"
    r"co\.uk|co|uk|eu|de|fr|es|it|nl|ai|tv|me|us|ca|au|jp|ch|internal)"
)
_FILES = (
    r"(?:ya?ml|json|txt|py|md|html?|js|css|xml|csv|pdf|png|jpe?g|gif|"
    r"svg|mp[34]|wav|flac|ogg|zip|tar|gz|log|conf|cfg|"
    r"ini|sh|exe|docx?|xlsx?|db|toml|bin|iso|bak)"
)
_DOMAINS = (
    r"(?:ai_task|air_quality|alarm_control_panel|alert|assist_satellite|"
    r"automation|binary_sensor|button|calendar|"
    r"camera|climate|conversation|counter|cover|date|datetime|device_tracker|"
    r"event|fan|group|homeassistant|humidifier|"
    r"image|input_\w{4,8}|lawn_mower|light|lock|media_player|notify|"
    r"number|person|plant|proximity|remote|scene|"
    r"schedule|script|select|sensor|siren|stt|sun|switch|tag|text|"
    r"time|timer|todo|tts|update|vacuum|valve|wake_word|"
    r"water_heater|weather|zone)"
)


def spoken(address: str, english: English) -> str:
    """An address part by part: "john dot doe at example dot com"."""
    words = []
    for part in re.findall(r"[^\W\d_]+|[0-9]+|[^\w\s]|_", address):
        if part.isdecimal():
            words.append(english.digits(part))
        elif part.isalpha():
            words.append(letters(part) if part.lower() in _SPELT else part)
        else:
            words.append(SIGNS.get(part, ""))
    return " ".join(word for word in words if word)


def _url(match: re.Match[str], english: English) -> Said:
    written = match[0].rstrip(".,!?;:'…")
    if written.endswith(")") and "(" not in written:
        written = written.rstrip(").,")
    tail = match[0][len(written) :]
    scheme, separator, rest = written.rpartition("://")
    said = f"{letters(scheme)} " if separator and scheme.lower() not in ("http", "https") else ""
    rest = re.sub(r"^www\.", "", rest)
    rest = re.split(r"[?#]", rest, maxsplit=1)[0].rstrip("/") or rest
    return said + spoken(rest, english) + tail


def _pairs(match: re.Match[str], english: English) -> Said:
    pairs = re.split("[:-]", match[0])
    return ", ".join(_characters(pair, english) for pair in pairs)


def _characters(text: str, english: English) -> str:
    return " ".join(english.digits(char) if char.isdecimal() else char.upper() for char in text)


def _six(match: re.Match[str], english: English) -> Said:
    if "::" not in match[0] and match[0].count(":") != 7:
        return None
    if not re.search("[0-9A-Fa-f]{2}|::[0-9A-Fa-f]", match[0]):
        return None
    groups = [_characters(group, english) for group in match[0].split(":")]
    said = " colon ".join(groups).replace("  ", " ").strip()
    return said + (f" slash {english.cardinal(int(match[1]))}" if match[1] else "")


def _four(match: re.Match[str], english: English) -> Said:
    said = " dot ".join(english.digits(part) for part in match[1].split("."))
    if match[2]:
        said += f" slash {english.cardinal(int(match[2]))}"
    return said + (f" colon {english.digits(match[3])}" if match[3] else "")


def _entity(match: re.Match[str], english: English) -> Said:
    name = " ".join(
        english.whole(part) if part.isdecimal() else letters(part) if part.lower() in _SPELT else part
        for part in re.findall(r"[0-9]+|[^\W\d_]+|\.", match[0])
    )
    return name.replace(".", "dot")


ADDRESSES = (
    rule(rf"(?<![\w./])\.({_FILES})(?!\w|\.\w)", lambda match, english: spoken(match[0], english)),
    rule(
        r"(?:(?<=mailto:)|(?<![\w.+-]))(?=[\w.+-]{1,64}@)[\w+-](?:[\w.+-]{0,62}[\w+-])?@[\w-]{1,63}("
        r"?:\.[\w-]{1,63}){1,8}",
        lambda match, english: spoken(match[0], english),
    ),
    rule(r"(?<![\w.])(?:[A-Za-z][A-Za-z+]{1,11}://|www\.)[^\s<>\"”]{1,2000}", _url),
    rule(r"(?<![\w:.-])(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}(?![\w:-])", _pairs),
    rule(
        r"(?<![\w:.])(?=[0-9A-Fa-f:]{3,39}(?![\w:]))(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:/(["
        r"0-9]{1,3}))?(?![\w:])",
        _six,
    ),
    rule(r"(?<![\w.])((?:[0-9]{1,3}\.){3}[0-9]{1,3})(?:/([0-9]{1,2})|:([0-9]{1,5}))?(?![\w]|\.[0-9])", _four),
    rule(
        rf"(?<![\w.@-])(?:[A-Za-z0-9-]{{1,63}}\.){{1,6}}{_TLD}(?::[0-9]{{1,5}}|"
        rf"(?![\w-]))(?:/[^\s<>\"”]{{0,500}})?(?!\w)",
        _url,
    ),
    rule(
        r"(?<![\w./@:-])(?:localhost|homeassistant|home-assistant|hassio|raspberrypi|"
        r"(?=[a-z0-9-]{1,40}:[0-9])[a-z0-9]{1,20}-[a-z0-9-]{1,20}):[0-9]{2,5}(?:/[^\s<>\"”]{0,500})?(?!\w)",
        _url,
    ),
    rule(
        rf"(?<![\w.])[a-z_]{{2,40}}\.[a-z0-9]{{1,40}}(?:_[a-z0-9]{{1,40}}){{1,20}}(?![\w])|"
        rf"(?<![\w.]){_DOMAINS}\.[a-z0-9_]{{2,80}}(?!\w)",
        _entity,
    ),
    rule(
        r"(?<![\w/.~<:])(?:~|[A-Za-z]:(?=\\)|\.{1,2})?(?:[/\\][\w.@+-]{1,100}){2,40}+[/\\]?|"
        r"(?<![\w/.~<:])(?:~|[A-Za-z]:)[/\\][\w.@+-]{1,100}|(?<![\w/.~])/(?:etc|"
        r"config|dev|tmp|home|var|usr|share|media|ssl|api)(?!\w)",
        lambda match, english: (
            spoken(match[0].rstrip("."), english) + "." * (len(match[0]) - len(match[0].rstrip(".")))
        ),
    ),
    rule(
        rf"(?<![\w/.~-])(?:[\w-]{{1,60}}/){{0,8}}[\w-]{{1,60}}(?:\.[\w-]{{1,20}}){{0,2}}\.{_FILES}(?!"
        rf"\w|\.\w)",
        lambda match, english: spoken(match[0], english).replace("underscore ", ""),
    ),
    rule(r"(?<=[^\W_])_{1,3}(?=[^\W_])", " "),
)
"""Addresses and names of files and entities."""
