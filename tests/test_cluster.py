"""When Ray may be used, and what it is given: a token, and a folder of its own."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
import types
from pathlib import Path

import pytest

from fewshot import cluster
from fewshot.cluster import MODE, TOKEN, TOKEN_FILE, ray_running, require_ray
from fewshot.errors import FewshotError, UsageError
from fewshot.no_telemetry import SWITCHES

# Ray must not be imported before RAY_AUTH_MODE is set.
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra cluster")


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (MODE, TOKEN, TOKEN_FILE, cluster.ADDRESS):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        require_ray()
    assert "cluster" in str(caught.value.hint)


def test_without_a_token_ray_is_refused(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    require_ray()
    assert os.environ[MODE] == "token"
    monkeypatch.setenv(MODE, "disabled")
    with pytest.raises(UsageError, match="without a token"):
        require_ray()


def test_a_long_folder_is_refused_before_ray_starts(
    installed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with pytest.raises(UsageError, match="path of more than"), ray_running(1):
        pytest.fail("it must not start")
    assert list(long.iterdir()) == [] and TOKEN_FILE not in os.environ


def test_a_ray_that_fails_without_a_word_is_an_error_too(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise RuntimeError

    ray = types.SimpleNamespace(init=init, exceptions=types.SimpleNamespace(RayError=KeyError))
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setenv(cluster.ADDRESS, "127.0.0.1:9")
    with pytest.raises(FewshotError, match="RuntimeError"), ray_running(1):
        pytest.fail("it does not run")


def test_ray_reports_nothing() -> None:
    assert SWITCHES["RAY_USAGE_STATS_ENABLED"] == "0"


@needs_ray
def test_a_ray_that_is_started_here_has_a_token_and_a_closed_folder(tmp_path: Path) -> None:
    with ray_running(1):
        import ray

        file = Path(os.environ[TOKEN_FILE])
        assert file.stat().st_mode & 0o777 == 0o600 and len(file.read_text()) == 64
        assert file.parent.stat().st_mode & 0o777 == 0o700, "Ray opens what lies inside to everybody"
        session = Path(ray._private.worker.global_worker.node.get_session_dir_path())
        assert session.parents[1] == file.parent
        assert ray.get(ray.remote(num_cpus=1)(lambda: os.environ["RAY_USAGE_STATS_ENABLED"]).remote()) == "0"
    assert not file.parent.exists() and TOKEN_FILE not in os.environ


@needs_ray
def test_a_cluster_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 64)
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "token"))
    monkeypatch.setenv(cluster.ADDRESS, "127.0.0.1:9")
    with pytest.raises(FewshotError, match=r"127\.0\.0\.1:9"), ray_running(1):
        pytest.fail("there is no cluster")
