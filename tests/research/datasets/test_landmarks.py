"""What the landmark network learns from."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fewshot.errors import FewshotError
from fewshot.research.datasets.landmarks import backgrounds


def test_without_scikit_image_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    with pytest.raises(FewshotError, match="uv pip install scikit-image"):
        backgrounds([], np.random.default_rng(0))


def test_every_background_is_there_four_times() -> None:
    pytest.importorskip("skimage.data", reason="needs scikit-image")
    faces = [np.full((112, 112), 90, np.uint8), np.full((48, 48), 30, np.uint8)]
    made = backgrounds(faces, np.random.default_rng(0))
    assert len(made) % 4 == 0
    assert all(picture.dtype == np.uint8 and picture.ndim == 2 for picture in made)
    assert (made[1] == 255 - made[0]).all()
