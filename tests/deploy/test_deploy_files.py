"""The files in ``deploy/``: closed containers, no secret in the open, and names that fit each other.

What their own tools say is in ``test_deploy_tools.py``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from fewshot.app.uploads import MOST_MEGABYTES

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
MANIFESTS = [
    document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8"))
]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
SECRETS = {"FEWSHOT_DATABASE_PASSWORD", "FEWSHOT_KEY", "FEWSHOT_TURN_PASSWORD", "FEWSHOT_OIDC_CLIENT_SECRET"}


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [document for document in MANIFESTS if document["kind"] == kind]
    return found


def open_in_compose(compose: dict[str, Any]) -> list[str]:
    """What is open that should be closed, in words."""
    found = []
    for name, service in compose["services"].items():
        if service.get("read_only") is not True:
            found.append(f"{name} may write to its root")
        if service.get("cap_drop") != ["ALL"]:
            found.append(f"{name} keeps rights of root")
        if "no-new-privileges:true" not in service.get("security_opt", ()):
            found.append(f"{name} may get more rights")
        if service.get("privileged") or "docker.sock" in str(service.get("volumes")):
            found.append(f"{name} rules the whole computer")
        found += [f"{name} has {key} in the open" for key in service.get("environment", {}) if key in SECRETS]
        if "database" in str(service.get("image")) and service.get("ports"):
            found.append(f"{name} is reachable from outside")
    for name in ("database", "backup"):
        if compose["services"][name].get("networks") != ["back"] or compose["services"][name].get("ports"):
            found.append(f"{name} is reachable from outside")
    return found


def open_in_kubernetes(deployment: dict[str, Any]) -> list[str]:
    """What is open that should be closed, in words."""
    pod = deployment["spec"] if deployment["kind"] == "Pod" else deployment["spec"]["template"]["spec"]
    found = []
    if pod.get("automountServiceAccountToken") is not False:
        found.append("a token of the cluster")
    context = pod.get("securityContext", {})
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        found.append("root")
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("all calls of the system")
    for container in pod["containers"]:
        inner = container.get("securityContext", {})
        if not inner.get("readOnlyRootFilesystem") or inner.get("allowPrivilegeEscalation") is not False:
            found.append("may write or get more rights")
        if inner.get("capabilities") != {"drop": ["ALL"]}:
            found.append("keeps rights of root")
        found += [entry["name"] for entry in container.get("env", ()) if entry["name"] in SECRETS]
    return found


BROKEN: list[Callable[[dict[str, Any]], object]] = [
    lambda services: services["app"].pop("read_only"),
    lambda services: services["coturn"].update(cap_drop=["NET_RAW"]),
    lambda services: services["caddy"].update(security_opt=[]),
    lambda services: services["app"]["environment"].update(FEWSHOT_KEY="hush"),
    lambda services: services["app"].update(volumes=["/var/run/docker.sock:/var/run/docker.sock"]),
    lambda services: services["database"].update(ports=["5432:5432"]),
]


@pytest.mark.parametrize("change", BROKEN)
def test_an_open_stack_is_found(change: Callable[[dict[str, Any]], object]) -> None:
    broken = deepcopy(COMPOSE)
    change(broken["services"])
    assert open_in_compose(broken)


@pytest.mark.parametrize("key", ["runAsNonRoot", "seccompProfile"])
def test_an_open_pod_is_found(key: str) -> None:
    broken = deepcopy(of_kind("Deployment"))
    del broken["spec"]["template"]["spec"]["securityContext"][key]
    assert open_in_kubernetes(broken)


def test_the_stack_and_the_pod_are_closed() -> None:
    assert open_in_compose(COMPOSE) == []
    assert open_in_kubernetes(of_kind("Deployment")) == []
    admin = yaml.safe_load((DEPLOY / "kubernetes/admin/pod.yaml").read_text(encoding="utf-8"))
    assert open_in_kubernetes(admin) == []
    assert admin["spec"]["volumes"] == of_kind("Deployment")["spec"]["template"]["spec"]["volumes"]


def test_the_keys_have_a_volume_of_their_own_everywhere() -> None:
    for service in ("app", "admin"):
        assert {"home:/data", "keys:/keys"} <= set(COMPOSE["services"][service]["volumes"])
    claims = {document["metadata"]["name"] for document in MANIFESTS if document["kind"] == "PersistentVolumeClaim"}
    assert claims == {"fewshot-home", "fewshot-keys"}
    places = dict(re.findall(r"(FEWSHOT_HOME|FEWSHOT_KEYS)=(\S+)", DOCKERFILE))
    assert places["FEWSHOT_HOME"].startswith("/data/") and places["FEWSHOT_KEYS"].startswith("/keys/")


def test_the_image_runs_as_a_number_and_can_be_asked_for_its_health() -> None:
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE)[-1] == "10001:10001"
    assert of_kind("Deployment")["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == 10001
    assert "HEALTHCHECK" in DOCKERFILE and "/api/ready" in DOCKERFILE


def test_all_that_the_image_copies_is_in_its_context() -> None:
    """.dockerignore leaves everything out that it does not name."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    files = DOCKERFILE + (DEPLOY / "huggingface/Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--)(.*)$", files, re.MULTILINE) for word in line.split()[:-1]}
    assert copied == {line[1:] for line in lines if line.startswith("!")}
    assert [name for name in copied if not (ROOT / name).exists()] == []


