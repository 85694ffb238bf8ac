"""The wheel: small, with everything that runs and trains, and nothing that only a checkout needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from email.parser import Parser
from pathlib import Path

import pytest

from fewshot import __version__

ROOT = Path(__file__).resolve().parents[1]
SOURCES = (
    "fewshot",
    "conf",
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "WEIGHTS_LICENSE",
    "NOTICE",
)
Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy, so that nothing is left in the checkout, and without a package index."""
    base = tmp_path_factory.mktemp("a folder with spaces")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, base / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, base)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
    (base / "dist").mkdir()
    subprocess.run([sys.executable, "-c", build], cwd=base, check=True, capture_output=True, timeout=300)
    (path,) = (base / "dist").iterdir()
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    folder = wheel.parent / "site packages"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """Python with the unpacked wheel in place of the checkout, in an empty folder."""

    def start(*arguments: str, fails: bool = False) -> str:
        environment = {**os.environ, "PYTHONPATH": str(installed), "HYDRA_FULL_ERROR": "1"}
        done = subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode != 0) == fails, done.stderr[-2000:]
        return done.stdout + done.stderr

    return start


def test_the_build_leaves_nothing_in_the_checkout(wheel: Path) -> None:
    assert {path.name for path in wheel.parents[1].iterdir()} == {*SOURCES, wheel.parent.name}


def test_the_steps_before_the_build_leave_nothing_either(wheel: Path, tmp_path: Path) -> None:
    """An installer calls these as well, each in a process of its own."""
    for step in ("get_requires_for_build_wheel()", f"prepare_metadata_for_build_wheel({str(tmp_path)!r})"):
        code = f"from setuptools import build_meta; build_meta.{step}"
        subprocess.run([sys.executable, "-c", code], cwd=wheel.parents[1], check=True, capture_output=True, timeout=300)
    assert {path.name for path in wheel.parents[1].iterdir()} == {*SOURCES, wheel.parent.name}
    assert (tmp_path / f"fewshot_classroom-{__version__}.dist-info/METADATA").is_file()


def test_a_source_distribution_still_describes_itself(wheel: Path, tmp_path: Path) -> None:
    base = tmp_path / "checkout"
    shutil.copytree(wheel.parents[1], base, ignore=shutil.ignore_patterns(wheel.parent.name))
    code = "from setuptools import build_meta; build_meta.build_sdist('.')"
    subprocess.run([sys.executable, "-c", code], cwd=base, check=True, capture_output=True, timeout=300)
    with tarfile.open(next(base.glob("*.tar.gz"))) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    assert {"setup.py", "fewshot_classroom.egg-info/PKG-INFO", "fewshot/cli.py"} <= inside
    assert any(name.startswith("conf/") for name in inside)


def test_it_has_at_most_11_megabytes(wheel: Path) -> None:
    # 3.3 of them are the network of the version before.
    assert wheel.stat().st_size <= 11_500_000


def test_it_has_its_names_and_its_terms(wheel: Path, names: set[str]) -> None:
    assert wheel.name == f"fewshot_classroom-{__version__}-py3-none-any.whl"
    folder = f"fewshot_classroom-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        metadata = Parser().parsestr(archive.read(f"{folder}/METADATA").decode("utf-8"))
        assert b"fewshot = fewshot.cli:main" in archive.read(f"{folder}/entry_points.txt")
    assert metadata["Name"] == "fewshot-classroom" and metadata["License-Expression"]
    assert {f"{folder}/licenses/{name}" for name in ("LICENSE", "WEIGHTS_LICENSE", "NOTICE")} <= names
    assert "dev" not in metadata.get_all("Provides-Extra", [])


def test_everything_that_runs_is_in_it_and_nothing_else(names: set[str]) -> None:
    weights = {name.removeprefix("fewshot/weights/") for name in names if name.startswith("fewshot/weights/")}
    networks = {f"{name}{end}" for name in ("expression", "expression_previous") for end in (".json", ".onnx")}
    assert weights == networks | {"identity.onnx", "landmarks.onnx", "model_card.md"}
    assert "fewshot/demo/portraits.jpg" in names
    assert {name.split("/")[0] for name in names} == {"fewshot", f"fewshot_classroom-{__version__}.dist-info"}
    tracked = [path.relative_to(ROOT).as_posix() for path in (ROOT / "fewshot").rglob("*") if path.is_file()]
    expected = {name for name in tracked if "__pycache__" not in name and not name.startswith("fewshot/conf/")}
    assert expected <= names, "a file of the package does not ship"
    assert {f"fewshot/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "conf").rglob("*.yaml")} <= names


def test_it_runs_from_a_folder_with_spaces(run: Run, installed: Path) -> None:
    assert run("-m", "fewshot", "--version").strip() == f"fewshot {__version__}"
    code = "from fewshot.embedding.runtime import open_embedder as o; e = o(); print(e.path, e.identity_dimension)"
    assert run("-c", code).strip() == f"{installed / 'fewshot' / 'weights' / 'expression.onnx'} 128"


def test_it_says_that_the_file_for_graphics_cards_is_not_part_of_it(run: Run) -> None:
    listed = re.sub(r"[\s│]+", " ", run("-m", "fewshot", "models", "list"))
    assert "expression_fp32" in listed and "not part" in listed
    run("-m", "fewshot", "models", "verify")
    run("-m", "fewshot", "models", "pull", "expression_fp32", fails=True)


def test_a_graphics_card_runs_the_8_bits_of_it(run: Run) -> None:
    code = """
from fewshot.embedding import runtime
from fewshot.inference.onnx import Choice

really_open = runtime.open_session
runtime.choose_engine = lambda engine: Choice("cuda", "")
runtime.open_session = lambda path, threads, engine, fast: really_open(path, threads, "onnxruntime", fast=fast)
embedder = runtime.open_embedder()
print(embedder.path.name, embedder.note)
"""
    assert run("-c", code).startswith("expression.onnx The engine cuda uses the 8-bit network")


def test_it_can_train(run: Run, tmp_path: Path) -> None:
    """One run, of one epoch: loading torch takes most of the time."""
    pytest.importorskip("torch", reason="needs the extra 'train'")
    from made_up_fer2013 import write_fer2013, write_prepared

    write_fer2013(tmp_path / "fer2013")
    write_prepared(tmp_path)
    network = ("backbone.backbone=test_efficientnet", "+backbone.size=48", "+data.size=48", "data.resolutions=null")
    data = ("data.root=fer2013", "data.prepared=.", "hydra.run.dir=made")
    run("-m", "fewshot.research.training.train", "experiment=smoke", *network, *data)
    assert (tmp_path / "made/last.ckpt").is_file()
