"""How fast a run may go, and how long it waits: the options of ``live`` and ``analyze`` that are about time."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.errors import UsageError
from fewshot.live.pipeline import Schedule


@dataclass(frozen=True, slots=True)
class Pace:
    """As a user types them.

    Attributes:
        fps: frames a second of a live source, at most.
        budget_ms: milliseconds a frame for reading expressions; faces take turns where it does not suffice.
        wait: seconds for which a lost camera is waited for; None: until the user ends the run.
        workers: frames worked on at once; None: what is fastest.

    Raises:
        UsageError: a number that makes no sense.
    """

    fps: float | None = None
    budget_ms: float | None = None
    wait: float | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.wait is not None and not self.wait >= 0:
            raise UsageError(f"Nobody can wait {self.wait:g} seconds. Give 0 or more.")
        if self.budget_ms is not None and not self.budget_ms > 0:
            raise UsageError(f"{self.budget_ms:g} ms a frame leave no time for any face. Give a number above 0.")
        self.schedule()

    def schedule(self) -> Schedule:
        return Schedule(self.workers, self.fps)

    @property
    def budget(self) -> float | None:
        """Seconds a frame."""
        return self.budget_ms / 1000 if self.budget_ms is not None else None
