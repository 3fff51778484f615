"""What carries the server to other machines fits the server: images, the add-on, the unit, the wheel."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import signal
import socketserver
import subprocess
import sys
import threading
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from addon import run
from addon_folder import copied, make
from dockerfile import read_stages
from packaging.requirements import Requirement

from wyoming_tts.config import ENV_PREFIX, Settings
from wyoming_tts.config_load import load_settings

ROOT = Path(__file__).parent.parent
DOCKER = ROOT / "docker"
STAGES = {stage.name: stage for stage in read_stages(DOCKER / "Dockerfile")}
ADDON = yaml.safe_load((DOCKER / "addon/config.yaml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = sorted(DOCKER.glob("requirements*.lock"))
COMPOSE = sorted(DOCKER.glob("compose*.yaml"))
EXTRAS = "http", "ja", "zh"
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD", re.IGNORECASE)


def is_setting(variable: str) -> bool:
    """Whether the server reads a variable; others than its own are not judged."""
    if not variable.startswith(ENV_PREFIX):
        return True
    return variable.removeprefix(ENV_PREFIX).lower().partition("__")[0] in Settings.model_fields


def lineage(name: str) -> list[str]:
    """A stage and those it stands on, the first one first."""
    base = STAGES[name].base
    return [*(lineage(base) if base in STAGES else []), name]


def test_everything_that_the_image_copies_is_there_and_let_through() -> None:
    """Files that a Dockerfile names exist, and .dockerignore does not hold them back."""
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [word for stage in STAGES.values() for step in stage.all("COPY") for word in step.words[:-1]]
    sources = [pattern for pattern in patterns if not pattern.startswith("/")]
    assert "wyoming_tts" in sources
    for pattern in sources:
        assert list(ROOT.glob(pattern)), pattern
        assert f"!/{pattern}" in ignore, pattern


def test_stages_stand_on_what_there_is() -> None:
    """Debian is named by its release, and the default stage is the server."""
    assert next(reversed(STAGES)) == "server"
    assert {stage.base for stage in STAGES.values()} - set(STAGES) == {"debian:trixie-slim"}
    for stage in STAGES.values():
        for step in stage.all("COPY"):
            assert step.flags.get("from", "python") in STAGES


def test_the_image_sets_settings_and_holds_no_secret() -> None:
    """Its variables are the server's, and none looks like a key."""
    for stage in STAGES.values():
        for step in (*stage.all("ENV"), *stage.all("ARG")):
            for name in step.pairs:
                assert is_setting(name), name
                assert not SECRET.search(name), name


def test_the_server_in_the_image_is_nobody_in_particular() -> None:
    """Its user has a number that is not root's, and a health check asks it what Home Assistant asks."""
    steps = [step for name in lineage("server") for step in STAGES[name].instructions]
    users = [step.value for step in steps if step.keyword == "USER"]
    assert users
    assert int(users[-1].partition(":")[0]) > 0
    (check,) = [step for step in steps if step.keyword == "HEALTHCHECK"]
    assert '"healthcheck"' in check.value
    assert "wyoming-tts info" in (DOCKER / "healthcheck").read_text(encoding="utf-8")


def test_reports_of_onnx_runtime_are_off() -> None:
    """In the image and in the unit, beside the package itself."""
    variables: dict[str, str] = {}
    for name in lineage("server"):
        for step in STAGES[name].all("ENV"):
            variables |= step.pairs
    assert variables["ORT_DISABLE_TELEMETRY"] == "1"
    assert "ORT_DISABLE_TELEMETRY=1" in (ROOT / "docker/systemd/wyoming-tts.service").read_text(
        encoding="utf-8"
    )


