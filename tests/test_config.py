from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from wyoming_tts import __version__
from wyoming_tts.config import Settings
from wyoming_tts.config_load import build_parser, load_settings, settings_table
from wyoming_tts.errors import ConfigError

OTHER: dict[str, Any] = {
    "uri": "tcp://127.0.0.1:1234",
    "voice": "bf_emma",
    "speed": 1.5,
    "sentence_silence": 0.5,
    "clause_silence": 0.25,
    "chain": ("openai", "espeak"),
    "hedge_after": 0.7,
    "detect_language": False,
    "plugins": False,
    "plugin_timeout": 0.25,
    "streaming": False,
    "samples_per_chunk": 2048,
    "model": "fp32",
    "offline": True,
    "provider": "cuda",
    "precision": "float",
    "device": 1,
    "device_memory": 512,
    "threads": 3,
    "unload_after": 600.0,
    "look_ahead": 12.0,
    "busy": "late",
    "cache_memory": 16,
    "cache_disk": 200,
    "warm_up": ("Dinner is ready.", "The door is open."),
    "data_dir": "/data",
    "download_dir": "/downloads",
    "voices_dir": "/voices",
    "zeroconf": "kitchen",
    "zeroconf_interval": 5.0,
    "http": False,
    "http_uri": "http://0.0.0.0:80",
    "http_hosts": ("speech.example.org", "box"),
    "api_keys_file": "/keys",
    "allow": ("192.168.0.0/16", "fd00::/8"),
    "cors": ("https://one.example", "https://two.example"),
    "max_requests": 3,
    "max_body_bytes": 5000,
    "max_text": 1000,
    "max_connections": 4,
    "idle_timeout": 7.0,
    "frame_timeout": 8.0,
    "write_timeout": 9.0,
    "max_line_bytes": 1024,
    "max_data_bytes": 2048,
    "max_payload_bytes": 4096,
    "shutdown_grace": 1.0,
    "log_level": "warning",
    "log_format": "json",
}
"""For every setting a value that is not its default."""

