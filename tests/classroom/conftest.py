from __future__ import annotations

from pathlib import Path

import pytest
from drawn_faces import Desk


@pytest.fixture
def desk(tmp_path: Path, fewshot_home: Path) -> Desk:
    """An enrollment of drawn photos; they lie in ``tmp_path/photos``."""
    return Desk(tmp_path / "photos", fewshot_home)
