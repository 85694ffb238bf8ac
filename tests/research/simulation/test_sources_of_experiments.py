"""The sources, sinks and writers that only experiments use."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from fewshot.live.sources import CapturedFrame, FrameSource, open_source
from fewshot.research.bench.live_run import Stamped
from fewshot.research.bench.soaking import Endless
from fewshot.research.simulation.dataset_writer import H264Video
from fewshot.research.simulation.faulty_sources import Cable, Scripted, Slow, named
from fewshot.types import Frame, FrameResult, Reading


def frames(count: int) -> list[Frame]:
    return [np.full((8, 8, 3), k, np.uint8) for k in range(count)]


def test_an_endless_source_goes_on_in_number_and_time() -> None:
    opened = []

    def reopen() -> FrameSource:
        opened.append(FrameSource(frames(3), fps=10))
        return opened[-1]

    source = Endless(reopen)
    taken = list(islice(source, 8))
    assert [captured.index for captured in taken] == list(range(8))
    assert [round(captured.time, 6) for captured in taken] == [k / 10 for k in range(8)]
    assert [int(captured.frame[0, 0, 0]) for captured in taken] == [0, 1, 2, 0, 1, 2, 0, 1]
    assert source.rounds == len(opened) == 3
    source.close()


def test_an_endless_source_of_nothing_ends_and_says_why() -> None:
    source = Endless(lambda: FrameSource([], fps=10))
    assert list(source) == []
    assert source.lost is not None
    assert "round 1" in source.lost


@pytest.mark.parametrize(("most", "expected"), [(None, 5), (0, 0), (3, 3), (9, 5)])
def test_a_stamped_source_gives_the_same_frames_and_their_times(most: int | None, expected: int) -> None:
    stamped = Stamped(FrameSource(frames(5), fps=10), most)
    taken: list[CapturedFrame] = list(stamped)
    assert [captured.index for captured in taken] == list(range(expected)) == list(stamped.handed)
    assert all(later >= earlier for earlier, later in pairwise(stamped.handed.values()))
    assert len(stamped.waited) == expected
    assert (stamped.live, stamped.fps, stamped.dropped, stamped.lost) == (False, 10, 0, None)
    assert stamped.frames == expected


def test_h264_can_be_read_back(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV is not installed")
    path = tmp_path / "grey.mp4"
    video = H264Video(path, 12.5, (64, 48))
    for level in (40, 80, 120, 160):
        video.write(np.full((48, 64, 3), level, np.uint8))
    video.release()
    video.release()
    capture = cv2.VideoCapture(str(path))
    code = int(capture.get(cv2.CAP_PROP_FOURCC))
    capture.release()
    assert code.to_bytes(4, "little").lower() in (b"avc1", b"h264")
    source = open_source(path)
    taken = list(source)
    source.close()
    assert [round(float(captured.frame.mean()) / 40) for captured in taken] == [1, 2, 3, 4]
    assert taken[-1].time == pytest.approx(3 / 12.5, abs=0.01)


@pytest.mark.parametrize("throws", [False, True])
def test_a_cable_is_pulled_and_comes_back(throws: bool) -> None:
    cable = Cable(lambda: frames(1)[0], pulled_after=2, tries=1, throws=throws, fps=1e6)
    camera = cable.open(0)
    assert camera.isOpened()
    assert all(camera.read()[0] for _ in range(2))
    if throws:
        with pytest.raises(cv2.error):
            camera.read()
    else:
        assert camera.read() == (False, None)
    camera.release()
    assert not cable.open(0).isOpened()
    back = cable.open(0)
    assert back.isOpened()
    assert back.read()[0]
    back.release()
    assert cable.released == 2


def test_a_script_is_played_and_fails_at_its_end() -> None:
    assert list(Scripted([])) == []
    script = Scripted([(5.0, frames(1)[0]), (-1.0, frames(1)[0])], fails=OSError("gone"))
    seen = []
    with pytest.raises(OSError, match="gone"):
        seen += [captured.time for captured in script]
    script.close()
    assert (script.closed, script.name) == (1, "scripted")


def test_a_slow_sink_remembers_and_fails_when_told() -> None:
    sink = Slow(fails_after=1, error=OSError("full"))
    results = [FrameResult("v", k, 0.0, 8, 8, (Reading(k, (0, 0, 1, 1), 0.9, "asha" if k else None),)) for k in (0, 1)]
    sink.write(results[0], frames(1)[0])
    with pytest.raises(OSError, match="full"):
        sink.write(results[1], frames(1)[0])
    assert sink.indices == [0]
    assert named(results) == [set(), {"asha"}]
