"""French as it is read out."""

from __future__ import annotations

import functools
import re

from wyoming_tts.text import fr_words, numbers, romance
from wyoming_tts.text.aligned import AlignedText, Kind, Rule
from wyoming_tts.text.fr_abbreviations import ABBREVIATIONS
from wyoming_tts.text.fr_rules import (
    ENTITIES,
    FIRST,
    LAST,
    PER,
    SPACES,
    money_rule,
    read_ordinal,
    read_telephone,
)
from wyoming_tts.text.fr_units import BEFORE_WORDS, CURRENCIES, UNITS
from wyoming_tts.text.romance_grammar import Grammar, Power, compass

_LABELS = (
    *("chaîne", "zone", "étage", "porte", "lampe", "chambre", "chapitre", "capteur", "numéro"),
    *("page", "version", "salle", "niveau", "mode", "ligne", "place", "vol", "quai", "voie"),
    *("phase", "partie", "saison", "épisode", "scène", "groupe", "rang", "rangée", "thème"),
    *("option", "étape", "article", "prise", "interrupteur", "caméra", "haut-parleur", "radio"),
    *("tv", "téléviseur", "écran", "bouton", "type", "classe", "catégorie", "unité", "appareil"),
    *("lettre", "fenêtre", "volet", "garage", "thermostat", "scénario", "acte", "tome", "volume"),
    *("section", "annexe", "appartement", "bureau", "bâtiment", "route", "autoroute", "bus"),
    *("tram", "métro"),
)


def _counted(said: str, noun: str) -> str:
    """ "un million d'habitants"."""
    if said.endswith(" de") and noun[:1].lower() in "aeiouéèêàâîôœ":
        return f"{said[:-1]}'"
    return f"{said} "


