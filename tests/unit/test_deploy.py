"""What deploy/ holds agrees with itself and with the server, and passes the tools of its kinds where they are installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from vivant.commands.serve import serve
from vivant.server.metrics import Metrics

pytestmark = pytest.mark.unit

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def tool(name: str) -> str:
    """Beside this Python, or on the path."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed; scripts/test-cluster brings it")
    return found


def run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents() -> dict[str, dict[str, Any]]:
    """By kind and name."""
    found = [document for path in MANIFESTS for document in yaml.safe_load_all(path.read_text())]
    return {f"{document['kind']} {document['metadata']['name']}": document for document in found}


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yml").read_text())["services"]
    return services


def server_container() -> dict[str, Any]:
    (container,) = documents()["Deployment vivant-server"]["spec"]["template"]["spec"]["containers"]
    return dict(container)


def commands() -> list[list[str]]:
    """Of a server: the image's, the compose file's, Kubernetes'."""
    said = re.search(r"^CMD (\[.*?\])", (DEPLOY / "Dockerfile").read_text(), re.DOTALL | re.MULTILINE)
    assert said
    own = list(yaml.safe_load(said[1].replace("\\\n", "")))
    return [own, compose()["server"]["command"], server_container()["args"]]


def test_every_command_is_one_that_serve_knows() -> None:
    app = typer.Typer()
    app.command()(serve)
    known = {option for parameter in typer.main.get_command(app).params for option in parameter.opts}
    for words in commands():
        assert words[0] == "serve"
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert {"--host", "--tls-cert", "--tls-key", "--token-file", "--drain-seconds", "--metrics-port"} <= options <= known


def test_nothing_is_stopped_before_it_has_drained() -> None:
    pods = documents()["Deployment vivant-server"]["spec"]["template"]["spec"]
    (drained_s,) = {int(str(word).partition("=")[2]) for word in server_container()["args"] if "--drain-seconds" in str(word)}
    assert drained_s < pods["terminationGracePeriodSeconds"]
    assert drained_s < int(compose()["server"]["stop_grace_period"].removesuffix("s"))


def test_the_autoscaler_follows_a_figure_that_servers_give() -> None:
    (metric,) = documents()["HorizontalPodAutoscaler vivant-server"]["spec"]["metrics"]
    assert metric["pods"]["metric"]["name"] in {family.name for family in Metrics().registry.collect()}
    assert metric["pods"]["metric"]["name"] in documents()["ConfigMap vivant-adapter-rule"]["data"]["config.yaml"]


def test_labels_ports_and_secrets_agree() -> None:
    found = documents()
    pods = found["Deployment vivant-server"]["spec"]["template"]
    for each in ("Service server", "PodDisruptionBudget vivant-server", "NetworkPolicy vivant-server"):
        spec = found[each]["spec"]
        chosen = spec.get("selector", spec.get("podSelector"))
        assert (chosen.get("matchLabels", chosen)).items() <= pods["metadata"]["labels"].items()
    ports = {port["name"]: port["containerPort"] for port in server_container()["ports"]}
    assert pods["metadata"]["annotations"]["prometheus.io/port"] == str(ports["metrics"])
    assert found["Service server"]["spec"]["ports"][0]["port"] == ports["grpc"] == 50750
    envoy = yaml.safe_load((DEPLOY / "envoy.yaml").read_text())["static_resources"]["clusters"][0]
    (endpoint,) = envoy["load_assignment"]["endpoints"][0]["lb_endpoints"]
    where = endpoint["endpoint"]["address"]["socket_address"]
    assert where == {"address": "server", "port_value": ports["grpc"]} and "server" in compose()


def test_the_image_passes_hadolint() -> None:
    run(tool("hadolint"), DEPLOY / "Dockerfile")


def test_the_compose_file_fits_its_specification() -> None:
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yml")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_the_manifest_fits_kubernetes(path: Path) -> None:
    run(tool("kubernetes-validate"), "--strict", path)
