"""What a fresh machine is told to install, and what the repository may not contain."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from fewshot import __version__

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = SETTINGS["project"], SETTINGS["dependency-groups"]
EXTRAS = PROJECT["optional-dependencies"]
EVERYTHING = sorted(PROJECT["dependencies"] + [line for lines in EXTRAS.values() for line in lines] + GROUPS["dev"])
EXPECTED = (
    "README.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "NOTICE",
    "SECURITY.md",
    "WEIGHTS_LICENSE",
    ".ci/run",
    ".github/ISSUE_TEMPLATE/bug.yml",
    ".github/ISSUE_TEMPLATE/idea.yml",
    ".github/pull_request_template.md",
    ".github/workflows/ci.yml",
    ".pre-commit-config.yaml",
    "fewshot/py.typed",
    "fewshot/weights/model_card.md",
    "experiments/weights/expression.safetensors",
    "experiments/weights/expression_fp32.onnx",
)
"""What contributors, package indexes and researchers look for."""


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~ ;\[]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_environment_yml_names_the_same_packages_and_bounds_as_pyproject() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    pip = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert sorted(pip) == EVERYTHING
    assert f"python{PROJECT['requires-python']}" in environment["dependencies"]


def test_the_light_runtime_has_no_training_package() -> None:
    heavy = {"torch", "torchvision", "timm", "pytorch-lightning", "lightning", "hydra-core", "torchmetrics", "onnx"}
    assert not heavy & {name_of(line) for line in PROJECT["dependencies"]}


def test_constraints_pin_every_package() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all("==" in line for line in lines)
    pinned = {name_of(line) for line in lines}
    grouped = [line for lines in GROUPS.values() for line in lines]
    assert {name_of(line) for line in [*EVERYTHING, *grouped]} <= pinned


def test_the_wheel_tells_type_checkers_that_it_is_typed() -> None:
    data = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["package-data"]
    assert "py.typed" in data["fewshot"]
    assert (ROOT / "fewshot/py.typed").is_file()


@pytest.mark.parametrize("unwanted", ["opencv-python-headless", "opencv-contrib-python", "mediapipe", "albumentations"])
def test_there_is_one_cv2(unwanted: str) -> None:
    assert unwanted not in {name_of(line) for line in (ROOT / "constraints.txt").read_text().splitlines()}


def test_no_tracked_file_names_a_registry_or_a_path_of_a_machine() -> None:
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False, text=True).stdout
    if not tracked:
        pytest.skip("not a git checkout")
    pattern = re.compile(
        r"--(?:extra-)?index-url|--find[-]links|https?://[^ ]*/simple/|(?<![\w.~$}{/-])/(?:home|root|opt|work)/\w"
    )
    texts = [ROOT / name for name in tracked.split("\0") if name and Path(name).suffix in TEXT and name != ME]
    assert [str(path) for path in texts if path.is_file() and pattern.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("name", EXPECTED)
def test_what_others_look_for_is_tracked(name: str) -> None:
    assert (ROOT / name).is_file()
    tracked = subprocess.run(["git", "ls-files", name], cwd=ROOT, capture_output=True, check=False, text=True)
    assert tracked.returncode != 0 or tracked.stdout.strip() == name


def test_the_version_is_the_same_everywhere() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", changelog, re.MULTILINE)
    assert versions[0] == __version__ and versions == sorted(set(versions), key=numbers, reverse=True)
    assert f"`v{__version__}`" in changelog
    assert all(f"\n[{name}]: " in changelog for name in ("Unreleased", *versions))
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))["version"] == __version__
    supported = ".".join(__version__.split(".")[:2])
    assert f"| {supported} | yes |" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def test_the_classifiers_name_the_pythons_that_are_supported() -> None:
    lowest, beyond = (int(minor) for minor in re.findall(r"3\.(\d+)", PROJECT["requires-python"]))
    named = {line.rsplit("3.", 1)[1] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    assert named == {str(minor) for minor in range(lowest, beyond)}


def test_the_workflow_runs_what_ci_runs() -> None:
    (job,) = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    for name in ("bug.yml", "idea.yml", "config.yml"):
        assert yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / name).read_text(encoding="utf-8"))


def test_the_hooks_are_the_tools_of_make() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    entries = [hook["entry"].removeprefix(".venv/bin/").split(" -")[0] for hook in hooks[0]["hooks"]]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert entries == ["ruff check", "ruff format", "mypy"] and all(f"$(BIN)/{entry}" in makefile for entry in entries)


def test_nobody_is_told_to_install_what_the_index_does_not_have() -> None:
    """Until the package is published, extras come from a checkout: pip install '.[app]'."""
    told = re.compile(r"pip install (?:-\S+ )*[\"']?fewshot\b")
    assert [str(path) for path in (ROOT / "fewshot").rglob("*.py") if told.search(path.read_text("utf-8"))] == []


TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".csv", ".cfg", ".cff", ".json", ""}
ME = "tests/test_packaging.py"
