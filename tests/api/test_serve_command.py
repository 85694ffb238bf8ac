"""``fewshot serve`` as a process: its address, its signals, and several processes behind one port."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from tests.api.serve_process import Served  # isort: skip

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from fewshot.classroom.consent import make_consent
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.database import open_database
from fewshot.database.lesson_tables import LessonRow
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from tests.api.test_api_stream import Talk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def blank() -> bytes:
    ok, data = cv2.imencode(".jpg", np.zeros((240, 320, 3), np.uint8))
    assert ok
    return data.tobytes()


def test_it_deletes_lessons_that_are_too_old_by_itself(serve: Callable[..., Served]) -> None:
    """It may run for months, and nobody opens a page that would do it."""
    store, today = LessonStore(), datetime.now(UTC)
    kept, old = (store.create(started=today - timedelta(days=days)) for days in (1, 100))
    for lesson in (kept, old):
        store.end(lesson)
    with store.database.write() as session:
        row = session.get(LessonRow, old)
        assert row is not None
        row.heartbeat = row.started
    Settings().set("retention_used", True)
    serve()
    until = time.monotonic() + 60
    while len(store.lessons()) == 2 and time.monotonic() < until:
        time.sleep(0.1)
    assert [lesson.id for lesson in store.lessons()] == [kept]


def test_it_says_where_it_is_and_ends_on_a_signal_with_its_lessons_kept(serve: Callable[..., Served]) -> None:
    served = serve()
    assert served.api.get("/me")["place"] == ""
    assert requests_with_another_host(served) == 403
    talk = Talk(served.url, served.api.token).start(title="Fractions")
    talk.socket.send(blank())
    assert talk.until("moment")["faces"] == []
    code, errors = served.stop()
    assert code == 143 and "Traceback" not in errors
    assert talk.until("moving")
    talk.close()
    lines = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    assert {"/ready", "/me"} <= {line["route"] for line in lines}
    (kept,) = LessonStore().lessons()
    assert kept.title == "Fractions" and kept.state == "interrupted"
    with LessonRecorder.resume(kept.id, talk.ready["ticket"]) as recorder:  # by whoever has its ticket
        assert recorder.lesson == kept.id


def test_sockets_that_are_refused_do_not_fill_the_log(serve: Callable[..., Served]) -> None:
    served = serve()
    for token in (None, "fewshot_wrong"):
        with pytest.raises(InvalidStatus) as refused:
            Talk(served.url, token)
        assert refused.value.response.status_code == 401
    _, errors = served.stop()
    assert [line for line in errors.splitlines() if not line.startswith("{")] == []


def requests_with_another_host(served: Served) -> int:
    return served.api("GET", "/me", headers={"host": "evil.example"}).status_code


def test_when_a_process_is_killed_its_lesson_goes_on_in_another_one(serve: Callable[..., Served]) -> None:
    served = serve("--processes", "2")
    talk = Talk(served.url, served.api.token).start(title="Fractions")
    for seconds in (0.0, 1.1, 2.2):
        talk.say(type="frame", time=seconds)
        talk.socket.send(blank())
        talk.until("take")
    number = talk.ready["lesson"]
    until = time.monotonic() + 10
    while len(LessonStore().load(number).frames_per_second) < 2 and time.monotonic() < until:
        time.sleep(0.1)
    with open_database().read() as session:
        row = session.get(LessonRow, number)
        assert row is not None
        victim = int(row.owner.split("|")[1])
    assert victim != served.process.pid
    os.kill(victim, signal.SIGKILL)
    with pytest.raises((ConnectionClosed, OSError)):
        talk.until("ended")
    again = resumed(served, number, talk.ready["ticket"])
    again.socket.send(blank())
    again.until("take")
    assert served.api.get(f"/lessons/{number}/board")["state"] == "running"  # whichever process answers
    again.say(type="end")
    again.until("ended")
    kept = LessonStore().load(number)
    assert kept.info.state == "ended" and list(kept.frames_per_second[:2]) == [1, 1]
    text = served.api("GET", "/metrics").text
    assert 'route="/ready"' in text and "fewshot_memory_bytes" in text
    code, errors = served.stop(signal.SIGINT)
    assert code == 130 and "Traceback" not in errors


def test_when_the_first_process_is_killed_the_others_end_too(serve: Callable[..., Served]) -> None:
    served = serve("--processes", "2")
    children = psutil.Process(served.process.pid).children(recursive=True)
    assert len(children) >= 2
    served.process.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == [], "they would keep the port"


def resumed(served: Served, number: int, ticket: str) -> Talk:
    """Connects until a process answers, as a client does."""
    until = time.monotonic() + 30
    while True:
        try:
            talk = Talk(served.url, served.api.token)
            talk.say(type="resume", lesson=number, ticket=ticket)
            talk.ready = talk.until("ready")
            return talk
        except (OSError, ConnectionClosed, InvalidHandshake):
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--host", "0.0.0.0"], "without TLS"),
        (["--certificate", "nowhere.pem"], "only one of them was given"),
        (["--certificate", "a.pem", "--key", "b.pem"], "There is no file a.pem"),
        (["--processes", "0"], "0 processes"),
        (["--host", "no such host"], "is not an address"),
        (["--public-url", "class.example.org"], "--public-url"),
        (["--port", "99999"], "port 99999"),
    ],
)
def test_what_cannot_start(words: list[str], said: str, tmp_path: Path) -> None:
    done: Any = CliRunner().invoke(app, ["serve", *words])
    assert done.exit_code == 2 and said in done.output


def test_schemathesis_finds_no_server_error(serve: Callable[..., Served]) -> None:
    pytest.importorskip("schemathesis", reason="needs schemathesis, which is not among the packages of make dev")
    store = ClassStore()
    store.create("physics")
    store.record_consent("physics", "asha", make_consent("her mother"))
    LessonStore().create("physics", students=["asha"])
    served = serve()
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    words = ["run", f"{served.url}/openapi.json", "-H", f"Authorization: Bearer {served.api.token}", "--seed", "1"]
    words += ["--checks", checks, "--max-examples", "10", "--rate-limit", "9/s", "--no-color"]
    command = [sys.executable, "-m", "schemathesis.cli", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=240, cwd=Path(os.environ["FEWSHOT_HOME"])
    )
    assert done.returncode == 0, done.stdout[-4000:]
