"""What the routes of the service do, through its port."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.api.served import HAPPY, NEUTRAL, Api, Running, running  # isort: skip

from fewshot.access.forget import STILL_SEALED, check_receipt
from fewshot.accounts.tokens import Tokens
from fewshot.api import door
from fewshot.api.looks import Looks
from fewshot.api.rates import Rates
from fewshot.api.service import Service
from fewshot.classroom.consent import make_consent
from fewshot.classroom.own_classes import OwnClasses
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database import ErasurePending
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.live.sinks.jsonl import VERSION
from fewshot.session.lessons import LessonStore
from fewshot.session.settings import Settings

ASHA, BELA = 1, 2


def enroll(api: Api, of: int, photo: Callable[..., bytes], name: str = "asha", person: int = ASHA) -> Any:
    files = [
        ("photos", ("a.png", photo({person: 100}, HAPPY, person), "image/png")),
        ("photos", ("../../b.png", photo({person: 100}, NEUTRAL, person + 50), "image/png")),
    ]
    data = {"student": name, "emotions": ["happy", "neutral"], "consent_by": "her mother"}
    return api.ok("POST", f"/classes/{of}/students", files=files, data=data)


@pytest.fixture
def physics(served: Running, photo: Callable[..., bytes]) -> int:
    """A class with Asha."""
    api = served.caller("enroll")
    number = int(api.ok("POST", "/classes", json={"name": "physics"})["id"])
    assert enroll(api, number, photo)["enrolled"]
    return number


def test_health_and_readiness_answer_anybody(served: Running) -> None:
    nobody = Api(served.url)
    assert nobody.get("/health") == {"status": "ok"}
    assert nobody.get("/ready") == {"status": "ready"}
    served.service.drain()
    assert nobody("GET", "/ready").status_code == 503 and nobody("GET", "/health").status_code == 200


def test_from_a_new_class_to_a_reading_and_back(
    served: Running, photo: Callable[..., bytes], physics: int, tmp_path: Path
) -> None:
    api = served.caller()
    assert api.get("/classes") == [{"id": physics, "name": "physics", "students": 1, "sample": False}]
    (asha,) = api.get(f"/classes/{physics}")["students"]
    assert asha["name"] == "asha" and asha["photos"] == {"happy": 1, "neutral": 1}
    assert asha["consent"]["given_by"] == "her mother" and asha["consent"]["valid"]
    assert asha["consent"]["day"] == str(date.today())
    files = {"picture": ("x.jpg", photo({ASHA: 100, 5: 90}), "image/jpeg")}
    read = api.ok("POST", "/pictures", files=files, data={"class_id": physics})
    assert read["version"] == VERSION and [face["student"] for face in read["faces"]] == ["asha", None]
    assert [face["emotion"] for face in read["faces"]] == ["happy", "happy"]
    assert api.ok("POST", "/pictures", files=files)["faces"][0]["student"] is None
    removed = api.ok("DELETE", f"/classes/{physics}/students/{asha['id']}")
    assert removed["removed"] and removed["erased"] and removed["receipt"]["removed"]["photos"] == 2
    receipt = tmp_path / "receipt.json"
    receipt.write_text(json.dumps(removed["receipt"]), encoding="utf-8")
    assert check_receipt(receipt) and "asha" not in receipt.read_text(encoding="utf-8")
    receipt.write_text(json.dumps(removed["receipt"] | {"left": 1}), encoding="utf-8")
    assert not check_receipt(receipt)
    assert api.get(f"/classes/{physics}")["students"] == []
    read = api.ok("POST", "/pictures", files=files, data={"class_id": physics})
    assert [face["student"] for face in read["faces"]] == [None, None]


def test_remarks_are_about_all_photos_of_a_request(served: Running, physics: int, photo: Callable[..., bytes]) -> None:
    """The photo after the happy one is neutral, so there is no reason to ask for one."""
    found = enroll(served.caller("enroll"), physics, photo, "bela", BELA)
    assert found["enrolled"] and [each["emotion"] for each in found["photos"]] == ["happy", "neutral"]
    assert found["notes"] == []


def test_while_bytes_are_in_use_the_receipt_says_so(
    served: Running, physics: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keys are dropped, and what another program holds open is named."""
    api = served.caller()
    (asha,) = api.get(f"/classes/{physics}")["students"]
    removes = ClassStore.remove_student

    def remove(self: ClassStore, *words: Any, **more: Any) -> str:
        removes(self, *words, **more)
        raise ErasurePending("another program reads the database")

    monkeypatch.setattr(ClassStore, "remove_student", remove)
    removed = api.ok("DELETE", f"/classes/{physics}/students/{asha['id']}")
    assert removed["removed"] and not removed["erased"]
    assert "as soon as" in removed["note"] and "keys are dropped" in removed["note"]
    assert STILL_SEALED in removed["receipt"]["out_of_reach"]
    assert api.get(f"/classes/{physics}")["students"] == []


