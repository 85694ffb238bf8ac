"""No token reads or changes what belongs to another teacher or another class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.served import Api, Running  # isort: skip

from fewshot.classroom.consent import make_consent
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.session.lessons import LessonStore


@dataclass
class Held:
    """A class of a teacher, with a student and a lesson that nobody else may know of."""

    owner: Owner
    name: str
    student: str
    title: str
    id: int = 0
    student_id: int = 0
    lesson: int = 0

    def make(self, api: Api) -> Held:
        store = ClassStore(owner=self.owner)
        store.create(self.name)
        store.record_consent(self.name, self.student, make_consent(f"the mother of {self.student}"))
        lessons = LessonStore(owner=self.owner)
        self.lesson = lessons.create(self.name, title=self.title, students=[self.student])
        lessons.mark(self.lesson, 1.0, f"mark of {self.title}")
        (self.id,) = [each["id"] for each in api.get("/classes") if each["name"] == self.name]
        (student,) = api.get(f"/classes/{self.id}")["students"]
        self.student_id = student["id"]
        return self

    def requests(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Everything that somebody could ask of it."""
        photo = {"files": {"photos": b"x"}, "data": {"student": self.student, "consent_by": "me"}}
        picture = {"files": {"picture": b"x"}, "data": {"class_id": self.id}}
        of, lesson = f"/classes/{self.id}", f"/lessons/{self.lesson}"
        return [
            ("GET", of, {}), ("POST", f"{of}/students", photo), ("DELETE", f"{of}/students/{self.student_id}", {}),
            ("GET", f"{of}/corrections", {}), ("DELETE", f"{of}/corrections/1", {}), ("POST", "/pictures", picture),
            ("GET", "/lessons", {"params": {"class_id": self.id}}), ("GET", lesson, {}), ("GET", f"{lesson}/board", {}),
            ("POST", f"{lesson}/marks", {"json": {"text": "mine now"}}),
            ("POST", f"{lesson}/corrections", {"json": {"student": self.student, "actually": "sad"}}),
            *(("GET", f"{lesson}/report", {"params": {"format": kind}}) for kind in ("html", "pdf", "csv", "parquet")),
        ]  # fmt: skip

    @property
    def secrets(self) -> tuple[str, ...]:
        return self.name, self.student, self.title


@pytest.fixture
def held(served: Running) -> dict[str, Held]:
    anna, bert = Owners().add("Anna"), Owners().add("Bert")
    made = {
        "physics": Held(anna, "physics of anna", "Quirina", "Fractions"),
        "art": Held(anna, "art of anna", "Zebulon", "Colours"),
        "bert": Held(bert, "chemistry of bert", "Yolanda", "Acids"),
        "local": Held(LOCAL_TEACHER, "own class", "Xaver", "Own lesson"),
    }
    return {key: each.make(served.caller(owner=each.owner)) for key, each in made.items()}


def test_nothing_of_others_is_shown_or_changed(served: Running, held: dict[str, Held]) -> None:
    anna, bert = held["physics"].owner, held["bert"].owner
    callers = {
        "physics": served.caller(owner=anna, classes=["physics of anna"]),
        "bert": served.caller(owner=bert),
        "local": served.caller(),
    }
    for mine, api in callers.items():
        for other, of in held.items():
            if other == mine:
                continue
            for method, path, more in of.requests():
                answer = api(method, path, **more)
                assert answer.status_code == 404, (mine, other, method, path, answer.text)
                missing = api(method, path.replace(str(of.id), "777").replace(str(of.lesson), "777"), **more)
                assert not any(secret in answer.text for secret in of.secrets)
                assert missing.status_code == 404
        everything = "".join(api("GET", path).text for path in ("/classes", "/lessons", "/me"))
        for other, of in held.items():
            assert any(secret in everything for secret in of.secrets) == (other == mine), (mine, other)
    for of in held.values():  # and nothing was changed
        assert list(ClassStore(owner=of.owner).roster(of.name).students) == [of.student]
        (marker,) = LessonStore(owner=of.owner).load(of.lesson).markers
        assert marker.text == f"mark of {of.title}"


def test_a_student_of_another_class_cannot_be_removed_by_way_of_ones_own(
    served: Running, held: dict[str, Held]
) -> None:
    api = served.caller(owner=held["physics"].owner, classes=["physics of anna"])
    for other in ("art", "bert", "local"):
        api.problem("DELETE", f"/classes/{held['physics'].id}/students/{held[other].student_id}", 404)
    assert all(ClassStore(owner=of.owner).roster(of.name).students for of in held.values())


def test_a_token_for_some_classes_makes_no_class_and_sees_no_lesson_without_one(
    served: Running, held: dict[str, Held]
) -> None:
    anna = held["physics"].owner
    number = LessonStore(owner=anna).create(title="without a class")
    api = served.caller(owner=anna, classes=["physics of anna"])
    api.problem("POST", "/classes", 403, json={"name": "another"})
    api.problem("GET", f"/lessons/{number}", 404)
    assert served.caller(owner=anna).get(f"/lessons/{number}")["title"] == "without a class"
    for name in ("art of anna", "ART OF ANNA", "chemistry of bert"):  # a name that is taken by another class
        assert name not in api.problem("POST", "/classes", 403, json={"name": name})


def test_numbers_that_no_database_has(served: Running) -> None:
    api = served.caller()
    for number in ("0", "-1", str(2**63), str(10**400), "1.5", "x", "%00", "٣"):
        for path in (f"/classes/{number}", f"/lessons/{number}", f"/classes/1/students/{number}"):
            method = "DELETE" if "students" in path else "GET"
            assert api(method, path).status_code in (404, 422), path


def test_a_header_of_somebody_cannot_stand_for_a_login(served: Running) -> None:
    for headers in ({"x-fewshot-login": "1"}, {"cookie": "fewshot-login=1"}, {"authorization": "Basic YTpi"}):
        Api(served.url).problem("GET", "/classes", 401, headers=headers)
    text = served.caller("read").token
    for headers in ({"authorization": f"bearer  {text}"}, {"authorization": f"BEARER {text}"}):
        assert Api(served.url)("GET", "/classes", headers=headers).ok
    Api(served.url).problem("GET", f"/classes?token={text}", 401)
    Api(served.url).problem("GET", f"/classes?ticket={text}", 401)
