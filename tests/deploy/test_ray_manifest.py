"""The manifests of Ray Serve: closed pods, a token everywhere, no reports, and settings that Ray Serve itself takes."""

from __future__ import annotations

import importlib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.test_deploy_files import DEPLOY, of_kind, open_in_kubernetes

FOLDER = DEPLOY / "kubernetes-ray"
SERVICE = yaml.safe_load((FOLDER / "rayservice.yaml").read_text(encoding="utf-8"))
CLUSTER = SERVICE["spec"]["rayClusterConfig"]
SERVE = yaml.safe_load(SERVICE["spec"]["serveConfigV2"])


def groups(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def faults(cluster: dict[str, Any]) -> list[str]:
    """What is open in the pods, or lets Ray run without a token or report about itself, in words."""
    found = [] if cluster.get("authOptions") == {"mode": "token"} else ["KubeRay makes no token"]
    for group in groups(cluster):
        spec = group["template"]["spec"]
        (container,) = spec["containers"]
        found += open_in_kubernetes({"kind": "Pod", "spec": {**spec, "automountServiceAccountToken": False}})
        variables = {entry["name"]: entry.get("value") for entry in container["env"]}
        found += [] if variables.get("RAY_AUTH_MODE") == "token" else ["no token"]
        found += [] if variables.get("RAY_USAGE_STATS_ENABLED") == "0" else ["reports"]
        mounted = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        kept = volumes[mounted["/tmp"]].get("emptyDir", {}) if "/tmp" in mounted else {}
        found += [] if kept.get("medium") == "Memory" else ["frames on a disk"]
    return found


def test_the_pods_of_ray_are_closed_and_have_a_token() -> None:
    assert faults(CLUSTER) == []
    (workers,) = CLUSTER["workerGroupSpecs"]
    assert workers["template"]["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("wrong", ["mode", "variable", "reports", "root", "disk"])
def test_an_open_cluster_is_found(wrong: str) -> None:
    broken = deepcopy(CLUSTER)
    spec = groups(broken)[1]["template"]["spec"]
    variables = spec["containers"][0]["env"]
    match wrong:
        case "mode":
            broken["authOptions"]["mode"] = "disabled"
        case "variable":
            variables[:] = [entry for entry in variables if entry["name"] != "RAY_AUTH_MODE"]
        case "reports":
            variables[:] = [entry for entry in variables if entry["name"] != "RAY_USAGE_STATS_ENABLED"]
        case "root":
            spec["securityContext"].pop("runAsNonRoot")
        case "disk":
            spec["volumes"] = [each for each in spec["volumes"] if each["name"] != "temporary"]
            spec["volumes"].append({"name": "temporary", "emptyDir": {}})
    assert faults(broken)


def patched(document: dict[str, Any]) -> dict[str, Any]:
    """The pages' deployment as kustomize makes it: the operations of its JSON patch (RFC 6902), one by one."""
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    (text,) = [patch["patch"] for patch in listed["patches"] if patch["target"]["kind"] == "Deployment"]
    made = deepcopy(document)
    for step in yaml.safe_load(text):
        *way, last = step["path"].strip("/").split("/")
        place: Any = made
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        at = last if isinstance(place, dict) else len(place) if last == "-" else int(last)
        match step["op"]:
            case "test":
                assert place[at] == step["value"], step
            case "remove":
                del place[at]
            case "add":
                place.insert(at, step["value"])
    return made


def test_all_pods_have_the_settings_of_the_app() -> None:
    """The same volumes, secrets and variables: a lesson goes on where another pod left it."""
    pod = patched(of_kind("Deployment"))["spec"]["template"]["spec"]
    ours = {(entry["name"], entry["value"]) for entry in pod["containers"][0]["env"]}
    for group in groups(CLUSTER):
        spec = group["template"]["spec"]
        assert ours <= {(entry["name"], entry["value"]) for entry in spec["containers"][0]["env"]}
        assert spec["containers"][0]["envFrom"] == pod["containers"][0]["envFrom"]
        assert spec["volumes"] == pod["volumes"]
    assert open_in_kubernetes({"kind": "Pod", "spec": pod}) == []


def test_only_the_holder_has_what_opens_the_keys() -> None:
    holder, service, inward, outward = yaml.safe_load_all((FOLDER / "key-holder.yaml").read_text(encoding="utf-8"))
    assert open_in_kubernetes(holder) == []
    pages = patched(of_kind("Deployment"))["spec"]["template"]["spec"]
    others = [pages, *(group["template"]["spec"] for group in groups(CLUSTER))]
    spec = holder["spec"]["template"]["spec"]
    assert holder["spec"]["replicas"] == 1 and holder["spec"]["strategy"] == {"type": "Recreate"}
    assert _claims(spec) == {"fewshot-home", "fewshot-keys"}
    for other in others:
        assert _claims(other) == {"fewshot-home"}
        (secret,) = [each["secret"] for each in other["volumes"] if each["name"] == "holder"]
        assert {item["key"] for item in secret["items"]} == {"token", "certificate"}
        variables = {entry["name"]: entry["value"] for entry in other["containers"][0]["env"]}
        (port,) = service["spec"]["ports"]
        assert variables["FEWSHOT_KEY_HOLDER"] == f"https://{service['metadata']['name']}:{port['port']}"
        assert "FEWSHOT_KEY_FILE" not in variables
    labels = holder["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels == inward["spec"]["podSelector"]["matchLabels"]
    assert "egress" not in inward["spec"] and "Egress" in inward["spec"]["policyTypes"]
    (way,) = outward["spec"]["egress"]
    assert way["to"] == [{"podSelector": {"matchLabels": labels}}]


def _claims(spec: dict[str, Any]) -> set[str]:
    return {
        volume["persistentVolumeClaim"]["claimName"] for volume in spec["volumes"] if "persistentVolumeClaim" in volume
    }


def test_the_parts_fit_each_other() -> None:
    network = yaml.safe_load((FOLDER / "network.yaml").read_text(encoding="utf-8"))
    ingress = yaml.safe_load((FOLDER / "ingress.yaml").read_text(encoding="utf-8"))
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
    labels = [group["template"]["metadata"]["labels"] for group in groups(CLUSTER)]
    assert labels == [network["spec"]["podSelector"]["matchLabels"]] * 2
    assert set(listed["resources"]) == {"../kubernetes"} | {
        path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml"
    }
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["path"] == "/api"
    assert path["backend"]["service"] == {
        "name": f"{SERVICE['metadata']['name']}-serve-svc",
        "port": {"number": SERVE["http_options"]["port"]},
    }
    (application,) = SERVE["applications"]
    assert application["args"]["public_urls"] == [f"https://{rule['host']}"]
    assert application["args"]["most"] == CLUSTER["workerGroupSpecs"][0]["maxReplicas"]
    assert application["args"]["replicas"] == CLUSTER["workerGroupSpecs"][0]["minReplicas"]


def test_what_the_service_is_started_with_is_there() -> None:
    pytest.importorskip("uvicorn", reason="needs the extra serve")
    (application,) = SERVE["applications"]
    module, _, name = application["import_path"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_ray_serve_takes_the_settings() -> None:
    schema = pytest.importorskip("ray.serve.schema", reason="needs the extra cluster")
    from pydantic import ValidationError

    assert schema.ServeDeploySchema.model_validate(SERVE).applications[0].name == "fewshot"
    with pytest.raises(ValidationError):
        schema.ServeDeploySchema.model_validate({**SERVE, "proxy_location": "Everywhere"})


def test_the_image_can_have_ray() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert "ARG EXTRAS=app,heif,openvino,postgres\n" in text and '".[$EXTRAS]"' in text
    assert "EXTRAS=app,heif,openvino,postgres,cluster" in (Path(FOLDER) / "kustomization.yaml").read_text(
        encoding="utf-8"
    )