def test_hadolint_has_nothing_to_say() -> None:
    """The Dockerfile passes the linter for Dockerfiles."""
    hadolint = shutil.which(
        "hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    if hadolint is None:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("script", ["entrypoint", "healthcheck"])
def test_scripts_in_the_image_can_be_run(script: str) -> None:
    """They are executable, and a shell can read them."""
    assert os.access(DOCKER / script, os.X_OK)
    subprocess.run(["sh", "-n", DOCKER / script], check=True)


def locked(path: Path) -> dict[str, str]:
    """The versions of a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ \n]+)", path.read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_is_whole_and_names_no_place(path: Path) -> None:
    """Every package has checksums, and no line says where to get it."""
    text = path.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


@pytest.mark.parametrize(
    "path", [path for path in LOCKS if "build" not in path.name], ids=lambda path: path.name
)
def test_a_lock_has_what_the_project_asks_for(path: Path) -> None:
    """Each dependency is there in a version that suits; a variant has another build of ONNX Runtime."""
    versions = locked(path)
    wanted = [*PROJECT["dependencies"]]
    for extra in EXTRAS:
        wanted += PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        assert versions[requirement.name] in requirement.specifier, requirement
    variant = path.stem.removeprefix("requirements").strip("-")
    text = path.read_text(encoding="utf-8")
    assert ("onnxruntime==" + versions["onnxruntime"] + " ; sys_platform == 'never'" in text) == bool(variant)
    assert {"": "onnxruntime", "cuda": "onnxruntime-gpu"}.get(variant, f"onnxruntime-{variant}") in versions


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_a_compose_file_sets_settings(path: Path) -> None:
    """It is YAML, its keys are Compose's, its variables the server's, its variants the image's."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(content) <= {"name", "services", "volumes"}
    for service in content["services"].values():
        assert set(service) <= {
            *("build", "cap_drop", "depends_on", "deploy", "devices", "environment", "group_add", "image"),
            *("network_mode", "pids_limit", "ports", "read_only", "restart", "security_opt"),
            *("stop_grace_period", "tmpfs", "volumes"),
        }
        for name, value in service.get("environment", {}).items():
            assert is_setting(name), name
            assert isinstance(value, str), name
        variant = service.get("build", {}).get("args", {}).get("VARIANT")
        assert variant is None or DOCKER / f"requirements-{variant}.lock" in LOCKS


def test_the_container_of_compose_can_do_little() -> None:
    """It cannot write its root, has no privileges and gets none."""
    (service,) = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))["services"].values()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["network_mode"] == "host"


def test_settings_of_compose_are_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The server takes every value that a file gives."""
    for path in COMPOSE:
        service = yaml.safe_load(path.read_text(encoding="utf-8"))["services"].get("wyoming-tts", {})
        for name, value in service.get("environment", {}).items():
            monkeypatch.setenv(name, value)
        load_settings(["--data-dir", str(tmp_path)])


FULL: dict[str, Any] = {
    "voice": "bf_emma",
    "chain": ["kokoro", "openai"],
    "log_level": "debug",
    "api_keys": [{"name": "phone", "key": "k1"}, {"name": "laptop", "key": "k2"}],
    "speed": 1.25,
    "detect_language": False,
    "streaming": True,
    "model": "int8",
    "threads": 2,
    "unload_after": 60.0,
    "busy": "late",
    "cache_disk": 100,
    "warm_up": ["Dinner, now!", "Good night."],
    "http_hosts": ["box"],
    "plugins": True,
    "openai_api_key": "sk-1",
    "openai_base_url": "http://192.168.1.20:8880/v1",
    "elevenlabs_api_key": "el-1",
}
"""Options of the add-on as the Supervisor writes them, every one of them."""


def settings_of(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """What the server makes of the add-on's options."""
    for name, value in run.variables(options).items():
        monkeypatch.setenv(name, value)
    return load_settings(["--data-dir", str(tmp_path)])


