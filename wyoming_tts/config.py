"""Every setting, declared once.

Flags, variables, TOML keys, `--help` and the table of the README all derive from the fields of `Settings`;
`config_load` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from wyoming_tts.access import parse_keys, parse_network
from wyoming_tts.types import MAX_SPEED, MIN_SPEED

ENV_PREFIX = "WYOMING_TTS_"
CONFIG_NAME = "config.toml"
MODELS = ("int8", "fp32", "fp16")
MAX_INSTANCE_NAME = 58
"""Bytes of a zeroconf instance name: a DNS label has 63, less room for the suffix of a name conflict."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")

_BOOLEANS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(
    ("0", "false", "no", "off"), False
)


@dataclass(frozen=True, slots=True)
class Flag:
    """How a setting looks on the command line, where its type does not say it."""

    metavar: str | None = None
    """What stands for the value in `--help`."""

    switch: bool = False
    """The value may be left out (`--x` is true) and denied (`--no-x`)."""

    shorthand: tuple[str, str] | None = None
    """A further flag without a value, and the value it stands for."""

    default: str | None = None
    """The default in words, where it is worked out at start-up."""

    file: bool = True
    """Whether it can stand in the TOML file."""

    repeat: bool = False
    """Whether it may be given several times."""

    flag: bool = True
    """Whether it can stand on the command line."""


def check_uri(uri: str) -> str:
    """Return `uri` if it is tcp://HOST:PORT, unix://PATH or stdio://. Raises ValueError."""
    parts = urlsplit(uri)
    if parts.scheme == "tcp" and parts.hostname and parts.port is not None:
        return uri
    if parts.scheme == "unix" and parts.path:
        return uri
    if uri in ("stdio://", "stdio:"):
        return uri
    raise ValueError("should be tcp://HOST:PORT, unix://PATH or stdio://")


def _check_http_uri(uri: str) -> str:
    parts = urlsplit(uri)
    if parts.scheme == "http" and parts.hostname and parts.port is not None and parts.path in ("", "/"):
        return uri
    raise ValueError("should be http://HOST:PORT")


def _split_keys(keys: Any) -> Any:
    """Keys as they stand in a variable: `phone=KEY,laptop=KEY`."""
    return parse_keys(keys) if isinstance(keys, str) else keys


def _check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for network in networks:
            parse_network(network)
    except ValueError as error:
        raise ValueError(f"should be networks such as 192.168.1.0/24 ({error})") from None
    return networks


def _check_model(model: str) -> str:
    if model in MODELS or Path(model).expanduser().exists():
        return model
    raise ValueError(f"should be {', '.join(MODELS)} or the path of a model that exists")


def _check_zeroconf(value: Any) -> bool | str:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError("should be true, false or a name")
    name = value.strip()
    if name.lower() in _BOOLEANS:
        return _BOOLEANS[name.lower()]
    if len(name.encode()) > MAX_INSTANCE_NAME or "." in name or not name.isprintable():
        raise ValueError(f"should be a name of at most {MAX_INSTANCE_NAME} bytes without dots")
    return name


def _split(names: Any) -> Any:
    """A list as it stands in a flag or a variable: `kokoro,espeak`, or as JSON."""
    if not isinstance(names, str):
        return names
    return tuple(name.strip(' []"') for name in names.split(","))


def _check_chain(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names or len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
        raise ValueError("should be names of backends, each once, such as kokoro,openai,espeak")
    return names


def default_data_dir() -> Path:
    """Where data lie unless a setting says otherwise."""
    return platformdirs.user_data_path("wyoming-tts", appauthor=False)


Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), Flag(metavar="SECONDS")]
Timeout = Annotated[float, Field(gt=0, allow_inf_nan=False), Flag(metavar="SECONDS")]
Count = Annotated[int, Field(ge=1), Flag(metavar="N")]
Directory = Annotated[Path, AfterValidator(Path.expanduser), Flag(metavar="DIR")]


