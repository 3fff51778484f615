"""The voices: which there are, which one a request means, and what the network needs to speak as one."""

from __future__ import annotations

import difflib
import io
import json
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wyoming_tts.blends import parse_blend
from wyoming_tts.errors import BackendUnavailableError, ConfigError, UnknownVoiceError
from wyoming_tts.files import publish_bytes
from wyoming_tts.types import Voice, VoiceQuery

STYLE_SHAPE = (510, 256)
"""Rows of a voice pack (row n - 1 is for n tokens) and numbers in a row."""

CATALOGUE_FILE = "catalogue.json"
"""Name of the catalogue inside the folder of voices."""

MOST_BYTES, MOST_ARRAYS = 16 * 2**20, 4096
"""What a pack may unpack to, and arrays in it: a voice takes some hundred kilobytes."""

_GRADES = ("A+", "A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D+", "D", "D-", "F+", "F", "F-")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_THREE_LETTERS = {
    "eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "hin": "hi", "ita": "it",
    "por": "pt", "jpn": "ja", "jp": "ja", "zho": "zh", "chi": "zh", "cmn": "zh", "cn": "zh",
}  # fmt: skip
_BRITISH_REGIONS = frozenset(
    [
        "gb",
        "uk",
        "ie",
        "au",
        "nz",
        "za",
        "in",
        "sg",
        "hk",
        "mt",
        "cy",
        "ke",
        "ng",
        "gh",
        "pk",
        "lk",
        "bd",
        "zw",
        "bw",
        "jm",
        "tt",
    ]
)


def voices_directory() -> Path:
    """The folder with the catalogue and the voice packs. Raises ConfigError when there is none."""
    here = Path(__file__).resolve().parent
    for folder in (here / "data" / "voices", here.parent / "voices"):
        if (folder / CATALOGUE_FILE).is_file():
            return folder
    raise ConfigError(f"the voices are missing: there is no {CATALOGUE_FILE} in {here / 'data' / 'voices'}")


def language_key(tag: str) -> str:
    """One spelling for every way to write a language: `pt_BR` -> `pt-br`, `cmn` -> `zh`, `EN` -> `en`."""
    primary, *rest = [part for part in re.split(r"[-_.@\s]+", tag.casefold()[:64]) if part] or [""]
    return "-".join([_THREE_LETTERS.get(primary, primary), *rest])