def test_photos_have_results_in_their_order_and_are_not_kept(
    served: Running, photo: Callable[..., bytes], physics: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    files = [
        ("photos", ("1.png", photo({BELA: 100}, HAPPY, 8), "image/png")),
        ("photos", ("2.png", b"not a picture", "image/png")),
        ("photos", ("3.png", photo({}, HAPPY, 9), "image/png")),
    ]
    data = {"student": "bela", "consent_by": "his father"}
    found = served.caller("enroll").ok("POST", f"/classes/{physics}/students", files=files, data=data)
    assert [each["index"] for each in found["photos"]] == [0, 1, 2]
    assert [each["status"] for each in found["photos"]] == ["accepted", "rejected", "rejected"]
    assert all(each["reason"] for each in found["photos"][1:])
    assert str(place) not in json.dumps(found) and "files/" not in json.dumps(found)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"student": "bela"}, "consent"),
        ({"student": "../bela", "consent_by": "x"}, "must not contain"),
        ({"student": "bela", "consent_by": "x", "emotions": ["happy", "sad"]}, "2 emotions for 1 photo."),
        ({"student": "bela", "consent_by": "x", "consent_until": "2020-01-01"}, "ended"),
        ({"student": "bela", "consent_by": "x", "emotions": ["../x"]}, "must not contain"),
        ({"consent_by": "x"}, "student"),
    ],
)
def test_an_enrollment_that_cannot_be_done(
    served: Running, photo: Callable[..., bytes], physics: int, data: dict[str, Any], said: str
) -> None:
    files = {"photos": ("1.png", photo({BELA: 100}), "image/png")}
    api = served.caller("enroll", "read")
    assert said in api.problem("POST", f"/classes/{physics}/students", 422, files=files, data=data)
    assert [each["name"] for each in api.get(f"/classes/{physics}")["students"]] == ["asha"]


def test_head_is_answered_like_get_without_the_body(served: Running, physics: int) -> None:
    """Load balancers and monitors ask for the health with it."""
    api = served.caller("read")
    for path in ("/health", "/ready", "/openapi.json", "/classes", f"/classes/{physics}"):
        answer = api("HEAD", path)
        assert answer.status_code == 200 and answer.content == b"", path
    assert api("HEAD", "/classes/99").status_code == 404
    assert Api(served.url)("HEAD", "/classes").status_code == 401
    assert api("HEAD", "/tickets").status_code == 405


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/classes", "GET, HEAD, POST"), ("/tickets", "POST"), ("/classes/1/students", "POST"),
        ("/classes/1/students/1", "DELETE"), ("/lessons/1", "GET, HEAD"),
    ],
)  # fmt: skip
def test_another_method_is_told_which_ones_there_are(served: Running, path: str, allowed: str) -> None:
    answer = served.caller()("PATCH", path)
    assert answer.status_code == 405 and answer.headers["allow"] == allowed


def test_nobody_can_invent_figures(served: Running) -> None:
    """Each value of a label is a figure that is kept for as long as the process runs."""
    for number in range(5):
        Api(served.url)(f"EVIL{number}", "/classes")
    figures = served.caller("metrics")("GET", "/metrics").text
    assert "EVIL" not in figures and 'fewshot_requests_total{method="other"' in figures


