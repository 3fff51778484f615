"""A Wyoming text-to-speech server that starts to speak inside the sentence."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("wyoming-tts")
except PackageNotFoundError:  # a source tree that nobody has installed
    __version__ = "0.0.0+source"
