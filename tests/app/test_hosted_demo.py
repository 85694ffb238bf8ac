"""The demo for everybody: no visitor sees or changes another one's, nothing is kept, and everything has a limit."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from starlette.exceptions import HTTPException
from streamlit.testing.v1 import AppTest

from fewshot.app import launch as launching
from fewshot.app import server, service
from fewshot.app.guard import Policy
from fewshot.app.hosted import limits, live, own_photos, photos, visitors
from fewshot.app.hosted.main import PAGES
from fewshot.app.hosted.visitors import GONE, IDLE, DemoRefusal, Visitors
from fewshot.app.lesson_room import ROOM
from fewshot.app.reports import REPORTS
from fewshot.app.sample import start_sample
from fewshot.classroom.places import computer
from fewshot.classroom.store import ClassStore
from fewshot.classroom.visits import begin_visit, end_visit
from fewshot.database import open_database
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.demo.portraits import portraits
from fewshot.errors import StoreError, UsageError
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings
from fewshot.session.stored_words import SAMPLE_CLASS
from fewshot.types import Reading
from tests.app.test_pages import words

SHOWS = ("Try with the sample class", "public demo", "in the memory of the server")


class Time:
    """A clock that is set by hand, and the tabs that are open."""

    def __init__(self) -> None:
        self.now, self.closed = 1000.0, set[str]()

    def visitors(self, most: int = 3) -> Visitors:
        return Visitors(lambda tab: tab not in self.closed, lambda: self.now, most)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch, empty_room: None, fewshot_home: Path) -> Iterator[Time]:
    """This process is the demo; its visitors are forgotten afterwards."""
    time = Time()
    made = time.visitors()
    monkeypatch.setenv("FEWSHOT_DEMO", "1")
    monkeypatch.setattr(visitors, "VISITORS", made)
    monkeypatch.setattr(limits, "begin", lambda: None)
    yield time
    time.now += 2 * IDLE
    made.sweep()
    assert len(made) == 0


def opened() -> AppTest:
    """The demo in a new tab."""
    return AppTest.from_file(str(server.DEMO_MAIN), default_timeout=60).run()


def click(test: AppTest, label: str) -> AppTest:
    (button,) = [button for button in test.button if button.label == label]
    return button.click().run()


def owners() -> list[Owner]:
    return [visit.owner for visit in visitors.VISITORS._visits.values()]


def test_the_first_page_says_what_it_is_and_takes_nobodys_place(demo: Time) -> None:
    test = opened()
    assert not test.exception and all(text in words(test) + str(labels(test)) for text in SHOWS)
    assert "Article 5(1)(f)" in words(test) and len(visitors.VISITORS) == 0


def labels(test: AppTest) -> list[str]:
    return [button.label for button in test.button]


def test_two_visitors_have_nothing_in_common(demo: Time, fewshot_home: Path) -> None:
    one, two = opened(), opened()
    click(one, "Try with the sample class")
    first = owners()[0]
    assert [lesson.plan.classroom for lesson in ROOM.alive(first)] == [SAMPLE_CLASS]
    click(two, "Try with the sample class")
    second = owners()[1]
    assert first.id != second.id and not first.manages
    (mine,), (other,) = ROOM.alive(first), ROOM.alive(second)
    assert mine is not other and mine.token != other.token
    ROOM.leave(second)
    assert mine.alive and not other.alive
    LessonStore(owner=second).rename(LessonStore(owner=second).lessons()[0].id, "secret")
    ClassStore(owner=second).rename(SAMPLE_CLASS, "another name")
    Settings(owner=second).aggregate_only = True
    assert "secret" not in [info.title for info in LessonStore(owner=first).lessons()]
    assert ClassStore(owner=first).names() == [SAMPLE_CLASS]
    assert not Settings(owner=first).aggregate_only
    ROOM.leave(first)
    assert not list(fewshot_home.glob("*.db*")), "a store was written to the host"


def test_two_reports_with_one_number_are_not_mistaken(demo: Time) -> None:
    """Stores in memory have the same address, and count their lessons from 1."""
    one, two = begin_visit(), begin_visit()
    for owner, text in ((one, "mine"), (two, "yours")):
        store = LessonStore(owner=owner)
        lesson = store.create(title="Lesson")
        store.mark(lesson, 1.0, text)
        _, contents = REPORTS.of(store, lesson, False)
        assert [marker.text for marker in contents.markers] == [text]
        assert lesson == 1
    REPORTS.forget(one)
    assert {key[0] for key in REPORTS._known} >= {two.id} and one.id not in {key[0] for key in REPORTS._known}
    REPORTS.forget(two)
    end_visit(one)
    end_visit(two)


def test_nothing_but_a_visitors_store_can_be_opened(demo: Time, fewshot_home: Path) -> None:
    with pytest.raises(StoreError, match="opens no store"):
        open_database()
    with pytest.raises(StoreError, match="opens no store"):
        ClassStore(owner=LOCAL_TEACHER)
    owner = begin_visit()
    assert ClassStore(owner=owner).names() == []
    end_visit(owner)
    with pytest.raises(StoreError, match="opens no store"):
        LessonStore(owner=owner)
    assert not fewshot_home.exists() or not list(fewshot_home.glob("*.db*"))


def test_a_full_demo_says_so_and_has_room_again_when_a_tab_is_closed(demo: Time) -> None:
    people = visitors.VISITORS
    for name in "abc":
        people.of(name, f"tab {name}")
    with pytest.raises(DemoRefusal, match="3 people are trying it"):
        people.of("d", "tab d")
    assert people.of("a", "tab a").tab == "tab a"
    demo.closed.add("tab b")
    demo.now += GONE - 1
    assert people.sweep() == 0
    demo.now += 2
    assert people.sweep() == 1 and len(people) == 2
    people.of("d", "tab d")


def test_a_page_of_a_full_demo_is_a_sentence(demo: Time) -> None:
    for name in "abc":
        visitors.VISITORS.of(name, name)
    test = click(opened(), "Try with the sample class")
    assert not test.exception and "The demo is full" in test.error[0].value


def test_who_does_not_click_is_forgotten_with_everything(demo: Time) -> None:
    test = click(opened(), "Try with the sample class")
    (owner,) = owners()
    (lesson,) = ROOM.alive(owner)
    visit = next(iter(visitors.VISITORS._visits.values()))
    visit.own["own photos"] = object()
    test.session_state["of the visitor"] = "secret"
    demo.now += IDLE - 1
    assert visitors.VISITORS.sweep() == 0
    test.run()  # a click
    demo.now += IDLE - 1
    assert visitors.VISITORS.sweep() == 0
    demo.now += 2
    assert visitors.VISITORS.sweep() == 1
    assert not lesson.alive and ROOM.of(SAMPLE_CLASS, owner) is None and not visit.own
    with pytest.raises(StoreError):
        LessonStore(owner=owner)
    test.run()
    assert "Your visit has ended" in test.info[0].value and not test.button
    assert "of the visitor" not in test.session_state and "class" not in test.session_state
    test.run()
    assert len(visitors.VISITORS) == 0, "an open page must not begin anew by itself"


def test_a_store_has_a_limit_that_is_a_sentence(demo: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fewshot.classroom.visits.LARGEST", 600_000)
    owner = begin_visit()
    store = LessonStore(owner=owner)
    lesson = store.create(title="x")
    with pytest.raises(StoreError, match="is used up"):
        for second in range(5000):
            store.mark(lesson, float(second), "y" * 500)
    assert store.lessons()[0].title == "x"
    end_visit(owner)


def test_there_is_no_page_for_settings_classes_or_cameras_and_no_service(
    demo: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [name for name, *_ in PAGES] == ["start", "live", "photos", "report"]
    made: dict[str, Any] = {}
    monkeypatch.setattr("streamlit.App", lambda main, **more: made.update(more, main=main))
    server.build(Policy(frozenset()))
    server._built.pop()
    assert made["main"] == server.DEMO_MAIN and "routes" not in made
    with pytest.raises(UsageError, match="no service"):
        service.launch(0)


def test_it_listens_elsewhere_without_a_login_and_without_a_store(
    demo: Time, fewshot_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options: dict[str, Any] = {}
    launching.launch(0, False, "0.0.0.0", options.update)
    assert options["server.address"] == "0.0.0.0" and "nothing is kept" in capsys.readouterr().out
    with pytest.raises(UsageError, match="has no login"):
        launching.launch(0, False, serve=options.update, login=True)
    assert not fewshot_home.exists() or not list(fewshot_home.glob("*.db*"))


def test_the_pages_of_the_demo_need_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEWSHOT_DEMO", raising=False)
    test = opened()
    assert "Start it with FEWSHOT_DEMO=1" in test.error[0].value and not test.button


def test_the_page_says_that_photos_go_to_the_server_before_it_takes_any(demo: Time) -> None:
    assert computer(server.place()) == "the server of this demo" and "the server of this demo" in photos.notice()
    test = opened()
    click(test, "Try with your own photos")
    assert "Your pictures leave your computer" in test.warning[0].value and not test.get("file_uploader")
    test.checkbox(key="agreed").check().run()
    assert not test.exception and len(test.get("file_uploader")) == 2


def test_only_so_many_lessons_are_analysed_at_once(demo: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ROOM, "analysing", lambda: live.MOST_ANALYSED)
    test = click(opened(), "Try with real photographs")
    assert "cannot do more at once" in test.error[0].value and not ROOM.alive(owners()[0])


def jpeg(picture: Any) -> bytes:
    ok, data = cv2.imencode(".jpg", picture)
    assert ok
    return data.tobytes()


def bomb(side: int) -> bytes:
    """A PNG of a few bytes that says it has side * side pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 4_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zipped() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", b"\0" * 20_000_000)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lambda: b"\xff" * (limits.MOST_MEGABYTES * 2**20 + 1), "too large"),
        (lambda: bomb(5_000), "5000x5000 pixels"),
        (lambda: bomb(60_000), "not a picture|60000x60000"),
        (zipped, "not a picture"),
        (lambda: b"", "not a picture"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (lambda: bomb(3_000)[:200], "damaged|not a picture"),
        (lambda: b"GIF89a" + b"\0" * 40, "not a picture"),
    ],
)
def test_hostile_files_are_refused_before_they_are_decoded(data: Callable[[], bytes], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        limits.decoded(data())


def test_a_picture_is_read() -> None:
    assert limits.decoded(jpeg(portraits()["P01", "neutral"])).shape == (240, 320, 3)


def test_a_browser_that_was_asked_for_nothing_can_send_little() -> None:
    kept: dict[str, dict[str, Any]] = {}
    manager = SimpleNamespace(
        file_storage=kept, add_file=lambda tab, file: kept.setdefault(tab, {}).update({file.file_id: file})
    )
    limits.FewUploads(manager)

    def put(tab: str, number: int) -> None:
        manager.add_file(tab, SimpleNamespace(file_id=str(number)))

    for number in range(limits.MOST_FILES):
        put("mine", number)
    put("mine", 0)  # again, in its place
    with pytest.raises(HTTPException):
        put("mine", 99)
    with pytest.raises(HTTPException):
        for tab in range(limits.MOST_WAITING):
            put(f"tab {tab}", 0)
    assert sum(map(len, kept.values())) == limits.MOST_WAITING


def test_words_of_a_visitor_are_shown_as_they_were_typed() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    reading = Reading(0, (0, 0, 1, 1), 0.9, "You", emotion=hostile, confidence=1.0, probabilities={hostile: 1.0})
    assert "<img src=x" not in photos.rows_html(reading) and "&lt;img src=x" in photos.rows_html(reading)


def test_looks_of_invented_states_do_not_fill_the_memory() -> None:
    from fewshot.app import palette

    for function in (palette.look_of, palette.icon, palette.image):
        assert 0 < function.cache_info().maxsize < 1000


def test_a_photo_is_learned_in_memory_and_changes_the_reading(demo: Time, fewshot_home: Path) -> None:
    own = own_photos.OwnPhotos()
    smile, calm = portraits()["P03", "happy"], portraits()["P03", "neutral"]
    before = own.read(smile)
    assert before.taught is None and before.faces == 1
    own.teach(calm, "neutral")
    own.teach(cv2.flip(smile, 1), "delighted")
    after = own.read(smile)
    assert after.without.probabilities == before.without.probabilities
    assert after.taught is not None and after.taught.probabilities["delighted"] > 0.3
    assert own.taught == ["neutral", "delighted"]
    assert not list(fewshot_home.rglob("*.jpg")) and not list(fewshot_home.glob("*.db*"))


def test_what_is_not_a_face_and_too_many_photos_are_said(demo: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    own = own_photos.OwnPhotos()
    wall = portraits()["P01", "neutral"] * 0 + 128
    with pytest.raises(UsageError, match="No face"):
        own.read(wall)
    with pytest.raises(UsageError, match="was not used"):
        own.teach(wall, "happy")
    with pytest.raises(UsageError, match="unsure"):
        own.teach(wall, "unsure")
    own.taught += ["happy"] * own_photos.MOST_TAUGHT
    with pytest.raises(UsageError, match="the most here"):
        own.teach(wall, "happy")
    monkeypatch.setattr(own_photos, "PATIENCE", 0.01)
    with own_photos._turn, pytest.raises(UsageError, match="busy"):
        own.read(wall)


def test_the_sample_lesson_of_a_visitor_fits_into_the_store(demo: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = begin_visit()
    monkeypatch.setattr("fewshot.app.sample.visitor", lambda: owner)
    lesson = start_sample(ahead=10_000.0)
    lesson._thread.join(120)
    assert lesson.view().state == "ended", lesson.view().note
    (info,) = LessonStore(owner=owner).lessons()
    assert info.seconds > 600
    ROOM.leave(owner)
    end_visit(owner)
