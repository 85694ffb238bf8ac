"""A core without a frame helps the frame in work, and only then."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

import pytest
from schedule_fakes import PATIENCE, HandEyes, Script, captured, loop_of, our_threads

from fewshot.live.pipeline import Pipeline, Schedule
from fewshot.live.spare_core import FEWEST, SpareCore


@pytest.fixture
def spare() -> Iterator[SpareCore]:
    spare = SpareCore(2)
    yield spare
    spare.close()


def test_both_halves_are_worked_on_at_the_same_time(spare: SpareCore) -> None:
    meeting, seen = threading.Barrier(2, timeout=PATIENCE), list[int]()

    def work(faces: Sequence[int]) -> None:
        meeting.wait()  # breaks unless the other half is in work too
        seen.extend(faces)

    with spare.frame():
        spare.share(work, list(range(FEWEST + 1)))
    assert sorted(seen) == list(range(FEWEST + 1))


@pytest.mark.parametrize(("cores", "frames", "faces"), [(2, 2, 49), (2, 1, FEWEST - 1), (1, 1, 49)])
def test_nothing_is_divided_without_need(cores: int, frames: int, faces: int) -> None:
    spare, calls = SpareCore(cores), list[object]()
    begun = [spare.frame() for _ in range(frames)]
    for frame in begun:
        frame.__enter__()
    spare.share(lambda chosen: calls.append((len(chosen), threading.current_thread())), list(range(faces)))
    for frame in begun:
        frame.__exit__(None, None, None)
    spare.close()
    assert calls == [(faces, threading.main_thread())]


def test_a_core_that_is_lent_is_not_lent_twice(spare: SpareCore) -> None:
    calls: list[int] = []

    def outer(faces: Sequence[int]) -> None:
        if threading.current_thread() is threading.main_thread():
            spare.share(lambda inner: calls.append(len(inner)), faces)

    spare.share(outer, list(range(40)))
    assert calls == [20]


@pytest.mark.parametrize("bad", [0, FEWEST - 1])
def test_an_error_in_either_half_is_raised_when_both_have_ended(spare: SpareCore, bad: int) -> None:
    ended: list[int] = []

    def work(faces: Sequence[int]) -> None:
        if bad in faces:
            raise ValueError("broken")
        ended.extend(faces)

    with pytest.raises(ValueError, match="broken"):
        spare.share(work, list(range(FEWEST)))
    assert len(ended) == FEWEST // 2
    spare.share(ended.extend, list(range(FEWEST, 2 * FEWEST)))  # it goes on afterwards
    assert len(ended) == FEWEST // 2 + FEWEST


def test_a_frame_that_is_still_in_work_when_the_run_has_ended_is_finished(spare: SpareCore) -> None:
    """As after Ctrl-C while the run waited for its workers."""
    seen: list[int] = []
    spare.close()
    with spare.frame():
        spare.share(seen.extend, list(range(2 * FEWEST)))
    assert seen == list(range(2 * FEWEST))


@pytest.mark.parametrize("live", [True, False])
def test_a_camera_uses_it_and_a_recording_does_not(live: bool) -> None:
    """A vector's last bit may depend on the batch: a recording must give the same results every time."""
    eyes = HandEyes(count=20)
    source = Script([captured(0, size=(3100, 48))], live=live)
    assert len(list(Pipeline(loop_of(eyes), source, schedule=Schedule(workers=2)).run())) == 1
    assert not our_threads()
    assert sorted(len(chosen) for chosen in eyes.embedded) == ([10, 10] if live else [20])
