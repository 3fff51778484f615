"""The voices there are now: those of all backends, and the household's own made of them."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Callable, Mapping, Sequence

from wyoming_tts.blends import is_blend, parse_blend
from wyoming_tts.errors import UnknownVoiceError
from wyoming_tts.presets import Preset, Presets
from wyoming_tts.types import Voice, VoiceQuery
from wyoming_tts.voices import VoiceCatalogue

_LOGGER = logging.getLogger(__name__)


class LiveCatalogue:
    """Has the face of a `VoiceCatalogue`, and follows what backends offer and `voices.toml` says."""

    def __init__(self, offered: Callable[[], Sequence[Voice]], default: str, presets: Presets) -> None:
        """`offered` are the backends' voices, the first backend's first; it must answer at once."""
        self._offered, self._default, self._presets = offered, default, presets
        self._seen: object = None
        self._catalogue = VoiceCatalogue((), _NOBODY)

    @property
    def default(self) -> Voice:
        """Who speaks when nothing was asked for."""
        return self.current().default

    def voices(self) -> tuple[Voice, ...]:
        """See `VoiceCatalogue.voices`."""
        return self.current().voices()

    def natural_languages(self) -> tuple[str, ...]:
        """See `VoiceCatalogue.natural_languages`."""
        return self.current().natural_languages()

    def best_for_language(self, tag: str) -> Voice | None:
        """See `VoiceCatalogue.best_for_language`."""
        return self.current().best_for_language(tag)

    def resolve(self, query: VoiceQuery) -> Voice:
        """See `VoiceCatalogue.resolve`; a name may also be a blend such as `af_bella(2)+af_sky`."""
        catalogue = self.current()
        return named(query.name, catalogue) if query.name and not query.speaker else catalogue.resolve(query)

    def refresh(self) -> None:
        """Look at `voices.toml` now: somebody has just written it."""
        self._presets.refresh()

    def current(self) -> VoiceCatalogue:
        """The voices as they are now; the same object until something changes."""
        offered, presets = tuple(self._offered()), self._presets.current()
        if (offered, presets) != self._seen:
            self._seen, self._catalogue = (offered, presets), self._made(offered, presets)
        return self._catalogue

    def _made(self, offered: tuple[Voice, ...], presets: Mapping[str, Preset]) -> VoiceCatalogue:
        if not offered:
            return VoiceCatalogue((), _NOBODY)
        backends = VoiceCatalogue(offered, offered[0])
        own = [voice for name, preset in presets.items() if (voice := _own(name, preset, backends))]
        names = {voice.name for voice in own}
        known = (*own, *(voice for voice in offered if voice.name not in names))
        return VoiceCatalogue(known, self._default_of(VoiceCatalogue(known, offered[0])))

    def _default_of(self, catalogue: VoiceCatalogue) -> Voice:
        """The default voice; the first there is while the one that was chosen is not known."""
        try:
            return named(self._default, catalogue)
        except UnknownVoiceError as error:
            _LOGGER.warning("%s; %s speaks in its place", error, catalogue.default.name)
            return catalogue.default


_NOBODY = Voice(name="", language="en", backend="", description="")
"""The default while no backend offers a voice."""


def named(name: str, catalogue: VoiceCatalogue) -> Voice:
    """The voice or the blend of a name. Raises UnknownVoiceError."""
    try:
        return catalogue.resolve(VoiceQuery(name=name))
    except UnknownVoiceError as error:
        if not is_blend(name):
            raise
        try:
            return blended(name, catalogue)
        except UnknownVoiceError as about_blend:
            raise (about_blend if re.search(r"[+(]", name) else error) from None


def blended(name: str, catalogue: VoiceCatalogue) -> Voice:
    """A blend as a voice; it speaks as the one with the largest share. Raises UnknownVoiceError."""
    parts = parse_blend(name)
    voices = [catalogue.resolve(VoiceQuery(name=part.voice)) for part in parts]
    first = max(zip(parts, voices, strict=True), key=lambda pair: pair[0].weight)[1]
    if foreign := next((voice for voice in voices if voice.backend != first.backend), None):
        raise UnknownVoiceError(
            f"{foreign.name} of {foreign.backend} and {first.name} of {first.backend} cannot be blended"
        )
    spelled = "".join(part.spelled(voice.name) for part, voice in zip(parts, voices, strict=True))
    return dataclasses.replace(
        first, name=spelled.removeprefix("+"), description=name, aliases=(), grade=None, blend=True
    )


def _own(name: str, preset: Preset, catalogue: VoiceCatalogue) -> Voice | None:
    """A preset as a voice; None, and a line in the log, where it is made of what there is not."""
    try:
        known = [one for one in catalogue.known if preset.backend in ("", one.backend)]
        among = VoiceCatalogue(tuple(known), catalogue.default) if known else catalogue
        base = named(preset.voice, among)
    except UnknownVoiceError as error:
        _LOGGER.warning("The voice %s of voices.toml: %s", name, error)
        return None
    return Voice(
        name=name, language=base.language, languages=base.languages, backend=base.backend,
        network=base.network, description=preset.description or name, gender=base.gender,
        fallbacks=preset.fallbacks, base=base, speed=preset.speed, gain=preset.gain,
    )  # fmt: skip
