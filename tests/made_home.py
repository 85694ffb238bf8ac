"""A home of the program that is made once and copied for every test: making it takes longer than a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fewshot.classroom.store import ClassStore


def made_home(factory: pytest.TempPathFactory, make: Callable[[], ClassStore]) -> Path:
    """The folder that ``make`` has filled, with its database closed.

    Args:
        factory: makes the folder.
        make: fills the usual store.
    """
    home = factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FEWSHOT_HOME", str(home))
        make().database.close()
    return home
