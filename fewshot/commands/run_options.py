"""The options of ``live`` and ``analyze`` that are about time: how fast a run may be, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.errors import UsageError
from fewshot.live.pipeline import Schedule


@dataclass(frozen=True, slots=True)
class Pace:
    """The options as the user typed them.

    Attributes:
        fps: the most frames per second that are processed of a live source.
        budget_ms: milliseconds per frame for expressions; if they are not enough, faces take turns.
        wait: seconds to wait for a lost camera; None: until the user ends the run.
        workers: frames processed at the same time; None: the fastest setting.

    Raises:
        UsageError: a number that makes no sense.
    """

    fps: float | None = None
    budget_ms: float | None = None
    wait: float | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.wait is not None and not self.wait >= 0:
            raise UsageError(f"The waiting time cannot be {self.wait:g} seconds. Give --wait 0 or more.")
        if self.budget_ms is not None and not self.budget_ms > 0:
            raise UsageError(f"A budget of {self.budget_ms:g} ms per frame is impossible. Give --budget-ms above 0.")
        self.schedule()

    def schedule(self) -> Schedule:
        """The options that a pipeline needs."""
        return Schedule(self.workers, self.fps)

    @property
    def budget(self) -> float | None:
        """Seconds per frame."""
        return self.budget_ms / 1000 if self.budget_ms is not None else None
