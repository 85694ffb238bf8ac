"""The name of a removed student is gone from every text of the class, and other words stay whole."""

from __future__ import annotations

import shlex
import unicodedata
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from fewshot.accounts.tokens import Tokens
from fewshot.classroom.blotting import SOMEBODY, Blotter
from fewshot.classroom.consent import Consent, make_consent
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import LAST_TIMELINE
from fewshot.cli import app
from fewshot.commands.roster import remove_student
from fewshot.database.lesson_tables import CorrectionRow, LessonRow
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.database.tables import ClassRow, PhotoRow, StudentRow
from fewshot.research.bench.survival.openable import readable
from fewshot.session.lessons import LessonStore
from fewshot.types import EMOTIONS
from fewshot.vault import FileKeys


@pytest.mark.parametrize(
    ("name", "text", "left"),
    [
        ("Zebulon", "Zebulon-and-ben.mp4", "[removed]-and-ben.mp4"),
        ("Zebulon and ben", "videos/Zebulon-and-ben.mp4", "videos/[removed].mp4"),
        ("Zebulon and ben", "ZEBULON_AND_BEN (2).mp4", "[removed] (2).mp4"),
        ("asha", "ASHA_2", "[removed]_2"),
        ("asha", "C:\\lessons\\Asha2.mp4, 07asha07", "C:\\lessons\\[removed]2.mp4, 07[removed]07"),
        ("Zoé", "the mother of ZOE\u0301", "the mother of [removed]"),
        ("Zoe\u0301", "zoé's lesson", "[removed]'s lesson"),
        ("Jo", "J\u200bo and \uff2a\uff4f", "[removed] and [removed]"),
        ("Strauß", "STRAUSS asks", "[removed] asks"),
        ("José María", "jose\u0301-mari\u0301a_x", "[removed]_x"),
        ("Zoé", "https://host/Zo%C3%A9_1.mp4", "https://host/[removed]_1.mp4"),
        ("आशा", "आशा की माँ", "[removed] की माँ"),
        ("小明", "小明的妈妈", "[removed]的妈妈"),
        ("さくら", "さくらちゃんの母.mp4", "[removed]ちゃんの母.mp4"),
        ("민준", "김민준의 어머니", "김[removed]의 어머니"),
        ("Наташа", "МАМА НАТАШИ, наташа_1", "МАМА НАТАШИ, [removed]_1"),  # noqa: RUF001
        ("مريم", "أم مريم", "أم [removed]"),
        ("Anna B.", "anna_b and Anna Bell", "[removed] and Anna Bell"),
        ("Zebulon", "Zebulon's ZEBULONS zebulon_2 ZebulonMia", "[removed]'s [removed]S [removed]_2 [removed]Mia"),
        ("Zebulon", "zebulonmia.mp4, MiaZebulon2", "[removed]mia.mp4, Mia[removed]2"),
        ("Zoé Marie", "zoe\u0301_maries Heft", "[removed]s Heft"),
        ("Наташа", "Наташам, наташа", "[removed]м, [removed]"),
        ("Mark", "Marks and Marketing", "[removed]s and [removed]eting"),
        ("Ann", "AnnMia.mp4, MiaAnn-2, McAnn", "[removed]Mia.mp4, Mia[removed]-2, Mc[removed]"),
        ("Jo", "https://host/JoLesson%201", "https://host/[removed]Lesson%201"),
        ("student 03", "student 031, Student_03.mp4", "student 031, [removed].mp4"),
        ("Zebulon", "ZEBULON_2 %5aebulon", "[removed]_2 [removed]"),
        ("Zoé", "https://host/Zo%25C3%25A9 and Zo%E9_1.mp4", "https://host/[removed] and [removed]_1.mp4"),
        ("José-María", "jose_maria.mp4, JoseMaria, José—María", "[removed].mp4, [removed], [removed]"),
        ("Müller", "MUELLER_1, muller, Mullers", "[removed]_1, [removed], [removed]s"),
        ("Nguyễn", "nguyen-2", "[removed]-2"),
        ("İpek", "ipek IPEK", "[removed] [removed]"),
        ("O'Brien", "OBrien, O’Brien, o_brien.mp4", "[removed], [removed], [removed].mp4"),  # noqa: RUF001
        ("Asha Kumari", "Kumari, Asha and kumari_asha.mp4", "[removed] and [removed].mp4"),
        ("Mary Ann", "C:\\mary\\ann, mary—ann", "C:\\[removed], [removed]"),
        ("محمد", "مُحَمَّد ومحمد محـمد", "[removed] و[removed] [removed]"),
        ("أحمد", "احمد.mp4", "[removed].mp4"),
        ("מרים", "מִרְיָם ומרים", "[removed] ו[removed]"),  # noqa: RUF001
        ("王伟", "王 伟.mp4", "[removed].mp4"),
        ("Tom\u2764\ufe0f", "Tom\u2764\ufe0f asks, tom\u2764_2.mp4", "[removed] asks, [removed]_2.mp4"),
        ("Tom\u2764", "Tom\u2764\ufe0f asks", "[removed] asks"),
        ("Jo", "J\ufe0fo, jo\u034f and J\u3164o", "[removed], [removed] and [removed]"),
        ("D'Arcy", "D\u00b4Arcy, D\u2032Arcy, d\u201barcy", "[removed], [removed], [removed]"),
        ("Ke'ala", "Ke\u02bbala's lesson", "[removed]'s lesson"),
        ("Ann (Lee)", "Ann Lee asks, ann-lee.mp4", "[removed] asks, [removed].mp4"),
        ("Ann \u201cZed\u201d Lee", "Ann Zed Lee, ann_zed_lee.mp4", "[removed], [removed].mp4"),
        ("マリー・アン", "マリーアン, マリー アン", "[removed], [removed]"),
    ],
)  # fmt: skip
def test_it_is_found_in_every_spelling(name: str, text: str, left: str) -> None:
    assert Blotter(name)(text) == left


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ann", "Anniversary, Hanna, channel, Ánn, ANNA, anne-marie"),
        ("Ann", "Announcement, Annas, ANNOUNCED"),
        ("Mark", "benchmark, Bismarck, remark, REMARKS"),
        ("Anna B.", "anna bell, Anna Bs"),
        ("group 1234", "group 12345"),
        ("Zebulon", "Zebu, ebulon"),
        ("May", "Mayor, dismay, Mayday"),
        ("Al", "also, total, al\u0301"),
        ("आशा", "आशाएँ आशाी"),
        ("明", "明天 透明"),
        ("Ali", "Alison"),
        ("Jo", "Joan, mojo, banjo, Jó"),
        ("Zebulon", "Zébulon"),
        ("Asha Kumari", "Asha and Kumar"),
        ("आशा", "अशा"),
        ("علي", "معالي"),
        ("민준", "국민 준비"),
        ("Ann", "100 % of them"),
        ("Bo", ""),
    ],
)  # fmt: skip
def test_other_words_stay(name: str, text: str) -> None:
    assert Blotter(name)(text) == text


