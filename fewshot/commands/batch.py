"""``fewshot analyze --jobs``: many recorded lessons, each in a separate process, a Parquet file per lesson.

The processes run on this computer, or on the machines of a Ray cluster (``fewshot.commands.batch_ray``).
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fewshot import __version__
from fewshot.classroom.export_erasure import rewrite
from fewshot.classroom.export_intents import finish
from fewshot.classroom.exports import (
    PART,
    Exported,
    Journal,
    alone_in,
    delete_parts,
    journal_of,
    note_folder,
    publish,
    students_now,
)
from fewshot.classroom.store import ClassStore
from fewshot.cluster import ray_running, require_ray
from fewshot.commands.batch_lessons import key_of, table_name
from fewshot.commands.batch_process import OF_ALL, LessonProcess, OnProgress, Result, Work
from fewshot.commands.batch_ray import CORES, RayLesson, lessons_at_once
from fewshot.commands.terminal import FAILED, print_error, say, tell
from fewshot.database.owner import Owner
from fewshot.errors import FewshotError, UsageError
from fewshot.live.sinks.base import cannot_be_written
from fewshot.live.stopping import exit_code
from fewshot.session.analysis.words import counted
from fewshot.vault.durable import shred

TRIES = 3
"""How often a lesson is tried whose process was killed or broke down."""
GONE = (-1, -1)
"""Stands for size and time of a source that is not there."""
SAID_EVERY = 30.0
"""Seconds between two lines about lessons under way."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be done.

    Attributes:
        lessons: paths as the user typed them.
        out: the folder for the tables and their journal.
        jobs: lessons at the same time; None: as many as Ray has cores for, and one without Ray.
        class_name: recognise the students of this class; None: of none.
        owner: whose class it is.
        detector, network, download, workers, names: as ``fewshot analyze`` takes them.
        ray: whether the lessons run on the machines of a Ray cluster.
    """

    lessons: Sequence[Path]
    out: Path
    jobs: int | None
    class_name: str | None
    owner: Owner
    detector: str
    network: Path | None
    download: bool
    workers: int | None
    ray: bool = False
    names: str = "faces"

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"The number of jobs cannot be {self.jobs}. Give --jobs 1 or more.")
        if self.out.exists() and not self.out.is_dir():
            raise UsageError(f"{self.out} is a file. Give the name of a folder for the tables.")

    def settings(self) -> dict[str, str]:
        """What a table depends on besides its source and its class. Other ones make a finished lesson a new one."""
        network = "" if self.network is None else str(self.network.absolute())
        engine = os.environ.get("FEWSHOT_ENGINE", "")
        known = {"program": __version__, "detector": self.detector, "network": network, "engine": engine}
        # Left out where it is the usual one: tables of before have no such word, and are not made again.
        return known if self.names == "faces" else {**known, "names": self.names}


def run_batch(batch: Batch) -> int:
    """Analyze every lesson that is not finished. Returns the exit code.

    Raises:
        UsageError: another batch writes to the folder, or there is no such class.
        ExportFault: the folder cannot be used.
    """
    if batch.ray:
        require_ray()
    state = _State(batch)  # finds the class before a folder is made
    note_folder(batch.out, batch.owner)
    finish(ClassStore(owner=batch.owner).database)
    try:
        with alone_in(batch.out) as alone:
            if not alone:
                raise UsageError(f"Another batch writes to {batch.out} now. Wait for its end, or choose another one.")
            with journal_of(batch.out):  # no erasure writes meanwhile
                delete_parts(batch.out)
            with _places(batch) as (jobs, start):
                return _Running(batch, state, jobs, start).run()
    except OSError as error:
        raise cannot_be_written(batch.out, error) from error


class _State:
    """The class of a batch: whom its tables name."""

    def __init__(self, batch: Batch) -> None:
        self._batch, self._store = batch, ClassStore(owner=batch.owner)
        self.class_id: int | None = None
        if batch.class_name is not None:
            self.class_id = self.students()[0]

    def students(self) -> tuple[int | None, dict[str, int]]:
        """Number of the class and its students now; none if there is no class any more."""
        if self._batch.class_name is None:
            return None, {}
        try:
            return students_now(self._store.database, self._batch.owner, self._batch.class_name)
        except UsageError:
            if self.class_id is None:
                raise
            return self.class_id, {}


Start = Callable[[Work, OnProgress], LessonProcess | RayLesson]
"""Starts the process of a lesson."""


@contextmanager
def _places(batch: Batch) -> Iterator[tuple[int, Start]]:
    """How many lessons run at the same time, and what starts one."""
    if not batch.ray:
        yield batch.jobs or 1, LessonProcess
        return
    with ray_running(CORES * (batch.jobs or max(1, (os.cpu_count() or 1) // CORES))):
        yield batch.jobs or lessons_at_once(), RayLesson


@dataclass(slots=True)
class _Running:
    batch: Batch
    state: _State
    jobs: int
    start: Start
    waiting: queue.SimpleQueue[Path] = field(default_factory=queue.SimpleQueue)
    ended: queue.SimpleQueue[tuple[Path, Result]] = field(default_factory=queue.SimpleQueue)
    processes: dict[Path, LessonProcess | RayLesson] = field(default_factory=dict)
    progress: dict[Path, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    faults: list[str] = field(default_factory=list)
    done: int = 0

    def run(self) -> int:
        todo = self._unfinished()
        for path in todo:
            self.waiting.put(path)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(min(self.jobs, len(todo)))]
        for thread in threads:
            thread.start()
        code = FAILED
        try:
            code = self._hear(len(todo))
        except KeyboardInterrupt:
            tell("Stopped. To go on with the lessons that are not finished, type the same command again.")
            return exit_code()
        finally:
            self._end(threads)
            with journal_of(self.batch.out):
                delete_parts(self.batch.out)
        for fault in self.faults:
            print_error(fault)
        tell(f"{self.done} of {counted(len(self.batch.lessons), 'lesson')} finished. Tables: {self.batch.out}")
        return code

    def _unfinished(self) -> list[Path]:
        """The lessons to analyze. Their tables get their names here, so that none has the name of another's."""
        todo, settings = [], self.batch.settings()
        with journal_of(self.batch.out) as journal:
            for path in self.batch.lessons:
                key = key_of(path)
                entry = journal.get(key)
                size, changed = _mark(path)
                if entry is not None and self._is_finished(entry, (size, changed), settings):
                    self.done += 1
                    self.faults += [entry.lost] if entry.lost else []
                    continue
                if entry is None:
                    taken = [*(each.file for each in journal.values()), *self._foreign(journal.values())]
                    name = table_name(Path(key), taken)
                    journal[key] = Exported(name, size, changed, settings, self._owner, self.state.class_id)
                else:
                    self._repeat(entry)
                todo.append(path)
        if self.done:
            tell(f"{counted(self.done, 'lesson')} finished before; not repeated.")
        return todo

    def _is_finished(self, entry: Exported, mark: tuple[int, int], settings: dict[str, str]) -> bool:
        """Whether a lesson has a table of this source, class and program. A source that is gone has not changed."""
        if not entry.done or not (self.batch.out / entry.file).is_file():
            return False
        same = mark in ((entry.size, entry.changed), GONE) and entry.settings == settings
        return same and (entry.owner, entry.class_id) == (self._owner, self.state.class_id)

    def _repeat(self, entry: Exported) -> None:
        """Until there is a new table, the entry says whom the old one shows. It cannot say that of two classes."""
        entry.done = False
        if (entry.owner, entry.class_id) != (self._owner, self.state.class_id):
            with suppress(FileNotFoundError):
                shred(self.batch.out / entry.file)
            entry.owner, entry.class_id, entry.students = self._owner, self.state.class_id, {}

    @property
    def _owner(self) -> str:
        return self.batch.owner.id

    def _foreign(self, known: Iterable[Exported]) -> list[str]:
        """Names of files in the folder that no batch wrote: they are not replaced."""
        mine = {entry.file for entry in known}
        return [each.name for each in self.batch.out.iterdir() if each.name not in mine]

    def _hear(self, wanted: int) -> int:
        """Take results until all lessons have ended. Returns the exit code."""
        heard, said = 0, time.monotonic()
        while heard < wanted:
            try:
                path, result = self.ended.get(timeout=0.5)
            except queue.Empty:
                if time.monotonic() - said > SAID_EVERY:
                    said = time.monotonic()
                    self._say_progress()
                continue
            heard += 1
            say(result.notes)
            if result.fault and result.of == OF_ALL:
                for fault in self.faults:
                    print_error(fault)
                raise _Fatal(result.fault, result.code)
            if result.fault or result.lost:
                self.faults.append(f"{path}: {result.fault or result.lost}")
            if result.fault:
                tell(f"{path}: no table ({heard} of {wanted}).")
                continue
            self.done += 1
            tell(f"{path}: {counted(result.frames, 'frame')} in {result.seconds:.1f} s ({heard} of {wanted}).")
        return FAILED if self.faults else 0

    def _say_progress(self) -> None:
        with self.lock:
            for words in self.progress.values():
                tell(words)

    def _work(self) -> None:
        while not self.stop.is_set():
            try:
                path = self.waiting.get_nowait()
            except queue.Empty:
                return
            try:
                result = self._one(path)
            except FewshotError as error:
                result = Result(fault=str(error))
            except Exception as error:  # a thread that ends without a word would be waited for without end
                result = Result(fault=f"{getattr(error, 'strerror', None) or error} ({type(error).__name__}).")
            if not self.stop.is_set():
                self.ended.put((path, result))

    def _one(self, path: Path) -> Result:
        result = Result(fault="It was not tried.")
        for number in range(TRIES):
            part = self.batch.out / f".{os.getpid()}-{threading.get_ident()}-{number}{PART}"
            students, mark = self.state.students()[1], _mark(path)
            result = self._process(path, part)
            if self.stop.is_set():
                break
            if not result.fault:
                self._keep(path, part, result, students, mark)
                break
            part.unlink(missing_ok=True)
            if not result.again:
                break
        return result

    def _process(self, path: Path, part: Path) -> Result:
        batch = self.batch
        network = None if batch.network is None else str(batch.network)
        owner = (batch.owner.id, batch.owner.name, batch.owner.role)
        work = Work(
            str(path), str(part), batch.class_name, owner, batch.detector, network, batch.download, batch.workers,
            batch.names,
        )  # fmt: skip

        def progress(frames: int, of: int | None) -> None:
            with self.lock:
                self.progress[path] = (
                    f"{path}: {frames} of {of} frames" if of else f"{path}: {counted(frames, 'frame')}"
                )

        with self.lock:
            if self.stop.is_set():
                return Result(fault="It was stopped.")
            process = self.processes[path] = self.start(work, progress)
        try:
            return process.wait()
        finally:
            with self.lock:
                self.processes.pop(path, None)
                self.progress.pop(path, None)
            process.close()

    def _keep(self, path: Path, part: Path, result: Result, students: dict[str, int], mark: tuple[int, int]) -> None:
        """Give the table its name. Students who were erased meanwhile are taken out of it.

        An erasure deletes the student first and looks for tables afterwards, and this is the other way round: whichever
        comes first, the student is found by one of both.
        """
        key, out = key_of(path), self.batch.out
        with journal_of(out) as journal:
            entry = _of(journal, key)
            entry.students = entry.students | students  # on the disk before the table is
        with journal_of(out) as journal:
            entry = _of(journal, key)
            publish(part, out / entry.file)
            entry.size, entry.changed = mark
            entry.settings, entry.frames = self.batch.settings(), result.frames
            entry.lost = f"{path}: {result.lost}" if result.lost else ""
            entry.students, entry.done = students, True
        now = self.state.students()[1]
        with journal_of(out) as journal:
            entry = _of(journal, key)
            gone = [name for name, number in entry.students.items() if number not in now.values()]
            if gone:
                rewrite(out / entry.file, gone)
            entry.students = {name: number for name, number in entry.students.items() if name not in gone} | now

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        self.stop.set()
        with self.lock:
            running = list(self.processes.values())
        for process in running:
            process.end()
        for thread in threads:
            thread.join(20)


def _of(journal: Journal, key: str) -> Exported:
    """The entry of a lesson. Raises UsageError if an erasure took it away meanwhile."""
    if (entry := journal.get(key)) is None:
        raise UsageError(
            "A student was erased whose name is in this path, or the class was deleted. Rename the lesson, then try "
            "again."
        )
    return entry


class _Fatal(FewshotError):
    """A fault that would stop every lesson."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.exit_code = code


def _mark(path: Path) -> tuple[int, int]:
    """Size and time of the last change of a lesson; of a folder of pictures those of all its files; or ``GONE``."""
    try:
        found = path.stat()
        if not path.is_dir():
            return found.st_size, found.st_mtime_ns
        files = [each.stat() for each in path.iterdir() if each.is_file()]
        return sum(each.st_size for each in files), max((each.st_mtime_ns for each in files), default=0)
    except OSError:
        return GONE
