"""Where a sentence ends, and where an overlong one may be cut: rules without state.

Every rule looks only at the text, never at how much of it happens to be there. Where what
comes next would decide, `MoreText` is raised, unless the text is known to end here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

STOPS = ".!?…‼⁇⁈⁉‽"
"""Marks that end a sentence when a space, or nothing, follows."""

WIDE_STOPS = "。！？．｡।॥؟۔։።။"
"""Marks that end a sentence whatever follows."""

NEWLINES = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""Characters that end a line."""

NARROW_CLAUSES = ",;:—–-"
"""Marks that may end a clause, depending on the spaces around them."""

WIDE_CLAUSES = "、，；：،؛"
"""Marks that end a clause whatever follows."""

_WIDE = "\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_WIDE_RUN = re.compile(f"[{_WIDE}]+")
_DIGITS = re.compile(r"\d+")
_WIDE_WEIGHT = 2.5  # one Han character or kana sounds about as long as 2.5 Latin letters
_DIGIT_WEIGHT = 3.0  # "7" is said with as many sounds as a word of about three letters

_STOP_RUN = re.compile(
    rf"[{STOPS}{WIDE_STOPS}]{{1,16}}"
)  # a longer run is judged in parts: bounded look-ahead
_CLOSERS = re.compile("[\"'”’»)\\]}」』）】》〉*_~\u2600-\u27bf\ufe0f\u200d\U0001f000-\U0001faff]{0,16}")
_SPACES = re.compile(r"[^\S\n\r]{0,8}")
_LONGEST_STARTER = 12
_WORD = re.compile(rf"[^\W\d_]{{1,{_LONGEST_STARTER}}}")
_BLANK_LINE = re.compile(r"\r?[\n\v\f][ \t\r]{0,8}\n|\u2029")
_BLANK_LINE_PART = re.compile(r"(?:\r|\r?[\n\v\f][ \t\r]{0,8})\Z")

_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,3}")
_LIST_NUMBER = re.compile(r"[(\[*_>#+•\s-]{0,12}(?:\d{1,3}(?:\.\d{1,3}){0,3}|[A-Za-z]|[ivxIVX]{2,4})")
_LIST_AFTER_COLON = re.compile(r"[:;]\s\d{1,2}\Z")
_OPENERS = "([{\"'“‘«‹„¿¡*_~<—–-/"
_QUOTES = "\"'”’»"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NEVER_LAST = _words(
    "dr dra drs mr mrs prof profa sra srta sres dña exmo exma sig sigg sig.ra sig.na dott dott.ssa avv geom "
    "डॉ श्री सुश्री प्रो कु पं स्व रु रू د م أ "
    "mme mmes mlle mlles vs cf ee approx e.g i.e eg ie ej p.ej p.ex p.es z.b av.da gral lic ing eng"
)
_NEVER_LAST_IF_CAPITAL = _words(
    "Ms Gen Gov Hon Lt Maj Col Sgt Capt Rev Sen Rep Pr Mgr Sto Sta Ste Mons Arch Rag Sr MM Me"
)
_NUMBER_FOLLOWS = _words(
    "no nos nr núm num nº pp pág pag págs pagg fig figs vol vols cap art tel tél eq ext ch chap "
    "exp cell núms ss séc sécs sez"
)
_NUMBER_FOLLOWS_IF_CAPITAL = _words("Mon Sat Sun Mar May Sept")
_MAY_BE_LAST = _words(
    "etc ecc es ex env ft sq min mins max hr hrs secs lb lbs oz tbsp tsp yd yds gal qt kg km cm mm ml "
    "ud uds vd uu inc ltd co corp dept est al ca avg temp ed éd sr "
    "jr bros sec seg prob aprox máx mín mass unid unids uds conf izda "
    "izq dcha tlf tfno ref réf hab apr "
    "lun mar mié jue vie sáb dom mer gio ven sab ter qua qui sex jeu sam "
    "dim ét qté hum vel dir apto apt bl méd prec "
    "gral pza"
)
_DATED = re.compile(
    r"\d[ -](?:de )?(?:ene|jan|janv|gen|feb|fev|fév|févr|mar|abr|avr|apr|may|mai|mag|jun|jui|juil|giu|jul|lug"
    r"|ago|aug|sep|sept|set|oct|okt|out|ott|nov|dic|dec|dez|déc)\Z",
    re.IGNORECASE,
)
_ROMAN = re.compile(r"[IVX]{2,7}|[VX]")
_NAME_MAY_FOLLOW = _words(
    "st ave av avda blvd bd rd mt ft sq jr phd tue tues wed thu thurs fri jan feb apr jun jul aug sep oct "
    "nov dec"
)
_STARTERS = _words(
    "The A An It He She They We I You This That These Those There Then But And So If When While What Who "
    "Where Why How Is Are Was Were Do Does Did Can Could Would Will Should My Your His Her Its Our Their "
    "In On At For From To With After Before Please No Not Yes Now Today Tomorrow Tonight Also Just Here "
    "Let Turn Set Open Close As Or Once El La Los Las Un Una Unos Unas Es Está Están Hay Se Y Pero Si "
    "Cuando Qué Quién Cómo Dónde Yo Tú Él Ella Mi Tu Su I' Sí En Con Por Para Ahora Hoy Esta Este Le Les "
    "Une Des Du Il Elle Ils Elles On Nous Vous Je Ce Cette Ces Mais Et Est Sont Quand Où Que Qui Dans "
    "Avec Pour Oui Non Aujourd C' J' L' D' S' Lo Gli Uno È Sono Ma Quando Che Chi Dove Come Nel Nella Per "
    "Sì Oggi Adesso O Os As Um Uma É São Mas E Quem Onde Você Ele Eu Seu Sua Sim Não Hoje Agora Na Em"
)

