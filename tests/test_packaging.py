"""What a fresh machine is told to install, and what the repository may not contain."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT, GROUPS = SETTINGS["project"], SETTINGS["dependency-groups"]
EXTRAS = PROJECT["optional-dependencies"]
EVERYTHING = sorted(PROJECT["dependencies"] + [line for lines in EXTRAS.values() for line in lines])


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


TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".txt", ".csv", ".cfg", ".json", ""}
ME = "tests/test_packaging.py"
