"""One lesson of a batch, in a separate process: what to do comes on standard input, how it goes leaves as JSON lines.

    python -m fewshot.commands.batch_work

The process ends as soon as standard input is closed, so that nothing is left behind by a batch that was killed. A table
has the bytes that ``fewshot analyze LESSON --parquet FILE`` writes, because the same classes write it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fewshot.commands.run_options import Pace
from fewshot.commands.runs import open_run
from fewshot.database.owner import Owner, Role
from fewshot.errors import FewshotError, SourceError, UsageError
from fewshot.live.loop import Step
from fewshot.live.play import play
from fewshot.live.sinks.base import OutputError
from fewshot.live.sinks.table import ParquetTable
from fewshot.live.sources import Source, open_source
from fewshot.private_files import open_fresh

_EVERY = 1.0
"""Seconds between two words about the progress."""
OF_ALL, OF_ONE = "batch", "lesson"
"""Whose fault an error is: the same one would stop every lesson, or only this one."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a process does.

    Attributes:
        source: path of the lesson as the user typed it; it stands in the table.
        part: the file to write.
        class_name: recognise the students of this class; None: of none.
        owner: id and name of the teacher, and the role.
        detector, network, download, workers, names: as ``fewshot analyze`` takes them.
    """

    source: str
    part: str
    class_name: str | None
    owner: tuple[str, str, Role]
    detector: str
    network: str | None
    download: bool
    workers: int | None
    names: str = "faces"

    def written(self) -> bytes:
        """One line that ``main`` reads."""
        return json.dumps(asdict(self)).encode() + b"\n"


def main() -> None:
    """Do the work that standard input names."""
    out = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # whatever prints must not be taken for a word about the progress
    given = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(**words: Any) -> None:
        out.write(json.dumps(words) + "\n")

    try:
        tell(**analyze(Work(**given), tell))
    except FewshotError as error:
        whose = OF_ONE if isinstance(error, SourceError | OutputError) else OF_ALL
        tell(fault=str(error), of=whose, code=error.exit_code)
    out.flush()
    os._exit(0)  # threads of libraries must not keep a lesson that is done


def analyze(work: Work, tell: Callable[..., None]) -> dict[str, Any]:
    """Write the table of one lesson. Returns what to tell at the end.

    Raises:
        FewshotError: the source, the class, a model or the output cannot be used.
    """
    pace = Pace(workers=work.workers)
    network = None if work.network is None else Path(work.network)
    owner = Owner(*work.owner)
    source = open_source(f"./{work.source}" if work.source.isdigit() else work.source)  # first, because it is quick
    try:
        run = open_run(work.class_name, work.detector, work.download, pace, network, owner, work.names)
        run.read_every_label()
        open_fresh(Path(work.part)).close()
        run.note_looked(None, files=True)
        progress = _Progress(tell)
        outcome = play(run.loop, [source], [ParquetTable(work.part)], progress, schedule=pace.schedule())
    except OSError as error:
        raise OutputError(f"{error.strerror or error}. Free some space, or choose another folder.") from error
    finally:
        source.close()
    if outcome.stopped:
        raise UsageError("The lesson was stopped.")
    return {"done": True, "frames": outcome.frames, "seconds": outcome.seconds, "lost": source.lost or ""}


class _Progress:
    """Tells how many frames are done, at most once in ``_EVERY`` seconds."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell, self._frames, self._next = tell, 0, time.monotonic() + _EVERY

    def __call__(self, source: Source, _step: Step) -> None:
        self._frames += 1
        if (now := time.monotonic()) >= self._next:
            self._next = now + _EVERY
            self._tell(frames=self._frames, of=source.frames)


def _end_with_parent() -> None:
    while os.read(0, 1):  # the batch writes nothing more: this waits for its end
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