@dataclass(frozen=True, slots=True)
class VoiceCatalogue:
    """Every voice there is, and which one a request means."""

    known: tuple[Voice, ...]
    """The voices in the order of the catalogue."""

    default: Voice
    """Who speaks when nothing was asked for."""

    _by_name: Mapping[str, Voice] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index names and aliases; a voice's own name wins over another voice's alias."""
        names = {alias.casefold(): voice for voice in self.known for alias in voice.aliases}
        names.update({voice.name.casefold(): voice for voice in self.known})
        object.__setattr__(self, "_by_name", names)

    def voices(self) -> tuple[Voice, ...]:
        """All voices: languages in the catalogue's order, the best voice of each language first."""
        order = {language: number for number, language in enumerate(self.languages())}
        return tuple(sorted(self.known, key=lambda voice: (order[voice.language], _grade_rank(voice))))

    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags of all languages that some voice has as its own, each once."""
        return tuple(dict.fromkeys(voice.language for voice in self.known))

    def natural_languages(self) -> tuple[str, ...]:
        """Those for which there is more than a last resort."""
        return tuple(dict.fromkeys(voice.language for voice in self.known if not voice.last_resort))

    def resolve(self, query: VoiceQuery) -> Voice:
        """The voice a request means; UnknownVoiceError names near matches or the languages there are."""
        voice = self._asked_for(query)
        if query.speaker and query.speaker.casefold() not in self._names_of(voice):
            raise UnknownVoiceError(f"voice {voice.name} has no speaker {_shown(query.speaker)}")
        return voice

    def best_for_language(self, tag: str) -> Voice | None:
        """The voice for a language in any spelling: the default voice if it speaks it, else the best."""
        language = self._language(tag)
        if self.default.language == language:
            return self.default
        if (exact := _spoken(self.default, tag)) is not None:
            return replace(self.default, language=exact)
        own = [voice for voice in self.known if voice.language == language]
        able = [voice for voice in self.known if _spoken(voice, tag) is not None]
        if not own or min(own, key=_grade_rank).last_resort:  # who speaks many languages does it better
            own = [replace(voice, language=_spoken(voice, tag) or tag) for voice in able] + own
        return min(own, key=_grade_rank, default=None)

    def _asked_for(self, query: VoiceQuery) -> Voice:
        if query.name:
            voice = self._by_name.get(query.name.casefold())
            if voice is None:
                raise UnknownVoiceError(self._unknown_name(query.name))
            return voice
        if query.language:
            voice = self.best_for_language(query.language)
            if voice is None:
                raise UnknownVoiceError(
                    f"no voice speaks {_shown(query.language)}; languages: {', '.join(self.languages())}"
                )
            return voice
        return self.default

    def _language(self, tag: str) -> str | None:
        """The spoken language nearest to a tag, by its first part and then its region."""
        wanted = language_key(tag)
        same = {language_key(spoken): spoken for spoken in self.languages()}
        same = {key: spoken for key, spoken in same.items() if key.split("-")[0] == wanted.split("-")[0]}
        if wanted == language_key(self.default.language).split("-")[0]:
            return self.default.language
        if not same or wanted in same:
            return same.get(wanted)
        if "en-gb" in same and not _BRITISH_REGIONS.isdisjoint(wanted.split("-")[1:]):
            return same["en-gb"]
        if self.default.language in same.values():
            return self.default.language
        return next(iter(same.values()))

    def _names_of(self, voice: Voice) -> set[str]:
        return {name.casefold() for name in (voice.name, *voice.aliases)}

    def _unknown_name(self, name: str) -> str:
        near = difflib.get_close_matches(name.casefold()[:64], list(self._by_name), n=4, cutoff=0.5)
        names = list(dict.fromkeys(self._by_name[match].name for match in near))
        hint = f"did you mean {' or '.join(names)}?" if names else f"the default is {self.default.name}"
        return f"there is no voice {_shown(name)}; {hint}"


def load_catalogue(directory: Path | None = None, default: str = "af_heart") -> VoiceCatalogue:
    """Read the catalogue; `default` is a voice's name or alias. Raises ConfigError for anything wrong."""
    path = (directory or voices_directory()) / CATALOGUE_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known = tuple(_voice(data["backend"], entry) for entry in data["voices"])
        catalogue = VoiceCatalogue(known, known[0])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigError(f"the catalogue of voices {path} cannot be read: {error!r}") from error
    try:
        return VoiceCatalogue(known, catalogue.resolve(VoiceQuery(name=default)))
    except UnknownVoiceError as error:
        raise ConfigError(f"the default voice is wrong: {error}") from error


def _voice(backend: str, entry: Mapping[str, Any]) -> Voice:
    return Voice(
        name=entry["name"],
        language=entry["language"],
        backend=backend,
        network=backend,
        description=entry["description"],
        gender=entry.get("gender"),
        grade=entry.get("grade"),
        aliases=tuple(entry.get("aliases", ())),
    )


def _grade_rank(voice: Voice) -> tuple[bool, int]:
    return voice.last_resort, _GRADES.index(voice.grade) if voice.grade in _GRADES else len(_GRADES)


def _spoken(voice: Voice, tag: str) -> str | None:
    """How a voice of several languages writes one that it speaks; None where it speaks but its own."""
    wanted = language_key(tag)
    same = [own for own in voice.languages if language_key(own).split("-")[0] == wanted.split("-")[0]]
    return next((own for own in same if language_key(own) == wanted), same[0] if same else None)


def _shown(text: str) -> str:
    """A caller's word, fit for an error message whatever it holds."""
    short = text if len(text) <= 60 else f"{text[:60]}..."
    return f'"{short}"' if short.isprintable() else ascii(short)


