"""The sample class as it ships: lessons of several weeks, a hint on pace, and people unlike their own usual."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fewshot.app.reports import earlier_ones
from fewshot.app.sample import SAMPLE_CLASS, ensure_earlier_lessons, ensure_sample_class, keep_sample
from fewshot.session.analysis.checkin import check_ins
from fewshot.session.analysis.course import class_course
from fewshot.session.analysis.pace import pace_hint
from fewshot.session.analysis.profile import make_profile
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings


def test_the_sample_class_has_a_past_and_something_to_say() -> None:
    shares: list[float] = []
    number = keep_sample(shares.append)
    store = LessonStore()
    lesson, infos = store.load(number), store.lessons(SAMPLE_CLASS)
    assert shares == sorted(shares) and len(infos) == 4 and all(info.sample for info in infos)
    earlier = [store.load(info.id) for info in earlier_ones(infos, lesson.info)]
    weeks = [round((lesson.info.started - old.info.started) / timedelta(weeks=1)) for old in earlier]
    assert weeks == [1, 2, 3]
    for old in earlier:
        assert old.info.state == "ended" and old.info.ended is not None and len(old.markers) >= 4
        assert (old.info.ended - old.info.started).total_seconds() == pytest.approx(old.info.seconds, abs=1.0)
    profiles = [make_profile(old) for old in earlier]
    found = check_ins(make_profile(lesson), profiles)
    assert found.compared >= 35 and 1 <= len({line.student for line in found.found}) <= 4
    assert class_course([*profiles, make_profile(lesson)]).share.shape[0] == 4
    hints = [pace_hint(lesson.readings, now, lesson.labels) for now in range(300, 660, 30)]
    assert hints[0] is None and any(hint is not None and hint.share - hint.usual >= 0.1 for hint in hints)

    keep_sample()
    assert len(store.lessons(SAMPLE_CLASS)) == 5, "the past is told once"


def test_lessons_too_old_to_be_kept_are_not_kept() -> None:
    from fewshot.app.recording import sample_recording

    Settings().retention_days = 10
    recording = sample_recording()
    ensure_sample_class(recording)
    ensure_earlier_lessons(datetime.now(UTC))
    store = LessonStore()
    store.apply_retention()
    assert [info.title for info in store.lessons(SAMPLE_CLASS)] == ["Sample lesson: angles"]
