"""Every test of the live loop answers for its own threads only."""

from __future__ import annotations

import threading

import pytest
import schedule_fakes


@pytest.fixture(autouse=True)
def threads_of_other_tests() -> None:
    schedule_fakes.earlier = set(threading.enumerate())
