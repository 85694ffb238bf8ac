"""A shared window: the server asks for every picture, one browser sends, and nothing else is taken."""

from __future__ import annotations

import json
import threading
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("streamlit", reason="needs the extra app")

from starlette.applications import Starlette
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fewshot.api.feed import MOST_BYTES, decoded
from fewshot.app.login.sockets import ENDED
from fewshot.app.sharing.pages import routes
from fewshot.app.sharing.sockets import ELSEWHERE, OVER, STRIKES, UNFIT
from fewshot.app.sharing.window import AHEAD, MOST_OPEN, WINDOWS, SharedWindow, found_again, new_window
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import SourceError
from fewshot.live.sparing import CALL_FPS
from tests.app.test_lesson import until


def picture(value: int = 0, width: int = 64) -> bytes:
    return cv2.imencode(".jpg", np.full((48, width, 3), value, np.uint8))[1].tobytes()


class Clock:
    """Seconds that stand still, or go on by `step` with every look."""

    def __init__(self, step: float = 0.0) -> None:
        self.now, self._step = 100.0, step

    def __call__(self) -> float:
        self.now += self._step
        return self.now


def watched(clock: Clock, **more: Any) -> tuple[SharedWindow, Any]:
    """A window that a lesson watches, with a browser."""
    window = SharedWindow(clock=clock, **more)
    window.taking = True  # as soon as the lesson takes its first frame
    return window, window.connect()


def test_nothing_is_asked_for_before_a_lesson_watches() -> None:
    window = SharedWindow(clock=Clock())
    window.connect()
    assert not window.ask() and not window.answer(picture()) and window.received == 0


def test_pictures_are_asked_for_at_the_pace_and_not_more_than_two_ahead() -> None:
    clock = Clock()
    window, _ = watched(clock)
    asked = 0
    for _step in range(100):
        asked += window.ask()
        clock.now += 1 / CALL_FPS / 10
    assert asked == AHEAD  # none has come
    while window.answer(picture()):
        pass
    asked = 0
    for _step in range(100):
        if window.ask():
            asked += 1
            window.answer(picture())
        clock.now += 1 / CALL_FPS / 10
    assert 9 <= asked <= 11


def test_after_a_pause_the_missed_pictures_are_not_asked_for_at_once() -> None:
    clock = Clock()
    window, _ = watched(clock)
    assert window.ask() and window.answer(picture())
    clock.now += 60
    assert window.ask() and window.answer(picture())
    assert not window.ask()


def test_a_picture_that_never_comes_does_not_stop_the_asking() -> None:
    clock = Clock()
    window, _ = watched(clock)
    while window.ask():
        clock.now += 1
    clock.now += 11
    assert window.ask()


def test_a_window_that_has_not_changed_gives_the_same_picture_again() -> None:
    clock = Clock()
    window, _ = watched(clock)
    taken = iter(window)
    window.ask()
    window.answer(picture(200))
    first = next(taken)
    clock.now += 0.5
    window.ask()
    assert window.answer(b"")
    again = next(taken)
    assert again.frame is first.frame and again.time == pytest.approx(0.5) and again.index == 1


def test_same_before_any_picture_is_none() -> None:
    window, _ = watched(Clock())
    window.ask()
    assert window.answer(b"") and window.received == 0


@pytest.mark.parametrize("bad", [b"no picture", picture()[:50], b"\xff\xd8\xff" + bytes(100)])
def test_a_damaged_picture_is_left_out_with_a_note_and_the_lesson_goes_on(bad: bytes) -> None:
    clock = Clock()
    window, _ = watched(clock)
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(next(iter(window))), daemon=True)
    thread.start()
    for data in (bad, picture(90)):
        assert window.ask() and window.answer(data)
        until(lambda: window._box is None)
        clock.now += 1
    thread.join(5)
    assert len(seen) == 1 and abs(int(seen[0].frame.mean()) - 90) < 3 and seen[0].index == 0
    assert len(window.notes) <= 1 and all("left out" in note for note in window.notes)


def test_what_the_page_says_while_no_picture_comes() -> None:
    clock = Clock()
    window = SharedWindow(clock=clock)
    assert window.away is None
    clock.now += 3
    assert "Choose the window" in str(window.away)
    me = window.connect()
    assert window.away is None and window.connected
    window.taking = True
    window.ask()
    window.answer(picture())
    clock.now += 5
    assert "No picture from the shared window for 5 s" in str(window.away)
    window.disconnect(me)
    clock.now += 4
    assert "away for 4 s" in str(window.away) and not window.connected
    again = window.connect()
    window.stop()
    assert "no longer shared" in str(window.away) and not window.connected and not window.ask()
    window.disconnect(me)  # an old connection that ends late says nothing about the new one
    assert window.is_current(again)


