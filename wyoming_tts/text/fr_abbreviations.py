"""Abbreviations of French and what is read for them."""

from __future__ import annotations

import functools
import re

from wyoming_tts.text.aligned import Rule

_MONTH = "jan|fév|mar|avr|mai|juin|juil|aoû|sep|oct|nov|déc"
_BEFORE_DATE = rf"(?:\.,?|,)?(?= \d{{1,2}}(?:er)?(?:/\d| (?:{_MONTH})))"

_SAID = {
    r"M\.(?= (?:[A-ZÀ-Þ]|(?:et|ou) M(?:me|lle)|l[ea] |l['’]))": "monsieur",
    r"Me(?= [A-ZÀ-Þ])": "maître",
    r"MM\.(?= [A-ZÀ-Þ])": "messieurs",
    r"Mmes\b\.?": "mesdames",
    r"Mme\b\.?": "madame",
    r"Mlles\b\.?": "mesdemoiselles",
    r"Mlle\b\.?": "mademoiselle",
    r"Drs?\b\.?(?= [A-ZÀ-Þ])": "docteur",
    r"Dre\b\.?(?= [A-ZÀ-Þ])": "docteure",
    r"Pr\b\.?(?= [A-ZÀ-Þ])": "professeur",
    r"Prof\.": "professeur",
    r"Ste[ -](?=[A-ZÀ-Þ])": "sainte ",
    r"St[ -](?=[A-ZÀ-Þ])": "saint ",
    r"[Ee]tc\b(?:\.(?!\.)|…|\.\.\.)?": "et cétéra",
    r"[Pp]\. ?ex\.": "par exemple",
    r"[Cc](?:\.-à-d\.|-à-d\b\.?)": "c'est-à-dire",
    r"[Ee]nv\.": "environ",
    r"av\. J\.-C\.": "avant Jésus-Christ",
    r"apr?\. J\.-C\.": "après Jésus-Christ",
    r"J\.-C\.": "Jésus-Christ",
    r"[Nn](?:[°ºᵒ]s|os)(?= ?\d) ?": "numéros ",
    r"(?:[Nn][°ºᵒ]|№)(?= ?\d) ?": "numéro ",
    r"[Nn]o\.? (?=\d)": "numéro ",
    r"[Tt][ée]l\.": "téléphone",
    r"[Bb](?:oule)?v?ar?d\.(?= )|[Bb]d\b\.?(?= [A-ZÀ-Þ])": "boulevard",
    r"[Aa]v\.(?= (?:de|du|des|[A-ZÀ-Þ]))": "avenue",
    r"pp\.(?= ?\d) ?": "pages ",
    r"p\.(?= ?\d) ?": "page ",
    r"[Cc]hap\.(?= )": "chapitre",
    **{
        rf"(?<!\d )[{day[0]}{day[0].upper()}]{day[1:3]}{_BEFORE_DATE}": day
        for day in ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
    },
    r"(?<=(?:\de|er|me|re) )ét\.": "étage",
    r"(?<=\d )ch\.": "chambres",
    r"[Ss]\.-?d\.-?b\.|[Ss]db\b": "salle de bains",
    r"[Aa]pr\.(?=-midi)": "après",
    r"[Hh]ab\.(?=[ ,]|$)": "habitants",
    r"[Rr]éf\.": "référence",
    r"[Pp]rob\.(?= )": "probabilité",
    r"(?<=[IVX]e )s\.": "siècle",
    r"s\.(?= av\.)": "siècle",
    r"[Vv]ol\.(?= )": "volume",
    r"[Aa]rt\.(?= \d)": "article",
    r"[Tt]emp\.(?= )": "température",
    r"[Mm]ax\.": "maximum",
    r"(?<!\d )min\.(?=$| \(|,| :| -?\d)": "minimum",
    r"[Aa]ppt\.?(?= )": "appartement",
    r"vs\b\.?(?= )": "contre",
    r"[Qq]qn\b": "quelqu'un",
    r"[Qq]qch\b\.?": "quelque chose",
    r"SVP\b|svp\b": "s'il vous plaît",
    r"RDV\b|rdv\b": "rendez-vous",
    r"RDC\b|rdc\b": "rez-de-chaussée",
    r"HVAC\b": "H V A C",
    r"CO[₂2](?!\w)": "CO deux",
    r"UV index\b": "indice UV",
    r"AQI\b": "A Q I",
}


def _expanded(said: str, match: re.Match[str]) -> str:
    """With a capital where there was one, and the full stop that also ended the sentence."""
    if match[0][:1].isupper():
        said = said[:1].upper() + said[1:]
    return f"{said}." if match[0].endswith(".") and not match.string[match.end() :].strip(' )»”"') else said


ABBREVIATIONS: tuple[Rule, ...] = tuple(
    (re.compile(rf"(?<![^\W\d]|[.@]){written}"), functools.partial(_expanded, said))
    for written, said in _SAID.items()
)
"""Matched with their case, at the start of a word; before all other rules."""
