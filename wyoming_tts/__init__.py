"""A Wyoming text-to-speech server that starts to speak inside the sentence.

What programs and plugins import is here; each name is loaded when it is first used.
"""

import importlib
import os
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

try:
    __version__ = version("wyoming-tts")
except PackageNotFoundError:  # a source tree that nobody has installed
    __version__ = "0.0.0+source"

# ONNX Runtime sends reports about its use to its maker unless this is set before it is first loaded.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

if TYPE_CHECKING:
    from wyoming_tts.backends.base import Backend, BackendOptions, Surroundings
    from wyoming_tts.errors import BackendError, ConfigError, RequestError, SynthesisError, WyomingTtsError
    from wyoming_tts.library import (
        TTSPipeline,
        create_streaming_pipeline,
        create_whole_file_pipeline,
        process_text,
        process_text_async,
    )
    from wyoming_tts.pipeline import Pipeline, PipelineSettings
    from wyoming_tts.plugin_streams import PluginStream
    from wyoming_tts.plugins import TTSHookSpec, hookimpl
    from wyoming_tts.speech import Speech
    from wyoming_tts.strategies import (
        GenerationStrategy,
        SpeechOptions,
        StreamingStrategy,
        WholeFileStrategy,
    )
    from wyoming_tts.types import (
        AudioChunk,
        AudioFormat,
        Progress,
        Samples,
        SynthesisRequest,
        Voice,
        VoiceQuery,
        WordTiming,
    )
    from wyoming_tts.voices import load_catalogue

_PLACES = {
    "backends.base": ("Backend", "BackendOptions", "Surroundings"),
    "errors": ("BackendError", "ConfigError", "RequestError", "SynthesisError", "WyomingTtsError"),
    "library": (
        *("TTSPipeline", "create_streaming_pipeline", "create_whole_file_pipeline"),
        *("process_text", "process_text_async"),
    ),
    "pipeline": ("Pipeline", "PipelineSettings"),
    "plugin_streams": ("PluginStream",),
    "plugins": ("TTSHookSpec", "hookimpl"),
    "speech": ("Speech",),
    "strategies": ("GenerationStrategy", "SpeechOptions", "StreamingStrategy", "WholeFileStrategy"),
    "types": (
        *("AudioChunk", "AudioFormat", "Progress", "Samples", "SynthesisRequest"),
        *("Voice", "VoiceQuery", "WordTiming"),
    ),
    "voices": ("load_catalogue",),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "AudioChunk",
    "AudioFormat",
    "Backend",
    "BackendError",
    "BackendOptions",
    "ConfigError",
    "GenerationStrategy",
    "Pipeline",
    "PipelineSettings",
    "PluginStream",
    "Progress",
    "RequestError",
    "Samples",
    "Speech",
    "SpeechOptions",
    "StreamingStrategy",
    "Surroundings",
    "SynthesisError",
    "SynthesisRequest",
    "TTSHookSpec",
    "TTSPipeline",
    "Voice",
    "VoiceQuery",
    "WholeFileStrategy",
    "WordTiming",
    "WyomingTtsError",
    "__version__",
    "create_streaming_pipeline",
    "create_whole_file_pipeline",
    "hookimpl",
    "load_catalogue",
    "process_text",
    "process_text_async",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
