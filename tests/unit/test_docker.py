"""The container files, held to what they promise without an engine; `make image-check` builds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.config import SETTING_NAMES

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "docker"
DOCKERFILES = (DOCKER / "Dockerfile", DOCKER / "fhir-server" / "Dockerfile")
COMPOSE = (DOCKER / "compose.yaml", DOCKER / "compose.sandbox.yaml")
MANIFESTS = tuple(sorted((DOCKER / "kubernetes").glob("*.yaml")))


def instructions(file: Path) -> list[tuple[str, str]]:
    """Instruction and argument of each line of a Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", file.read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def final_stage(file: Path) -> list[tuple[str, str]]:
    all_of_it = instructions(file)
    last = max(number for number, (word, _) in enumerate(all_of_it) if word == "FROM")
    return all_of_it[last:]


def documents(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in MANIFESTS:
        for document in documents(file):
            if document["kind"] in {"Deployment", "Job"}:
                yield document["metadata"]["name"], document["spec"]["template"]["spec"]


PODS = dict(pods())


@pytest.mark.parametrize("file", DOCKERFILES, ids=str)
def test_t76_the_image_runs_as_a_numbered_user_that_is_not_root(file: Path) -> None:
    users = [argument for word, argument in final_stage(file) if word == "USER"]
    assert users
    assert all(re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user) for user in users)


@pytest.mark.parametrize("file", DOCKERFILES, ids=str)
def test_t76_programs_are_started_without_a_shell(file: Path) -> None:
    starts = [
        argument.removeprefix("CMD ").strip()
        for word, argument in instructions(file)
        if word in {"CMD", "ENTRYPOINT"}
    ]
    assert starts
    assert all(start.startswith("[") for start in starts)


def test_t76_the_health_check_asks_by_python_and_needs_no_further_program() -> None:
    (check,) = (said for word, said in final_stage(DOCKERFILES[0]) if word == "HEALTHCHECK")
    assert 'CMD ["python", "-c"' in check
    assert "/health/live" in check


def test_t76_the_final_stage_installs_nothing_and_takes_the_environment_from_the_first() -> None:
    final = final_stage(DOCKERFILES[0])
    runs = " ".join(argument for word, argument in final if word == "RUN")
    assert not re.search(r"pip|apt|curl|gcc|make", runs)
    assert ("COPY", "--from=build /opt/cds-service /opt/cds-service") in final


def test_t76_the_authorities_that_the_database_is_held_against_are_in_the_image() -> None:
    text = (DOCKER / "kubernetes" / "configuration.yaml").read_text(encoding="utf-8")
    (named,) = re.findall(r"sslrootcert=(\S+)", text)
    assert named.startswith("/"), "libpq's word `system` means a folder that no image has"
    runs = " ".join(said for word, said in final_stage(DOCKERFILES[0]) if word == "RUN")
    assert f"test -s {named}" in runs


@pytest.mark.parametrize("file", DOCKERFILES, ids=str)
def test_t72_what_is_installed_in_an_image_is_locked_by_hash(file: Path) -> None:
    text = re.sub(r"\\\n\s*", "", file.read_text(encoding="utf-8"))
    installs = re.findall(r"pip install[^&]*", text)
    assert installs
    assert all("--require-hashes" in each or "--no-index" in each for each in installs)


@pytest.mark.parametrize("file", DOCKERFILES, ids=str)
def test_t76_no_secret_is_built_into_a_layer(file: Path) -> None:
    set_there = [said for word, said in instructions(file) if word in {"ARG", "ENV"}]
    assert not [said for said in set_there if re.search(r"KEY|TOKEN|PASSWORD|SECRET|URL", said)]


