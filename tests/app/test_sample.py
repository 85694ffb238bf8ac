"""The sample class as it ships: lessons of several weeks, a hint on pace, and people unlike their own usual."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fewshot.app import sample_past, warm
from fewshot.app.recording import Recording, earlier_recordings, sample_recording
from fewshot.app.sample import ensure_sample_class, keep_sample
from fewshot.app.sample_past import past_is_told, tell_past
from fewshot.classroom.store import ClassStore
from fewshot.session.analysis.checkin import check_ins
from fewshot.session.analysis.grid import make_grid
from fewshot.session.analysis.moments import find_moments
from fewshot.session.analysis.pace import pace_hint
from fewshot.session.analysis.profile import make_profile
from fewshot.session.analysis.trends import class_trend
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings
from fewshot.session.stored_words import SAMPLE_CLASS


def test_the_sample_class_has_a_past_and_something_to_say() -> None:
    shares: list[float] = []
    number = keep_sample(shares.append)
    store = LessonStore()
    lesson, infos = store.load(number), store.lessons(SAMPLE_CLASS)
    assert shares == sorted(shares) and len(infos) == 4 and all(info.sample for info in infos)
    earlier = store.load_earlier(lesson.info)
    weeks = [round((lesson.info.started - old.info.started) / timedelta(weeks=1)) for old in earlier]
    assert weeks == [1, 2, 3]
    for old in earlier:
        assert old.info.state == "ended" and old.info.ended is not None and len(old.markers) >= 4
        assert (old.info.ended - old.info.started).total_seconds() == pytest.approx(old.info.seconds, abs=1.0)
    profiles = [make_profile(old) for old in earlier]
    found = check_ins(make_profile(lesson), profiles)
    assert found.compared >= 35 and 1 <= len({line.student for line in found.found}) <= 4
    assert class_trend([*profiles, make_profile(lesson)]).share.shape[0] == 4
    hints = [pace_hint(lesson.readings, now, lesson.labels) for now in range(300, 660, 30)]
    assert hints[0] is None and any(hint is not None and hint.share - hint.usual >= 0.1 for hint in hints)

    moments = find_moments(make_grid(lesson)).found
    assert moments and not {"neutral", "unsure"} & {moment.leads for moment in moments}  # the echo of what happened

    keep_sample()
    assert len(store.lessons(SAMPLE_CLASS)) == 5, "the past is told once"


def test_lessons_too_old_to_be_kept_are_not_kept() -> None:
    Settings().retention_days = 10
    ensure_sample_class(sample_recording())
    tell_past()
    store = LessonStore()
    store.apply_retention()
    assert [info.title for info in store.lessons(SAMPLE_CLASS)] == ["Sample lesson: angles"] and past_is_told()


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from fewshot.app import sample_past
from fewshot.app.sample import ensure_sample_class
from tests.app.test_sample import short_past

owner, name = getattr(sample_past, sys.argv[2]), sys.argv[3]
before, left = getattr(owner, name), [int(sys.argv[4])]

def last_act(*args, **kwargs):
    done = before(*args, **kwargs)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(owner, name, last_act)
sample_past.earlier_recordings = short_past
ensure_sample_class(short_past()[0])
sample_past.tell_past()
"""
ROOT = Path(__file__).resolve().parents[2]


def short_past() -> list[Recording]:
    """The first seconds of every earlier lesson."""
    return [
        replace(one, times=one.times[:12], states=one.states[:12], shares=one.shares[:12])
        for one in earlier_recordings()
    ]


def told() -> dict[str, tuple[int, float, int, str, timedelta]]:
    """What is kept of the past, by title."""
    store, found = LessonStore(), {}
    for info in store.lessons(SAMPLE_CLASS):
        lesson = store.load(info.id)
        assert info.title not in found and info.ended is not None, info
        length = info.ended - info.started
        found[info.title] = len(lesson.readings), info.seconds, len(lesson.markers), info.state, length
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize(
    ("owner", "name", "times"),
    [
        ("Settings", "set", 1),  # before there is a class
        ("LessonStore", "create", 1),
        ("LessonRecorder", "flush", 2),
        ("LessonStore", "end", 3),
    ],
)
def test_a_past_that_was_being_written_when_the_program_was_killed_is_finished_once(
    owner: str, name: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", KILLED, str(ROOT), owner, name, str(times)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    monkeypatch.setattr(sample_past, "earlier_recordings", short_past)
    monkeypatch.setattr(warm, "_HEAVY", ())
    monkeypatch.setattr(warm, "_PAUSE", 0.0)
    warm._load()  # as when the app is started again
    for thread in threading.enumerate():
        if thread.name == "fewshot sample past":
            thread.join(60)
    ensure_sample_class(short_past()[0])
    tell_past()
    finished = told()
    assert past_is_told() and len(finished) == 3 and {state for *_, state, _ in finished.values()} == {"ended"}

    ClassStore().delete(SAMPLE_CLASS)
    ensure_sample_class(short_past()[0])
    tell_past()
    assert told() == finished, "it is what it would have been without the kill"


def test_an_earlier_lesson_that_the_teacher_deleted_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_past, "earlier_recordings", short_past)
    for _ in range(2):
        ensure_sample_class(short_past()[0])
        tell_past()
        for info in LessonStore().lessons(SAMPLE_CLASS):
            LessonStore().delete(info.id)
    assert told() == {}