def test_what_is_no_picture_names_no_file_of_the_server(served: Running, photo: Callable[..., bytes]) -> None:
    api = served.caller("analyze")
    jpeg = photo({ASHA: 100}, suffix=".jpg")
    for data in (b"", b"GIF89a", jpeg[: len(jpeg) // 3], jpeg[:40]):
        said = api.problem("POST", "/pictures", 422, files={"picture": ("asha.jpg", data)})
        assert said.startswith("The file ") and "/" not in said, said


def test_of_two_who_remove_a_student_the_second_learns_no_name(
    served: Running, physics: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = served.caller("forget")
    real = OwnClasses.students
    seen = [{1: "asha"}]  # what the second request saw before the first one was done
    monkeypatch.setattr(OwnClasses, "students", lambda self, of: seen.pop() if seen else real(self, of))
    ClassStore().record_consent("physics", "bela", make_consent("his father"))
    ClassStore().remove_student("physics", "asha")
    assert "bela" not in api.problem("DELETE", f"/classes/{physics}/students/1", 404)


def test_a_body_of_another_type_is_told_how_to_come(served: Running) -> None:
    api = served.caller("enroll", "lesson")
    for kind, named in (("text/plain", "text/plain"), ("", "no type")):
        said = api.problem("POST", "/classes", 422, data=b'{"name": "art"}', headers={"content-type": kind})
        assert f"It came as {named}" in said and "application/json" in said
    number = LessonStore().create()
    for asked in ({"second": True}, {"second": "1"}, {"text": 1}):
        api.problem("POST", f"/lessons/{number}/marks", 422, json=asked)


def test_lessons_marks_and_reports(served: Running, physics: int) -> None:
    store, api = LessonStore(), served.caller()
    number = store.create("physics", title="Fractions", students=["asha"])
    (shown,) = api.get("/lessons")
    assert shown["id"] == number and shown["state"] == "running" and shown["classroom"] == "physics"
    assert api.get("/lessons", params={"class_id": physics}) == [shown]
    mark = api.ok("POST", f"/lessons/{number}/marks", json={"text": "a question", "second": 2.5})
    assert api.get(f"/lessons/{number}")["marks"] == [{**mark, "text": "a question", "second": 2.5}]
    assert api.get(f"/lessons/{number}/board")["tiles"] == []
    store.end(number)
    page = api("GET", f"/lessons/{number}/report")
    assert page.ok and "Fractions" in page.text and page.headers["content-type"].startswith("text/html")
    assert "asha" not in api("GET", f"/lessons/{number}/report?aggregate=true").text
    assert api("GET", f"/lessons/{number}/report?format=csv").ok
    api.problem("GET", f"/lessons/{number}/report?format=exe", 422)
    api.problem("POST", f"/lessons/{number}/corrections", 409, json={"student": "asha", "actually": "sad"})


def test_a_teacher_who_wants_counts_only_gets_no_names(served: Running, physics: int) -> None:
    store = LessonStore()
    number = store.create("physics", title="x", students=["asha"])
    Settings().aggregate_only = True
    api = served.caller("read")
    assert api.get(f"/lessons/{number}")["students"] == []
    assert "asha" not in api("GET", f"/lessons/{number}/report").text


def test_exports_and_looks_stand_in_the_audit_log(served: Running, physics: int) -> None:
    from fewshot.audit.log import latest

    number = LessonStore().create("physics", students=["asha"])
    api = served.caller("read")
    api.get(f"/lessons/{number}")
    api("GET", f"/lessons/{number}/report")
    events = [line.event for line in latest(served.service.database, 10, LOCAL_TEACHER)]
    assert "exported" in events and "looked" in events


def test_who_reads_the_board_or_sends_pictures_of_a_class_leaves_a_line_an_hour(
    served: Running, physics: int, photo: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fewshot.audit.log import latest

    def looks() -> list[dict[str, Any]]:
        lines = latest(served.service.database, 99, LOCAL_TEACHER)
        return [dict(line.told()) for line in lines if line.event == "looked"]

    number, at = LessonStore().create("physics", students=["asha"]), [0.0]
    monkeypatch.setattr(served.service, "looks", Looks(lambda: at[0]))
    api = served.caller("read", "analyze")
    for _ in range(3):
        api.get(f"/lessons/{number}/board")
        api.ok("POST", "/pictures", files={"picture": photo({ASHA: 100})}, data={"class_id": physics})
        api.ok("POST", "/pictures", files={"picture": photo({ASHA: 100})})
    assert looks() == [{"class": physics, "lesson": number, "live": True}, {"class": physics, "live": False}]
    served.caller("read").get(f"/lessons/{number}/board")
    assert len(looks()) == 3, "another token"
    at[0] = 3601.0
    api.get(f"/lessons/{number}/board")
    assert len(looks()) == 4


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/classes", "read"), ("GET", "/classes/1", "read"), ("GET", "/lessons", "read"),
        ("GET", "/lessons/1", "read"), ("GET", "/lessons/1/report", "read"), ("GET", "/lessons/1/board", "read"),
        ("GET", "/classes/1/corrections", "read"), ("POST", "/classes", "enroll"),
        ("DELETE", "/classes/1/students/1", "forget"), ("POST", "/lessons/1/marks", "lesson"),
        ("POST", "/lessons/1/corrections", "lesson"), ("DELETE", "/classes/1/corrections/1", "lesson"),
        ("POST", "/tickets", "lesson"), ("GET", "/metrics", "metrics"), ("POST", "/classes/1/students", "enroll"),
        ("POST", "/pictures", "analyze"),
    ],
)  # fmt: skip
def test_every_route_needs_its_right(served: Running, physics: int, method: str, path: str, scope: str) -> None:
    from fewshot.accounts.tokens import SCOPES

    body: dict[str, Any] = {"POST": {"json": {"text": "x", "student": "x", "actually": "x"}}}.get(method, {})
    body = {"json": {"name": "another"}} if path == "/classes" and method == "POST" else body
    body = {"json": {"student": "x", "actually": "sad"}} if path.endswith("/corrections") and body else body
    body = {"json": {"text": "x"}} if path.endswith("/marks") else body
    body = {"files": {"picture": b"x", "photos": b"x"}, "data": {"student": "x"}} if scope == "analyze" or (
        path.endswith("/students")) else body  # fmt: skip
    others = served.caller(*(set(SCOPES) - {scope}))
    assert scope in others.problem(method, path, 403, **body)
    Api(served.url).problem(method, path, 401, **body)
    Api(served.url, "fewshot_wrong").problem(method, path, 401, **body)
    assert served.caller(scope)(method, path, **body).status_code not in (401, 403)


def test_a_token_that_is_removed_opens_nothing_at_once(served: Running) -> None:
    api = served.caller("read")
    assert api.get("/classes") == []
    Tokens().remove(1)
    api.problem("GET", "/classes", 401)


def test_figures_name_nobody(served: Running, physics: int, photo: Callable[..., bytes]) -> None:
    api = served.caller()
    api.ok("POST", "/pictures", files={"picture": photo({ASHA: 100})}, data={"class_id": physics})
    text = api("GET", "/metrics").text
    assert 'route="/pictures"' in text and "fewshot_faces_total 1.0" in text and "fewshot_memory_bytes" in text
    assert "asha" not in text and "physics" not in text


def test_the_log_has_a_line_of_json_for_each_request_and_no_name(
    served: Running, physics: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "fewshot.api"):
        served.caller("read").get(f"/classes/{physics}")
        Api(served.url)("GET", "/nothing/asha?student=asha")
    lines = [json.loads(record.message) for record in caplog.records if record.name == "fewshot.api"]
    assert {"GET"} == {line["method"] for line in lines}
    assert [line["status"] for line in lines] == [200, 401]
    assert lines[0]["route"] == "/classes/{class_id}" and lines[0]["caller"].startswith("token ")
    assert "asha" not in caplog.text and "physics" not in caplog.text


@pytest.mark.parametrize("how", ["said", "chunked"])
def test_a_body_that_is_too_large_is_refused_before_its_end(
    served: Running, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(door, "MOST_UPLOAD", 200_000)
    api = served.caller("enroll")

    def parts() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="photos"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 10_000

    data: Any = parts() if how == "chunked" else b"x" * 400_000
    for path, kind in (("/classes", "application/json"), ("/classes/1/students", "multipart/form-data; boundary=x")):
        said = api.problem("POST", path, 413, data=data, headers={"content-type": kind})
        assert "larger than" in said
        data = parts() if how == "chunked" else data


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{"), ("application/json", b"\xff\xfe"), ("application/json", b"[" * 5000),
        ("application/json", b'{"name": "x", "other": 1}'), ("application/json", b'{"name": "\x00"}'),
        ("application/json", b'{"name": "\\ud800"}'), ("application/json", b'{"name": "a/b"}'),
        ("application/json", b"null"), ("text/plain", b"hello"), ("", b""),
    ],
)  # fmt: skip
def test_what_is_no_class_is_a_problem_and_never_a_fault(served: Running, kind: str, body: bytes) -> None:
    answer = served.caller("enroll")("POST", "/classes", data=body, headers={"content-type": kind})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")


def test_whoever_asks_for_readiness_uses_no_token(served: Running) -> None:
    text, token = Tokens().add(LOCAL_TEACHER, "first", ["read"])
    assert token.id == 1 and Api(served.url)("GET", "/ready").status_code == 200
    assert Tokens().all()[0].used is None
    assert Api(served.url, text)("GET", "/classes").status_code == 200 and Tokens().all()[0].used is not None


def test_callers_who_ask_too_often_wait(drawn: None, fewshot_home: Path) -> None:
    with running(Service(rates=Rates("3 per minute", "2 per minute"))) as found:
        api, other = found.caller("read"), found.caller("read")
        assert [api("GET", "/classes").status_code for _ in range(4)] == [200, 200, 200, 429]
        assert int(api("GET", "/classes").headers["retry-after"]) > 0
        assert other("GET", "/classes").status_code == 200
        wrong = Api(found.url, "fewshot_wrong")
        assert [wrong("GET", "/classes").status_code for _ in range(3)] == [401, 401, 429]
        assert wrong("GET", "/health").status_code == 200
        assert found.caller("read")("GET", "/classes").status_code == 200  # the same address, with a right token


def test_where_pictures_come_from_other_computers_the_consent_must_say_so(
    drawn: None, fewshot_home: Path, photo: Callable[..., bytes]
) -> None:
    store = ClassStore()
    store.create("physics")
    with running(Service(place="class.example.org")) as found:
        api = found.caller()
        files = {"photos": ("1.png", photo({ASHA: 100}), "image/png")}
        data = {"student": "asha", "consent_by": "her mother"}
        said = api.problem("POST", "/classes/1/students", 422, files=files, data=data)
        assert "class.example.org" in said and "consent_purpose" in said
        assert store.roster("physics").students == {}
        data["consent_purpose"] = "readings in class, computed on the server class.example.org"
        assert api.ok("POST", "/classes/1/students", files=files, data=data)["enrolled"]
        assert store.roster("physics").students["asha"].consent.purpose == data["consent_purpose"]
        picture = {"files": {"picture": photo({ASHA: 100})}, "data": {"class_id": 1}}
        assert api.ok("POST", "/pictures", **picture)["faces"][0]["student"] == "asha"
        store.record_consent("physics", "bela", make_consent("his father"))
        said = api.problem("POST", "/pictures", 422, **picture)
        assert "bela" in said and "asha" not in said and "class.example.org" in said


def test_an_administrator_sees_figures_and_no_class(served: Running) -> None:
    root = Owners().add("Root", "administrator")
    api = served.caller("metrics", owner=root)
    assert api("GET", "/metrics").ok
    for path in ("/classes", "/lessons", "/classes/1", "/lessons/1"):
        api.problem("GET", path, 403)
