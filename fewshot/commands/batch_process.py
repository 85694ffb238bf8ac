"""Runs the process of one lesson, hears how it goes, and ends it with the batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from fewshot.commands.batch_work import OF_ALL, OF_ONE, Work

OnProgress = Callable[[int, int | None], None]
COMMAND = [sys.executable, "-m", "fewshot.commands.batch_work"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a lesson ended.

    Attributes:
        frames, seconds: how many frames were analyzed, in how much time.
        lost: why only the beginning of the source could be read; "" if all was.
        fault: why there is no table; "" if there is one.
        of: whether the fault is of this lesson (``OF_ONE``) or of every one (``OF_ALL``).
        code: exit code that the fault asks for.
        again: whether another try may help, because the process was killed or broke down.
        notes: notes for the user.
    """

    frames: int = 0
    seconds: float = 0.0
    lost: str = ""
    fault: str = ""
    of: str = OF_ONE
    code: int = 1
    again: bool = False
    notes: tuple[str, ...] = ()


class LessonProcess:
    """One process, in a separate session: Ctrl-C in the terminal reaches the batch, which ends its processes.

    Args:
        work: what it does.
        on_progress: called with frames that are done, and how many there are; None if that is not known.
        folder: from which paths of the work are meant; None is the present one.
        variables: of the environment, besides the present ones.

    Raises:
        OSError: there is no such folder, or no process can be started.
    """

    def __init__(
        self,
        work: Work,
        on_progress: OnProgress,
        folder: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self._work, self._on_progress = work, on_progress
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # see close; a pipe would fill up
        self._process = subprocess.Popen(  # nosec B603: this Python with a module of ours
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True,
            cwd=folder, env={**os.environ, **(variables or {})},
        )  # fmt: skip

    def wait(self) -> Result:
        """Run it to its end. May be called from any thread."""
        process, last = self._process, dict[str, Any]()
        assert process.stdin is not None and process.stdout is not None  # nosec B101: pipes, see above
        with suppress(OSError):  # a process that broke down at once is reported below
            process.stdin.write(self._work.written())
            process.stdin.flush()
        for line in process.stdout:
            with suppress(ValueError):  # half a line of a process that was killed
                last = json.loads(line)
                if "frames" in last and "of" in last:
                    self._on_progress(last["frames"], last["of"])
        code = process.wait()
        said = self._said()
        notes = tuple(line.removeprefix("Note: ") for line in said if line.startswith("Note: "))
        if last.get("done"):
            return Result(last["frames"], last["seconds"], last["lost"], notes=notes)
        if "fault" in last:
            return Result(fault=last["fault"], of=last["of"], code=last["code"], notes=notes)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        why = f": {said[-1]}" if said else ""
        return Result(fault=f"Its process ended with {how}{why}.", again=True, notes=notes)

    def end(self) -> None:
        """End it, if it runs, and wait until it is gone."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Give back what it held."""
        self.end()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _said(self) -> list[str]:
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()]


__all__ = ["COMMAND", "OF_ALL", "OF_ONE", "LessonProcess", "OnProgress", "Result", "Work"]
