"""Why insightface is a dependency, though the running system never imports it: each reason that pyproject.toml names.

The comparison of our detector and recogniser with its classes on random and real pictures is in ``tests/faces``.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import files
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fewshot.demo.sample import PEOPLE, sample_picture
from fewshot.errors import FewshotError
from fewshot.faces.align import ARCFACE_TEMPLATE, align
from fewshot.faces.detectors.scrfd import ScrfdDetector, input_size
from fewshot.faces.identity import Recogniser
from fewshot.models.files import _places
from fewshot.models.registry import BUFFALO_SC, REGISTRY

PACK = ("scrfd_500m", "mobilefacenet")
EVERYTHING_THAT_RUNS = (
    "fewshot.cli, fewshot.room, fewshot.demo.run, fewshot.faces.detectors.scrfd, fewshot.faces.identity"
)


def test_it_brings_the_sample_picture() -> None:
    (found,) = [file for file in files("insightface") or [] if file.as_posix() == "insightface/data/images/t1.jpg"]
    picture = sample_picture()
    assert picture.shape == (886, 1280, 3)
    np.testing.assert_array_equal(picture, cv2.imread(str(found.locate())))


def test_without_the_sample_picture_the_user_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    for spec in (None, empty):
        monkeypatch.setattr("fewshot.demo.sample.find_spec", lambda package, spec=spec: spec)
        with pytest.raises(FewshotError, match=r"t1\.jpg is missing .* pip install"):
            sample_picture()


def test_the_running_system_imports_no_code_of_it() -> None:
    code = (
        f"import sys, {EVERYTHING_THAT_RUNS}\n"
        "from fewshot.demo.sample import sample_picture\n"
        "sample_picture()\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('insightface', 'skimage')])"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_face_models_come_from_its_address_and_lie_in_its_folder() -> None:
    from insightface.utils import storage

    assert storage.model_zoo_download_url("buffalo_sc.zip") == BUFFALO_SC.url
    root = Path("~/.insightface/models").expanduser()
    for name in PACK:
        assert REGISTRY[name].archive is BUFFALO_SC
        assert dict(_places(REGISTRY[name]))["insightface"] == root / "buffalo_sc" / REGISTRY[name].file


def test_the_whole_of_it_sees_the_sample_picture_as_we_do(shared: Path) -> None:
    """``FaceAnalysis`` of insightface, as its readme uses it, against our detector, alignment and recogniser."""
    from insightface.app import FaceAnalysis

    picture, pack = sample_picture(), shared / "models/insightface/models/buffalo_sc"
    analysis = FaceAnalysis("buffalo_sc", root=str(shared / "models/insightface"), providers=["CPUExecutionProvider"])
    height, width = picture.shape[:2]
    analysis.prepare(ctx_id=-1, det_size=input_size(width, height, 640))
    theirs = sorted(analysis.get(picture), key=lambda face: face.bbox[0])
    ours = ScrfdDetector(pack / "det_500m.onnx").detect(picture)
    order = np.argsort(ours.boxes[:, 0])
    assert len(theirs) == len(ours) == len(PEOPLE)
    np.testing.assert_allclose(ours.boxes[order], [face.bbox for face in theirs], atol=1e-2)
    np.testing.assert_allclose(ours.landmarks[order], [face.kps for face in theirs], atol=1e-2)
    crops = align(picture, ours.landmarks[order], ARCFACE_TEMPLATE)
    vectors = Recogniser(pack / "w600k_mbf.onnx").encode(crops)
    alike = (vectors * np.stack([face.normed_embedding for face in theirs])).sum(axis=1)
    assert alike.min() > 0.999
