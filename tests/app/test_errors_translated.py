"""Errors and refusals of deeper layers are in the language of whoever reads them, and in English everywhere else."""

from __future__ import annotations

import ast
import io
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from drawn_faces import DrawnEyes, draw_photo, make_face, see_drawings

pytest.importorskip("streamlit", reason="needs the extra app")

from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

import fewshot
from fewshot import Classroom
from fewshot.app.lesson import RunningLesson
from fewshot.app.lesson_parts import LessonPlan
from fewshot.app.next_click import in_the_app
from fewshot.app.photo_plan import make_plan
from fewshot.app.photo_table import PhotoTable, look_at_photos, names_of, rows_of_class
from fewshot.app.uploads import Upload, save_class
from fewshot.classroom.class_rows import no_such_class
from fewshot.classroom.consent import Consent, make_consent, read_consent_list
from fewshot.classroom.folder import no_consent
from fewshot.classroom.names import check_name
from fewshot.classroom.photo_advice import no_face, with_advice
from fewshot.classroom.roster import no_such_student
from fewshot.classroom.store import ClassStore
from fewshot.database import words
from fewshot.errors import FewshotError, SourceError, reason_of
from fewshot.faces.detections import Detections
from fewshot.faces.quality import ENROLLMENT_LIMITS, assess
from fewshot.live.sources.lasting import LastingSource
from fewshot.live.sources.newest import NewestFrames
from fewshot.live.sources.opening import open_source
from fewshot.models.files import resolve
from fewshot.pictures import read_picture
from fewshot.session.lessons import LessonStore
from fewshot.session.takeover import LessonTaken
from fewshot.translation import LANGUAGE, LANGUAGES, Later, later, together, tr
from fewshot.vault.errors import lost_keys

ROOT = Path(fewshot.__file__).parent
CAMERA = later("camera {number}", number=0)
FULL = reason_of(OSError("database or disk is full"))
LATER = Consent("x", date(2026, 5, 6))
_ENGLISH = frozenset(
    (
        "the", "is", "are", "of", "and", "with", "this", "that", "cannot", "could", "be", "it", "has", "have", "were",
        "from", "which", "your", "you", "or", "not", "needed", "photo", "file", "choose", "again", "used", "camera",
    )
)  # fmt: skip
"""Words that English sentences have and German ones do not."""


_COMMAND = re.compile("fewshot (accounts|backup|enroll|key|lessons|live|models|restore|roster)|--")


def english(text: str) -> list[str]:
    """The English words of a text; commands, paths and names in quotation marks do not count."""
    plain = re.sub(r"'[^']*'|\S*[/\\]\S*|\S+\.(?:csv|jpg|png|mp4|json)", " ", text)
    return [word for word in re.findall(r"[a-z']+", plain.lower()) if word in _ENGLISH]


@pytest.fixture(autouse=True)
def nobody_reads() -> Iterator[None]:
    before = LANGUAGE.get()
    yield
    LANGUAGE.set(before)


def raised(act: Callable[[], object]) -> FewshotError:
    """The error that an act raises in a thread of its own, which knows no reader."""
    caught: list[BaseException] = []

    def run() -> None:
        try:
            act()
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=60)
    (error,) = caught
    assert isinstance(error, FewshotError), error
    return error


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def no_camera(patch: pytest.MonkeyPatch) -> object:
    patch.setattr("fewshot.live.sources.cameras.open_camera", lambda _index, _system: cv2.VideoCapture())
    return open_source(3)


def _packed(content: bytes) -> Upload:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("asha/1.jpg", content)
    return Upload("photos.zip", target.getvalue()[:40])