WRONG = {
    "uri": "tcp://nowhere",
    "voice": "",
    "speed": 3,
    "sentence_silence": -1,
    "clause_silence": "long",
    "chain": "kokoro,kokoro",
    "hedge_after": -1,
    "detect_language": "maybe",
    "plugins": "some",
    "plugin_timeout": 0,
    "streaming": "maybe",
    "samples_per_chunk": 0,
    "model": "int4",
    "offline": "maybe",
    "provider": "gpu",
    "precision": "double",
    "device": -1,
    "device_memory": 0,
    "threads": 0,
    "unload_after": -1,
    "look_ahead": 0,
    "busy": "never",
    "cache_memory": -1,
    "cache_disk": -1,
    "warm_up": 3,
    "zeroconf": "a.b",
    "zeroconf_interval": 0,
    "http": "maybe",
    "http_uri": "tcp://0.0.0.0:80",
    "http_hosts": 3,
    "allow": "10.0.0.0/99",
    "cors": 3,
    "max_requests": 0,
    "max_body_bytes": 0,
    "max_text": 0,
    "max_connections": 0,
    "idle_timeout": 0,
    "frame_timeout": 0,
    "write_timeout": 0,
    "max_line_bytes": 0,
    "max_data_bytes": 0,
    "max_payload_bytes": 0,
    "shutdown_grace": -1,
    "log_level": "loud",
    "log_format": "yaml",
}
ANY_PATH = {"api_keys_file", "config", "data_dir", "download_dir", "voices_dir"}
NO_FLAG = {"api_keys", "backends"}
"""Tables, which have tests of their own below; keys in a command line would be seen by everybody."""


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WYOMING_TTS_{name.upper()}", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def toml(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def literal(value: Any) -> str:
    if isinstance(value, tuple):
        value = list(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


def flag(name: str, value: Any) -> list[str]:
    spelling = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{'' if value else 'no-'}{spelling}"]
    if name in ("allow", "chain") and isinstance(value, tuple):
        value = ",".join(value)
    values = value if isinstance(value, tuple) else (value,)
    return [word for one in values for word in (f"--{spelling}", str(one))]


def same(found: Any, wanted: Any) -> bool:
    return found == (Path(wanted) if isinstance(found, Path) else wanted)


def test_the_examples_cover_every_setting():
    """A setting cannot be added without being tried from every source."""
    assert {*OTHER, "config", *NO_FLAG} == set(Settings.model_fields)
    assert {*WRONG, *ANY_PATH, *NO_FLAG} == set(Settings.model_fields)


def test_defaults():
    """With nothing said, it listens everywhere, announced, with the voice Heart and the int8 weights."""
    settings = load_settings([])
    assert (settings.uri, settings.voice, settings.model) == ("tcp://0.0.0.0:10200", "af_heart", "int8")
    assert settings.zeroconf is True
    assert settings.download_dir == settings.data_dir
    assert settings.data_dir.name == "wyoming-tts"


@pytest.mark.parametrize("name", OTHER)
def test_flag_beats_variable_beats_file_beats_default(name, monkeypatch, tmp_path):
    """Each setting is taken from the file, the variable and the flag, the later the stronger."""
    other = OTHER[name]
    file = toml(tmp_path / "s.toml", f"{name.replace('_', '-')} = {literal(other)}\n")
    assert not same(getattr(load_settings([]), name), other)
    assert same(getattr(load_settings(["--config", str(file)]), name), other)

    text, third = a_third_value(name)
    monkeypatch.setenv(f"WYOMING_TTS_{name.upper()}", text)
    assert getattr(load_settings(["--config", str(file)]), name) == third
    assert same(getattr(load_settings(["--config", str(file), *flag(name, other)]), name), other)


def a_third_value(name: str) -> tuple[str, Any]:
    if name == "allow":
        return "10.0.0.1, 10.1.0.0/16", ("10.0.0.1", "10.1.0.0/16")
    if isinstance(OTHER[name], tuple):
        return '["one", "two"]', ("one", "two")
    for text in (
        "on",
        "off",
        "0.75",
        "5",
        "fp16",
        "cpu",
        "debug",
        "auto",
        "refuse",
        "text",
        "tcp://0.0.0.0:1",
        "http://[::]:1",
    ):
        with contextlib.suppress(ValidationError):
            value = getattr(Settings.model_validate({name: text}), name)
            if not same(value, OTHER[name]):
                return text, value
    raise AssertionError(f"no example fits {name}")


@pytest.mark.parametrize("name", [name for name in WRONG if not isinstance(OTHER[name], bool | tuple)])
def test_a_wrong_flag_is_named(name):
    """A wrong value on the command line is a ConfigError that says flag and value."""
    spelling = "--" + name.replace("_", "-")
    with pytest.raises(ConfigError) as caught:
        load_settings([spelling, str(WRONG[name])])
    assert str(caught.value).startswith(f"{spelling}: {str(WRONG[name])!r} is wrong, it should ")


@pytest.mark.parametrize("name", [name for name in WRONG if WRONG[name] != ""])
def test_a_wrong_variable_is_named(name, monkeypatch):
    """A wrong value in the environment is a ConfigError that says the variable."""
    variable = f"WYOMING_TTS_{name.upper()}"
    monkeypatch.setenv(variable, str(WRONG[name]))
    with pytest.raises(ConfigError, match=f"^{variable}: "):
        load_settings([])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_in_the_file_is_named(name, tmp_path):
    """A wrong value in the TOML file is a ConfigError that says the key and the file."""
    file = toml(tmp_path / "s.toml", f"{name} = {literal(WRONG[name])}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(["--config", str(file)])
    assert str(caught.value).startswith(f"{name} in {file}: ")


def test_every_fault_is_told_at_once(monkeypatch):
    """Several wrong settings make one message with a line for each, and no line for their echoes."""
    monkeypatch.setenv("WYOMING_TTS_SPEED", "9")
    with pytest.raises(ConfigError) as caught:
        load_settings(["--provider", "gpu", "--threads", "x"])
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        "WYOMING_TTS_SPEED",
        "--provider",
        "--threads",
    ]


def test_an_unknown_key_is_refused_with_its_neighbour(tmp_path):
    """A misspelt key in the TOML file is a ConfigError that says the nearest one."""
    file = toml(tmp_path / "s.toml", 'voise = "af_sky"\n')
    with pytest.raises(ConfigError, match=r"voise is no setting; did you mean voice\?"):
        load_settings(["--config", str(file)])


@pytest.mark.parametrize("argument", ["--voise", "af_sky", "--vo=x"])
def test_an_unknown_flag_is_refused(argument):
    """A flag that does not exist is a ConfigError, also when it begins like one that does."""
    with pytest.raises(ConfigError, match=argument):
        load_settings([argument])


def test_an_unknown_variable_is_warned_of(monkeypatch, caplog):
    """A misspelt variable is said in the log, as others may use the prefix too."""
    monkeypatch.setenv("WYOMING_TTS_VOISE", "af_sky")
    with caplog.at_level(logging.WARNING):
        load_settings([])
    assert "WYOMING_TTS_VOISE is no setting; did you mean WYOMING_TTS_VOICE?" in caplog.text


def test_an_empty_variable_is_no_setting(monkeypatch):
    """A variable that is set to nothing, as compose files do, leaves the default."""
    monkeypatch.setenv("WYOMING_TTS_THREADS", "")
    assert load_settings([]).threads is None


def test_the_data_directory_may_hold_the_file(tmp_path, monkeypatch):
    """`config.toml` in the data directory is read wherever that directory is named."""
    toml(tmp_path / "config.toml", 'voice = "af_sky"\n')
    assert load_settings(["--data-dir", str(tmp_path)]).voice == "af_sky"
    monkeypatch.setenv("WYOMING_TTS_DATA_DIR", str(tmp_path))
    assert load_settings([]).voice == "af_sky"


def test_a_file_that_was_asked_for_must_exist(tmp_path):
    """A missing file is an error when it was named, and none when it was not."""
    with pytest.raises(ConfigError, match=r"none\.toml: No such file"):
        load_settings(["--config", str(tmp_path / "none.toml")])
    assert load_settings(["--data-dir", str(tmp_path)]).config is None


@pytest.mark.parametrize("content", [b"voice = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(content, tmp_path):
    """A broken file is a ConfigError that names it."""
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.toml is not a TOML file"):
        load_settings(["--data-dir", str(tmp_path)])


def test_the_file_cannot_name_another_file(tmp_path):
    """`config` is no key of the TOML file."""
    file = toml(tmp_path / "s.toml", 'config = "other.toml"\n')
    with pytest.raises(ConfigError, match="config is no setting"):
        load_settings(["--config", str(file)])


@pytest.mark.parametrize(
    ("argv", "wanted"),
    [
        ([], True),
        (["--zeroconf"], True),
        (["--zeroconf", "kitchen"], "kitchen"),
        (["--zeroconf", "Küche 2"], "Küche 2"),
        (["--zeroconf", "off"], False),
        (["--no-zeroconf"], False),
        (["--zeroconf", "--debug"], True),
    ],
)
def test_zeroconf_takes_a_name_or_none(argv, wanted):
    """`--zeroconf` alone announces the server, with a value under that name, `--no-zeroconf` not at all."""
    assert load_settings(argv).zeroconf == wanted


@pytest.mark.parametrize("name", ["", " ", "a.b", "x" * 59, "ü" * 30, "a\tb"])
def test_zeroconf_names_must_fit_a_label(name):
    """A name that a network could not carry is refused."""
    with pytest.raises(ConfigError, match="--zeroconf"):
        load_settings(["--zeroconf", name])


def test_debug_is_a_log_level():
    """`--debug` is short for `--log-level debug`."""
    assert load_settings(["--debug"]).log_level == "debug"


@pytest.mark.parametrize(
    "uri", ["tcp://0.0.0.0:10200", "tcp://[::]:0", "tcp://host:1", "unix:///run/tts.sock", "stdio://"]
)
def test_uris_that_can_be_listened_on(uri):
    """TCP with host and port, Unix sockets and standard input are accepted."""
    assert load_settings(["--uri", uri]).uri == uri


@pytest.mark.parametrize(
    "uri", ["tcp://host", "tcp://:1", "tcp://a:99999", "unix://", "http://a:1", "0.0.0.0:10200", "stdio://x"]
)
def test_uris_that_cannot(uri):
    """Any other URI is refused with the three forms."""
    with pytest.raises(ConfigError, match=r"tcp://HOST:PORT, unix://PATH or stdio://"):
        load_settings(["--uri", uri])


def test_a_model_may_be_a_file(tmp_path):
    """`--model` takes a path that exists besides the names of weights."""
    file = tmp_path / "own.onnx"
    file.touch()
    assert load_settings(["--model", str(file)]).model == str(file)


def test_the_home_directory_is_understood():
    """`~` in a directory is the user's home."""
    assert load_settings(["--data-dir", "~/tts"]).data_dir == Path.home() / "tts"


def test_settings_do_not_change():
    """Settings are frozen once they are loaded."""
    settings = load_settings([])
    with pytest.raises(ValidationError, match="frozen"):
        settings.voice = "af_sky"


def test_every_setting_is_in_the_help_and_the_table():
    """Each setting has a description, a flag in `--help`, and a row with flag and variable."""
    text, table = build_parser().format_help(), settings_table()
    for name, field in Settings.model_fields.items():
        spelling = "--" + name.replace("_", "-")
        assert field.description, name
        if name in NO_FLAG:
            continue
        assert f"{spelling} " in text or f"{spelling}," in text or f"{spelling}\n" in text
        (row,) = (row for row in table.splitlines() if f"`WYOMING_TTS_{name.upper()}`" in row)
        assert row.startswith(f"| `{spelling}")
        assert row.replace("\\|", "").count("|") == 5


@pytest.mark.parametrize(("argument", "shown"), [("--help", "--zeroconf [NAME]"), ("--version", __version__)])
def test_help_and_version_are_no_errors(argument, shown, capsys):
    """`--help` and `--version` print and end with status 0."""
    with pytest.raises(SystemExit) as caught:
        load_settings([argument])
    assert caught.value.code == 0
    assert shown in capsys.readouterr().out


def test_backend_tables_come_from_file_and_environment(monkeypatch, tmp_path):
    """`[backends.NAME]` in the file, single keys over it from variables, lists and tables there as JSON."""
    file = toml(
        tmp_path / "c.toml",
        'chain = ["box", "kokoro"]\n[backends.box]\ntype = "openai"\nmodel = "one"\nvoice_names = ["a"]\n',
    )
    monkeypatch.setenv("WYOMING_TTS_BACKENDS__BOX__MODEL", "two")
    monkeypatch.setenv("WYOMING_TTS_BACKENDS__KOKORO_TORCH__VOICES", '{"af_heart": "nova"}')
    settings = load_settings(["--config", str(file)])
    assert settings.chain == ("box", "kokoro")
    assert settings.backends == {
        "box": {"type": "openai", "model": "two", "voice_names": ["a"]},
        "kokoro-torch": {"voices": {"af_heart": "nova"}},
    }


@pytest.mark.parametrize("chain", ["", "kokoro,", "a b", "KOKORO", "kokoro,kokoro"])
def test_a_chain_is_names(chain):
    """What is no list of names is refused."""
    with pytest.raises(ConfigError, match="--chain"):
        load_settings(["--chain", chain])


def test_keys_come_from_a_variable_or_the_file(monkeypatch, tmp_path):
    """With names, and never in a message, a repr or a flag."""
    monkeypatch.setenv("WYOMING_TTS_API_KEYS", "phone=secret-1, laptop=secret-2")
    settings = load_settings([])
    assert {name: key.get_secret_value() for name, key in settings.api_keys.items()} == {
        "phone": "secret-1",
        "laptop": "secret-2",
    }
    assert "secret" not in repr(settings)
    monkeypatch.delenv("WYOMING_TTS_API_KEYS")
    file = toml(tmp_path / "s.toml", '[api_keys]\nphone = "secret-3"\n')
    assert load_settings(["--config", str(file)]).api_keys["phone"].get_secret_value() == "secret-3"
    monkeypatch.setenv("WYOMING_TTS_API_KEYS", "=secret-4")
    with pytest.raises(ConfigError) as caught:
        load_settings([])
    assert "WYOMING_TTS_API_KEYS" in str(caught.value)
    assert "secret" not in str(caught.value)
