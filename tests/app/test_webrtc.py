"""The browser's camera: one frame at most waits, however slow the consumer is. No browser and no network here."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from itertools import count

import numpy as np
import pytest

pytest.importorskip("streamlit_webrtc", reason="needs the extra app")

import av
from aiortc import MediaStreamTrack
from aiortc.contrib.media import MediaRelay
from aiortc.mediastreams import MediaStreamError
from streamlit_webrtc import VideoSinkTrack

from fewshot.app.streamer import sink_of
from fewshot.app.webrtc import ADVICE, BrowserCamera, advice_for, rtc_configuration
from fewshot.errors import SourceError


def picture(value: int = 0) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((48, 64, 3), value, np.uint8), format="bgr24")


class Frames(MediaStreamTrack):
    """A track that gives frames as fast as it is asked, and remembers which are still alive."""

    kind = "video"

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count
        self.alive: weakref.WeakSet[object] = weakref.WeakSet()
        self.most = 0

    async def recv(self) -> av.VideoFrame:
        if self.left == 0:
            raise MediaStreamError
        await asyncio.sleep(0)
        self.left -= 1
        frame = Counted(picture(self.left % 256))
        self.alive.add(frame)
        self.most = max(self.most, len(self.alive))
        return frame  # type: ignore[return-value]


class Counted:
    """A frame that can be referred to weakly."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self.frame = frame

    def to_ndarray(self, format: str) -> np.ndarray:
        return self.frame.to_ndarray(format=format)


async def through_webrtc(track: Frames, box: BrowserCamera) -> None:
    """As streamlit-webrtc does it: a relay, and a sink that calls back on the loop."""
    await through(track, sink_of(box, "connection"))


async def through(track: Frames, sink: VideoSinkTrack) -> None:
    sink.addTrack(MediaRelay().subscribe(track))
    sink.start()
    while sink.readyState != "ended":
        await asyncio.sleep(0)


def test_memory_stays_flat_while_nobody_takes_frames_out() -> None:
    box, track = BrowserCamera(), Frames(3000)
    asyncio.run(through_webrtc(track, box))
    gc.collect()
    assert box.received == 3000 and box.dropped == 2999
    assert track.most < 20 and len(track.alive) <= 2


def test_a_slow_consumer_gets_the_newest_frame_each_time() -> None:
    box = BrowserCamera()
    taken = iter(box)
    values = []
    for first in (0, 10, 20):
        for value in range(first, first + 10):
            box.push(picture(value))
        values.append(int(next(taken).frame[0, 0, 0]))
    assert values == pytest.approx([9, 19, 29], abs=2)  # the colours go through yuv
    assert box.dropped == 27


def test_a_connection_has_one_end_however_often_the_page_is_drawn_and_keeps_out_of_the_sessions_state() -> None:
    box = BrowserCamera()
    first = sink_of(box, "first visit")
    assert sink_of(box, "first visit") is first and isinstance(first, VideoSinkTrack)
    second = sink_of(box, "second visit")
    assert second is not first and sink_of(box, "second visit") is second
    first.stop()  # as streamlit-webrtc does when the page was left
    asyncio.run(through(Frames(3), second))
    assert box.received == 3


def test_shots_are_counted_and_their_times_grow() -> None:
    now = [5.0]
    box = BrowserCamera(clock=lambda: now[0])
    taken = iter(box)
    seen = []
    for step in (0.0, 0.0, 0.5):
        now[0] += step
        box.push(picture())
        seen.append(next(taken))
    assert [captured.index for captured in seen] == [0, 1, 2]
    assert seen[0].time == 0 and 0 < seen[1].time < 0.1 and seen[2].time == pytest.approx(0.5)
    assert seen[0].frame.shape == (48, 64, 3)


def test_closing_ends_a_consumer_that_waits() -> None:
    box, seen = BrowserCamera(), []
    thread = threading.Thread(target=lambda: seen.extend(box))
    thread.start()
    box.close()
    thread.join(5)
    assert not thread.is_alive() and seen == [] and box.lost is None


def test_a_camera_that_never_comes_is_an_error_that_says_what_to_do() -> None:
    times = count(0.0, 0.3)
    box = BrowserCamera(patience=1.0, clock=lambda: next(times))
    with pytest.raises(SourceError, match="click Allow"):
        next(iter(box))


def test_a_camera_that_stays_away_ends_the_source_with_a_sentence() -> None:
    now = [0.0]
    box = BrowserCamera(patience=1.0, clock=lambda: now[0])
    taken = iter(box)
    box.push(picture())
    next(taken)
    now[0] = 3.0
    assert list(taken) == [] and "no more pictures" in str(box.lost)