UNHAPPY: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "not a picture": lambda at, _: read_picture(written(at / "a.jpg", b"text")),
    "a picture cut off": lambda at, _: read_picture(
        written(at / "a.png", cv2.imencode(".png", np.zeros((90, 90, 3), np.uint8))[1].tobytes()[:60])
    ),
    "no such picture": lambda at, _: read_picture(at / "none.jpg"),
    "list without a column": lambda at, _: read_consent_list(written(at / "consent.csv", "student,date\nAsha,1\n")),
    "list that is a folder": lambda at, _: read_consent_list(made(at / "liste")),
    "no consent": lambda at, _: _raise(no_consent("9a", "p", {"Asha": LATER.why_not(date(2026, 1, 1))})),
    "name": lambda at, _: check_name("a/b", "student"),
    "name that is too long": lambda at, _: check_name("a" * 99, "class"),
    "no class": lambda at, _: _raise(no_such_class("9a", ["9b"])),
    "no student": lambda at, _: _raise(no_such_student("Asha", "9b", ["Ben"])),
    "class twice": lambda at, _: [ClassStore().create("9b"), ClassStore().create("9b")],
    "camera busy": lambda at, patch: no_camera(patch),
    "no such file to watch": lambda at, _: open_source(str(at / "none.mp4")),
    "no video": lambda at, _: open_source(str(written(at / "a.mp4", b"\0" * 500))),
    "empty video": lambda at, _: open_source(str(written(at / "a.mp4", b""))),
    "folder without pictures": lambda at, _: open_source(str(at)),
    "address of another kind": lambda at, _: open_source("gopher://example.org/1"),
    "no region of the screen": lambda at, _: open_source("screen:1,2"),
    "camera without a picture": lambda at, _: NewestFrames(CAMERA, lambda: False, lambda: None, lambda: None),
    "lesson": lambda at, _: LessonStore().load(7),
    "lesson taken": lambda at, _: _raise(LessonTaken(7)),
    "model": lambda at, _: resolve("yunet", download=False),
    "full disk": lambda at, _: _raise(words.full_disk("sqlite:////a.db", at / "a.db", FULL)),
    "damaged": lambda at, _: _raise(words.damaged("sqlite:////a.db", reason_of(ValueError("file is not a database")))),
    "locked": lambda at, _: _raise(words.unusable("sqlite:////a.db", reason_of(ValueError("database is locked")))),
    "read only": lambda at, _: _raise(words.read_only("sqlite:////a.db", at / "a.db")),
    "keys": lambda at, _: _raise(lost_keys(at / "keys.json", "")),
}  # fmt: skip


def _raise(error: FewshotError) -> None:
    raise error