def test_the_app_never_starts_open() -> None:
    """A container listens to other computers, so it must ask for a login."""
    commands = [COMPOSE["services"]["app"]["command"]]
    commands += [of_kind("Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]]
    commands += [yaml.safe_load(re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)[-1])]
    for words in commands:
        assert "--login" in words and "--without-login" not in words


def test_coturn_reads_its_settings() -> None:
    """With -n it reads none, starts, and refuses everybody."""
    command = COMPOSE["services"]["coturn"]["command"]
    assert "-n" not in command and "--config=/run/secrets/turn.conf" in command


def test_the_proxies_let_through_what_the_app_takes_in_one_file() -> None:
    caddy = re.search(r"max_size (\d+)MB", (DEPLOY / "Caddyfile").read_text(encoding="utf-8"))
    annotations = of_kind("Ingress")["metadata"]["annotations"]
    nginx = annotations["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert caddy and int(caddy[1]) * 10**6 > MOST_MEGABYTES * 2**20
    assert nginx.endswith("m") and int(nginx[:-1]) > MOST_MEGABYTES


def test_only_caddy_is_believed_about_addresses() -> None:
    services = COMPOSE["services"]
    caddy = services["caddy"]["networks"]["front"]["ipv4_address"]
    assert services["app"]["environment"]["FORWARDED_ALLOW_IPS"] == caddy
    assert f"--allowed-peer-ip={services['app']['networks']['front']['ipv4_address']}" in services["coturn"]["command"]


def test_every_secret_of_the_stack_is_made_by_the_script() -> None:
    script = (DEPLOY / "make_secrets.sh").read_text(encoding="utf-8")
    files = {secret["file"] for secret in COMPOSE["secrets"].values()}
    assert [file for file in files if file not in script and Path(file).name not in script] == []
    named = {name for service in COMPOSE["services"].values() for name in service.get("secrets", ())}
    assert named == set(COMPOSE["secrets"])


def test_secrets_never_get_into_git_or_the_image() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"deploy/.env", "deploy/secrets/"} <= set(ignored)


def test_every_variable_that_must_be_set_is_in_the_example() -> None:
    example = (DEPLOY / "env.example").read_text(encoding="utf-8")
    needed = set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8")))
    assert needed == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_variables_of_the_program_are_in_the_reference() -> None:
    reference = (ROOT / "docs/reference/configuration.md").read_text(encoding="utf-8")
    files = [DEPLOY / "compose.yaml", DEPLOY / "Dockerfile", *(DEPLOY / "kubernetes").glob("*.yaml")]
    files += [DEPLOY / "huggingface/Dockerfile", DEPLOY / "streamlit/app.py"]
    used = {name for path in files for name in re.findall(r"FEWSHOT_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert {name for name in used - {"FEWSHOT_NAME"} if f"`{name}`" not in reference} == set()


def test_the_parts_of_the_cluster_fit_each_other() -> None:
    labels = of_kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    assert of_kind("Service")["spec"]["selector"] == labels
    assert of_kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    listed = set(of_kind("Kustomization")["resources"])
    assert listed == {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert {document["metadata"].get("namespace", "fewshot") for document in MANIFESTS if "metadata" in document} == {
        "fewshot"
    }
