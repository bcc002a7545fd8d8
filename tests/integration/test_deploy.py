"""What is deployed, each held to the tool that knows its form. No container is built: its base images are elsewhere."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from canary.config import load
from tests.programs import program

DEPLOY = Path(__file__).parents[2] / "deploy"
OF_OPERATOR = {"ServiceMonitor": "endpoints", "PrometheusRule": "groups"}  # their schemas come with the operator


def run(*args: str, cwd: Path = DEPLOY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(args, capture_output=True, text=True, cwd=cwd, timeout=120)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    text = (DEPLOY / "systemd/canary.service").read_text(encoding="utf-8")
    there = tmp_path / "canary.service"
    there.write_text(text.replace("/opt/canary/bin/canary", sys.executable), encoding="utf-8")
    return there


def test_systemd_takes_the_unit_as_it_is_written(unit: Path) -> None:
    result = run(program("systemd-analyze"), "verify", "--recursive-errors=no", str(unit))
    assert (result.returncode, result.stderr) == (0, "")


def test_systemd_finds_the_unit_little_exposed(unit: Path) -> None:
    analyse = program("systemd-analyze")
    assert run(analyse, "security", "--offline=true", "--threshold=15", str(unit)).returncode == 0


def test_the_container_file_has_no_known_fault() -> None:
    result = run(str(Path(sys.executable).with_name("hadolint")), "container/Containerfile")
    assert (result.returncode, result.stdout) == (0, "")


def test_the_container_is_nobodys_root() -> None:
    lines = (DEPLOY / "container/Containerfile").read_text(encoding="utf-8").splitlines()
    final = lines[max(at for at, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert [line for line in final if line.startswith("USER ")] == ["USER 10001:10001"]


def test_all_that_the_container_copies_is_in_the_repository() -> None:
    kept = (DEPLOY / "container/Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    assert [name for line in kept if line.startswith("!") and not (DEPLOY.parent / (name := line[1:])).exists()] == []


def test_the_compose_file_fits_its_specification() -> None:
    check = str(Path(sys.executable).with_name("check-jsonschema"))
    result = run(check, "--builtin-schema", "vendor.compose-spec", "compose/compose.yaml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_compose_mounts_what_is_there_and_publishes_on_loopback_alone() -> None:
    services = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text(encoding="utf-8"))["services"]
    mounts = [volume.split(":")[0] for service in services.values() for volume in service["volumes"]]
    files = [mount for mount in mounts if mount.startswith(".") and mount != "./canary.yaml"]  # the user's own
    assert [mount for mount in files if not (DEPLOY / "compose" / mount).exists()] == []
    ports = [port for service in services.values() for port in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_grafana_in_compose_differs_from_what_is_rendered_by_tls_alone() -> None:
    ours = yaml.safe_load((DEPLOY / "compose/grafana-datasources.yaml").read_text(encoding="utf-8"))
    rendered = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/canary.yaml").read_text(encoding="utf-8"))
    rendered["datasources"][1]["jsonData"]["sslmode"] = "disable"
    assert ours == rendered


def test_grafana_in_compose_finds_the_dashboards_where_its_provider_looks() -> None:
    (provider,) = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/canary.yaml").read_text("utf-8"))[
        "providers"
    ]
    services = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text(encoding="utf-8"))["services"]
    assert f"../grafana/dashboards:{provider['options']['path']}:ro" in services["grafana"]["volumes"]


def test_prometheus_takes_the_compose_config() -> None:
    promtool = program("promtool")
    assert run(promtool, "check", "config", "--syntax-only", "compose/prometheus.yaml").returncode == 0


def test_alertmanager_takes_the_compose_config() -> None:
    amtool = program("amtool")
    assert run(amtool, "check-config", "prometheus/alertmanager.yaml").returncode == 0


def manifests() -> Iterator[dict[str, object]]:
    kubectl = program("kubectl")
    built = run(kubectl, "kustomize", ".")
    assert built.returncode == 0, built.stderr
    yield from yaml.safe_load_all(built.stdout)


def test_every_manifest_fits_the_schema_of_kubernetes() -> None:
    kinds = []
    for manifest in manifests():
        kinds.append(kind := str(manifest["kind"]))
        if kind in OF_OPERATOR:
            assert OF_OPERATOR[kind] in manifest["spec"]  # type: ignore[operator]
        else:
            kubernetes_validate.validate(manifest, "1.37", strict=True)
    assert {"Deployment", "Service", "ServiceMonitor", "PrometheusRule", "ConfigMap"} <= set(kinds)


def test_every_dashboard_is_in_a_config_map_that_grafana_looks_for() -> None:
    (found,) = [m for m in manifests() if m["metadata"]["name"] == "canary-dashboards"]  # type: ignore[index]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"  # type: ignore[index]
    committed = {path.name for path in (DEPLOY / "grafana/dashboards").glob("*.json")}
    assert set(found["data"]) == committed  # type: ignore[call-overload]


def test_the_pod_satisfies_the_restricted_standard() -> None:
    (pod,) = [m["spec"]["template"]["spec"] for m in manifests() if m["kind"] == "Deployment"]  # type: ignore[index]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("name", ["compose/canary.example.yaml", "kubernetes/canary.yaml"])
def test_the_example_configs_are_good(name: str) -> None:
    assert load(DEPLOY / name, {"CANARY_STORE_URL": "postgresql://canary@postgres/canary"}).targets