class Settings(BaseSettings):
    """What the server is told to do; frozen."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    config: Annotated[
        Path | None,
        AfterValidator(lambda path: path and path.expanduser()),
        Flag(metavar="FILE", default=f"`{CONFIG_NAME}` in the data directory, if there is one", file=False),
    ] = None
    """TOML file with settings; its keys are the flags without the dashes in front."""

    uri: Annotated[str, AfterValidator(check_uri), Flag(metavar="URI")] = "tcp://0.0.0.0:10200"
    """Where to listen: tcp://HOST:PORT, unix://PATH or stdio://; host 0.0.0.0 is every address, IPv6 too."""

    voice: Annotated[str, Field(min_length=1), Flag(metavar="NAME")] = "af_heart"
    """Voice of a request that names none."""

    chain: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_check_chain),
        Flag(metavar="NAMES", default="kokoro,espeak"),
    ] = ("kokoro", "espeak")
    """Backends in the order in which they are tried for each sentence; options stand in `[backends.NAME]`."""

    backends: Annotated[Mapping[str, Mapping[str, Any]], Flag(flag=False)] = Field(
        default_factory=dict, repr=False
    )
    """Options of the backends, a table for each."""

    hedge_after: Seconds = 0.0
    """With no sound from a backend for so long, ask the next one beside it; 0 waits until its time is up."""

    speed: Annotated[float, Field(ge=MIN_SPEED, le=MAX_SPEED), Flag(metavar="FACTOR")] = 1.0
    """Pace of a request that names none: 0.5 is half, 2 is double."""

    sentence_silence: Seconds = 0.35
    """Pause between two sentences."""

    clause_silence: Seconds = 0.15
    """Pause where a sentence is spoken in parts, between two of its clauses."""

    detect_language: bool = True
    """With no voice and no language named, speak in the language of the text when that is sure."""

    streaming: bool = True
    """Offer streaming of text (`synthesize-start` and so on) to clients."""

    samples_per_chunk: Count = 1024
    """Most samples in one `audio-chunk` event."""

    model: Annotated[str, AfterValidator(_check_model), Flag(metavar="int8|fp32|fp16|PATH")] = "int8"
    """Weights of Kokoro: int8 comes with the installation, the others are downloaded once."""

    offline: bool = False
    """Never touch the network; say what is missing instead."""

    provider: Literal["auto", "cpu", "cuda", "openvino", "coreml"] = "auto"
    """What computes; others than cpu need the onnxruntime build that has them."""

    precision: Literal["auto", "float"] = "auto"
    """What to compute with: `auto` takes integers where the processor is faster at them, else floats."""

    device: Annotated[int, Field(ge=0), Flag(metavar="N")] = 0
    """Which of several graphics cards computes."""

    device_memory: Annotated[Count, Flag(metavar="MEGABYTES")] = 2048
    """Most memory of a graphics card that is used."""

    threads: Annotated[Count | None, Flag(metavar="N", default="chosen from the number of cores")] = None
    """Threads that compute at the same time."""

    unload_after: Seconds = 0.0
    """Unload the model when nobody spoke for so long, and load it again when it is needed; 0 keeps it."""

    look_ahead: Timeout = 30.0
    """From so much sound in store on a listener is only computed for while nobody else needs it."""

    busy: Literal["refuse", "late"] = "refuse"
    """What happens to one listener too many: refuse it at once, or serve everybody late."""

    cache_memory: Annotated[int, Field(ge=0), Flag(metavar="MEGABYTES")] = 64
    """Memory for sentences that may come again; 0 keeps none."""

    cache_disk: Annotated[int, Field(ge=0), Flag(metavar="MEGABYTES")] = 0
    """The same on disk, in the data directory, where they outlast a restart."""

    warm_up: Annotated[tuple[str, ...], Flag(metavar="TEXT", repeat=True)] = ()
    """A text that is put in store after the start; may be given several times (in TOML a list)."""

    data_dir: Annotated[Directory, Flag(metavar="DIR", default="the user's data directory")] = Field(
        default_factory=default_data_dir
    )
    """Where prepared models, own voices and the server's identity are kept."""

    download_dir: Annotated[Directory, Flag(metavar="DIR", default="the data directory")] = Field(
        default_factory=lambda data: data.get("data_dir", Path())
    )
    """Where downloads are kept."""

    voices_dir: Annotated[Directory | None, Flag(metavar="DIR", default="the voices that are installed")] = (
        None
    )
    """Directory of voice packs and their catalogue."""

    plugins: bool = True
    """Use plugins: those of installed packages, and the files in `plugins` in the data directory."""

    plugin_timeout: Timeout = 0.5
    """How long a plugin may take with a text or some audio; then its stream goes on without it."""

    zeroconf: Annotated[
        bool | str,
        BeforeValidator(_check_zeroconf),
        Flag(metavar="NAME", switch=True, default="on, named after the host"),
    ] = True
    """Announce the server in the local network, under NAME if one is given."""

    zeroconf_interval: Timeout = 30.0
    """How often to look whether this machine's addresses have changed."""

    http: bool = True
    """Offer the HTTP API and the studio, if what they take is installed."""

    http_uri: Annotated[str, AfterValidator(_check_http_uri), Flag(metavar="URI")] = "http://127.0.0.1:8880"
    """Where the HTTP server listens; host 0.0.0.0 is every address, for others in the network."""

    http_hosts: Annotated[tuple[str, ...], Flag(metavar="NAME", repeat=True)] = ()
    """A name of this machine that browsers use; those of the home network are known."""

    api_keys: Annotated[
        Mapping[str, SecretStr],
        NoDecode,
        BeforeValidator(_split_keys),
        Flag(metavar="NAME=KEY,...", flag=False),
    ] = Field(default_factory=dict)
    """Keys, one of which every HTTP request must bring; none lets everybody in who can reach it."""

    api_keys_file: Annotated[Path | None, Flag(metavar="FILE", default="none")] = None
    """A file with such keys, a line each: NAME=KEY."""

    allow: Annotated[
        tuple[str, ...],
        NoDecode,
        BeforeValidator(_split),
        AfterValidator(_check_networks),
        Flag(metavar="NETWORKS", default="everybody who can reach it"),
    ] = ()
    """Networks and addresses that are let in, over Wyoming and HTTP, such as 192.168.1.0/24,10.0.0.7."""

    cors: Annotated[tuple[str, ...], Flag(metavar="ORIGIN", repeat=True)] = ()
    """Another site whose scripts may use the HTTP API, such as https://example.org."""

    max_requests: Count = 32
    """Most HTTP requests that are spoken at the same time."""

    max_body_bytes: Count = 1024 * 1024
    """Longest body of an HTTP request."""

    max_text: Count = 100_000
    """Most characters of text in one stream."""

    max_connections: Count = 100
    """Most clients at the same time."""

    idle_timeout: Timeout = 300.0
    """How long a client may stay silent while it is owed nothing."""

    frame_timeout: Timeout = 30.0
    """How long an event may take to arrive once it has begun."""

    write_timeout: Timeout = 60.0
    """How long a client may take to accept what it is sent."""

    max_line_bytes: Count = 64 * 1024
    """Longest header line of an event."""

    max_data_bytes: Count = 1024 * 1024
    """Longest data part of an event."""

    max_payload_bytes: Count = 1024 * 1024
    """Longest payload of an event."""

    shutdown_grace: Seconds = 10.0
    """How long running streams may go on speaking when the server is told to stop."""

    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Flag(shorthand=("--debug", "debug"))
    ] = "info"
    """How much to log; the texts that are spoken appear only with debug."""

    log_format: Literal["text", "json"] = "text"
    """How the log looks: lines for people, or an object of JSON on each line."""
