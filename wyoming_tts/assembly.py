"""Puts together what speaks: plugins, voices, a chain of backends, and the pipeline over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wyoming_tts.backends.base import Backend
from wyoming_tts.backends.fallback import FallbackBackend
from wyoming_tts.catalogue import LiveCatalogue
from wyoming_tts.chain import backend_types, build_chain, chain_of
from wyoming_tts.config import Settings
from wyoming_tts.errors import ConfigError, UnknownVoiceError
from wyoming_tts.pipeline import Pipeline, PipelineSettings
from wyoming_tts.plugin_loading import load_plugins
from wyoming_tts.plugins import Plugins
from wyoming_tts.presets import FILE_NAME as PRESETS_FILE
from wyoming_tts.presets import Presets
from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.aloud import read_aloud
from wyoming_tts.text.language import load_detector
from wyoming_tts.text.lexicon import FILE_NAME, Lexicon
from wyoming_tts.types import VoiceQuery
from wyoming_tts.voices import load_catalogue


@dataclass(frozen=True, slots=True)
class Assembly:
    """What speaks; whoever has it put together starts and stops the chain and closes the plugins."""

    plugins: Plugins
    """All there are; none where a setting says so."""

    chain: FallbackBackend
    """The backends; nothing is loaded yet."""

    catalogue: LiveCatalogue
    """The voices there are now."""

    lexicon: Lexicon
    """The household's words."""

    pipeline: Pipeline
    """From text to audio, as the plugins want it."""


def assemble(
    settings: Settings, own: Sequence[tuple[str, object]] = (), backend: Backend | None = None
) -> Assembly:
    """Build everything once. Raises ConfigError for what cannot work together.

    `own` are further plugins by name; a `backend` that is given speaks instead of the settings' chain.
    """
    plugins = find_plugins(settings, own)
    try:
        return _assembled(settings, plugins, backend)
    except BaseException:
        plugins.close()
        raise


def find_plugins(settings: Settings, own: Sequence[tuple[str, object]] = ()) -> Plugins:
    """Those that are installed, unless a setting leaves them out; `own` ones are called before them."""
    seconds = settings.plugin_timeout
    plugins = load_plugins(settings.data_dir, seconds) if settings.plugins else Plugins(seconds)
    plugins.add(own)
    return plugins


def pipeline_settings(settings: Settings) -> PipelineSettings:
    """What the settings say of how texts are spoken."""
    return PipelineSettings(
        speed=settings.speed,
        sentence_silence=settings.sentence_silence,
        clause_silence=settings.clause_silence,
        detect_language=settings.detect_language,
    )


def prepare_texts(settings: Settings, catalogue: LiveCatalogue) -> None:
    """Load what the first text would otherwise wait for. Blocks."""
    read_aloud(AlignedText.of("1"), catalogue.default)
    if settings.detect_language:
        load_detector()


def _assembled(settings: Settings, plugins: Plugins, backend: Backend | None) -> Assembly:
    chain = _chain(settings, plugins) if backend is None else chain_of(backend, settings)
    default = settings.voice
    if backend and "voice" not in settings.model_fields_set and backend.voices():
        default = backend.voices()[0].name
    catalogue = LiveCatalogue(chain.voices, default, Presets(settings.data_dir / PRESETS_FILE))
    _check_default(settings, catalogue)
    lexicon = Lexicon(settings.data_dir / FILE_NAME)
    how = pipeline_settings(settings)
    pipeline = Pipeline(chain, catalogue, how, lexicon=lexicon, plugins=plugins.streams)
    return Assembly(plugins, chain, catalogue, lexicon, plugins.customize(pipeline))


def _chain(settings: Settings, plugins: Plugins) -> FallbackBackend:
    shipped = load_catalogue(settings.voices_dir).voices()
    voices = (*shipped, *plugins.voices({voice.name for voice in shipped}))
    return build_chain(settings, voices, plugins.backends(backend_types()))


def _check_default(settings: Settings, catalogue: LiveCatalogue) -> None:
    """A default voice that nobody has is a mistake, unless a service may yet list it."""
    voice = settings.voice
    if voice == Settings.model_fields["voice"].default or voice.split("/")[0] in settings.chain:
        return
    try:
        catalogue.resolve(VoiceQuery(name=voice))
    except UnknownVoiceError as error:
        raise ConfigError(f"the default voice is wrong: {error}") from error
