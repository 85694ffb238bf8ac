"""The worker of a shared window: what it answers, what it gives back, and when it lets go. Run by Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from fewshot.app.sharing.sockets import ELSEWHERE, OVER, UNFIT

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js (apt-get install nodejs)")
PICTURE = 100 * 10000 + 50
"""What the stand-in says instead of a picture of 100x50 pixels."""


def played(scene: str, *more: str) -> dict[str, Any]:
    script = files("fewshot.app") / "assets" / "share_worker.js"
    command = [str(NODE), str(Path(__file__).with_name("share_worker_stand.mjs")), str(script), scene, *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_it_answers_every_question_once_and_sends_only_what_is_new() -> None:
    assert played("answers")["sent"] == ["none", PICTURE, "same", PICTURE]


def test_it_gives_frames_back_because_a_browser_has_few() -> None:
    seen = played("frames")
    assert seen["open"] == 1 and seen["most"] <= 3


def test_a_very_tall_window_is_made_small_enough() -> None:
    assert played("tall")["sent"] == [50 * 10000 + 500]


def test_after_a_lost_connection_it_connects_and_sends_the_picture_again() -> None:
    seen = played("again")
    assert seen["sent"] == [PICTURE, PICTURE] and seen["sockets"] == 2
    assert seen["said"] == ["open", "asked", "lost", "open", "asked"]


def test_over_a_slow_line_nothing_queues_and_the_newest_picture_is_sent() -> None:
    assert played("slow")["sent"] == ["left", 50 * 10000 + 50]


def test_a_picture_that_could_not_be_drawn_is_not_the_same_afterwards() -> None:
    assert played("draws_badly")["sent"] == [PICTURE, "none", PICTURE]


def test_without_a_server_it_lets_go_after_ten_minutes() -> None:
    seen = played("for_ever")
    assert seen["said"][-1] == "gone" and 100 < seen["sockets"] < 200


def test_stop_is_said_to_the_server_and_ends_the_worker() -> None:
    seen = played("stop")
    assert seen["sent"] == ["stopped"] and seen["closed"] and seen["sockets"] == 2


@pytest.mark.parametrize(("code", "why"), [(OVER, "over"), (ELSEWHERE, "elsewhere"), (UNFIT, "unfit"), (1008, "login")])
def test_what_the_server_ends_is_not_tried_again(code: int, why: str) -> None:
    seen = played("code", str(code))
    assert seen["said"][-1] == why and seen["sockets"] == 1