@pytest.mark.parametrize(
    ("name", "others", "text", "left"),
    [
        ("Ann", ["Ann Lee", "Ben"], "Ann-Lee and Ann", "Ann-Lee and [removed]"),
        ("小明", ["小明华"], "小明华和小明", "小明华和[removed]"),
        ("Anna", ["Annabelle"], "Annabelle, Annas, annabelles", "Annabelle, [removed]s, annabelles"),
        ("Zebulon", ["Zebulonia B."], "zebulonia_b and zebulonia", "zebulonia_b and [removed]ia"),
        ("Ann", ["ann"], "Ann", "[removed]"),
        ("Ann", ["Lee Ann"], "the mother of lee_ann", "the mother of lee_ann"),
    ],
)
def test_longer_names_of_classmates_stay(name: str, others: list[str], text: str, left: str) -> None:
    assert Blotter(name, others)(text) == left


def test_a_text_without_the_name_keeps_its_own_form() -> None:
    decomposed = unicodedata.normalize("NFD", "Zoé naïve")
    assert Blotter("Ann")(decomposed) is decomposed


def content(home: Path) -> bytes:
    """What can be read in the files by whoever has the keys that are there now."""
    return readable([home], FileKeys(home))


NAMES = ["Quentin", "आशा कुमारी", "Наталья"]