def test_a_window_that_never_comes_ends_the_lesson_with_a_sentence() -> None:
    window = SharedWindow(patience=5.0, clock=Clock(step=1.0))
    with pytest.raises(SourceError, match="Choose the window"):
        next(iter(window))


def test_a_window_that_was_shared_long_before_the_lesson_is_still_waited_for() -> None:
    clock = Clock()
    window = SharedWindow(patience=600.0, clock=clock)
    window.connect()
    clock.now += 3600  # the teacher prepared early
    seen: list[Any] = []
    thread = threading.Thread(target=lambda: seen.append(next(iter(window))), daemon=True)
    thread.start()
    until(lambda: window.taking)
    assert window.ask() and window.answer(picture()) and window.away is None
    thread.join(5)
    assert len(seen) == 1


def test_a_picture_that_comes_while_another_is_decoded_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    window, _ = watched(Clock())
    taken = iter(window)

    def slowly(data: bytes) -> Any:
        if data == old:
            assert window.answer(new)  # meanwhile the window has changed
        return decoded(data)

    monkeypatch.setattr("fewshot.app.sharing.window.decoded", slowly)
    old, new = picture(10), picture(200)
    assert window.ask() and window.answer(old)
    window._asked.append(100.0)
    next(taken)
    assert int(next(taken).frame.mean()) > 150
    window._asked.append(100.0)
    assert window.answer(b"")  # not changed since
    assert int(next(taken).frame.mean()) > 150


def test_over_a_slow_line_one_picture_is_asked_for_at_a_time() -> None:
    clock = Clock()
    window, _ = watched(clock)
    assert window.ask()
    clock.now += 4
    assert window.answer(picture()) and window.ask()
    for _ in range(4):  # the page says why, and does not say that no picture comes until one is really missing
        assert "takes 4 s to come" in str(window.away) and not window.ask()
        clock.now += 1
    clock.now += 4
    assert "No picture from the shared window for 8 s" in str(window.away)
    window.answer(picture())
    window.stop()
    clock.now += 3
    assert "no longer shared" in str(window.away)
    window.connect()
    assert window.away is None and window.ask()
    clock.now += 0.5
    assert window.answer(picture()) and window.ask()  # a quick answer: two again
    clock.now += 0.5
    assert window.ask()


def test_over_a_very_slow_line_late_pictures_are_taken_and_few_are_missing() -> None:
    clock = Clock()
    window, _ = watched(clock)
    missing = most = taken = 0
    for second in range(600):  # each picture takes 15 seconds
        clock.now += 1
        missing += window.ask()
        if second % 15 == 14 and missing:
            assert window.answer(picture())  # never counted as not asked for
            missing, taken = missing - 1, taken + 1
        most = max(most, missing)
    assert taken >= 39 and most <= MOST_OPEN


def test_pictures_that_cannot_be_used_are_said_on_the_page_and_noted_once() -> None:
    window, _ = watched(Clock(), patience=1.0)
    for _ in range(50):
        assert window._pixels(b"\x89PNG\r\n") is None
    assert "left out" in str(window.away) and len(window.notes) == 1
    assert window._pixels(picture()) is not None and window.away is None


def test_a_browser_that_has_a_window_but_no_picture_of_it_is_said() -> None:
    clock = Clock()
    window, _ = watched(clock)
    clock.now += 60
    window.connect()  # what was missed before is not its fault
    assert window.away is None
    for _ in range(4):
        window.ask()
        clock.now += 1
        assert window.answer(None)
    assert "No picture from the shared window for 4 s" in str(window.away)


def test_a_lesson_that_stops_does_not_wait_for_a_picture() -> None:
    window, seen = SharedWindow(), []
    thread = threading.Thread(target=lambda: seen.extend(window), daemon=True)
    thread.start()
    window.interrupt()
    thread.join(5)
    assert not thread.is_alive() and seen == [] and window.lost is None


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=routes(lambda _scope: LOCAL_TEACHER)))


def closed_with(socket: Any) -> int:
    with pytest.raises(WebSocketDisconnect) as closed:
        for _ in range(STRIKES + 10):
            socket.receive_text()
    return int(closed.value.code)


def test_over_a_websocket_pictures_come_only_when_asked_for(client: TestClient) -> None:
    window = new_window(LOCAL_TEACHER)
    taken = iter(window)
    with client.websocket_connect(f"/share/socket?ticket={window.ticket}") as socket:
        window.taking = True
        take = json.loads(socket.receive_text())
        assert take["type"] == "take" and take["width"] >= 1280
        socket.send_bytes(picture(120))
        assert abs(int(next(taken).frame.mean()) - 120) < 3
        assert json.loads(socket.receive_text())["type"] == "take"
        socket.send_text(json.dumps({"type": "stopped"}))
        until(lambda: not window.connected)
        window.close()
        assert closed_with(socket) == OVER


