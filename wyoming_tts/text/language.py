"""Which language a text is in, when that is sure.

The script decides for Japanese, Chinese and Hindi; Latin text goes through py3langid, among the
languages that this server may speak and some neighbours, so that German is not taken for Dutch or
Spanish. A wrong guess is worse than none: it makes the default voice's own language sound foreign.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

SURE = 0.8
"""Probability from which the model is believed, where the text also has words of that language."""

SURE_WITHOUT_WORDS = 0.95
"""Probability from which it is believed without: a few nouns can look like anything."""

FEWEST_LETTERS = 7
"""Shorter texts, mostly a name or a unit, are left to the default voice."""

LONGEST_LOOKED_AT = 600
"""Characters that are looked at: more would not make it surer."""

_NEIGHBOURS = ("en", "es", "fr", "it", "pt", "de", "nl", "sv", "da", "pl", "cs", "ro", "fi", "hu", "tr", "id")
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d]")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff々〆\U00020000-\U0003ffff]")
_ONLY_JAPANESE = re.compile(
    "[々〆気円図駅働込沢辻峠畑匂枠栃実対応単広戦楽済総経続読転遅関鉄険験黒発売価変歩毎絵庁蔵団様顔頼浜塩]"
)
_DEVANAGARI = re.compile(r"[\u0900-\u097f]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_WORD = re.compile(r"[^\W\d_]+")
_HAN_WEIGHT = 2  # a Han character or kana stands for at least two Latin letters

# Usual words: they tell a sentence in a language from an English one with a name in that language.
_TELLING = {
    "en": "the is are was were and of off your you has have it this that there with by for what where "
    "when how turned will not don't can't couldn't i i'm it's s t playing my at from please sorry hello "
    "good morning set temperature today tomorrow light lights door open closed degrees about minutes here "
    "been did does",
    "es": "el los las del una está están y hay es grados luz luces puerta abierta cerrada encendida "
    "apagada hola gracias qué cómo dónde cuándo por para con su tu mi lo ha he se no que muy minutos son "
    "buenos buenas días noches mañana hoy siento puedo ahora salón cocina dormitorio",
    "fr": "à le les des du une est sont et dans il elle je vous nous avec pour pas sur au aux ce cette j "
    "l d c qu n degrés lumière lumières porte bonjour bonsoir merci ouverte fermée allumée éteinte salon "
    "cuisine chambre minutes désolé aujourd demain fait votre vos s'il ça",
    "it": "il gli della dello nel nella è e sono una di che per con non alle ho ha si luce luci porta "
    "aperta chiusa accesa spenta gradi ciao grazie buongiorno buonasera oggi domani cucina camera "
    "soggiorno minuti mi dispiace le del dei sulla alla",
    "pt": "o os da do das dos na no nas nos uma um é está estão e não são com para por luz luzes porta "
    "aberta fechada acesa apagada graus olá obrigado obrigada bom dia boa noite hoje amanhã cozinha sala "
    "quarto minutos você que desculpe seu sua agora foi",
}
_TELLING_WORDS = {language: frozenset(words.split()) for language, words in _TELLING.items()}


def detect_language(text: str, candidates: Collection[str]) -> str | None:
    """The first of the `candidates` (BCP 47 tags) in the text's language; None when that is not sure.

    Thread-safe. The first call on Latin text loads the model (see `load_detector`).
    """
    text = text[:LONGEST_LOOKED_AT]
    by_base = {tag.replace("_", "-").partition("-")[0].lower(): tag for tag in reversed(tuple(candidates))}
    language = _by_script(text)
    if language == "latin":
        language = _by_words(text)
    return by_base.get(language) if language else None


def load_detector() -> None:
    """Load the model for Latin text (about a second) before somebody waits for it."""
    _identifier()


def detector_is_loaded() -> bool:
    """Whether `detect_language` answers at once."""
    return bool(_loaded)


def _by_script(text: str) -> str | None:
    """`ja`, `zh`, `hi`, `latin`, or None for another script."""
    kana, han = len(_KANA.findall(text)), len(_HAN.findall(text))
    counts = Counter(
        latin=len(_LATIN.findall(text)),
        cjk=_HAN_WEIGHT * (kana + han),
        hi=len(_DEVANAGARI.findall(text)),
    )
    script, count = counts.most_common(1)[0]
    letters = sum(len(word) for word in _WORD.findall(text))
    if not count or count * 2 < letters:
        return None
    if script != "cjk":
        return script
    return "ja" if kana or _ONLY_JAPANESE.search(text) else "zh"


def _by_words(text: str) -> str | None:
    """The language of a text in Latin letters; None when not sure."""
    words = [word.lower() for word in _WORD.findall(text)]
    if sum(map(len, words)) < FEWEST_LETTERS:
        return None
    language, probability = _identifier().classify(" ".join(_WORD.findall(text)))
    if language == "en" or language not in _TELLING_WORDS:
        return language if probability >= SURE else None
    own = _TELLING_WORDS[language]
    english = sum(word in _TELLING_WORDS["en"] and word not in own for word in words)
    native = sum(word in own for word in words)
    if english and native <= 2 * english:
        return None
    return language if probability >= (SURE if native else SURE_WITHOUT_WORDS) else None


_loaded: list[LanguageIdentifier] = []
_loading = threading.Lock()


def _identifier() -> LanguageIdentifier:
    """The model, restricted to the languages it is asked about; only ever read from."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    with _loading:
        if not _loaded:
            identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
            identifier.set_languages(_NEIGHBOURS)
            _loaded.append(identifier)
    return _loaded[0]