@dataclass(frozen=True, slots=True)
class VoicePack:
    """What the network needs to speak as one voice."""

    name: str
    """The voice's name."""

    styles: NDArray[np.float32]
    """Style vectors, shape (510, 256); row n - 1 is for a sentence of n tokens."""

    extras: Mapping[str, NDArray[Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Whatever else the file holds, such as calibration statistics, by key."""

    def style(self, tokens: int) -> NDArray[np.float32]:
        """The style of a sentence of so many tokens (padding not counted), shape (1, 256)."""
        row = min(max(tokens, 1), len(self.styles)) - 1
        return self.styles[row : row + 1]


def load_pack(name: str, directory: Path | None = None) -> VoicePack:
    """Read one voice's file. Raises BackendUnavailableError naming a file that is missing or damaged."""
    if not _NAME.fullmatch(name):
        raise BackendUnavailableError(f"{_shown(name)} cannot be the name of a voice's file")
    path = (directory or voices_directory()) / f"{name}.npz"
    try:
        arrays = read_arrays(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, SyntaxError) as error:
        raise BackendUnavailableError(f"the voice file {path} cannot be read: {error}") from error
    styles = arrays.pop("style", None)
    if styles is None or styles.shape != STYLE_SHAPE or styles.dtype not in (np.float16, np.float32):
        raise BackendUnavailableError(f"the voice file {path} holds no float style of shape {STYLE_SHAPE}")
    if not np.isfinite(styles).all():
        raise BackendUnavailableError(f"the voice file {path} is damaged: its style is not finite")
    return VoicePack(name, styles.astype(np.float32), MappingProxyType(arrays))


def read_arrays(path: Path, most_bytes: int = MOST_BYTES) -> dict[str, NDArray[Any]]:
    """All arrays of an .npz file, never unpickling anything, and nothing that unpacks to more than it may.

    Raises OSError, ValueError, EOFError, and what zipfile and zlib raise.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return dict(_members(archive, most_bytes))
    except RuntimeError as error:  # what zipfile says of what it cannot read
        raise ValueError(str(error)) from error


def _members(archive: zipfile.ZipFile, most_bytes: int) -> Iterator[tuple[str, NDArray[Any]]]:
    members = archive.infolist()
    if len(members) > MOST_ARRAYS or sum(member.file_size for member in members) > most_bytes:
        raise ValueError(f"it holds more than {MOST_ARRAYS} arrays or {most_bytes} bytes")
    for member in members:
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError("it is packed in an unusual way")
        with archive.open(member) as file:  # told how much, it unpacks no more
            yield member.filename.removesuffix(".npy"), _array(file.read(member.file_size))


def _array(data: bytes) -> NDArray[Any]:
    """An array of an .npy file, whose size is checked before there is room made for it."""
    content = io.BytesIO(data)
    version = np.lib.format.read_magic(content)
    if version != (1, 0):
        raise ValueError(f"an array is in the version {version} of NumPy's format")
    shape, _, kind = np.lib.format.read_array_header_1_0(content)
    if kind.hasobject or math.prod(shape) * kind.itemsize != len(data) - content.tell():
        raise ValueError("an array is not what its header says")
    content.seek(0)
    return np.lib.format.read_array(content, allow_pickle=False)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an uncompressed .npz whose bytes depend on the arrays alone, in one step (old file or new)."""
    publish_bytes(path, _archived(arrays))


def mixed_pack(name: str, directory: Path | None = None) -> VoicePack:
    """The pack of a voice or of a blend of some. Raises UnknownVoiceError and BackendUnavailableError."""
    parts = parse_blend(name)
    weights = np.array([part.weight for part in parts])
    styles = np.stack([load_pack(part.voice, directory).styles for part in parts])
    return VoicePack(name, np.tensordot(weights / weights.sum(), styles, 1).astype(np.float32))


def pack_bytes(pack: VoicePack) -> bytes:
    """A pack as the file that `load_pack` reads."""
    return _archived({"style": pack.styles})


def _archived(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for key, array in arrays.items():
            _write_member(archive, key, array)
    return buffer.getvalue()


def _write_member(archive: zipfile.ZipFile, key: str, array: NDArray[Any]) -> None:
    member = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
    member.create_system = 3  # the same bytes on every operating system
    member.external_attr = 0o644 << 16
    content = io.BytesIO()
    np.lib.format.write_array(content, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    archive.writestr(member, content.getvalue())