def test_t76_only_what_the_image_needs_is_sent_to_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {
        source.rstrip("/")
        for word, said in instructions(DOCKERFILES[0])
        if word == "COPY" and "--from" not in said
        for source in said.split()[:-1]
    }
    assert kept == copied


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_every_container_of_a_compose_file_is_hardened(file: Path) -> None:
    for name, service in documents(file)[0]["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["tmpfs"], name


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.name)
def test_a_compose_file_publishes_on_the_loopback_address_only(file: Path) -> None:
    ports = [p for s in documents(file)[0]["services"].values() for p in s.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_asks_for_readiness_so_that_the_numbers_of_events_are_fresh() -> None:
    service = documents(DOCKER / "compose.yaml")[0]["services"]["service"]
    *program, asked = service["healthcheck"]["test"]
    assert program == ["CMD", "python", "-c"]
    assert "/health/ready" in asked


def test_compose_lets_a_prometheus_on_this_machine_reach_the_management_port() -> None:
    service = documents(DOCKER / "compose.yaml")[0]["services"]["service"]
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (port,) = re.findall(r"^management_port = (\d+)$", told, re.MULTILINE)
    assert f"127.0.0.1:{port}:{port}" in service["ports"]


def test_compose_takes_secrets_from_files_and_from_nothing_else() -> None:
    compose = documents(DOCKER / "compose.yaml")[0]
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())
    for service in compose["services"].values():
        for name in service.get("environment", {}):
            assert name.endswith("_FILE") or not re.search(r"PASSWORD|KEY|URL", name)


def test_what_is_used_only_by_git_stays_out_of_git() -> None:
    ignored = (DOCKER / ".gitignore").read_text(encoding="utf-8").split()
    assert {"secrets/", "config/"} <= set(ignored)


@pytest.mark.parametrize("name", sorted(PODS))
def test_every_pod_is_hardened_and_bounded(name: str) -> None:
    pod = PODS[name]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, "CDS_SERVICE_PORT would be refused as a setting"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod["containers"]:
        assert set(container["resources"]) == {"requests", "limits"}
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }


def test_the_service_is_probed_on_its_own_health_addresses() -> None:
    (container,) = PODS["cds-service"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


@pytest.mark.parametrize("name", sorted(PODS))
def test_the_files_that_registry_and_database_url_name_are_in_every_pod(name: str) -> None:
    """The migration too: `sslrootcert` may name the authority of the site's PostgreSQL."""
    (files,) = (each for each in PODS[name].get("volumes", ()) if each["name"] == "files")
    (container,) = PODS[name]["containers"]
    mounted = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounted["files"] == "/etc/cds-service"
    assert files["projected"]["sources"] == [
        {"configMap": {"name": "cds-service-files"}},
        {"secret": {"name": "cds-service-files", "optional": True}},
    ]


def test_a_stopping_pod_has_longer_than_the_service_takes_to_finish() -> None:
    from cds_service.web.serve import STOP_SECONDS

    assert PODS["cds-service"]["terminationGracePeriodSeconds"] > STOP_SECONDS


def test_a_stopping_worker_has_longer_than_one_result_may_take() -> None:
    from cds_service.events.worker import DEADLINE_MS

    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    grace = compose["services"]["worker"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) * 1000 > DEADLINE_MS
    assert PODS["cds-service-worker"]["terminationGracePeriodSeconds"] * 1000 > DEADLINE_MS


def test_every_setting_named_in_a_manifest_exists() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (*MANIFESTS, *COMPOSE))
    named = {name.lower() for name in re.findall(r"\bCDS_([A-Z_]+)\b", text)}
    assert named
    assert named <= SETTING_NAMES


def test_the_example_secret_does_not_start_a_service() -> None:
    from cds_service.config import Settings
    from cds_service.errors import ConfigurationError

    secrets = [
        document
        for file in MANIFESTS
        for document in documents(file)
        if document["kind"] == "Secret"
    ]
    (secret,) = secrets
    with pytest.raises(ConfigurationError) as refused:
        Settings(data_key=secret["stringData"]["CDS_DATA_KEY"])
    assert "CDS_DATA_KEY" in refused.value.where