@pytest.mark.parametrize("what", UNHAPPY)
def test_an_error_of_another_thread_is_in_the_language_of_whoever_reads_it(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = raised(lambda: UNHAPPY[what](tmp_path, monkeypatch))
    assert english(str(error)) and not isinstance(str(error), Later)  # what the command line prints
    said = {}
    for language in LANGUAGES:
        LANGUAGE.set(language)
        said[language] = in_the_app(error)
    assert len(set(said.values())) == len(LANGUAGES) and english(said["de"]) == []
    assert not _COMMAND.search(said["de"])
    assert english(str(error))  # also after it was read


@pytest.mark.parametrize(
    ("sent", "word"),
    [([_packed(b"x")], "beschädigt"), ([Upload("consent.csv", b"x"), Upload("..", b"x")], "keinen Namen")],
)
def test_an_upload_is_refused_in_german(sent: list[Upload], word: str, tmp_path: Path) -> None:
    LANGUAGE.set("de")
    with pytest.raises(FewshotError) as caught:
        save_class(sent, tmp_path)
    assert word in in_the_app(caught.value) and english(in_the_app(caught.value)) == []


def test_every_fault_of_a_list_of_consents_is_in_german(tmp_path: Path) -> None:
    rows = ("student,given_by,date", ",x,2026-01-01", "Ada,,", "Bo,x,", "Cy,x,soon", "Di,x,5/6/2026", "Di,y,2026-01-01")
    listed = read_consent_list(written(tmp_path / "consent.csv", "\n".join((*rows, "E/,x,2026-01-01"))))
    LANGUAGE.set("de")
    said = [*map(tr, listed.faults), *map(tr, listed.problems.values())]
    assert len(said) == 6 and "Zeile 2" in said[0]
    # The months of a date that may mean two days are in English.
    assert [english(text) for text in said] == [[]] * 6


@pytest.fixture
def bad_photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Photos of Asha that are refused for one reason each, and one that is not."""
    see_drawings(monkeypatch)
    folder = tmp_path / "photos/asha"
    draw_photo(folder / "good.png", {1: 100}, seed=1)
    draw_photo(folder / "small.png", {1: 30}, seed=2)
    draw_photo(folder / "two.png", {1: 100, 2: 100}, seed=3)
    draw_photo(folder / "wall.png", {}, seed=4)
    written(folder / "text.png", b"no picture")
    written(folder / "same.png", (folder / "good.png").read_bytes())
    return folder.parent


def test_the_table_of_photos_says_in_german_why_photos_are_refused(bad_photos: Path) -> None:
    room, table = Classroom.open("9b"), PhotoTable()
    room.create()
    roster = room.roster()
    table.rows = rows_of_class(bad_photos, ())
    names = names_of(table, roster, make_consent("x"))
    look_at_photos(table, table.rows, bad_photos, names, lambda: (DrawnEyes(), lambda v: ["neutral"] * len(v)), print)
    LANGUAGE.set("de")
    plan = make_plan(table, names, roster, room)
    refused = {photo.row.id: photo.words for photo in plan.photos if photo.status == "refused"}
    assert len(refused) == 5
    assert "Kein Gesicht gefunden" in refused["asha/wall.png"] and "kein Bild" in refused["asha/text.png"]
    del refused["asha/small.png"]  # the reason of a drawn face is made up
    assert [english(text) for text in refused.values()] == [[]] * 4


def test_a_report_of_an_enrollment_is_in_german_where_it_is_shown(bad_photos: Path) -> None:
    room = Classroom.open("9b")
    report = room.enroll_folder(bad_photos, consent_by="x")
    reasons = [photo.reason for one in report.students for photo in one.photos if photo.reason]
    notes = [*report.notes, *(note for one in report.students for note in one.notes)]
    assert len(reasons) == 5 and notes and all(map(english, (reason for reason in reasons if "small" not in reason)))
    LANGUAGE.set("de")
    said = [tr(text) for text in (*reasons, *notes) if "small" not in text]
    assert [english(text) for text in said] == [[]] * len(said)


def test_every_reason_why_a_face_is_not_readable_is_in_german() -> None:
    turned = make_face().landmarks[None].astype(np.float32)
    frame, black = (40, 40), np.zeros((1, 112, 112), np.uint8)
    seen = Detections(np.array([[0, 0, 20, 20]], np.float32), np.ones(1, np.float32), turned[:, ::-1] + 900)
    (dark,) = assess(frame, seen, black, ENROLLMENT_LIMITS)
    grey = np.full((1, 112, 112), 250, np.uint8)
    (bright,) = assess(frame, seen, grey, ENROLLMENT_LIMITS)
    reasons = {*dark.reasons, *bright.reasons}
    assert len(reasons) >= 4
    pictures = [np.full((30, 30, 3), level, np.uint8) for level in (5, 120, 250)]
    LANGUAGE.set("de")
    said = [tr(with_advice(sorted(reasons))), *(tr(no_face(picture)) for picture in pictures)]
    said.append(tr(no_face(pictures[1], "upside down")))
    assert [english(text) for text in said[:4]] == [[]] * 4 and "Verwenden Sie" in said[0]


def test_two_readers_of_one_lesson_have_each_their_own_language(monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare() -> Any:
        return no_camera(monkeypatch)

    lesson = RunningLesson(LessonPlan("9b", "", (), "camera 3"), prepare)
    lesson.start()
    lesson._thread.join(timeout=60)
    notes = {}
    for language in ("de", "fr", "en"):
        LANGUAGE.set(language)
        notes[language] = lesson.view().note
    assert notes["de"].startswith("Die Kamera 3 konnte nicht geöffnet werden")
    assert notes["fr"].startswith("La caméra 3") and notes["en"].startswith("Camera 3 could not be opened.")
    assert english(notes["de"]) == []


def test_a_camera_that_is_away_and_back_is_told_in_german() -> None:
    class Lost:
        name, fps, dropped, notes, live, frames = CAMERA, None, 0, [], True, None
        lost = "x"

        def __iter__(self) -> Iterator[Any]:
            return iter(())

        def close(self) -> None:
            """Nothing."""

    told: list[str] = []
    again = iter([SourceError("not yet"), None])

    def reopen() -> Any:
        if (error := next(again, SourceError("gone"))) is not None:
            raise error
        back = Lost()
        back.lost = None  # type: ignore[assignment]
        return back

    source = LastingSource(Lost(), reopen, None, told.append, wait=lambda _event, _seconds: None)  # type: ignore[arg-type]
    assert list(source) == [] and len(told) == 2 and all(map(english, told))
    LANGUAGE.set("de")
    assert [english(tr(note)) for note in told] == [[], []] and "verloren" in tr(told[0])


def test_sentences_put_together_are_each_translated() -> None:
    both = together(no_face(np.full((30, 30, 3), 5, np.uint8)), "", "Anna.")
    LANGUAGE.set("de")
    assert tr(both).startswith("kein Gesicht gefunden (30x30)") and tr(both).endswith("Anna.")


@pytest.mark.parametrize("view", ["classes", "enroll", "report", "live"])
def test_a_damaged_store_is_told_in_german_on_every_page(
    view: str, fewshot_home: Path, empty_room: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewshot_home.mkdir(parents=True)
    written(fewshot_home / "fewshot.db", b"this is no database at all" * 99)
    monkeypatch.setattr(ContextProxy, "locale", property(lambda _: "de"))
    script = f"from fewshot.app.shell import calm\nimport fewshot.app.views.{view} as page\ncalm(page.page)()\n"
    test = AppTest.from_string(script, default_timeout=60).run()
    assert not test.exception and test.error
    said = " ".join(error.value for error in test.error)
    assert "beschädigt" in said and english(said.replace("\\", "")) == []


_SHOWS = frozenset(
    ("tr", "together", "altered", "in_the_app", "Note", "_login_page", "password_page", "message_page", "_sentence")
)
"""What may get the text of an error in the app: it translates it, or hands it on to what does."""
_LOGS = frozenset(("warning", "error", "info"))


def test_no_page_shows_the_text_of_an_error_untranslated() -> None:
    wrong = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Attribute) and node.attr in ("text", "reason", "doubt")):
                continue
            if not (isinstance(node.value, ast.Name) and node.value.id in ("error", "held", "photo", "refused")):
                continue
            if not _handed_on(node, parents):
                wrong.append(f"{path.relative_to(ROOT)}, line {node.lineno}")
    assert wrong == []


def _handed_on(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether a text goes into what translates it, is compared, kept, raised again, or logged; not into a string."""
    while (above := parents.get(node)) is not None:
        if isinstance(above, ast.Call):
            called = above.func
            name = (
                called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
            )
            if name in _SHOWS or name.endswith("Error"):
                return True
            if name in _LOGS and isinstance(called, ast.Attribute) and getattr(called.value, "id", "") == "logger":
                return True
            if name in ("fromkeys", "startswith", "next"):
                return True
        if isinstance(above, ast.JoinedStr):
            return False
        if isinstance(above, ast.Assign | ast.Dict | ast.DictComp | ast.Compare | ast.comprehension | ast.Tuple):
            return True
        node = above
    return False


_OF_DEVELOPERS = {
    "live/sources/base.py", "live/sources/opening.py", "session/takeover.py", "session/check_in_answers.py",
    "session/timeline.py", "session/report/__init__.py", "vault/held_keys.py", "database/address.py",
    "vault/container.py", "vault/managed_key.py", "database/moving.py", "database/new_database.py",
    "database/sealed_rows.py",
}  # fmt: skip
"""Files that also have errors for programs and for whoever starts them or restores a backup, which no page shows, and
for the administrator of a PostgreSQL server, in English."""
_READ_BY_PAGES = ("classroom", "database", "live/sources", "session", "vault", "models", "pictures.py", "perception.py")


def test_an_error_that_a_page_can_show_has_a_message_for_the_catalogue() -> None:
    wrong = []
    for place in _READ_BY_PAGES:
        found = ROOT / place
        for path in sorted(found.rglob("*.py")) if found.is_dir() else [found]:
            if path.relative_to(ROOT).as_posix() in _OF_DEVELOPERS:
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and _is_error(node.func.id):
                    text = node.args[0] if node.args else None
                    if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and text.value):
                        wrong.append(f"{path.relative_to(ROOT)}, line {node.lineno}")
    assert wrong == []


def _is_error(name: str) -> bool:
    named = vars(fewshot.errors).get(name)
    ours = isinstance(named, type) and issubclass(named, FewshotError)
    return ours or name in (
        "DiskFull",
        "ErasurePending",
        "KeysUnusable",
        "Unreachable",
        "ExportFault",
        "SourceNotFound",
    )
