"""A lesson over the WebSocket: frames in, moments out, and what happens when somebody does not keep to the rules."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.api.served import HAPPY, NEUTRAL, Api, Running  # isort: skip

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fewshot.accounts.accounts import Accounts
from fewshot.accounts.tokens import Tokens
from fewshot.api import feed, lesson, stream
from fewshot.classroom.consent import make_consent
from fewshot.classroom.owners import Owners
from fewshot.classroom.store import ClassStore
from fewshot.database.owner import LOCAL_TEACHER
from fewshot.live.sinks.jsonl import VERSION
from fewshot.room import Classroom
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings

ASHA = 1


class Talk:
    """A client that keeps to the protocol, or does not."""

    def __init__(self, url: str, token: str | None, **more: Any) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        address = url.replace("http://", "ws://") + "/stream" + more.pop("query", "")
        self._open = ExitStack()
        opened = connect(address, additional_headers=headers, max_size=2**24, **more)
        self.socket: ClientConnection = self._open.enter_context(opened)
        self.ready: dict[str, Any] = {}

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def hear(self) -> dict[str, Any]:
        found = json.loads(self.socket.recv(timeout=20))
        assert isinstance(found, dict)
        return found

    def until(self, kind: str) -> dict[str, Any]:
        """The next message of a kind; "moment" is a record."""
        while True:
            message = self.hear()
            if message.get("type", "moment") == kind:
                return message
            assert message.get("type") not in ("error", "ended"), message

    def start(self, **asked: Any) -> Talk:
        self.say(**{"type": "start", **asked})
        self.ready = self.until("ready")
        return self

    def close(self) -> None:
        self._open.close()

    def closed(self) -> int:
        """The code with which the server closed, after any messages."""
        try:
            while True:
                self.socket.recv(timeout=20)
        except ConnectionClosed as error:
            return error.rcvd.code if error.rcvd else 0


@pytest.fixture
def physics(drawn: None, photo: Callable[..., bytes], tmp_path: Path) -> None:
    """A class with Asha."""
    for place, emotion in ((tmp_path / "1.png", HAPPY), (tmp_path / "2.png", NEUTRAL)):
        place.write_bytes(photo({ASHA: 100}, emotion, emotion))
    room = Classroom.open("physics")
    room.enroll("asha", tmp_path / "1.png", emotion="happy", consent_by="her mother")
    room.enroll("asha", tmp_path / "2.png", emotion="neutral")


@pytest.fixture
def talk(served: Running) -> Iterator[Callable[..., Talk]]:
    made: list[Talk] = []

    def open_talk(api: Api | None = None, **more: Any) -> Talk:
        token = (api or served.caller("lesson")).token
        made.append(Talk(served.url, token, **more))
        return made[-1]

    yield open_talk
    for each in made:
        each.close()


@pytest.fixture
def frame(photo: Callable[..., bytes]) -> bytes:
    return photo({ASHA: 100, 5: 90}, HAPPY, 3, suffix=".jpg")


def test_frames_become_moments_in_the_shape_of_the_json_lines(
    physics: None, talk: Callable[..., Talk], photo: Callable[..., bytes], frame: bytes
) -> None:
    found = talk().start(class_name="Physics", title="Fractions", source="camera of room 3")
    assert found.ready["take"] == lesson.ROOM and found.ready["students"] == ["asha"]
    webp = photo({ASHA: 100, 5: 90}, HAPPY, 3, suffix=".webp")
    for data in (frame, webp, frame):
        found.socket.send(data)
    moments = [found.until("moment") for _ in range(3)]
    assert [moment["frame"] for moment in moments] == [0, 1, 2]
    assert all(moment["version"] == VERSION and moment["source"] == "camera of room 3" for moment in moments)
    assert [face["student"] for face in moments[-1]["faces"]] == ["asha", None]
    assert moments[0]["time"] < moments[1]["time"] < moments[2]["time"]
    found.say(type="mark", text="a question")
    assert found.until("marked")["id"]
    found.say(type="end")
    ended = found.until("ended")
    assert ended == {"type": "ended", "lesson": found.ready["lesson"], "frames": 3, "skipped": 0}
    assert found.closed() == 1000
    kept = LessonStore().load(ended["lesson"])
    assert kept.info.state == "ended" and kept.info.title == "Fractions" and kept.students == ["asha"]
    assert [marker.text for marker in kept.markers] == ["a question"] and len(kept.readings)


def test_the_server_says_how_many_frames_it_takes_and_takes_no_more(
    physics: None, talk: Callable[..., Talk], frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    whole = lesson.ServedLesson.saw
    monkeypatch.setattr(lesson, "LATE", 0.0)
    monkeypatch.setattr(lesson, "SOON", 0.0)
    monkeypatch.setattr(lesson.ServedLesson, "saw", lambda self, result: (gate.wait(20), whole(self, result)))
    found = talk().start(class_name="physics", record=False)
    assert found.ready["lesson"] is None and found.ready["ticket"] is None
    room = found.ready["take"]
    for _ in range(room + 4):
        found.socket.send(frame)
    for _ in range(4):
        assert "no room" in found.until("skipped")["why"]
    gate.set()
    more = []
    for _ in range(room):
        assert found.until("moment")
        more.append(found.until("take")["frames"])
    assert more == [0] * (room - 1) + [1], "moments came late, so it takes one frame at a time"
    found.say(type="end")
    ended = found.until("ended")
    assert (ended["frames"], ended["skipped"]) == (room, 4)
    assert LessonStore().lessons() == []


def test_a_lesson_that_was_late_takes_as_many_frames_as_before_once_it_is_quick(
    physics: None, talk: Callable[..., Talk], frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lesson, "LATE", 0.0)
    found = talk().start(class_name="physics", record=False)
    more = []
    for late, soon in ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (99.0, 98.0), (99.0, 98.0), (99.0, 98.0)):
        monkeypatch.setattr(lesson, "LATE", late)
        monkeypatch.setattr(lesson, "SOON", soon)
        found.socket.send(frame)
        more.append(found.until("take")["frames"])
    assert more == [0, 0, 1, 2, 2, 1]


def test_times_that_the_client_gives_are_kept(physics: None, talk: Callable[..., Talk], frame: bytes) -> None:
    found = talk().start(class_name="physics", record=False)
    for seconds in (0.0, 0.5, 12.25):
        found.say(type="frame", time=seconds)
        found.socket.send(frame)
        assert found.until("moment")["time"] == seconds
    found.say(type="frame", time=3.0)
    found.socket.send(frame)
    assert "Send later times" in found.until("skipped")["why"]
    assert found.until("take")["frames"] == 1  # its place is free again
    found.socket.send(frame)
    assert found.until("moment")["time"] > 12.25


def test_a_lesson_without_a_class_names_nobody(served: Running, talk: Callable[..., Talk], frame: bytes) -> None:
    found = talk().start(title="x")
    found.socket.send(frame)
    assert [face["student"] for face in found.until("moment")["faces"]] == [None, None]
    found.say(type="end")
    assert found.until("ended")["lesson"] == LessonStore().lessons()[0].id


def test_a_lesson_of_counts_tells_no_single_person(physics: None, talk: Callable[..., Talk], frame: bytes) -> None:
    Settings().aggregate_only = True
    found = talk().start(class_name="physics", aggregate=False)
    assert found.ready["aggregate"] and found.ready["students"] == []
    found.socket.send(frame)
    counts = found.until("counts")
    assert counts["counts"] is None and "asha" not in json.dumps(counts)  # two people are too few
    found.say(type="end")
    assert LessonStore().load(found.until("ended")["lesson"]).students == []


def test_a_correction_teaches_the_face_that_is_in_view(
    physics: None, talk: Callable[..., Talk], frame: bytes, served: Running
) -> None:
    found = talk().start(class_name="physics")
    found.say(type="correct", student="asha", actually="confused")
    refused = found.hear()
    assert refused["type"] == "error" and not refused["fatal"] and "asha has no reading" in refused["detail"]
    found.socket.send(frame)
    found.until("take")
    found.say(type="correct", student="asha", actually="confused")
    number = found.until("corrected")["id"]
    api = served.caller()
    (kept,) = api.get("/classes/1/corrections")
    assert (kept["id"], kept["student"], kept["actually"]) == (number, "asha", "confused")
    assert api.ok("POST", f"/lessons/{found.ready['lesson']}/corrections", json={"student": "asha", "actually": "sad"})
    assert api("DELETE", f"/classes/1/corrections/{number}").status_code == 204
    api.problem("DELETE", "/classes/1/corrections/999", 404)


def test_the_board_of_a_lesson_is_read_from_the_store(
    physics: None, talk: Callable[..., Talk], frame: bytes, served: Running
) -> None:
    found = talk().start(class_name="physics")
    number = found.ready["lesson"]
    for seconds in (0.0, 1.2, 2.4):
        found.say(type="frame", time=seconds)
        found.socket.send(frame)
        found.until("take")
    api, until = served.caller("read"), time.monotonic() + 15
    while not api.get(f"/lessons/{number}/board")["tiles"] and time.monotonic() < until:
        time.sleep(0.1)
    board = api.get(f"/lessons/{number}/board")
    assert board["state"] == "running" and board["counts"] is None
    assert [(tile["student"], tile["state"]) for tile in board["tiles"]] == [("asha", "happy")]


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\xff\xd8\xff", b"GIF89a" + b"\0" * 50, b"\x89PNG\r\n\x1a\n" + b"\0" * 50]
)
def test_what_is_no_frame_is_skipped_and_the_lesson_goes_on(
    physics: None, talk: Callable[..., Talk], frame: bytes, data: bytes
) -> None:
    found = talk().start(class_name="physics", record=False)
    for _ in range(found.ready["take"] + 2):
        found.socket.send(data)
        assert found.until("skipped")["frames"] == 1
        assert found.until("take")["frames"] == 1
    found.socket.send(frame)
    assert found.until("moment")["frame"] == 0


def test_a_frame_whose_header_says_it_is_enormous_is_not_decoded(
    physics: None, talk: Callable[..., Talk], frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    place = frame.index(b"\xff\xc0")
    bomb = frame[: place + 5] + b"\xff\xdc\xff\xdc" + frame[place + 9 :]
    found = talk().start(class_name="physics", record=False)
    found.socket.send(bomb)
    assert found.until("skipped")["why"]
    found.socket.send(b"\xff\xd8" + b"\0" * (feed.MOST_BYTES + 1))
    assert "Send at most" in found.until("skipped")["why"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "1", '{"type": "other"}', '{"type": "start"}', '{"type": "frame"}', "[" * 3000,
     '{"type": "frame", "time": -1}', '{"type": "frame", "time": 1e400}', '{"type": "frame", "time": "NaN"}',
     '{"type": "mark", "text": 3}', '{"type": "mark", "text": "\\ud800"}', '{"type": "correct", "student": "asha"}',
     '{"type": "end", "more": 1}'],
)  # fmt: skip
def test_a_message_that_does_not_fit_is_answered_and_the_lesson_goes_on(
    physics: None, talk: Callable[..., Talk], frame: bytes, text: str
) -> None:
    found = talk().start(class_name="physics", record=False)
    found.socket.send(text)
    said = found.hear()
    assert said["type"] == "error" and not said["fatal"] and said["status"] == 422, said
    found.socket.send(frame)
    assert found.until("moment")


def test_whoever_sends_nothing_that_fits_is_closed(physics: None, talk: Callable[..., Talk]) -> None:
    found = talk().start(class_name="physics")
    for _ in range(stream.STRIKES):
        try:
            found.socket.send("nonsense")
        except ConnectionClosed:
            break
    assert found.closed() == 1008


@pytest.mark.parametrize(
    "first",
    ['{"type": "start", "class_name": "nowhere"}', '{"type": "start", "class_id": 99}', "x", '{"type": "end"}',
     '{"type": "start", "class_id": 1, "class_name": "physics"}', '{"type": "start", "class_name": "../x"}',
     '{"type": "resume", "lesson": 1, "ticket": "wrong"}', '{"type": "start", "class_id": -1}', b"\xff\xd8\xff"],
)  # fmt: skip
def test_what_cannot_begin_leaves_no_lesson(
    physics: None, talk: Callable[..., Talk], served: Running, first: str | bytes
) -> None:
    found = talk()
    found.socket.send(first)
    said = found.hear()
    assert said["type"] == "error" and said["fatal"] and said["detail"]
    assert found.closed() == 1008
    assert LessonStore().lessons() == [] and served.service.lessons == {}


def test_without_the_right_or_a_token_nothing_begins(served: Running, physics: None) -> None:
    for token in (None, "fewshot_wrong"):
        with pytest.raises(InvalidStatus) as refused:
            Talk(served.url, token)
        answer = refused.value.response
        assert answer.status_code == 401 and answer.headers["content-type"] == "application/problem+json"
        assert json.loads(answer.body or b"")["detail"].startswith("Send a token")
    found = Talk(served.url, served.caller("read", "analyze", "enroll").token)
    assert "lesson" in found.hear()["detail"] and found.closed() == 1008


def test_a_ticket_opens_one_websocket(served: Running, physics: None, frame: bytes) -> None:
    api = served.caller("lesson")
    ticket = api.ok("POST", "/tickets")["ticket"]
    found = Talk(served.url, None, query=f"?ticket={ticket}").start(class_name="physics", record=False)
    found.socket.send(frame)
    assert found.until("moment")
    found.close()
    for wrong in (ticket, "", "x", "é", "a" * 5000):
        with pytest.raises(InvalidStatus):
            Talk(served.url, None, query=f"?ticket={wrong}")
    last = api.ok("POST", "/tickets")["ticket"]
    Tokens().remove(1)
    with pytest.raises(InvalidStatus):
        Talk(served.url, None, query=f"?ticket={last}")


def test_a_client_that_lost_its_connection_goes_on_with_its_ticket(
    physics: None, talk: Callable[..., Talk], frame: bytes
) -> None:
    api_talk = talk()
    first = api_talk.start(class_name="physics", title="Fractions")
    for seconds in (0.0, 1.2, 2.4):
        first.say(type="frame", time=seconds)
        first.socket.send(frame)
        first.until("take")
    number, ticket = first.ready["lesson"], first.ready["ticket"]
    for _ in range(100):  # a recorder writes twice a second
        if len(LessonStore().load(number).frames_per_second) >= 2:
            break
        time.sleep(0.1)
    first.socket.socket.close()  # as if the cable was pulled
    again = talk()
    again.say(type="resume", lesson=number, ticket=ticket)
    again.ready = again.until("ready")
    assert again.ready["lesson"] == number
    again.socket.send(frame)
    again.until("take")
    again.say(type="end")
    again.until("ended")
    kept = LessonStore().load(number)
    assert kept.info.state == "ended" and list(kept.frames_per_second) == [
        1,
        1,
        1,
    ]  # the unfinished third second was replaced


def test_a_connection_whose_lesson_goes_on_elsewhere_is_told_so(
    physics: None, talk: Callable[..., Talk], frame: bytes
) -> None:
    """ "Try again later" would make its client take the lesson back, and so on."""
    first = talk().start(class_name="physics")
    second = talk()
    second.say(type="resume", lesson=first.ready["lesson"], ticket=first.ready["ticket"])
    second.ready = second.until("ready")
    told: dict[str, Any] = {}
    for _ in range(200):  # it is noticed with the first frame after something could not be written
        with suppress(ConnectionClosed):
            first.socket.send(frame)
        told = first.hear()
        if told.get("type") == "error":
            break
        time.sleep(0.1)
    assert told["status"] == 409 and told["fatal"] and "Another connection" in told["detail"]
    assert first.closed() == 1008
    second.socket.send(frame)
    second.until("take")
    second.say(type="end")
    second.until("ended")


def test_a_lesson_of_another_class_or_teacher_cannot_be_resumed(
    served: Running, physics: None, talk: Callable[..., Talk]
) -> None:
    recorder = LessonRecorder.start("physics", ["asha"])
    ClassStore().create("art")
    strangers = [served.caller(classes=["art"]), served.caller(owner=Owners().add("Bert"))]
    for api in strangers:
        found = talk(api)
        found.say(type="resume", lesson=recorder.lesson, ticket=recorder.ticket)
        assert found.hear()["status"] == 404
        found = talk(api)
        found.say(type="start", class_name="physics")
        assert found.hear()["status"] == 404
        found = talk(api)
        found.say(type="start", class_id=1)
        assert found.hear()["status"] == 404
    found = talk(strangers[0])
    found.say(type="start")
    assert found.hear()["status"] == 403
    recorder.close()  # it still could write


def test_a_client_that_does_not_come_back_ends_its_lesson(
    physics: None, talk: Callable[..., Talk], frame: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "GRACE", 0.2)
    found = talk().start(class_name="physics")
    found.socket.send(frame)
    found.until("take")
    found.close()
    until = time.monotonic() + 15
    while LessonStore().info(found.ready["lesson"]).state != "ended" and time.monotonic() < until:
        time.sleep(0.1)
    assert LessonStore().info(found.ready["lesson"]).state == "ended"


def test_a_service_that_stops_hands_its_lessons_over(
    served: Running, physics: None, talk: Callable[..., Talk], frame: bytes
) -> None:
    found = talk().start(class_name="physics")
    found.socket.send(frame)
    found.until("take")
    served.service.drain()
    assert "resume" in found.until("moving")["why"]
    assert found.closed() == 1012
    late = talk()
    late.say(type="start", class_name="physics")
    assert late.hear()["status"] == 503
    with LessonRecorder.resume(found.ready["lesson"], found.ready["ticket"]) as recorder:
        assert recorder.position > 0


def test_a_token_that_is_removed_ends_its_lesson(
    physics: None, talk: Callable[..., Talk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHECKED", 0.2)
    found = talk().start(class_name="physics")
    Tokens().remove(1)
    assert found.hear()["status"] == 401
    assert found.closed() == 1008


@pytest.mark.parametrize("how", ["deleted", "given"])
def test_a_class_that_is_deleted_or_given_to_another_teacher_ends_its_lesson(
    physics: None, talk: Callable[..., Talk], frame: bytes, how: str
) -> None:
    found = talk().start(class_name="physics")
    found.socket.send(frame)
    found.until("take")
    bert = Owners().add("Bert")
    ClassStore().delete("physics") if how == "deleted" else Accounts().give(LOCAL_TEACHER, bert)
    until = time.monotonic() + 15
    try:
        while time.monotonic() < until:
            found.socket.send(frame)
            if found.hear().get("fatal"):
                break
            time.sleep(0.05)
    except ConnectionClosed:
        pass
    assert found.closed() in (1008, 1000)
    if how == "given":
        assert LessonStore(owner=bert).lessons()[0].state == "ended"


def test_too_many_lessons_wait(served: Running, physics: None, talk: Callable[..., Talk]) -> None:
    served.service.most_lessons = 1
    talk().start(class_name="physics")
    second = talk()
    second.say(type="start", class_name="physics")
    said = second.hear()
    assert said["status"] == 503 and "1 lessons run" in said["detail"]


def test_two_lessons_get_their_own_moments(
    physics: None, talk: Callable[..., Talk], frame: bytes, photo: Callable[..., bytes]
) -> None:
    other = photo({5: 100}, NEUTRAL, 9, suffix=".jpg")
    one, two = talk().start(class_name="physics", source="one"), talk().start(class_name="physics", source="two")
    for _ in range(5):
        one.socket.send(frame)
        two.socket.send(other)
        first, second = one.until("moment"), two.until("moment")
        assert (first["source"], len(first["faces"])) == ("one", 2)
        assert (second["source"], len(second["faces"])) == ("two", 1)


def test_consents_that_do_not_include_the_server_are_named_before_anything_is_recorded(
    served: Running, physics: None, talk: Callable[..., Talk]
) -> None:
    served.service.place = "class.example.org"
    found = talk()
    found.say(type="start", class_name="physics")
    said = found.hear()
    assert "asha" in said["detail"] and "class.example.org" in said["detail"]
    assert LessonStore().lessons() == []
    ClassStore().record_consent("physics", "asha", make_consent("her mother"))