_CONNECTIVES = (
    "and but or nor that because which who whose when while if so then than where although though unless "
    "until since before after whether y e o u pero porque que cuando mientras si donde aunque sino pues "
    "et mais ou car qui dont quand lorsque parce puisque si où ma perché che mentre dove anche oppure "
    "però se mas quando enquanto onde embora"
)
_PREPOSITIONS = (
    "in on at with from for to into by about through during over under between without as "
    "en con de por para desde hasta sobre sin entre dans avec pour depuis sur sous chez vers pendant sans "
    "nel nella con per tra fra dal dalla sul sulla em no na com até sem"
)
_CLINGING = (
    "the a an of to in on at my your his her its our their this that is are was very not no with by for "
    "and or el la los las un una de del al en y o mi tu su se lo le les des du une ce et ou à au aux ne "
    "je il elle gli i uno di da nel nella e è os as um uma dos das em não"
)


class MoreText(Exception):
    """Only the text that follows can tell."""


def spoken_length(text: str, start: int, end: int) -> float:
    """How long `text[start:end]` is to the ear, in Latin letters; at least 1 a character."""
    part = text[start:end]
    length = float(len(part))
    length += sum(len(run) for run in _DIGITS.findall(part)) * (_DIGIT_WEIGHT - 1)
    if not part.isascii():
        length += sum(len(run) for run in _WIDE_RUN.findall(part)) * (_WIDE_WEIGHT - 1)
    return length


def index_over(text: str, start: int, length: float) -> int:
    """The first index at which `text[start:index]` is longer to the ear than `length`, or the text's end."""
    if text.isascii() and not _DIGITS.search(text, start):
        return min(start + int(length) + 1, len(text))
    for index in range(start, len(text)):
        length -= spoken_length(text, index, index + 1)
        if length < 0:
            return index + 1
    return len(text)


def peek(text: str, index: int, final: bool) -> str:
    """The character at `index`; empty behind the end of a final text, else MoreText."""
    if index < len(text):
        return text[index]
    if final:
        return ""
    raise MoreText


def next_character(text: str, index: int, final: bool) -> str:
    """The first character from `index` on that is no blank; empty behind the end of a final text."""
    return peek(text, _match_end(_SPACES, text, index), final)


def is_wide(char: str) -> bool:
    """Whether a character is Han, kana, Hangul or a full-width form."""
    return bool(_WIDE_RUN.match(char))


def stop_run_end(text: str, index: int) -> int:
    """The end of the row of stops at `index`."""
    return _match_end(_STOP_RUN, text, index)


def between_digits(text: str, start: int, end: int, head: int) -> bool:
    """Whether digits stand on both sides of `text[start:end]`."""
    return start > head and text[start - 1].isdigit() and text[end : end + 1].isdigit()


