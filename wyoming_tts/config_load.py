"""Reads the settings: defaults < TOML file < environment < flags.

Nothing else reads the server's flags and variables.
"""

from __future__ import annotations

import argparse
import difflib
import json
import logging
import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

from wyoming_tts import __version__
from wyoming_tts.config import CONFIG_NAME, ENV_PREFIX, Flag, Settings, default_data_dir
from wyoming_tts.errors import ConfigError

_logger = logging.getLogger(__name__)


def load_settings(argv: Sequence[str] | None = None, *, epilog: str = "") -> Settings:
    """Settings from the flags in `argv` (default: the command line), the environment and the TOML file.

    `epilog` stands below the flags in `--help`.

    Raises ConfigError, which names the setting, its source, the value and what would be right.
    `--help` and `--version` print and raise SystemExit(0).
    """
    flags = vars(build_parser(epilog).parse_args(sys.argv[1:] if argv is None else argv))
    variables = _read_environment()
    path = _config_path({**variables, **flags})
    table = _read_toml(path) if path else {}
    try:
        return Settings(**{**_merged(table, variables), **flags})
    except ValidationError as error:
        raise ConfigError(_explain(error, flags, variables, path)) from None


def settings_table() -> str:
    """The settings as a Markdown table: flag, variable, default, description."""
    rows = ["| Flag | Variable | Default | Description |", "|---|---|---|---|"]
    for name, field in _on_the_command_line():
        flags = ", ".join(f"`{flag}`" for flag in _spellings(name, field)).replace("|", "\\|")
        default = _default_text(field)
        shown = default if _flag(field).default else f"`{default}`"
        rows.append(f"| {flags} | `{_variable(name)}` | {shown} | {field.description} |")
    return "\n".join(rows) + "\n"


class Parser(argparse.ArgumentParser):
    """Reports a wrong command line like any other wrong setting."""

    def error(self, message: str) -> NoReturn:
        """Raise ConfigError instead of leaving the process."""
        raise ConfigError(f"{message}; see {self.prog} --help")


def build_parser(epilog: str = "") -> argparse.ArgumentParser:
    """The parser of the server's flags; a flag that is not given leaves no trace in its namespace."""
    parser = Parser(
        prog="wyoming-tts",
        usage="%(prog)s [FLAG...]    or: %(prog)s COMMAND [FLAG...]",
        description=f"""Serve speech over the Wyoming protocol.

Each flag is also a variable ({ENV_PREFIX}VOICE for --voice) and a key of the TOML file (voice).""",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name, field in _on_the_command_line():
        _add_flag(parser, name, field)
    parser.add_argument("--version", action="version", version=__version__)
    return parser


def _add_flag(parser: argparse.ArgumentParser, name: str, field: FieldInfo) -> None:
    flag, spelling, kind = _flag(field), _spelling(name), field.annotation
    text = f"{field.description} (default: {_default_text(field)})".replace("%", "%%").replace("`", "")
    common: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS, "help": text}
    if kind is bool:
        parser.add_argument(spelling, action=argparse.BooleanOptionalAction, **common)
        return
    choices = f"{{{','.join(get_args(kind))}}}" if get_origin(kind) is Literal else None
    extra: dict[str, Any] = {"nargs": "?", "const": True} if flag.switch else {}
    if flag.repeat:
        extra = {"action": "append"}
    parser.add_argument(spelling, metavar=flag.metavar or choices, **extra, **common)
    if flag.switch:
        parser.add_argument(
            f"--no-{spelling[2:]}", action="store_const", const=False, **common | {"help": "or not"}
        )
    if flag.shorthand:
        short, value = flag.shorthand
        same = {"help": f"the same as {spelling} {value}"}
        parser.add_argument(short, action="store_const", const=value, **common | same)


def _on_the_command_line() -> list[tuple[str, FieldInfo]]:
    return [(name, field) for name, field in Settings.model_fields.items() if _flag(field).flag]


def _flag(field: FieldInfo) -> Flag:
    flags = [item for item in field.metadata if isinstance(item, Flag)]
    return flags[-1] if flags else Flag()


def _spelling(name: str) -> str:
    return "--" + name.replace("_", "-")


