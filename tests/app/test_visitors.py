"""The app with two teachers and an administrator: whose pages show what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

import fewshot
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.lesson_room import ROOM
from fewshot.app.sample import ensure_sample_class
from fewshot.app.sample_past import past_is_told, plan_past
from fewshot.classroom.consent import make_consent
from fewshot.classroom.owners import Owner, Owners
from fewshot.classroom.store import ClassStore
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings
from tests.app.test_lesson import NAMES, Stage, until
from tests.app.test_pages import MAIN, page, words

pytestmark = pytest.mark.usefixtures("empty_room")

APP = Path(fewshot.__file__).parent / "app"
STORES = {"ClassStore", "LessonStore", "Settings"}
VIEWS = ["start", "classes", "enroll", "live", "report", "settings"]


def come(monkeypatch: pytest.MonkeyPatch, owner: Owner) -> None:
    """From now on this owner looks at the pages."""
    for path in APP.rglob("*.py"):
        if "import visitor" in path.read_text(encoding="utf-8"):
            module = ".".join(("fewshot", "app", *path.relative_to(APP).with_suffix("").parts))
            monkeypatch.setattr(f"{module}.visitor", lambda: owner)


def taught(owner: Owner, mark: str) -> int:
    """A class physics with a student, and a lesson."""
    store = ClassStore(owner=owner)
    store.create("physics")
    store.create(f"only {mark}")
    store.record_consent("physics", f"Student {mark}", make_consent("her mother", None))
    lessons = LessonStore(owner=owner)
    number = lessons.create("physics", title=f"title {mark}", students=[f"Student {mark}"])
    lessons.end(number)
    return number


@pytest.mark.parametrize("view", VIEWS)
def test_no_page_shows_anything_of_another_teacher(monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    one, other = Owners().local(), Owners().add("Berta")
    foreign = taught(one, "aaa")
    taught(other, "bbb")
    ROOM.start(LessonPlan("only aaa", "t", NAMES, "x"), Stage().prepare)
    come(monkeypatch, other)
    for test in (
        page(view, {"lesson": str(foreign)}),
        page(view, {"lesson": ROOM.alive(one)[0].token}),
        page(view, **{"class": "only aaa", "lesson": foreign}),
    ):
        shown = words(test) + str([box.options for box in test.selectbox]) + str([b.label for b in test.button])
        assert not test.exception and not test.error, test.exception or test.error
        assert "aaa" not in shown.replace("There is no class 'only aaa'", "")
    if view == "report":
        assert f"There is no lesson {foreign} here" in words(page(view, {"lesson": str(foreign)}))


@pytest.mark.parametrize("view", VIEWS)
def test_an_administrator_is_told_that_the_page_is_for_teachers(monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    local, chief = Owners().local(), Owners().add("Chief", "administrator")
    number = taught(local, "aaa")
    come(monkeypatch, chief)
    test = page(view, {"lesson": str(number)}, **{"class": "physics"})
    assert not test.exception and not test.error and "aaa" not in words(test)
    assert ("no classes and sees no readings" in words(test)) == (view != "settings")
    if view == "settings":
        assert "For all teachers" in words(test)
        assert not any("Whole class only" in switch.label for switch in test.toggle)


def test_a_teacher_can_change_only_what_belongs_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    come(monkeypatch, Owners().add("Berta"))
    test = page("settings")
    (detector,) = [box for box in test.selectbox if box.label == "Face detector"]
    assert detector.disabled and "An administrator sets the connection" in words(test)
    assert "For all teachers" not in words(test)
    Settings().longest_retention = 40
    test = page("settings")
    (days,) = test.number_input
    assert days.max == 40 and "at most 40 days" in words(test)


def test_each_teacher_acknowledges_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    test = page("start")
    (button,) = [button for button in test.button if "I have read this" in button.label]
    button.click().run()
    assert not test.exception and Settings().acknowledged is not None
    berta = Owners().add("Berta")
    come(monkeypatch, berta)
    assert any("I have read this" in button.label for button in page("start").button)
    assert Settings(owner=berta).acknowledged is None


def test_two_classes_of_one_name_have_two_lessons_at_once() -> None:
    one, other = Owners().local(), Owners().add("Berta")
    stages = [Stage(LessonPlan("physics", "", NAMES, "x", owner=owner)) for owner in (one, other)]
    for stage in stages:
        stage.start_in_room()
    lessons = [stage.lesson for stage in stages]
    assert lessons[0] is not lessons[1]
    assert ROOM.start(stages[0].lesson.plan, stages[0].prepare) is lessons[0]  # a second tab of the same teacher
    assert ROOM.alive(one) == [lessons[0]] and ROOM.alive(other) == [lessons[1]]
    assert ROOM.of("physics", other) is lessons[1]
    lessons[0].stop()
    until(lambda: not lessons[0].alive)
    ROOM.forget("physics", one)
    assert ROOM.of("physics", one) is None and ROOM.of("physics", other) is lessons[1] and lessons[1].alive


def test_each_teacher_has_a_sample_class() -> None:
    berta = Owners().add("Berta")

    class Recorded:
        students = ("Asha",)

    ensure_sample_class(Recorded(), owner=berta)  # type: ignore[arg-type]
    assert ClassStore(owner=berta).names() == ["Sample class"] and ClassStore().names() == []
    plan_past(owner=berta)
    assert past_is_told() and not past_is_told(berta)


def test_the_next_visitor_of_a_tab_finds_nothing_of_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.testing.v1 import AppTest

    monkeypatch.setattr("fewshot.app.server.is_guarded", lambda: True)
    test = AppTest.from_file(str(MAIN), default_timeout=60)
    test.run()
    test.session_state["files 7 .html"] = {".html": b"a report"}
    test.query_params["lesson"] = "7"
    test.run()
    assert "files 7 .html" in test.session_state
    come(monkeypatch, Owners().add("Berta"))
    monkeypatch.setattr("fewshot.app.visitor.visitor", lambda: Owners().find("Berta"))
    test.run()
    assert not test.exception and "files 7 .html" not in test.session_state


def test_no_store_of_the_app_or_the_commands_forgets_whose_it_is() -> None:
    """Every store that a page or a command makes names its owner."""
    root = APP.parent
    forgetful = [
        f"{path.relative_to(root)}:{call.lineno}"
        for folder in ("app", "commands")
        for path in (root / folder).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") in STORES
        and len(call.args) < 2
        and "owner" not in {word.arg for word in call.keywords}
    ]
    assert forgetful == []