def sentence_end(text: str, head: int, index: int, final: bool, line_start: bool) -> int:
    """The end of the sentence whose stop is at `index`, closing marks included; 0 if none ends there.

    `head` is where the sentence began, `line_start` whether a list number may stand there.
    """
    stop = _match_end(_STOP_RUN, text, index)
    end = _match_end(_CLOSERS, text, stop)
    following = peek(text, end, final)
    if following.isspace() and _is_quoting(text, head, index) and peek(text, end + 1, final) == "»":
        end += 2
        following = peek(text, end, final)
    if not following:
        return end
    if text[stop - 1] in WIDE_STOPS:
        quoted = end > stop and following in "とっ"
        return 0 if quoted or between_digits(text, index, end, head) else end
    if following in "¿¡":
        return end
    if not following.isspace():
        glued = text[index] != "." and index > head and is_wide(following) and is_wide(text[index - 1])
        return end if glued else 0
    if text[index:stop] == "." and not _full_stop(text, head, index, end, final, line_start):
        return 0
    goes_on = text[index:stop] in ("…", "..", "...") or any(mark in _QUOTES for mark in text[stop:end])
    return 0 if goes_on and _next_word(text, end, final)[:1].islower() else end


def pause_kind(text: str, end: int, final: bool) -> str:
    """`paragraph` if a blank line follows a sentence that ends at `end`, else `sentence`.

    Only a line break directly behind the sentence is looked behind, so that a space releases it at once.
    """
    if _BLANK_LINE.match(text, end):
        return "paragraph"
    if not final and _BLANK_LINE_PART.match(text, end):
        raise MoreText
    return "sentence"


def is_list_mark(text: str) -> bool:
    """Whether a line has nothing but its list number or bullet so far."""
    return bool(re.fullmatch(r"[-*+•–#>]{1,6}|[(\[]?(?:\d{1,3}|[A-Za-z])[.)\]]", text))


def stop_is_sure(text: str) -> bool:
    """Whether a text that nobody continues for a while is a finished sentence, or a finished line."""
    tail = text[-48:]
    if tail.rstrip(" \t")[-1:] in NEWLINES:
        return True
    match = re.search(rf"([{STOPS}{WIDE_STOPS}]+){_CLOSERS.pattern}\s*\Z", tail)
    if not match or not re.search(r"\w", text):
        return False
    if match[1] != ".":
        return True
    token = _token_before(tail, 0, match.start())
    if not token or not _may_be_over(token[-1]) or is_list_mark(text.strip()):
        return False
    if _DOTTED.fullmatch(token):
        return token.lower() not in _NEVER_LAST
    plain = not re.search(r"[./@:\\]", token)
    return plain and not _never_last(token) and not (len(token) == 1 and token.isupper())


def _may_be_over(character: str) -> bool:
    """Whether nothing but a new sentence is to be expected behind a full stop behind a character."""
    return unicodedata.category(character)[0] in "LM" or character in "%‰°€$£¥²³)]\"'”’»`*_~"


def best_cut(text: str, floor: int, ceiling: int, spans: Sequence[tuple[int, int]]) -> int:
    """Where to cut an overlong sentence: an index from `floor` to `ceiling`.

    Best behind a clause mark, then before a connective, before a preposition, at any space; the
    latest of the best kind, outside the `spans` where that is possible. A word is cut only when
    there is nothing else.
    """
    for kept in (spans, ()) if spans else ((),):
        for pattern in _CUTS:
            ends = [match.end() for match in pattern.finditer(text) if floor <= match.end() <= ceiling]
            ends = [end for end in ends if not any(start < end < stop for start, stop in kept)]
            if ends:
                return ends[-1]
        crossed = [stop for start, stop in kept if start < ceiling < stop]
        if crossed and len(text) >= crossed[0]:
            return crossed[0]
    spaces = [match.end() for match in re.finditer(r"\s", text[:floor])]
    return spaces[-1] if spaces else _cut_anywhere(text, floor, ceiling)


def _cut_anywhere(text: str, floor: int, ceiling: int) -> int:
    for clings in (_is_inside_word, _is_inside_character):
        for index in range(ceiling, max(floor, 1) - 1, -1):
            if not clings(text, index):
                return index
    return ceiling