def fill(name: str, store: ClassStore) -> dict[str, int]:
    """A name in every text there is. Returns the numbers of the lessons."""
    store.create("physics")
    store.record_consent("physics", name, make_consent("the parents"))
    store.record_consent("physics", "ben", Consent(f"the mother of {name} and ben", make_consent("x").day))
    store.record_consent("physics", "ben", Consent("his father", make_consent("x").day, f"with {name.upper()}_2"))
    lessons = LessonStore()
    mine = lessons.create("physics", title=f"{name} and ben", source=f"/videos/{name}/{name}-and-ben_2.mp4")
    bare = lessons.create(title=f"test with {name}", source=f"{name}.mp4")
    lessons.mark(mine, 1.0, f"{name} asks")
    lessons.mark(bare, 1.0, f"{name}_asks")
    with store.database.write() as session:
        ben = next(row.id for row in session.scalars(select(StudentRow)) if row.name == "ben")
        state = f"like {name}".lower()
        session.add(
            PhotoRow(student_id=ben, sha256="1", fingerprint="0", emotion=state, enrolled=make_consent("x").day)
        )
        session.add(CorrectionRow(student_id=ben, lesson_id=mine, second=1.0, said=state, actually=state))
        for lesson in session.scalars(select(LessonRow)):
            lesson.labels = [*EMOTIONS, state, f"{name}-{state}".lower()]
    return {"mine": mine, "bare": bare}


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_the_class_and_of_lessons_without_a_class_holds_it(name: str, fewshot_home: Path) -> None:
    store = ClassStore()
    numbers = fill(name, store)
    (fewshot_home / LAST_TIMELINE).write_bytes(name.encode())
    marks = [name.encode(), name.lower().encode(), name.upper().encode()]
    assert all(mark in content(fewshot_home) for mark in marks)
    said = store.remove_student("physics", name)
    assert [mark for mark in marks if mark in content(fewshot_home)] == []
    assert not (fewshot_home / LAST_TIMELINE).exists()
    lessons = LessonStore()
    assert lessons.info(numbers["mine"]).title == f"{SOMEBODY} and ben"
    assert lessons.info(numbers["mine"]).source == f"/videos/{SOMEBODY}/{SOMEBODY}-and-ben_2.mp4"
    assert [marker.text for marker in lessons.load(numbers["bare"]).markers] == [f"{SOMEBODY}_asks"]
    assert store.consents("physics", "ben")[0].given_by == f"the mother of {SOMEBODY} and ben"
    assert lessons.load(numbers["mine"]).labels[7:] == [f"like {SOMEBODY}", f"{SOMEBODY}-like {SOMEBODY}"]
    assert said.startswith(f"The name was also replaced by {SOMEBODY} in 2 titles, 2 sources")
    assert "2 markers" in said and "2 consents" in said


