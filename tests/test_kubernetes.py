"""The manifests of docker/scale/kubernetes: valid by Kubernetes' own schemas, and about this server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wyoming_tts.config import Settings
from wyoming_tts.config_load import load_settings
from wyoming_tts.metrics import Metrics
from wyoming_tts.status import BackendStatus

yaml = pytest.importorskip("yaml")
validation = pytest.importorskip("kubernetes_validate")

FILES = sorted((Path(__file__).parent.parent / "docker" / "scale" / "kubernetes").glob("*.yaml"))
OLDEST = "1.30"
"""Kubernetes that the manifests are for."""

LABELS = {"app.kubernetes.io/name": "wyoming-tts"}


def objects() -> dict[str, Any]:
    """Every object by its kind."""
    found = [one for path in FILES for one in yaml.safe_load_all(path.read_text(encoding="utf-8"))]
    kinds = {one["kind"]: one for one in found}
    assert len(kinds) == len(found)
    return kinds


OBJECTS = objects()
POD = OBJECTS["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("version", [OLDEST, validation.latest_version()])
@pytest.mark.parametrize("kind", OBJECTS)
def test_schema(kind: str, version: str) -> None:
    """Each is valid, with no key that Kubernetes does not know, in the oldest version and in the newest."""
    validation.validate(OBJECTS[kind], version, strict=True)


def test_a_mistake_is_noticed() -> None:
    """The schema is one that minds."""
    with pytest.raises(validation.ValidationError):
        validation.validate({**OBJECTS["Service"], "sepc": {}}, OLDEST, strict=True)


def test_all_are_about_the_same_pods() -> None:
    """Selectors, labels and references lead to the deployment's pods."""
    deployment = OBJECTS["Deployment"]
    assert set(OBJECTS) == {"Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert deployment["spec"]["template"]["metadata"]["labels"] == LABELS
    assert deployment["spec"]["selector"]["matchLabels"] == LABELS
    assert OBJECTS["Service"]["spec"]["selector"] == LABELS
    assert OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == LABELS
    target = OBJECTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == (deployment["kind"], deployment["metadata"]["name"])


def settings() -> Settings:
    return load_settings(CONTAINER["args"])


def test_the_server_takes_the_arguments() -> None:
    """Flags are this server's, and what they say is where the ports and volumes are."""
    ours = settings()
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"wyoming": int(ours.uri.split(":")[-1]), "http": int(ours.http_uri.split(":")[-1])}
    service = {port["targetPort"]: port["port"] for port in OBJECTS["Service"]["spec"]["ports"]}
    assert service == ports
    assert str(ours.data_dir) in {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert ours.threads == int(CONTAINER["resources"]["requests"]["cpu"])


def test_streams_may_finish() -> None:
    """A pod lives for as long as those it speaks to are given."""
    before = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert POD["terminationGracePeriodSeconds"] > before + settings().shutdown_grace


def test_it_may_do_no_more_than_it_must() -> None:
    """No root, nothing written but its volumes, no token."""
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["automountServiceAccountToken"] is False
    own = CONTAINER["securityContext"]
    assert (own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"]) == (True, False)
    assert own["capabilities"] == {"drop": ["ALL"]}


def test_probes_ask_what_they_should() -> None:
    """No listener before a sentence would be spoken; no restart because a backend is down."""
    paths = {kind: CONTAINER[kind]["httpGet"]["path"] for kind in CONTAINER if kind.endswith("Probe")}
    assert paths == {"startupProbe": "/health", "readinessProbe": "/ready", "livenessProbe": "/health"}


def test_the_metric_is_one_that_the_server_has() -> None:
    """Replicas are counted by something that /metrics tells."""
    (metric,) = OBJECTS["HorizontalPodAutoscaler"]["spec"]["metrics"]
    name = metric["pods"]["metric"]["name"]
    status = BackendStatus(name="kokoro", engine="Kokoro", circuit="closed", queued=3)
    assert f'\n{name}{{backend="kokoro"}} 3.0\n' in Metrics(lambda: [status]).text().decode()