def _variable(name: str) -> str:
    return ENV_PREFIX + name.upper()


def _spellings(name: str, field: FieldInfo) -> Iterator[str]:
    flag, spelling = _flag(field), _spelling(name)
    if field.annotation is bool or flag.switch:
        yield spelling + (f" [{flag.metavar}]" if flag.switch else "")
        yield f"--no-{spelling[2:]}"
        return
    yield f"{spelling} {flag.metavar or '|'.join(get_args(field.annotation))}"
    if flag.shorthand:
        yield flag.shorthand[0]


def _default_text(field: FieldInfo) -> str:
    flag = _flag(field)
    if flag.default:
        return flag.default
    if flag.repeat:
        return "none"
    return {True: "on", False: "off"}[field.default] if field.annotation is bool else str(field.default)


def _read_environment() -> dict[str, Any]:
    known = {_variable(name) for name in Settings.model_fields if name != "backends"}
    tables: dict[str, dict[str, Any]] = {}
    for variable, value in os.environ.items():
        if found := _BACKEND_VARIABLE.fullmatch(variable):
            name, key = found[1].lower().replace("_", "-"), found[2].lower()
            tables.setdefault(name, {})[key] = _structured(value)
        elif variable.startswith(ENV_PREFIX) and variable not in known:
            _logger.warning("%s is no setting%s", variable, did_you_mean(variable, known))
    values = EnvSettingsSource(Settings)()
    return {**values, "backends": tables} if tables else values


_BACKEND_VARIABLE = re.compile(rf"{ENV_PREFIX}BACKENDS__([A-Z0-9_]+?)__([A-Z0-9_]+)")
"""`WYOMING_TTS_BACKENDS__OPENAI__MODEL` is the key `model` of `[backends.openai]`."""


def _structured(value: str) -> Any:
    """A list or a table stands in a variable as JSON; anything else as it is."""
    if value[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _merged(table: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The file's settings with the variables' keys of single backends over them."""
    if "backends" not in variables or not isinstance(table.get("backends", {}), dict):
        return {**table, **variables}
    tables = dict(table.get("backends", {}))
    for name, options in variables["backends"].items():
        tables[name] = {**tables.get(name, {}), **options}
    return {**table, **variables, "backends": tables}


def environment_key(variable: str) -> str | None:
    """A service's key where people keep it, such as `OPENAI_API_KEY`; None when it is not set."""
    return os.environ.get(variable, "").strip() or None


def _config_path(values: Mapping[str, Any]) -> Path | None:
    if values.get("config"):
        return Path(values["config"]).expanduser()
    path = Path(values.get("data_dir") or default_data_dir()).expanduser() / CONFIG_NAME
    return path if path.is_file() else None


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the settings in {path}: {error.strerror}") from error
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigError(f"{path} is not a TOML file: {error}") from error
    known = [name for name, field in Settings.model_fields.items() if _flag(field).file]
    table = {key.replace("-", "_"): value for key, value in table.items()}
    if unknown := [key for key in table if key not in known]:
        reasons = (f"{key} is no setting{did_you_mean(key, known)}" for key in unknown)
        raise ConfigError(f"{path}: {'; '.join(reasons)}")
    return table


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?` where one of `known` is near to `word`, else nothing."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _explain(
    error: ValidationError, flags: Mapping[str, Any], variables: Mapping[str, Any], path: Path | None
) -> str:
    lines: dict[str, str] = {}
    for fault in error.errors():
        name = str(fault["loc"][0])
        if fault["type"] == "default_factory_not_called":  # only the echo of another setting's fault
            continue
        if name in flags:
            source, value = _spelling(name), flags[name]
        elif name in variables:
            source, value = _variable(name), variables[name]
        else:
            source, value = f"{name} in {path}", fault["input"]
        reason = re.sub(r"^\w+ should", "should", fault["msg"].removeprefix("Value error, "))
        field = Settings.model_fields[name]
        secret = not field.repr or "SecretStr" in str(field.annotation)
        description, shown = field.description, "its value" if secret else repr(str(value))
        lines.setdefault(name, f"{source}: {shown} is wrong, it {reason} ({description})")
    return "\n".join(lines.values())