def test_two_labels_that_become_equal_stay_two(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("physics")
    for name in ("ann", "bob", "cem"):
        store.record_consent("physics", name, make_consent("x"))
    lesson = LessonStore().create("physics")
    with store.database.write() as session:
        session.get(LessonRow, lesson).labels = [*EMOTIONS, "sad ann", "sad bob", "tired"]
    store.remove_student("physics", "ann")
    store.remove_student("physics", "bob")
    assert LessonStore().load(lesson).labels[7:] == ["sad [removed]", "sad [removed] 2", "tired"]


def test_records_of_other_classes_stay(fewshot_home: Path) -> None:
    store, lessons = ClassStore(), LessonStore()
    for classroom in ("physics", "history"):
        store.create(classroom)
        store.record_consent(classroom, "May", make_consent("the parents"))
        store.record_consent(classroom, "Ben", Consent("the aunt of May", make_consent("x").day))
        lessons.create(classroom, title="exams in May", source="may-2026.mp4")
    store.remove_student("physics", "May")
    history, physics = (lessons.lessons(name)[0] for name in ("history", "physics"))
    assert (history.title, history.source) == ("exams in May", "may-2026.mp4")
    assert store.consents("history", "Ben")[0].given_by == "the aunt of May"
    assert (physics.title, physics.source) == (f"exams in {SOMEBODY}", f"{SOMEBODY}-2026.mp4")


def test_a_deleted_class_leaves_no_name_in_lessons_without_a_class(fewshot_home: Path) -> None:
    store = ClassStore()
    numbers = fill("Quentin", store)
    (fewshot_home / LAST_TIMELINE).write_bytes(b"Quentin")
    store.delete("physics")
    assert b"quentin" not in content(fewshot_home).lower()
    assert LessonStore().info(numbers["bare"]).title == f"test with {SOMEBODY}"


def test_a_class_with_the_name_of_the_student_is_pointed_out(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("Asha in physics")
    for name in ("asha", "ben"):
        store.record_consent("Asha in physics", name, make_consent("x"))
    assert "still called 'Asha in physics'" in store.remove_student("Asha in physics", "asha")
    assert "still called" not in store.remove_student("Asha in physics", "ben", keep_class=True)
    with store.database.read() as session:
        assert [row.name for row in session.scalars(select(ClassRow))] == ["Asha in physics"]


def test_a_timeline_that_cannot_be_deleted_is_named(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("physics")
    for name in ("asha", "ben"):
        store.record_consent("physics", name, make_consent("x"))
    (fewshot_home / LAST_TIMELINE).mkdir()
    assert f"{LAST_TIMELINE} may show the name" in store.remove_student("physics", "asha")


def test_the_command_line_says_what_was_changed(fewshot_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ClassStore()
    store.create("physics")
    for name in ("asha", "ben"):
        store.record_consent("physics", name, make_consent("x"))
    LessonStore().create("physics", source="asha.mp4")
    remove_student("physics", "asha")
    assert "replaced by [removed] in 1 source of this class" in capsys.readouterr().out


@pytest.mark.parametrize("title", ["Zebulon", "zebulons class", "ZebulonMia", "Physics of Zebulon_2"])
def test_the_command_line_says_how_to_rename_the_class(fewshot_home: Path, title: str) -> None:
    store = ClassStore()
    store.create(title)
    for name in ("Zebulon", "ben"):
        store.record_consent(title, name, make_consent("x"))
    said = " ".join(CliRunner().invoke(app, ["roster", title, "--remove", "Zebulon"]).output.split())
    assert f"The class is still called '{title}'" in said
    command = said.partition("To rename the class, type: fewshot ")[2].partition(" NEW_NAME")[0]
    words = [*shlex.split(command), "physics"]
    assert "is now called physics" in CliRunner().invoke(app, words).output
    assert store.names() == ["physics"] and b"zebulon" not in content(fewshot_home).lower()


def test_a_class_that_cannot_be_renamed(fewshot_home: Path) -> None:
    store = ClassStore()
    for title in ("physics", "history"):
        store.create(title)
    for words, said in (
        (["physics", "--rename", "HISTORY"], "already"),
        (["physics", "--rename", "a/b"], "cannot be the name of a class"),
        (["maths", "--rename", "arts"], "maths"),
        (["--rename", "arts"], "--rename needs the name of a class"),
        (["physics", "--rename", "arts", "--remove", "ben"], "cannot be used together"),
    ):
        result = CliRunner().invoke(app, ["roster", *words])
        assert result.exit_code != 0 and said in " ".join(result.output.split()), result.output
    assert store.names() == ["history", "physics"]
    assert CliRunner().invoke(app, ["roster", "physics", "--rename", "Physics"]).exit_code == 0
    assert store.names() == ["Physics", "history"]


def test_an_emotion_is_not_the_name_of_a_student(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("physics")
    for name in ("Happy", "ben"):
        store.record_consent("physics", name, make_consent("x"))
    lesson = LessonStore().create("physics")
    with store.database.write() as session:
        ben = next(row.id for row in session.scalars(select(StudentRow)) if row.name == "ben")
        for emotion in ("happy", "happy like her"):
            photo = PhotoRow(
                student_id=ben, sha256=emotion, fingerprint="0", emotion=emotion, enrolled=make_consent("x").day
            )
            session.add(photo)
    store.remove_student("physics", "Happy")
    assert LessonStore().load(lesson).labels[:7] == list(EMOTIONS)
    with store.database.read() as session:
        assert {row.emotion for row in session.scalars(select(PhotoRow))} == {"happy", f"{SOMEBODY} like her"}


def test_a_token_is_not_called_after_a_removed_student(fewshot_home: Path) -> None:
    store = ClassStore()
    store.create("physics")
    for name in ("Zebulon", "Mia"):
        store.record_consent("physics", name, make_consent("the mother"))
    Tokens(store.database).add(LOCAL_TEACHER, "tablet of Zebulon", ["read"])
    assert b"tablet of Zebulon" in (fewshot_home / "fewshot.db").read_bytes()
    store.remove_student("physics", "Zebulon")
    assert [token.name for token in Tokens(store.database).all()] == [f"tablet of {SOMEBODY}"]
    assert b"Zebulon" not in b"".join(each.read_bytes() for each in fewshot_home.iterdir() if each.is_file())