def test_every_option_of_the_addon_reaches_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each that the schema has becomes the setting of its name."""
    assert set(FULL) == set(ADDON["schema"])
    settings = settings_of(FULL, monkeypatch, tmp_path)
    for option in set(FULL) & set(Settings.model_fields) - {"chain", "api_keys", *run.LISTS}:
        assert getattr(settings, option) == FULL[option]
    assert settings.chain == ("kokoro", "openai")
    assert settings.warm_up == ("Dinner, now!", "Good night.")
    assert settings.http_hosts == ("box",)
    assert {name: key.get_secret_value() for name, key in settings.api_keys.items()} == {
        "phone": "k1",
        "laptop": "k2",
    }
    assert settings.backends["openai"]["base_url"] == FULL["openai_base_url"]
    assert os.environ["OPENAI_API_KEY"] == "sk-1"
    assert os.environ["ELEVENLABS_API_KEY"] == "el-1"


def test_what_the_addon_begins_with_is_accepted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its options as they are after the installation change nothing but plugins, which are off."""
    settings = settings_of(ADDON["options"], monkeypatch, tmp_path)
    assert settings.plugins is False
    default = Settings(data_dir=tmp_path)
    assert settings.model_dump(exclude={"plugins"}) == default.model_dump(exclude={"plugins"})


def test_the_addon_is_described_as_it_is() -> None:
    """Version, texts, ports and discovery are those of the project; it asks for no privileges."""
    assert ADDON["version"] == PROJECT["version"]
    assert f"\n## {PROJECT['version']}\n" in (DOCKER / "addon/CHANGELOG.md").read_text(encoding="utf-8")
    texts = yaml.safe_load((DOCKER / "addon/translations/en.yaml").read_text(encoding="utf-8"))
    assert set(texts["configuration"]) == set(ADDON["schema"])
    assert set(texts["network"]) == set(ADDON["ports"])
    assert ADDON["discovery"] == ["wyoming"]
    assert set(ADDON["options"]) == {
        name for name, kind in ADDON["schema"].items() if not str(kind).rstrip("']").endswith("?")
    }
    forbidden = {
        "host_network",
        "full_access",
        "privileged",
        "hassio_api",
        "homeassistant_api",
        "docker_api",
        "host_pid",
    }
    assert not forbidden & set(ADDON)
    profile = (DOCKER / "addon/apparmor.txt").read_text(encoding="utf-8")
    assert re.findall(r"^profile (\S+)", profile, re.MULTILINE) == [ADDON["slug"]]


def test_the_folder_of_the_addon_is_all_that_its_image_takes(tmp_path: Path) -> None:
    """The Supervisor builds from the folder alone, and its last stage is the add-on."""
    make(tmp_path / "addon")
    stages = read_stages(tmp_path / "addon/Dockerfile")
    assert stages[-1].name == "addon"
    assert all((tmp_path / "addon" / path).exists() for path in copied(DOCKER / "Dockerfile"))
    assert (tmp_path / "addon/config.yaml").exists()


@dataclasses.dataclass
class Supervisor:
    """Heard what was posted, and answers as it is told."""

    uri: str
    answers: list[int]
    heard: list[tuple[str, str | None, Any]] = dataclasses.field(default_factory=list)


@contextmanager
def supervisor(*answers: int) -> Iterator[Supervisor]:
    """A small Supervisor on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.heard.append((self.path, self.headers["Authorization"], json.loads(body)))
            self.send_response(state.answers.pop(0))
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        state = Supervisor(f"http://127.0.0.1:{server.server_port}", list(answers))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield state
        server.shutdown()
        thread.join()


@contextmanager
def wyoming_server() -> Iterator[int]:
    """The port of something that answers `describe`."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            if json.loads(self.rfile.readline())["type"] == "describe":
                self.wfile.write(b'{"type": "info"}\n')

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_home_assistant_hears_of_the_server_through_the_supervisor() -> None:
    """The message is the one that the integration wants, with the token, once the server answers."""
    with supervisor(200) as heard, wyoming_server() as port:
        assert run.announce_once_there("tcp://box:10200", "token", heard.uri, port=port)
    message = {"service": "wyoming", "config": {"uri": "tcp://box:10200"}}
    assert heard.heard == [("/discovery", "Bearer token", message)]


