"""The options of ``live`` and ``analyze`` that are about time: how fast a run may be, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.errors import UsageError
from fewshot.live.pipeline import Schedule
from fewshot.live.sources.base import Source
from fewshot.live.sparing import only_changed, usual_rate


@dataclass(frozen=True, slots=True)
class Pace:
    """The options as the user typed them.

    Attributes:
        fps: the most frames per second that are processed of a live source; None: the usual rate, and less while the
            machine is busy.
        budget_ms: milliseconds per frame for expressions; if they are not enough, faces take turns.
        wait: seconds to wait for a lost camera; None: until the user ends the run.
        workers: frames processed at the same time; None: the fastest setting.
        embed: the faces that get a new vector in every frame, "changed" or "all"; None: as ``FEWSHOT_EMBED`` says.

    Raises:
        UsageError: a number that makes no sense.
    """

    fps: float | None = None
    budget_ms: float | None = None
    wait: float | None = None
    workers: int | None = None
    embed: str | None = None

    def __post_init__(self) -> None:
        if self.wait is not None and not self.wait >= 0:
            raise UsageError(f"The waiting time cannot be {self.wait:g} seconds. Give --wait 0 or more.")
        if self.budget_ms is not None and not self.budget_ms > 0:
            raise UsageError(f"A budget of {self.budget_ms:g} ms per frame is impossible. Give --budget-ms above 0.")
        self.schedule()

    def schedule(self) -> Schedule:
        """The options that a pipeline needs."""
        return Schedule(self.workers, self.fps)

    def schedule_for(self, source: Source) -> Schedule:
        """The options that a pipeline needs for this source. A rate that the user named is kept on a busy machine too.

        Raises:
            UsageError: ``FEWSHOT_FPS`` is not a number above 0.
        """
        if self.fps is not None:
            return self.schedule()
        return Schedule(self.workers, usual_rate(source), gives_way=True)

    def only_changed(self) -> bool:
        """Whether only the faces that changed are embedded.

        Raises:
            UsageError: ``FEWSHOT_EMBED`` is neither "changed" nor "all".
        """
        return only_changed() if self.embed is None else self.embed == "changed"

    @property
    def budget(self) -> float | None:
        """Seconds per frame."""
        return self.budget_ms / 1000 if self.budget_ms is not None else None
