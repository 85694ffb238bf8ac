"""``fewshot serve --engine ray``: the service as replicas of Ray Serve, and a lesson whose replica is killed."""

from __future__ import annotations

import importlib.util
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from tests.api.serve_process import Served  # isort: skip

import fewshot
from fewshot.app.guard import Policy
from fewshot.cli import app
from fewshot.session.lessons import LessonStore

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
# Ray must not be imported before RAY_AUTH_MODE is set.
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra cluster")
REPLICA = "ray::ServeReplica"
CLASS, STUDENT = "Quimby physics", "Zuzanna Quimby"


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)


def said(*words: str) -> str:
    result = CliRunner().invoke(app, ["serve", *words])
    assert result.exit_code == 2, result.output
    return " ".join(result.output.split())


def test_what_cannot_be_served_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Add --engine ray" in said("--max-processes", "3")
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "ray" else real(name, *rest))
    assert "not installed (ray)" in said("--engine", "ray")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: object() if name == "ray" else real(name, *rest)
    )
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert "without a token" in said("--engine", "ray")
    monkeypatch.delenv("RAY_AUTH_MODE")
    assert "fewer than at least 3" in said("--engine", "ray", "--processes", "3", "--max-processes", "2")


def test_behind_an_ingress_only_its_name_and_this_machine_may_call(monkeypatch: pytest.MonkeyPatch) -> None:
    from fewshot.app import service_ray

    seen: list[Any] = []
    monkeypatch.setattr(service_ray, "deployed", lambda *words: seen.append(words))
    service_ray.build({"public_urls": ["https://class.example.org"], "replicas": 2, "most": 8})
    service_ray.build({})
    (policy, replicas, most, variables), (alone, *numbers) = seen
    assert isinstance(policy, Policy) and (replicas, most, variables) == (2, 8, {}) and numbers[:2] == [1, 1]
    assert policy.place == "class.example.org" and policy.public == {"class.example.org": "https://class.example.org"}
    scope = {"type": "http", "method": "GET", "path": "/api/health", "query_string": b"", "scheme": "http"}
    for host, refused in (("class.example.org", False), ("localhost:8000", False), ("10.1.2.3:8000", True)):
        assert bool(policy.refusal({**scope, "headers": [(b"host", host.encode())]})) is refused
    assert alone.refusal({**scope, "headers": [(b"host", b"class.example.org")]})


def replicas(served: Served, count: int) -> list[psutil.Process]:
    """Its replicas, when there are so many."""
    until = time.monotonic() + 180
    found: list[psutil.Process] = []
    while time.monotonic() < until and len(found) != count:
        time.sleep(0.2)
        children = psutil.Process(served.process.pid).children(recursive=True)
        found = [each for each in children if each.is_running() and _name(each).startswith(REPLICA)]
    assert len(found) == count, served.stop()
    return found


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def ray_folders(served: Served) -> list[Path]:
    """Where its Ray writes."""
    owner = f"|{served.process.pid}|"
    return [each for each in Path(tempfile.gettempdir()).glob("fewshot-ray-*") if owner in (each / "owner").read_text()]


def ray_folder(served: Served) -> Path:
    """Where its Ray writes; nobody else may look into it."""
    (folder,) = ray_folders(served)
    assert folder.stat().st_mode & 0o777 == 0o700
    return folder


def has_names(file: Path) -> bool:
    data = file.read_bytes()
    return any(name.encode() in data for name in (CLASS, STUDENT))


@needs_ray
def test_a_lesson_whose_replica_is_killed_goes_on_at_another_one(
    serve: Callable[..., Served], photo: Callable[..., bytes]
) -> None:
    served = serve("--engine", "ray", "--processes", "2", "--max-processes", "2")
    both = replicas(served, 2)
    frame = photo({1: 100, 2: 100}, suffix=".jpg")
    used = {each.pid: sum(each.cpu_times()[:2]) for each in both}
    client = fewshot.Client(served.url.removesuffix("/api"), str(served.api.token))
    client.create(CLASS)
    with client, client.lesson(title=CLASS) as lesson:
        for number in range(30):
            lesson.wait(lesson.send(frame, number / 5))
        holder = max(both, key=lambda each: sum(each.cpu_times()[:2]) - used[each.pid])
        time.sleep(1.5)  # what came is written once a second
        holder.kill()
        for number in range(30, 45):
            lesson.wait(lesson.send(frame, number / 5))
        assert lesson.lost == 1
        assert lesson.mark(f"{STUDENT} asked") > 0
        number = int(lesson.number or 0)
        files = [each for each in ray_folder(served).rglob("*") if each.is_file()]
        assert files and [each for each in files if has_names(each)] == []
        assert lesson.end()["type"] == "ended"
    kept = LessonStore().load(number)
    assert kept.info.state == "ended"
    # Second 5 was the last one before the kill, and may not have been over: at most its frames are lost.
    frames = [int(count) for count in kept.frames_per_second]
    assert frames[:5] == [5] * 5 and sum(frames) >= 45 - 5
    assert "fewshot_lessons_total 2.0" in served.api("GET", "/metrics").text
    left = psutil.Process(served.process.pid).children(recursive=True)
    code, words = served.stop(signal.SIGTERM)
    assert code == 0 and "Traceback" not in words
    assert psutil.wait_procs(left, timeout=60)[1] == []
    assert ray_folders(served) == []
