"""Nothing of people who were not named is in any file: during a lesson, after it, after a kill, in exports and logs."""

from __future__ import annotations

import base64
import gc
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from guest_lesson import GUEST, UMA, begin, faces_of

from fewshot.app.guests import Guest
from fewshot.app.lesson_guests import Naming
from fewshot.app.lesson_room import LessonRoom
from fewshot.classroom.store import ClassStore
from fewshot.errors import UsageError
from fewshot.research.bench.survival.openable import contents, readable
from fewshot.session.lessons import LessonStore
from fewshot.session.report import write_report
from fewshot.types import Frame
from fewshot.vault import FileKeys
from tests.app.test_lesson import until
from tests.made_home import writable_places

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def places(fewshot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Everywhere the program may write: its data, its keys, temporary files, exports."""
    return writable_places(fewshot_home, tmp_path, "out", monkeypatch)


@pytest.fixture
def room() -> Iterator[LessonRoom]:
    made = LessonRoom()
    yield made
    made.close()


def marks_of(guest: Guest, frame: Frame, person: int) -> list[bytes]:
    """Bytes that only this person's faces have: vectors, pictures, and pictures as a page or report would hold them."""
    pictures = [data for crop in guest.crops for data in (crop.picture, crop.seen)]
    coded = [base64.b64encode(data)[100:160] for data in pictures]
    rows = [crop.frame()[40].tobytes() for crop in guest.crops]
    return [faces_of(frame)[person], *(data[60:120] for data in pictures), *coded, *rows]


def found(places: list[Path], marks: list[bytes]) -> list[bytes]:
    """The marks in the files, as they are or as whoever has the keys reads them."""
    everything = readable(places, FileKeys(places[0]))
    return [mark for mark in marks if mark in everything]


def test_unnamed_people_are_in_no_file_and_a_named_one_only_after_consent(
    places: list[Path], tmp_path: Path, room: LessonRoom, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    lesson, frame = begin(monkeypatch, tmp_path / "made", room)
    one, two = lesson.guests.view()
    uma, guest = (one, two) if _is(one, UMA) else (two, one)
    of_uma, of_guest = marks_of(uma, frame, UMA), marks_of(guest, frame, GUEST)
    naming = Naming("Uma", True, {crop.id: "happy" for crop in uma.crops})
    with pytest.raises(UsageError, match="Who gave consent"):
        lesson.enroll(uma.number, naming)
    until(lambda: lesson._ready().notebook.position > 1)
    assert found(places, of_uma + of_guest) == []

    result = lesson.enroll(uma.number, Naming("Uma", True, naming.shows, "her mother"))
    named_at = lesson._ready().notebook.position
    assert result.stands and [photo.status for photo in result.photos] == ["accepted"] * len(uma.crops)
    assert found(places, of_uma[1:] + of_guest) == [], "vectors are kept, pictures are not"
    tiles = lambda: {tile.student: tile.state for tile in lesson.view().board.tiles}  # noqa: E731
    until(lambda: tiles().get("Uma") == "happy")
    until(lambda: lesson._ready().notebook.position > named_at + 1.5)
    lesson.stop()
    room.forget("physics")
    gc.collect()

    store = LessonStore()
    loaded = store.load(lesson.id or 0)
    mine = loaded.readings.student == loaded.students.index("Uma")
    assert mine.any() and loaded.readings.second[mine].min() >= int(named_at), "earlier seconds are not Uma's"
    write_report(loaded, places[3] / "report.html")
    assert found(places, of_uma[1:] + of_guest) == [] and lesson.guests._people == {}
    assert not list(places[2].rglob("*.png")) and "Uma" not in caplog.text
    # The search finds what is there: a support of Uma, with the keys; and after she is removed, no more.
    stored = ClassStore().vectors("physics")
    assert stored is not None
    hers = [vector.tobytes() for vector in stored.identities_of("Uma")]
    (places[2] / "left.png").write_bytes(uma.crops[0].picture)
    assert found(places, of_uma) != []
    assert hers and found(places, hers) == hers and not [mark for mark in hers if mark in b"".join(contents(places))]
    ClassStore().remove_student("physics", "Uma")
    assert found(places, hers) == []


def _is(guest: Guest, person: int) -> bool:
    """Whether a guest's picture shows this person, whose number stands in the colour of the drawn face."""
    picture = guest.crops[0].frame()
    return bool((picture[picture[..., 2] > 200][:, 0] == person * 12 + 6).any())


def test_a_program_that_is_killed_leaves_nothing_of_them(places: list[Path], tmp_path: Path) -> None:
    program = Path(__file__).with_name("guest_lesson.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    command = [sys.executable, str(program), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT) as running:
        try:
            assert running.stdout is not None and running.stdout.readline() == "collected\n"
        finally:
            running.kill()
    from drawn_faces import draw_frame

    frame = draw_frame(tmp_path / "again.png", {1: 100, UMA: 100, GUEST: 100})
    (tmp_path / "again.png").unlink()
    vectors = faces_of(frame)
    assert LessonStore().lessons("physics"), "the lesson is in the database"
    assert found(places, [vectors[UMA], vectors[GUEST]]) == []
    assert not list(places[2].rglob("*.png")) + list(places[2].rglob("*.jpg"))
    content = b"".join(contents(places))
    strips = [frame[90, x + 5 : x + 95].tobytes() for x in (170, 320)]
    assert not [strip for strip in strips if strip in content]
