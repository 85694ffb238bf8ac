"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fewshot.research.bench.survival.postgres import Server, missing, server
from tests.own_process import pytest_configure, pytest_pyfunc_call, pytest_runtest_logreport  # noqa: F401

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Data and models beside the checkout; tests that need them are skipped where they are absent."""
    if not (SHARED / "models").is_dir():
        pytest.skip("needs the data folder ../shared, which is not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A real PostgreSQL server of its own; tests that need it are skipped where it is not installed."""
    if why := missing():
        pytest.skip(why)
    with server() as running:
        yield running


@pytest.fixture(autouse=True)
def fewshot_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or changes the classes and models of the person who runs it."""
    home = tmp_path / "fewshot-home"
    monkeypatch.setenv("FEWSHOT_HOME", str(home))
    monkeypatch.delenv("FEWSHOT_KEYS", raising=False)
    monkeypatch.delenv("FEWSHOT_KEY", raising=False)
    monkeypatch.delenv("FEWSHOT_SHARED", raising=False)
    monkeypatch.delenv("FEWSHOT_FPS", raising=False)
    monkeypatch.delenv("FEWSHOT_EMBED", raising=False)
    monkeypatch.setenv("FEWSHOT_NICE", "0")  # a command run in this process must not slow the tests after it
    # Whatever is installed: OpenVINO would compile its networks anew in every home.
    monkeypatch.setenv("FEWSHOT_ENGINE", "onnxruntime")
    return home
