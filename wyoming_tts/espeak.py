"""The espeak-ng library: phonemes of a text, and its own plain voice."""

from __future__ import annotations

import ctypes
import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from wyoming_tts.errors import BackendUnavailableError, SynthesisError
from wyoming_tts.types import Samples

TIE = "^"
"""Stands between the letters of one phoneme in `ipa`, so that t + ʃ and tʃ differ."""

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_UTF8 = 1
_END_PAUSE = 0x1000
_IPA_TIED = 0x02 | 0x80 | ord(TIE) << 8
_RATE, _WORDS_PER_MINUTE = 1, 175
_WORD = 1
_LOCK = threading.Lock()  # espeak-ng keeps its state in the process, whoever calls it


@dataclass(frozen=True, slots=True)
class Sound:
    """Some of what is being spoken."""

    samples: Samples
    """Mono, at the library's rate."""

    words: tuple[tuple[int, int, float], ...]
    """Of each word that begins: offset and length in the text, and the second at which it begins."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """A voice of the library."""

    language: str
    """What the library calls its language."""

    identifier: str
    """What it is asked for by."""

    description: str
    """What the library calls it."""


class _Identity(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Espeak:
    """The library; all calls with the process's lock held."""

    def __init__(self) -> None:
        """Load it. Raises BackendUnavailableError."""
        try:
            import espeakng_loader

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path().encode()
        except (ImportError, OSError, RuntimeError) as error:
            raise BackendUnavailableError(f"espeak-ng cannot be loaded: {error}") from error
        self.rate = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT)
        if self.rate < 0:
            raise BackendUnavailableError(f"espeak-ng cannot use its data in {data.decode()}")
        self._translate = self._library.espeak_TextToPhonemes
        self._translate.restype = ctypes.c_char_p
        self._translate.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._heard: Callable[[Sound], bool] | None = None
        self._callback = _Callback(self._call)
        self._library.espeak_SetSynthCallback(self._callback)
        self._voice = ""

    def ipa(self, text: str, voice: str) -> str:
        """The text's phonemes, words between spaces."""
        self._choose(voice)
        clauses = self._clauses(f"{text}   ")
        while late := self._clauses(" "):  # what it still held back would be spoken with the next text
            clauses += late
        return " ".join(clauses)

    def speak(self, text: str, voice: str, speed: float, heard: Callable[[Sound], bool]) -> None:
        """Speak a text; `heard` gets the sound piece by piece and says whether to go on."""
        self._choose(voice)
        self._library.espeak_SetParameter(_RATE, round(_WORDS_PER_MINUTE * speed), 0)
        data = text.encode() + b"\0"
        self._heard = heard
        try:
            status = self._library.espeak_Synth(
                data, ctypes.c_size_t(len(data)), 0, 1, 0, _UTF8 | _END_PAUSE, None, None
            )
        finally:
            self._heard = None
        if status != 0:
            raise SynthesisError(f"espeak-ng failed with {status}")

    def tongues(self) -> list[Tongue]:
        """All voices, one for each language and region."""
        found, number = self._library.espeak_ListVoices(None), 0
        tongues = []
        while found[number]:
            voice = found[number].contents
            language = voice.languages[1:].decode()  # in front stands a byte with the priority
            description = voice.name.decode().replace("_", " ")
            tongues.append(Tongue(language, voice.identifier.decode(), description))
            number += 1
        return tongues

    def _call(self, samples: Any, count: int, events: Any) -> int:
        """What the library calls; not 0 ends the sentence."""
        if self._heard is None:
            return 1
        words, number = [], 0
        while events[number].type:
            event = events[number]
            if event.type == _WORD:
                words.append((event.text_position - 1, event.length, event.audio_position / 1000))
            number += 1
        pcm = np.ctypeslib.as_array(samples, (count,)) if count > 0 else np.zeros(0, np.int16)
        return 0 if self._heard(Sound((pcm / np.float32(32768)).astype(np.float32), tuple(words))) else 1

    def _choose(self, voice: str) -> None:
        if self._voice == voice:
            return
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise BackendUnavailableError(f"espeak-ng has no voice {voice}")
        self._voice = voice

    def _clauses(self, text: str) -> list[str]:
        rest = ctypes.c_char_p(text.encode())
        clauses = []
        while rest.value:
            clauses.append(self._translate(ctypes.byref(rest), _UTF8, _IPA_TIED) or b"")
        return [clause.decode("utf-8", "ignore") for clause in clauses if clause]


@functools.cache
def _espeak() -> _Espeak:
    """The one of this process; call it with the process's lock held."""
    return _Espeak()


def ipa(text: str, voice: str) -> str:
    """Phonemes of a text in tied IPA, from any thread. Raises BackendUnavailableError."""
    with _LOCK:
        return _espeak().ipa(text, voice)


def speak(text: str, voice: str, speed: float, heard: Callable[[Sound], bool]) -> None:
    """Speak a text, from any thread; `heard` gets each piece in that thread and says whether to go on.

    Raises BackendUnavailableError, or SynthesisError.
    """
    with _LOCK:
        _espeak().speak(text, voice, speed, heard)


def tongues() -> list[Tongue]:
    """The voices that there are. Raises BackendUnavailableError."""
    with _LOCK:
        return _espeak().tongues()


def rate() -> int:
    """Samples per second of what `speak` makes. Raises BackendUnavailableError."""
    with _LOCK:
        return _espeak().rate