def test_away_says_whether_it_waits_for_the_first_picture_or_for_the_next() -> None:
    now = [0.0]
    box = BrowserCamera(clock=lambda: now[0])
    assert box.away is None
    now[0] = 5.0
    assert "Click Allow" in str(box.away)
    box.push(picture())
    assert box.away is None
    now[0] = 12.0
    assert "7 s" in str(box.away)


def test_one_tab_sends_and_another_takes_over_when_it_is_gone() -> None:
    now = [0.0]
    box = BrowserCamera(clock=lambda: now[0])
    assert box.may_send("first") and not box.may_send("second")
    box.push(picture())
    assert not box.may_send("second")
    now[0] = 5.0
    assert box.may_send("second") and not box.may_send("first")
    box.push(picture())
    assert not box.may_send("first")


def test_a_tab_that_was_closed_before_its_first_picture_does_not_hold_the_camera_for_ever() -> None:
    now = [0.0]
    box = BrowserCamera(clock=lambda: now[0])
    assert box.may_send("closed") and not box.may_send("second")
    now[0] = 25.0
    assert box.may_send("second")


@pytest.mark.parametrize(
    ("error", "what"),
    [
        ("", "nothing"),
        ("NotAllowedError: Permission denied", "refused"),
        ("NotFoundError: Requested device not found", "none"),
        ("NotReadableError: Could not start video source", "busy"),
        ("AbortError: Starting videoinput failed", "busy"),
        ("insecure: mediaDevices undefined", "https"),
        ("ICE connection failed", "ice"),
    ],
)
def test_every_error_has_a_sentence(error: str, what: str) -> None:
    assert advice_for(error) == ADVICE[what]


@pytest.mark.parametrize(
    ("servers", "name", "expected"),
    [
        ("", "", {"iceServers": []}),
        (" \n ", "x", {"iceServers": []}),
        ("stun:a:1\nturn:b:2", "", {"iceServers": [{"urls": ["stun:a:1", "turn:b:2"]}]}),
        ("turn:b:2", "me", {"iceServers": [{"urls": ["turn:b:2"], "username": "me", "credential": "secret"}]}),
    ],
)
def test_servers_from_the_settings(servers: str, name: str, expected: object) -> None:
    assert rtc_configuration(servers, name, "secret") == expected


@pytest.mark.parametrize("pictures", [0, 1])
def test_a_tab_that_was_loaded_anew_has_its_camera_back_soon(pictures: int) -> None:
    now = [0.0]
    box = BrowserCamera(clock=lambda: now[0])
    for _ in range(3):
        assert box.may_send("before the reload")
        now[0] += 0.7
    for _ in range(pictures):
        box.push(picture())
    while not box.may_send("after the reload"):
        now[0] += 0.7
    assert now[0] < 5.0


@pytest.mark.parametrize("pictures", [0, 1])
def test_a_tab_that_is_open_keeps_the_camera_while_its_plug_is_pulled(pictures: int) -> None:
    now = [0.0]
    box = BrowserCamera(clock=lambda: now[0])
    assert box.may_send("teacher")
    for _ in range(pictures):
        box.push(picture())
    for _ in range(20):
        now[0] += 0.7
        assert box.may_send("teacher") and not box.may_send("a colleague who watches")


def test_a_lost_connection_is_made_anew_and_each_attempt_gets_more_time() -> None:
    now = [0.0]
    box = BrowserCamera(clock=lambda: now[0])
    assert box.may_send("teacher")
    now[0] = 100.0
    assert not box.connect_anew()  # no picture yet: the browser still asks
    box.push(picture())
    now[0] += 2.0
    assert not box.connect_anew()
    tried = []
    for _ in range(100):
        now[0] += 0.5
        if box.connect_anew():
            tried.append(now[0])
    apart = np.diff(tried)
    assert tried[0] <= 104.0 and len(tried) >= 4 and (np.diff(apart) >= 0).all() and apart[0] < apart[-1]
    box.push(picture())
    assert not box.connect_anew()
    now[0] += 4.1
    assert box.connect_anew()  # after a picture all begins again


def test_a_connection_that_was_replaced_no_longer_sends() -> None:
    box = BrowserCamera()
    old = sink_of(box, "one")
    new = sink_of(box, "two")
    old._callback(picture())
    assert box.received == 0
    new._callback(picture())
    assert box.received == 1