def test_a_supervisor_that_is_not_ready_is_told_again() -> None:
    """An error of its own is waited out."""
    waits: list[float] = []
    with supervisor(502, 200) as heard, wyoming_server() as port:
        assert run.announce_once_there("tcp://box:10200", "token", heard.uri, port=port, sleep=waits.append)
    assert len(heard.heard) == 2
    assert waits == [2]


def test_a_supervisor_that_refuses_is_left_alone() -> None:
    """It is asked once, and the server goes on."""
    with supervisor(403) as heard, wyoming_server() as port:
        assert not run.announce_once_there("tcp://box:10200", "token", heard.uri, port=port)
    assert len(heard.heard) == 1


def test_nothing_is_told_of_a_server_that_does_not_answer() -> None:
    """Home Assistant would show something that does not work."""
    with supervisor() as heard:
        sleep: list[float] = []
        assert not run.announce_once_there(
            "tcp://box:10200", "t", heard.uri, port=1, sleep=sleep.append, tries=2
        )
    assert heard.heard == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="takes root, as in the add-on")
def test_the_server_in_the_addon_gets_no_token_and_no_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is run by the user nobody, with its settings and without what is the Supervisor's."""
    (tmp_path / "bin").mkdir()
    place = tmp_path / "data"
    entrypoint = tmp_path / "bin/entrypoint"
    entrypoint.write_text(f"#!/bin/sh\nid -u >{place}/who\nid -G >>{place}/who\nenv >{place}/env\nexit 3\n")
    entrypoint.chmod(0o755)
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):  # pytest's own folders are for root alone
        folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "options.json").write_text(json.dumps({"voice": "bf_emma"}))
    (tmp_path / "options.json").chmod(0o600)
    monkeypatch.setattr(run, "OPTIONS", tmp_path / "options.json")
    monkeypatch.setattr(run, "USER", "nobody")
    monkeypatch.setattr(run, "announce_once_there", lambda *_: True)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["addon"])
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("SUPERVISOR_TOKEN", "token")
    monkeypatch.setenv("WYOMING_TTS_DATA_DIR", str(place))
    monkeypatch.setenv("WYOMING_TTS_DOWNLOAD_DIR", str(tmp_path / "downloads"))
    assert run.main() == 3
    uid, groups = (place / "who").read_text().splitlines()
    assert uid != "0"
    assert "0" not in groups.split()
    environment = (place / "env").read_text()
    assert "SUPERVISOR_TOKEN" not in environment
    assert "WYOMING_TTS_VOICE=bf_emma" in environment


def test_the_unit_is_one(tmp_path: Path) -> None:
    """Its variables are the server's, its user is none that exists, and systemd understands it."""
    text = (ROOT / "docker/systemd/wyoming-tts.service").read_text(encoding="utf-8")
    for name in re.findall(r"^Environment=(\w+)=", text, re.MULTILINE):
        assert is_setting(name), name
    assert "\nDynamicUser=yes\n" in text
    assert "\nProtectSystem=strict\n" in text
    if shutil.which("systemd-analyze"):
        unit = tmp_path / "wyoming-tts.service"
        unit.write_text(re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", text, flags=re.MULTILINE))
        subprocess.run(["systemd-analyze", "verify", unit], check=True)


def test_the_wheel_has_all_of_the_package(tmp_path: Path) -> None:
    """Every file of the package, the voices, the studio's page and the command."""
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "wyoming_tts").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert tracked <= names
    voices = {f"wyoming_tts/data/voices/{path.name}" for path in (ROOT / "voices").iterdir()}
    assert voices <= names
    assert f"wyoming_tts-{PROJECT['version']}.dist-info/entry_points.txt" in names
    assert not any(name.startswith(("tests/", "docker/")) for name in names)


def test_what_the_threat_model_points_at_is_there() -> None:
    """Each protection that SECURITY.md names has its tests."""
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:tests|docker|script|docs)/[\w./-]+)`", text))
    assert len(named) > 10
    for path in named:
        assert (ROOT / path).exists(), path
