"""``--as``: a command works for one teacher, and the commands that it prints do too."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from fewshot.classroom.consent import make_consent
from fewshot.classroom.owners import Owner, Owners
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import forget_last_run, last_timeline
from fewshot.cli import app
from fewshot.commands import terminal
from fewshot.commands.runs import Outputs
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder

NAME = "Ms Berta"


@pytest.fixture(autouse=True)
def nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "_teacher", "")
    monkeypatch.delenv("FEWSHOT_AS", raising=False)


def typed(*words: str, **environment: str) -> tuple[int, str]:
    """Exit code, and everything that is printed."""
    code, printed = 0, io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(printed):
        for name, value in environment.items():
            patch.setenv(name, value)
        try:
            app(list(words))
        except SystemExit as end:
            code = int(end.code or 0)
    return code, " ".join(printed.getvalue().split())


def taught(owner: Owner, mark: str) -> int:
    store, lessons = ClassStore(owner=owner), LessonStore(owner=owner)
    store.create("physics")
    store.record_consent("physics", f"Student {mark}", make_consent("her mother", None))
    with LessonRecorder(lessons, lessons.create("physics", title=f"title {mark}"), threaded=False) as recorder:
        return recorder.lesson


@pytest.fixture
def two() -> tuple[int, int]:
    """The numbers of a lesson of the local teacher, and of one of Ms Berta."""
    return taught(Owners().local(), "aaa"), taught(Owners().add(NAME), "bbb")


def test_lists_show_one_teacher(two: tuple[int, int]) -> None:
    for words in (["roster"], ["roster", "physics"], ["lessons"], ["lessons", "physics"]):
        code, printed = typed(*words)
        assert code == 0 and "aaa" in printed and "bbb" not in printed
        code, printed = typed(*words, "--as", "ms berta")
        assert code == 0 and "bbb" in printed and "aaa" not in printed
        assert typed(*words, FEWSHOT_AS=NAME) == (code, printed)


def test_nothing_of_another_teacher_is_deleted_reported_or_removed(two: tuple[int, int], tmp_path: Path) -> None:
    local, berta = two
    out = tmp_path / "report.html"
    for words in (
        ["lessons", "--delete", str(local), "--as", NAME],
        ["lessons", "--delete", str(berta)],
        ["report", str(local), "--out", str(out), "--as", NAME],
        ["report", str(berta), "--out", str(out)],
        ["roster", "physics", "--remove", "Student aaa", "--as", NAME],
        ["roster", "physics", "--remove", "Student bbb"],
    ):
        code, printed = typed(*words)
        assert code == 2 and "There is no" in printed, printed
    assert not out.exists()
    assert len(LessonStore().lessons()) == 1 == len(LessonStore(owner=Owners().find(NAME)).lessons())
    assert typed("report", "last", "--out", str(out), "--as", NAME)[0] == 0
    assert "title bbb" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ["roster"],
        ["lessons"],
        ["report", "last", "--out", "x.html"],
        ["enroll", "physics", "."],
        ["live", "--no-show", "--source", "x.mp4"],
        ["analyze", __file__],
    ],
)
def test_an_unknown_teacher_is_named_with_the_next_command(words: list[str]) -> None:
    code, printed = typed(*words, "--as", "Mr Nobody")
    assert code == 2 and "There is no account 'Mr Nobody'" in printed
    assert 'fewshot accounts add "Mr Nobody"' in printed
    Owners().add("Chief", "administrator")
    code, printed = typed(*words, "--as", "Chief")
    assert code == 2 and "Chief is an administrator" in printed and "fewshot accounts" in printed


def test_printed_commands_work_for_the_same_teacher(two: tuple[int, int]) -> None:
    code, printed = typed("lessons", "--delete", "99", "--as", NAME)
    assert code == 2 and 'fewshot lessons --as "Ms Berta"' in printed
    _, printed = typed("roster", "nothing", "--as", NAME)
    assert 'fewshot enroll --as "Ms Berta" nothing PHOTOS' in printed
    terminal.name_in_commands("")
    assert "--as" not in typed("lessons", "--delete", "99")[1]


def test_the_last_picture_of_one_teacher_is_not_replaced_or_deleted_by_another(two: tuple[int, int]) -> None:
    local, berta = Owners().local(), Owners().find(NAME)
    places = [Outputs(owner=owner).timeline for owner in (local, berta)]
    assert places == [last_timeline(local.id), last_timeline(berta.id)] and places[0] != places[1]
    assert places[0].name == "last-timeline.png"
    for place in places:
        place.write_bytes(b"x")
    ClassStore(owner=berta).remove_student("physics", "Student bbb")
    assert places[0].exists() and not places[1].exists()
    assert forget_last_run(local.id) == "" and not places[0].exists()
