"""``fewshot.Client``, and the commands that use it: the same results as on this computer, and nothing sent unsaid."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from tests.api.served import HAPPY, NEUTRAL, Running  # isort: skip

from drawn_faces import draw_photo, draw_video

import fewshot
from fewshot.classroom.store import ClassStore
from fewshot.cli import app
from fewshot.client import lesson as remote_lesson
from fewshot.client.address import address_of
from fewshot.errors import FewshotError, UsageError
from fewshot.room import Classroom
from fewshot.session.lessons import LessonStore

ASHA, BELA = 1, 2


@pytest.fixture
def client(served: Running) -> fewshot.Client:
    return fewshot.Client(served.url, str(served.caller().token))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, person in (("asha", ASHA), ("bela", BELA)):
        draw_photo(tmp_path / f"photos/{name}/happy/1.png", {person: 100}, HAPPY, person)
        draw_photo(tmp_path / f"photos/{name}/neutral/2.png", {person: 100}, NEUTRAL, person + 50)
    return tmp_path / "photos"


def fewshot_at(served: Running, monkeypatch: pytest.MonkeyPatch, *words: object, scopes: Any = ()) -> Any:
    monkeypatch.setenv("FEWSHOT_API", served.url)
    monkeypatch.setenv("FEWSHOT_TOKEN", str(served.caller(*scopes).token))
    return CliRunner().invoke(app, [str(word) for word in words])


def clip(path: Path, count: int = 12) -> Path:
    """A folder of frames would be single pictures, so a small video."""
    return draw_video(path, {ASHA: 100, 5: 90}, count)


@pytest.mark.parametrize(
    ("url", "http", "place"),
    [
        ("http://127.0.0.1:8601", "http://127.0.0.1:8601/api", ""),
        ("http://localhost:8601/api/", "http://localhost:8601/api", ""),
        ("http://[::1]:8601", "http://[::1]:8601/api", ""),
        ("https://class.example.org", "https://class.example.org/api", "class.example.org"),
        ("https://127.0.0.1.example.org:8443", "https://127.0.0.1.example.org:8443/api", "127.0.0.1.example.org"),
    ],
)
def test_the_address_of_a_service(url: str, http: str, place: str) -> None:
    found = address_of(url)
    assert (found.http, found.place) == (http, place)
    assert ("this computer" in found.sentence()) and ((place or "nowhere else") in found.sentence())


@pytest.mark.parametrize(
    "url",
    ["http://class.example.org", "http://192.168.1.5:8601", "http://0.0.0.0:8601", "class.example.org", "", "ftp://a",
     "http://localhost.example.org", "https://user:secret@class.example.org", "https://a/b", "http://127.0.0.1@evil.org",
     "https://a?x=1", "http://2130706433"],
)  # fmt: skip
def test_no_picture_leaves_this_computer_without_tls(url: str) -> None:
    with pytest.raises(UsageError) as error:
        fewshot.Client(url, "fewshot_x")
    assert "secret" not in str(error.value)


def test_the_client_does_what_a_teacher_does(client: fewshot.Client, photos: Path, tmp_path: Path) -> None:
    client.create("physics")
    enrolled = client.enroll(
        "Physics", "asha", [photos / "asha/happy/1.png", photos / "asha/neutral/2.png"], ["happy", "neutral"],
        consent_by="her mother",
    )  # fmt: skip
    assert enrolled["enrolled"] and client.classes() == {"physics": 1}
    picture = draw_photo(tmp_path / "x.png", {ASHA: 100, 5: 90}, HAPPY, 3)
    assert [face.student for face in client.read(picture, "physics").readings] == ["asha", None]
    with client.lesson("physics", title="Fractions") as lesson:
        numbers = [lesson.send(picture_as_jpeg(picture), at) for at in (0.0, 0.2, 1.4, 1.6, 2.8)]
        moments = [lesson.wait(number) for number in numbers]
        assert [moment["time"] for moment in moments] == [0.0, 0.2, 1.4, 1.6, 2.8]
        assert lesson.mark("a question") and lesson.correct("asha", "confused")
        assert lesson.end()["frames"] == 5
    (kept,) = client.lessons("physics")
    assert kept["title"] == "Fractions" and kept["state"] == "ended"
    assert client.board(kept["id"])["tiles"][0]["student"] == "asha"
    assert client.mark(kept["id"], "later", 1.0) and b"Fractions" in client.report(kept["id"])
    receipt = client.forget("physics", "asha")
    assert receipt is not None and receipt["signature"] and receipt["removed"]["lessons"] == 1
    assert client.roster("physics") == []
    for wrong in (lambda: client.forget("physics", "asha"), lambda: client.roster("nowhere")):
        with pytest.raises(UsageError):
            wrong()


def picture_as_jpeg(path: Path) -> bytes:
    ok, data = cv2.imencode(".jpg", np.asarray(cv2.imread(str(path))))
    assert ok
    return data.tobytes()


def test_watching_at_a_service_gives_what_this_computer_gives(
    client: fewshot.Client, photos: Path, tmp_path: Path
) -> None:
    room = Classroom.open("physics")
    room.enroll_folder(photos, consent_by="their parents")
    film = clip(tmp_path / "lesson.avi")
    here, there = list(room.watch(film)), list(client.watch(film, "physics"))
    assert len(there) == len(here) == 12
    for mine, theirs in zip(here, there, strict=True):
        assert (mine.source, mine.index, mine.time) == (theirs.source, theirs.index, theirs.time)
        assert [reading.student for reading in mine.readings] == [reading.student for reading in theirs.readings]
        assert [reading.emotion for reading in mine.readings] == [reading.emotion for reading in theirs.readings]


def test_a_lost_connection_costs_no_frame(
    client: fewshot.Client, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Classroom.open("physics").enroll_folder(photos, consent_by="their parents")
    data = picture_as_jpeg(draw_photo(tmp_path / "x.png", {ASHA: 100}, HAPPY, 3))
    lesson = client.lesson("physics", title="Fractions")
    number = lesson.number
    for index in range(12):
        sent = lesson.send(data, 1.1 * index)
        if index in (3, 7):
            lesson._socket.socket.shutdown(2)  # as if the cable was pulled
        assert lesson.wait(sent)["faces"][0]["student"] == "asha"
    assert lesson.lost == 2 and lesson.number == number
    lesson.end()
    assert [info.id for info in LessonStore().lessons()] == [number]


def test_a_service_that_never_comes_back_is_named(
    client: fewshot.Client, served: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_lesson, "PATIENCE", 0.3)
    lesson = client.lesson()
    monkeypatch.setattr(client, "connection", lambda: {"uri": "ws://127.0.0.1:9/api/stream", "proxy": None})
    lesson._socket.socket.shutdown(2)
    with pytest.raises(FewshotError, match="does not answer"):
        for index in range(50):
            lesson.wait(lesson.send(b"x", float(index)))


@pytest.mark.parametrize("body", ["{}", "[]", "null", '"x"', "7", '[{"id": "x"}]', '{"students": [1], "id": 1}'])
def test_a_service_that_answers_in_another_form_is_no_fault_of_this_program(body: str, tmp_path: Path) -> None:
    """Another version, or another program at the address."""
    picture = tmp_path / "a.png"
    picture.write_bytes(b"x")
    with answering(body.encode()) as url:
        client = fewshot.Client(url, "fewshot_x")
        asks: list[Callable[[], Any]] = [
            client.me, client.classes, client.lessons, lambda: client.board(1), lambda: client.mark(1, "x"),
            lambda: client.read(picture), lambda: client.roster("physics"), lambda: client.forget("physics", "asha"),
            lambda: client.enroll("physics", "asha", [picture]),
        ]  # fmt: skip
        for ask in asks:
            with suppress(FewshotError):
                ask()
        with pytest.raises(FewshotError, match=r"same version|cannot be read"):
            client.read(picture)


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no file .*own\.pem"):
        fewshot.Client("https://class.example.org", "fewshot_x", tmp_path / "own.pem")


def test_an_address_in_an_error_has_no_mask_where_nothing_is_secret() -> None:
    with pytest.raises(UsageError) as error:
        address_of("ftp://class.example.org")
    assert "*" not in str(error.value) and ":8601" in str(error.value)


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """Something at an address of this computer that answers everything with this."""
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_what_answers_and_is_no_service_is_named() -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = self.path.rpartition("/")[2]
            self.send_response(302 if where == "me" else 200)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = fewshot.Client(f"http://127.0.0.1:{server.server_port}", "fewshot_x")
        for ask in (client.me, client.classes):
            with pytest.raises(FewshotError, match="is not this service"):
                ask()
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(FewshotError, match="does not answer"):
        client.me()


def test_the_commands_at_a_service(
    served: Running, monkeypatch: pytest.MonkeyPatch, photos: Path, tmp_path: Path
) -> None:
    done = fewshot_at(served, monkeypatch, "enroll", "physics", photos, "--consent-by", "their parents")
    assert done.exit_code == 0, done.output
    assert "2 students in class physics of the service 127.0.0.1" in done.output
    assert "service on this computer" in done.output
    film, lines = clip(tmp_path / "lesson.avi"), tmp_path / "out.jsonl"
    done = fewshot_at(served, monkeypatch, "analyze", film, "--class", "physics", "--jsonl", lines, "--title", "Acids")
    assert done.exit_code == 0, done.output
    assert "Lesson 1 was recorded at the service" in done.output
    records = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 12 and records[-1]["source"] == str(film)
    assert [face["student"] for face in records[-1]["faces"]] == ["asha", None]
    assert LessonStore().load(1).info.title == "Acids" and LessonStore().load(1).info.state == "ended"
    picture = draw_photo(tmp_path / "p.png", {ASHA: 100}, HAPPY, 3)
    done = fewshot_at(served, monkeypatch, "analyze", picture, "--class", "physics", "--jsonl", lines)
    assert done.exit_code == 0 and json.loads(lines.read_text())["faces"][0]["student"] == "asha"
    done = fewshot_at(served, monkeypatch, "live", "--source", film, "--class", "physics", "--no-show")
    assert done.exit_code == 0 and "12 frames" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--network", "x.onnx"], "--network"), (["--detector", "yunet"], "--detector"), (["--as", "Anna"], "--as"),
        (["--class", "nowhere"], "no class 'nowhere'"),
    ],
)  # fmt: skip
def test_what_a_service_cannot_do_is_refused(
    served: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], said: str
) -> None:
    done = fewshot_at(served, monkeypatch, "analyze", clip(tmp_path / "a.avi"), *words)
    assert done.exit_code == 2 and said in done.output


def test_without_the_right_or_the_token_nothing_is_sent(
    served: Running, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    film = clip(tmp_path / "a.avi")
    done = fewshot_at(served, monkeypatch, "analyze", film, scopes=["read"])
    assert done.exit_code == 2 and "the right lesson" in done.output, done.output
    monkeypatch.setenv("FEWSHOT_TOKEN", "")
    done = CliRunner().invoke(app, ["analyze", str(film)])
    assert done.exit_code == 2 and "FEWSHOT_TOKEN" in done.output
    monkeypatch.setenv("FEWSHOT_TOKEN", "fewshot_wrong")
    done = CliRunner().invoke(app, ["analyze", str(film)])
    assert done.exit_code == 2 and "does not know this token" in done.output
    monkeypatch.setenv("FEWSHOT_API", "http://class.example.org")
    done = CliRunner().invoke(app, ["analyze", str(film)])
    assert done.exit_code == 2 and "without TLS" in done.output


def test_off_this_computer_the_consent_must_include_the_server(
    served: Running, monkeypatch: pytest.MonkeyPatch, photos: Path, tmp_path: Path
) -> None:
    served.service.place = "class.example.org"
    away = address_of(served.url)
    monkeypatch.setattr(
        "fewshot.client.client.address_of",
        lambda url: type(away)(away.http, away.sockets, "class.example.org", local=False),
    )
    enroll = ("enroll", "physics", photos, "--consent-by", "their parents")
    done = fewshot_at(served, monkeypatch, *enroll)
    assert done.exit_code == 2 and "does not include that" in done.output and "--consent-purpose" in done.output
    assert ClassStore().names() == []
    done = fewshot_at(served, monkeypatch, *enroll, "--consent-purpose", "readings, on the server of the school")
    assert done.exit_code == 0, done.output
    assert "leave this computer: they go to the server class.example.org" in done.output
    film = clip(tmp_path / "a.avi")
    assert fewshot_at(served, monkeypatch, "analyze", film, "--class", "physics").exit_code == 0
    Classroom.open("physics").enroll("cleo", draw_photo(tmp_path / "c.png", {7: 100}, HAPPY, 3), consent_by="a parent")
    done = fewshot_at(served, monkeypatch, "analyze", film, "--class", "physics", "--title", "x")
    assert done.exit_code == 2 and "cleo" in done.output and "leave this computer" not in done.output
    assert LessonStore().lessons() == []
