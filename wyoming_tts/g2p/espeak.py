"""espeak-ng: Spanish, French, Hindi, Italian, Portuguese, and the English words that no lexicon has."""

from __future__ import annotations

import ctypes
import functools
import re
import threading

from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.g2p.acronyms import spelled_out
from wyoming_tts.g2p.align import align
from wyoming_tts.g2p.base import Piece
from wyoming_tts.g2p.symbols import TIE, from_espeak

VOICES = {
    "en-US": "en-us",
    "en-GB": "en",  # nearer to what the British voices were trained on than espeak's en-gb-x-rp
    "es": "es",
    "fr-FR": "fr",
    "hi": "hi",
    "it": "it",
    "pt-BR": "pt-br",
}
"""BCP 47 tag -> the espeak-ng voice that reads it."""

MINUS = {"es": "menos ", "fr-FR": "moins ", "hi": "माइनस "}
"""Where espeak passes over the sign of a negative number."""

DECIMAL_COMMA = frozenset({"es", "fr-FR", "it", "pt-BR"})
"""Where "21.5" is read right only as "21,5"."""

_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_UTF8 = 1
_IPA_TIED = 0x02 | 0x80 | ord(TIE) << 8
_PROCESS_LOCK = threading.Lock()  # espeak-ng keeps its state in the process, whoever calls it


class Espeak:
    """The espeak-ng library; use `espeak()` to get the one there can be."""

    def __init__(self) -> None:
        """Load it. Raises BackendUnavailableError."""
        try:
            import espeakng_loader

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path().encode()
        except (ImportError, OSError, RuntimeError) as error:
            raise BackendUnavailableError(f"espeak-ng cannot be loaded: {error}") from error
        if self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT) < 0:
            raise BackendUnavailableError(f"espeak-ng cannot use its data in {data.decode()}")
        self._translate = self._library.espeak_TextToPhonemes
        self._translate.restype = ctypes.c_char_p
        self._translate.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        self._voice = ""

    def ipa(self, text: str, voice: str) -> str:
        """The text's phonemes, words between spaces; call it with the process lock held."""
        if self._voice != voice:
            if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
                raise BackendUnavailableError(f"espeak-ng has no voice {voice}")
            self._voice = voice
        clauses = self._clauses(f"{text}   ")
        while late := self._clauses(" "):  # what it still held back would be spoken with the next text
            clauses += late
        return " ".join(clauses)

    def _clauses(self, text: str) -> list[str]:
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        while rest.value:
            clauses.append(self._translate(ctypes.byref(rest), _UTF8, _IPA_TIED) or b"")
        return [clause.decode("utf-8", "ignore") for clause in clauses if clause]


@functools.cache
def _espeak() -> Espeak:
    """The one espeak-ng of this process; call it with the process lock held."""
    return Espeak()


def ipa(text: str, voice: str) -> str:
    """Phonemes of a text in tied IPA, from any thread. Raises BackendUnavailableError."""
    with _PROCESS_LOCK:
        return _espeak().ipa(text, voice)


class EspeakReader:
    """Reads one language through espeak-ng."""

    own_words = False

    def __init__(self, language: str) -> None:
        """`language` is a key of `VOICES`."""
        self._language = language
        self._word = functools.lru_cache(maxsize=8192)(self._phonemes)

    def read(self, clause: str) -> list[Piece]:
        """One piece for each word between spaces."""
        words = list(re.finditer(r"\S+", clause))
        texts = [self._known(spoken_form(word.group(), self._language)) for word in words]
        spoken = self._phonemes(" ".join(texts))
        groups = align(spoken, [self._word(text) for text in texts])
        return [Piece(group, *word.span()) for group, word in zip(groups, words, strict=True)]

    def _known(self, word: str) -> str:
        """The word; of one that espeak passes over for a letter it does not know, the letters it knows."""
        if not word or self._word(word):
            return word
        return "".join(symbol for symbol in word if not symbol.isalpha() or self._word(symbol))

    def _phonemes(self, text: str) -> tuple[str, ...]:
        return tuple(from_espeak(ipa(text, VOICES[self._language]), self._language)) if text.strip() else ()


def spoken_form(word: str, language: str) -> str:
    """A word as espeak reads it right: signs, decimals, ranges; never with an end of a clause in it."""
    word = re.sub(r"[\u200b\ufeff]", "", word).replace("’", "'")
    word = re.sub(r"(?<=\d)[-–](?=\d)", " ", word)
    word = re.sub(r"^[-−](?=\d)", MINUS.get(language, "-"), word)
    if language in DECIMAL_COMMA:
        word = re.sub(r"(?<![\d.,])(\d+)\.(\d{1,2}|\d{4,})(?![\d.,])", r"\1,\2", word)
    word = spelled_out(word, language)
    return word if "." in word[:-1] else word.rstrip(".")