GRAMMAR = Grammar(
    language="fr",
    sums={
        **{
            "+": "plus",
            "-": "moins",
            "×": "fois",
            "÷": "divisé par",
            "=": "égale",
            "<": "moins de",
            ">": "plus de",
        },
        **{"≤": "au plus", "≥": "au moins", "±": "plus ou moins", "~": "environ", "&": "et", "#": "numéro"},
        **{",": "virgule"},
    },
    address={
        **{".": "point", "/": "slash", ":": "deux-points", "@": "arobase", "_": "tiret bas", "-": "tiret"},
        **{"?": "point d'interrogation", "#": "dièse", "%": "pour cent", "&": "esperluette", "=": "égale"},
        **{"+": "plus", "~": "tilde"},
    },
    words={
        **{"and": "et", "to": "à", "between": "entre", "between_and": "et", "of": "de", "per": "par"},
        **{"hundred": "cent", "version": "version", "half_m": "un demi", "half_f": "une demi"},
        **{"and_half_m": "demi", "and_half_f": "demie", "each": "par|chaque|le|un|du|au", "of_year": ""},
        **{"^": "puissance", "²": "au carré", "³": "au cube"},
        **{"at_time": "à ", "from_time": "", "to_time": "à "},
    },
    gender=fr_words.gender,
    labels=frozenset(_LABELS),
    feminine_before=frozenset(),
    counted=_counted,
    fix=lambda said, number, gender: said,
    units=UNITS,
    squared=Power("carré", "carrés", "carrée", "carrées"),
    cubed=Power("cube", "cubes", "cube", "cubes"),
    per=lambda symbol, noun: f"par {noun.one}",
    before_words=BEFORE_WORDS,
    currencies=CURRENCIES,
    cents="et",
    magnitudes="millions?|milliards?|billions?",
    months=fr_words.MONTHS,
    month_pattern="janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
    "|janv|févr|fév|avr|juil|sept|oct|nov|déc",
    date=fr_words.date,
    date_cue="le|du|au|jour|date|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|depuis le|avant le",
    clock=fr_words.clock,
    clock_cue="(?:à|vers|dès|jusqu['’]à) ",
    day_parts=fr_words.day_part,
    ordinal=lambda number, gender, noun: fr_words.ordinal(number, gender),
    degree_ordinals="",
    denominator=fr_words.denominator,
    abbreviations={},
    code_cue="pin|code|code postal|mot de passe|mdp|digicode|identifiant",
    regnal=lambda name, number: "premier" if number == 1 else numbers.cardinal(number, "fr"),
    rulers="(?:Louis|Henri|Charles|François|Philippe|Napoléon|Jean-Paul|Jean|Paul|Pie|Benoît|Léon"
    "|Grégoire|Clément|Guillaume|Édouard|Edouard|George|Georges|Jacques|Richard|Frédéric"
    "|Nicolas|Alexandre|Pierre|Ferdinand|Alphonse"
    "|Élisabeth|Elisabeth|Elizabeth|Robert|Hugues|Léopold|Albert|Ramsès"
    "|Innocent|Boniface|Urbain|Sixte"
    "|Juan Carlos|Felipe|Harald|Gustave|Christian|Catherine)",
    century="siècles?",
    century_number=lambda number: numbers.cardinal(number, "fr"),
    roman_labels="chapitre|tome|volume|partie|acte|scène|section|article|titre|annexe|phase|livre"
    "|niveau|type|épisode|saison|guerre mondiale|paris|grade|stade|catégorie",
    roman_counted="(?!)",
    letters={
        **dict(
            zip(
                "abcdefghijklm",
                ("a", "bé", "cé", "dé", "e", "effe", "gé", "ache", "i", "ji", "ka", "elle", "ème"),
                strict=True,
            )
        ),
        **dict(zip("nopqrstuv", ("enne", "o", "pé", "ku", "erre", "esse", "té", "u", "vé"), strict=True)),
        **{
            "w": "double vé",
            "x": "ixe",
            "y": "i grec",
            "z": "zède",
            "é": "e accent aigu",
            "è": "e accent grave",
        },
        **{"ê": "e accent circonflexe", "à": "a accent grave", "ç": "cé cédille", "ù": "u accent grave"},
    },
    compass=compass(
        "vents? rafales? brises? secteur direction orientation cap exposition houle",
        "NESO nord est sud ouest",
        "nord-est sud-est sud-ouest nord-ouest",
        "nord-nord-est est-nord-est est-sud-est sud-sud-est sud-sud-ouest ouest-sud-ouest ouest-nord-ouest"
        " nord-nord-ouest",
    ),
    scales={
        **{"M": ("million", "millions"), "Md": ("milliard", "milliards"), "Mds": ("milliard", "milliards")},
        **{"Mrd": ("milliard", "milliards")},
    },
    lasting="(?!)",
    over="sur",
    singular_below_two=True,
)
"""What the rules need to know of French."""

_NUMERAL = re.compile(r"[\d½ᵉʳ]|[IVX](?:e|er|re)\b")


@functools.cache
def _first_rules() -> tuple[Rule, ...]:
    return (*FIRST, money_rule(GRAMMAR), *PER)


def normalise(text: AlignedText, language: str) -> AlignedText:
    """One sentence as it is read out; see `normalise.Normaliser`."""
    text = text.apply(SPACES).apply(ABBREVIATIONS)
    if "." in text.text or "_" in text.text:
        text = text.apply(ENTITIES)
    if _NUMERAL.search(text.text):
        text = text.apply(_first_rules())
    return romance.normalise(text, GRAMMAR).apply(LAST)


def say_as(text: str, kind: Kind, form: str, language: str) -> str | None:
    """`text` read as SSML's `say-as` wants; see `normalise.Normaliser`."""
    text = AlignedText.of(text.strip()).apply(SPACES).text
    if kind == "ordinal" and (said := read_ordinal(text)):
        return said
    if kind == "telephone" and (said := read_telephone(text)):
        return said
    if kind == "time":
        text = re.sub(r"^(\d{1,2}) ?[hH] ?(\d\d)?$", lambda match: f"{match[1]}:{match[2] or '00'}", text)
    if kind == "date":
        text = re.sub(r"^(\d{4})(\d\d)(\d\d)$", r"\1-\2-\3", text)
    return romance.say_as(text, kind, form, GRAMMAR)
