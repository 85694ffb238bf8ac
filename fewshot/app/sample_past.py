"""The sample class's lessons of the weeks before: three recorded lessons, each written once.

Writing them takes some seconds. The settings list what is still to be written. So a program that was killed half-way
finishes the work at its next start, and a lesson that a teacher deleted does not come back.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from fewshot.app.recording import Recording, earlier_recordings
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import FewshotError
from fewshot.session.lesson import LessonInfo
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.session.stored_words import SAMPLE_CLASS

logger = logging.getLogger(__name__)

_PENDING = "sample past"
"""Setting: when the class was created, and the titles of the earlier lessons that are still to be written."""
_AT_ONCE, _PAUSE = 60, 0.05
"""Steps that are written at once, and the pause in seconds after them in which others can write."""
_writing = threading.Lock()


def plan_past(at: datetime | None = None, owner: Owner = LOCAL_TEACHER) -> None:
    """Note, before the owner's class is created, that its past must be written; its today is ``at`` (aware) or now."""
    titles = [str(recording.about["title"]) for recording in earlier_recordings()]
    Settings(owner=owner).set(_PENDING, {"at": (at or datetime.now(UTC)).isoformat(), "titles": titles})


def past_is_told(owner: Owner = LOCAL_TEACHER) -> bool:
    """Whether all earlier lessons of the owner's sample class are written."""
    return Settings(owner=owner).get(_PENDING) is None


def tell_past_meanwhile(owner: Owner = LOCAL_TEACHER) -> None:
    """Write what is left in a separate thread, so that the app does not wait for it."""
    if not past_is_told(owner):
        threading.Thread(target=_tell_calmly, args=(owner,), name="fewshot sample past", daemon=True).start()


def tell_past(owner: Owner = LOCAL_TEACHER) -> None:
    """Write what is left. A lesson that a killed program left half-written is deleted and written again.

    One thread of this process writes and the others wait. If another process is writing, it is left to finish.
    """
    with _writing:
        settings = Settings(owner=owner)
        pending = settings.get(_PENDING)
        if pending is None or not _class_stands(owner):
            return
        lessons, left = LessonStore(owner=owner), list(pending["titles"])
        if any(info.state == "running" for title in left for info in _of_title(lessons, title)):
            return
        for recording in earlier_recordings():
            title = str(recording.about["title"])
            if title in left:
                weeks = timedelta(weeks=int(recording.about["weeks_before"]))
                _write_anew(lessons, title, recording, datetime.fromisoformat(pending["at"]) - weeks)
                left.remove(title)
                settings.set(_PENDING, {**pending, "titles": left} if left else None)


def sample_notebook(
    recording: Recording, started: datetime | None = None, threaded: bool = True, owner: Owner = LOCAL_TEACHER
) -> LessonRecorder:
    """A recorder for a new lesson of the owner's sample class; ``started`` (aware) None is now."""
    about, store = recording.about, LessonStore(owner=owner)
    lesson = store.create(
        SAMPLE_CLASS,
        title=str(about["title"]),
        source=str(about["source"]),
        network=str(about["network"]),
        students=recording.students,
        sample=True,
        started=started,
    )
    return LessonRecorder(store, lesson, recording.students, threaded=threaded)


def _write_anew(lessons: LessonStore, title: str, recording: Recording, started: datetime) -> None:
    known = _of_title(lessons, title)
    for info in known:
        if info.state == "interrupted":
            lessons.delete(info.id)
    if any(
        info.state == "ended" for info in known
    ):  # the program was killed between the lesson's end and the note of it
        return
    notebook = sample_notebook(
        recording, started, threaded=False, owner=lessons.owner
    )  # no context manager: a half-written lesson must not be closed
    for step, result in enumerate(recording.results(), start=1):
        notebook.write(result)
        if step % _AT_ONCE == 0:
            notebook.flush()
            time.sleep(_PAUSE)
    for second, text in recording.markers:
        lessons.mark(notebook.lesson, second, text)
    notebook.flush()
    lessons.end(notebook.lesson, started + timedelta(seconds=recording.seconds))


def _class_stands(owner: Owner) -> bool:
    """Whether the class is complete. If another process is still creating it, that one writes the past afterwards."""
    store = ClassStore(owner=owner)
    if not store.exists(SAMPLE_CLASS):
        return False
    known = store.roster(SAMPLE_CLASS).students
    return all(student in known for recording in earlier_recordings() for student in recording.students)


def _of_title(lessons: LessonStore, title: str) -> list[LessonInfo]:
    return [info for info in lessons.lessons(SAMPLE_CLASS) if info.sample and info.title == title]


def _tell_calmly(owner: Owner) -> None:
    try:
        tell_past(owner)
    except FewshotError as error:  # for example: the class was deleted meanwhile, or the disk is full
        logger.warning("the sample class's earlier lessons are not all written: %s", error)