@pytest.mark.parametrize("ticket", ["", "x" * 24, "../../etc"])
def test_a_ticket_that_nobody_gave_opens_nothing(client: TestClient, ticket: str) -> None:
    with client.websocket_connect("/share/socket", params={"ticket": ticket}) as socket:
        assert closed_with(socket) == OVER


def test_the_window_of_an_ended_lesson_opens_nothing(client: TestClient) -> None:
    window = new_window(LOCAL_TEACHER)
    window.close()
    with client.websocket_connect(f"/share/socket?ticket={window.ticket}") as socket:
        assert closed_with(socket) == OVER


@pytest.mark.parametrize("who", [None, Owner("b" * 8, "Bert")])
def test_another_teacher_cannot_send_pictures_even_with_the_ticket(who: Owner | None) -> None:
    window = new_window(Owner("a" * 8, "Anna"))
    client = TestClient(Starlette(routes=routes(lambda _scope: who)))
    with client.websocket_connect(f"/share/socket?ticket={window.ticket}") as socket:
        assert closed_with(socket) == OVER
    assert not window.connected


def test_another_tab_takes_the_place_of_the_first(client: TestClient) -> None:
    window = new_window(LOCAL_TEACHER)
    address = f"/share/socket?ticket={window.ticket}"
    with client.websocket_connect(address) as first:
        until(lambda: window.connected)  # each WebSocket has a loop of its own here, and the later one must be later
        with client.websocket_connect(address) as second:
            assert closed_with(first) == ELSEWHERE and window.connected
            window.taking = True
            assert json.loads(second.receive_text())["type"] == "take"
            window.close()
            assert closed_with(second) == OVER


@pytest.mark.parametrize(
    "message",
    ["", "{", "[]", "1", '{"type": "take"}', '{"type": ["same"]}', "[" * 150, "x" * 5000, b"", picture()],
    ids=["empty", "half", "list", "number", "take", "odd type", "deep", "long", "no bytes", "a picture"],
)
def test_what_was_not_asked_for_is_not_taken_and_ends_the_connection(client: TestClient, message: str | bytes) -> None:
    window = new_window(LOCAL_TEACHER)  # no lesson watches yet, so nothing was asked for
    with client.websocket_connect(f"/share/socket?ticket={window.ticket}") as socket:
        for _ in range(STRIKES):
            socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message)
        assert closed_with(socket) == UNFIT
    assert window.received == 0


@pytest.mark.parametrize("message", [bytes(MOST_BYTES + 1), "x" * (MOST_BYTES + 1)], ids=["bytes", "text"])
def test_one_huge_message_ends_the_connection(client: TestClient, message: str | bytes) -> None:
    window = new_window(LOCAL_TEACHER)
    with client.websocket_connect(f"/share/socket?ticket={window.ticket}") as socket:
        socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message)
        assert closed_with(socket) == UNFIT


def test_a_connection_does_not_keep_a_window_that_no_page_needs(client: TestClient) -> None:
    page = [new_window(LOCAL_TEACHER)]
    with client.websocket_connect(f"/share/socket?ticket={page[0].ticket}") as socket:
        until(lambda: page[0].connected)
        page.clear()  # it was closed before the lesson began
        assert closed_with(socket) == OVER


def test_no_code_is_the_one_with_which_the_login_closes() -> None:
    assert ENDED not in (OVER, ELSEWHERE, UNFIT)


def test_a_page_that_is_loaded_again_finds_its_window_until_a_lesson_takes_it() -> None:
    anna, bert = Owner("a" * 8, "Anna"), Owner("b" * 8, "Bert")
    window, other = new_window(anna), new_window(anna)
    assert found_again(window.token, anna) is window and found_again(other.token, anna) is other
    assert found_again(window.token, bert) is None and found_again("", anna) is None
    assert window.token not in window.ticket  # it is in the address
    window.taking = True
    other.close()
    assert found_again(window.token, anna) is None and found_again(other.token, anna) is None


def test_tickets_are_forgotten_with_their_windows() -> None:
    window = new_window(LOCAL_TEACHER)
    ticket = window.ticket
    assert len(ticket) >= 24 and WINDOWS[ticket] is window
    del window
    assert ticket not in WINDOWS


def test_the_page_and_its_scripts_are_served(client: TestClient) -> None:
    page = client.get("/share/")
    assert page.status_code == 200 and "Choose the window" in page.text
    for name in ("share.js", "share_worker.js", "share_page.js", "share.css"):
        found = client.get(f"/share/{name}")
        assert found.status_code == 200 and found.headers["cache-control"] == "no-cache", name
    assert client.get("/share/board.js").status_code == 404