def _is_inside_word(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    joined = before.isalnum() and after.isalnum() and not is_wide(after)
    return joined or (before.isdigit() or after.isdigit()) or _is_inside_character(text, index)


def _is_inside_character(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    return unicodedata.category(after) in ("Mn", "Mc", "Me", "Sk") or "\u200d" in (before, after)


def _match_end(pattern: re.Pattern[str], text: str, index: int) -> int:
    match = pattern.match(text, index)
    return match.end() if match else index


def _next_word(text: str, index: int, final: bool) -> str:
    """The word behind some spaces, one other character if it is none, empty at the end of the line."""
    start = _match_end(_SPACES, text, index)
    first = peek(text, start, final)
    if first in NEWLINES:
        return ""
    end = _match_end(_WORD, text, start)
    if not 1 <= end - start < _LONGEST_STARTER:
        return text[start:end] or first
    following = peek(text, end, final)
    if end - start == 1 and following and following in ".'’":  # an initial, or an elided article
        end += 1
    return text[start:end].replace("’", "'")


def _token_before(text: str, head: int, index: int) -> str:
    token = re.search(r"\S*\Z", text[max(head, index - 24) : index])
    return token[0].lstrip(_OPENERS) if token else ""


def _full_stop(text: str, head: int, index: int, end: int, final: bool, line_start: bool) -> bool:
    """Whether the lone full stop at `index` ends a sentence and not just an abbreviation."""
    if line_start and _LIST_NUMBER.fullmatch(text, head, index):
        return False
    token = _token_before(text, head, index)
    if _LIST_AFTER_COLON.search(text, max(head, index - 8), index):
        return False
    if _DATED.search(text, max(head, index - 12), index):
        return _next_word(text, end, final) not in ("1", "2")
    name = token.replace("’", "'").rpartition("'")[2] if len(token) > 4 else token
    rule = _rule_for(name) if name else ""
    if not rule:
        return True
    if rule == "never":
        return False
    word = _next_word(text, end, final)
    if word == ":":
        return False
    if rule == "number":
        return not (word[:1].isdigit() or _ROMAN.fullmatch(word))
    if rule == "lower":
        era = token in ("a", "d") and word == "C."
        return not (word[:1].islower() or word[:1].isdigit() or era or _ROMAN.fullmatch(word))
    return word in _STARTERS or not (word[:1].isalnum())


def _is_quoting(text: str, head: int, index: int) -> bool:
    """Whether a French quotation, whose marks have spaces inside, is open at `index`."""
    return text.rfind("«", head, index) > text.rfind("»", head, index)


def _never_last(token: str) -> bool:
    return token.lower() in _NEVER_LAST or token in _NEVER_LAST_IF_CAPITAL


def _rule_for(token: str) -> str:
    """Which abbreviation rule a word before a full stop comes under; empty for an ordinary word."""
    lower = token.lower()
    if _never_last(token):
        return "never"
    if lower in _NUMBER_FOLLOWS or token in _NUMBER_FOLLOWS_IF_CAPITAL:
        return "number"
    if lower in _NAME_MAY_FOLLOW and (token[0].isupper() or lower in ("av", "avda", "bd")):
        return "name"
    if lower in _MAY_BE_LAST:
        return "lower"
    if _DOTTED.fullmatch(token):
        return "name"
    if len(token) == 1 and token.isalpha():
        return "name" if token.isupper() else "lower" if token.islower() else ""
    return ""


def _any_of(words: str) -> str:
    return "|".join(words.split())


# The look-behinds follow the space, so that they are tried at spaces only.
_NOT_CLINGING = r"(?<!\d\s)" + "".join(rf"(?<!\b{word}\s)" for word in _CLINGING.split())
_CUTS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<=\s)\|(?=\s)|(?:[,;:][\"'”’»)]?|(?<=\s)[-–])(?=\s)(?!\s\d)|(?<=\w)\s?—|"
        rf"[{WIDE_CLAUSES}](?<!\d.)",
        rf"\s(?=(?:{_any_of(_CONNECTIVES)})\s)",
        rf"\s(?=(?:{_any_of(_PREPOSITIONS)})\s){_NOT_CLINGING}",
        rf"\s(?![\d°%]){_NOT_CLINGING}|[ぁ-ん](?=[ァ-ヶ一-龠])",
        r"\s(?<!\d\s)(?!\d)",
        r"\s",
    )
)
