"""The process of a lesson with drawn eyes."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from drawn_faces import see_drawings

from fewshot.commands import batch_work

see_drawings(pytest.MonkeyPatch())
batch_work.main()
