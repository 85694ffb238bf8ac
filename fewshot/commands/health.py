"""How a run performs: a live table for the user at the terminal, and ``--profile`` for other programs."""

from __future__ import annotations

import json
import os
import threading
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fewshot.commands.terminal import console
from fewshot.live.metrics import MetricsSnapshot
from fewshot.live.pipeline import Pipeline
from fewshot.live.sinks.base import OutputError
from fewshot.private_files import open_fresh
from fewshot.session.analysis.words import counted

VERSION = 1
"""Version of the profile's JSON."""
EVERY = 5.0
"""Seconds after which the profile is written again."""


class Health:
    """Watches the pipelines of a run inside a ``with`` block.

    Args:
        profile: file that is written every few seconds and at the end: one metrics snapshot per source.
        table: show a live table if the output is a terminal.

    Raises:
        OutputError: the profile cannot be written.
    """

    def __init__(self, profile: Path | None = None, table: bool = False) -> None:
        self._profile, self._pipelines = profile, list[Pipeline]()
        self._stack, self._over = ExitStack(), threading.Event()
        self._terminal = console(stderr=True)
        self._table = table and self._terminal.is_terminal

    def begin(self, pipeline: Pipeline) -> None:
        """The next source begins: watch its pipeline as well."""
        self._pipelines.append(pipeline)

    def __enter__(self) -> Health:
        if self._profile is not None:
            self.write()  # a wrong path must fail before an hour of work, not after it
            writer = threading.Thread(target=self._keep_writing, name="fewshot profile", daemon=True)
            writer.start()
            self._stack.callback(writer.join)
            self._stack.callback(self._over.set)
        if self._table:
            live = Live(get_renderable=self._render, console=self._terminal, refresh_per_second=2, transient=True)
            self._stack.enter_context(live)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        if self._profile is not None:
            self.write()

    def write(self) -> None:
        """Write the profile in one step: other programs see the old or the new file, never half of one.

        Raises:
            OutputError: it cannot be written.
        """
        if self._profile is None:
            return
        # last=None: over the whole run, as far as it is remembered, not only the latest frames.
        runs = [pipeline.metrics.snapshot(last=None).as_json() for pipeline in list(self._pipelines)]
        text = json.dumps({"version": VERSION, "runs": runs}, indent=1, allow_nan=False)
        try:
            if self._profile.exists() and not self._profile.is_file():  # /dev/stdout
                self._profile.write_text(text + "\n", encoding="utf-8")
                return
            draft = self._profile.with_name(f"{self._profile.name}.{os.getpid()}.part")
            # For its owner only: the name of a source may be a student's.
            with open_fresh(draft) as file:
                file.write(f"{text}\n".encode())
            draft.replace(self._profile)
        except OSError as error:
            raise OutputError(
                f"{self._profile} cannot be written: {error.strerror or error}. Choose another place for --profile."
            ) from error

    def _keep_writing(self) -> None:
        while not self._over.wait(EVERY):
            try:
                self.write()
            except OutputError:  # reported at the end, after one more try: the run matters more than its profile
                return

    def _render(self) -> Group | Text:
        return as_table(self._pipelines[-1].metrics.snapshot()) if self._pipelines else Text()


def as_table(snap: MetricsSnapshot) -> Group:
    """A snapshot for the terminal: some lines about the run, and how long its stages take."""
    dropped = ", ".join(f"{count} at {where}" for where, count in snap.dropped.items() if count) or "none"
    waiting = ", ".join(f"{name} {depth}" for name, depth in snap.queues.items() if depth) or "none"
    head = Text(
        f"{snap.source}: {snap.note or snap.state}\n"
        f"{snap.capture_rate:.1f} frames per second captured, {snap.processed_rate:.1f} processed; "
        f"{counted(snap.faces, 'face')}, {snap.embedded} of them classified in this frame; "
        f"oldest reading {snap.age_max:.1f} s\n"
        f"dropped: {dropped}; waiting: {waiting}; {snap.memory_mb:.0f} MB",
        style="bold yellow" if snap.state in ("waiting", "failed") else "",
    )
    table = Table("stage", box=None, pad_edge=False)
    for column in ("p50 ms", "p95 ms", "max ms"):
        table.add_column(column, justify="right")
    for stage, row in snap.stages.items():
        if row.max_ms > 0 and stage != "total":  # "latency" is the total plus the wait before it
            table.add_row(stage, f"{row.p50_ms:.1f}", f"{row.p95_ms:.1f}", f"{row.max_ms:.1f}")
    return Group(head, table)
