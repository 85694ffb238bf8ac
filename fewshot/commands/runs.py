"""``fewshot live`` and ``fewshot analyze``: run sources through the loop, write outputs, and print a summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from fewshot.addresses import public_address
from fewshot.call_labels.reader import open_reader
from fewshot.call_labels.students import LabelledStudents
from fewshot.classroom.erased import note_looked
from fewshot.classroom.names import quoted
from fewshot.classroom.store import no_such_class
from fewshot.commands.health import Health
from fewshot.commands.outputs import Outputs
from fewshot.commands.run_options import Pace
from fewshot.commands.terminal import FAILED, console, print_error, say, tell
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import SourceError, UsageError
from fewshot.live.loop import Loop, Step
from fewshot.live.overlay import Overlay
from fewshot.live.play import Outcome, play
from fewshot.live.sinks.base import Sink, Stop, WindowError
from fewshot.live.sinks.crops import FaceCrops
from fewshot.live.sinks.jsonl import JsonLines
from fewshot.live.sinks.table import CsvTable, ParquetTable
from fewshot.live.sinks.video import AnnotatedVideo
from fewshot.live.sinks.window import Window, check_display
from fewshot.live.sources import Source, open_lasting, open_source
from fewshot.live.stopping import exit_code
from fewshot.loops import make_loop
from fewshot.models.files import home
from fewshot.perception import open_perception
from fewshot.private_files import make_private_folder
from fewshot.room import Classroom
from fewshot.session.analysis.words import counted
from fewshot.session.lessons import LessonStore
from fewshot.session.recorder import LessonRecorder
from fewshot.session.settings import Settings
from fewshot.session.summary import Summary
from fewshot.session.timeline import save_timeline
from fewshot.types import Frame, FrameResult

_NAMED = 5
"""Largest number of sources without a face that are named."""


@dataclass(slots=True)
class Run:
    """A loop that is ready to run, and the students it can recognise."""

    loop: Loop
    students: list[str] = field(default_factory=list)
    network: str = ""
    classroom: Classroom | None = None

    def recorder(self, outputs: Outputs, source: str) -> LessonRecorder | None:
        """The sink that records the lesson in the database; None if no lesson is to be recorded.

        Raises:
            StoreError: the database cannot be used.
        """
        if outputs.lesson is None:
            return None
        if self.classroom is not None:
            started = self.classroom.recorder(source, outputs.lesson)
        else:
            counts = Settings(owner=outputs.owner).aggregate_only
            started = LessonRecorder.start(
                source=source, network=self.network, title=outputs.lesson, aggregate=counts, owner=outputs.owner
            )
        held = LessonStore(owner=outputs.owner).held_back()
        say([held] if held else [])
        return started

    def note_looked(self, lesson: LessonRecorder | None, files: bool = False) -> None:
        """Write into the audit log that somebody looks at a class, and that readings go to ``files``."""
        if self.classroom is not None:
            store, number = self.classroom.store, None if lesson is None else lesson.lesson
            note_looked(store.database, store.owner, self.classroom.name, number, live=True, files=files)

    def read_every_label(self) -> None:
        """Wait for the labels of a call where frames do not come by themselves: the same file gives the same names."""
        if isinstance(self.loop.labels, LabelledStudents):
            self.loop.labels.labels.wait = True

    def forget_gone(self, summary: Summary) -> None:
        """Drop students who were removed, or whose consent ended, while the run was under way."""
        if self.classroom is not None:
            present = self.classroom.roster().consenting()
            summary.forget(student for student in self.students if student not in present)


def open_run(
    class_name: str | None,
    detector: str,
    download: bool,
    pace: Pace | None = None,
    network: Path | None = None,
    owner: Owner = LOCAL_TEACHER,
    names: str = "faces",
) -> Run:
    """Load the models and the class, and print their notes for the user.

    Raises:
        UsageError, StoreError, ModelUnavailable: the class or a model cannot be used.
    """
    pace = pace or Pace()
    check_names(names, class_name)
    if class_name is None:
        perception = open_perception(detector, download=download, network=network, threads=pace.schedule().threads())
        say(perception.notes)
        return Run(make_loop(perception, budget=pace.budget, network=network), network=perception.network)
    classroom = Classroom.open(class_name, detector=detector, download=download, network=network, owner=owner)
    if not classroom.exists:
        raise no_such_class(class_name, classroom.store.names())
    loop = classroom.loop(budget=pace.budget, names=names)
    say(classroom.perception.notes)
    ended = classroom.ended_consents()
    if names != "faces" and not classroom.roster().consenting():
        say([f"No student of {classroom.name} has a valid consent, so no label names anybody."])
    say(
        f"{key} is not recognised, because no consent is valid today. Type: fewshot roster {quoted(classroom.name)}"
        for key in ended
    )
    return Run(loop, [key for key in classroom.students if key not in ended], classroom.perception.network, classroom)


def check_names(names: str, class_name: str | None) -> None:
    """Refuse names that cannot come from where they should.

    Raises:
        UsageError: no class is given whose names a label could have, or the extra that reads labels is missing.
    """
    require_class(names, class_name)
    if names != "faces":
        open_reader()


def require_class(names: str, class_name: str | None) -> None:
    """Refuse labels without a class.

    Raises:
        UsageError: names are to come from labels, and there is no class.
    """
    if class_name is None and names != "faces":
        raise UsageError(
            "--names compares the labels of a call with the names of a class. Give one.",
            hint=f"Add: --class NAME --names {names}",
        )


class _Faceless:
    """A sink that remembers the sources without any face, because an empty table would not explain itself."""

    def __init__(self) -> None:
        self._found: dict[str, bool] = {}

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Count one frame."""
        self._found[result.source] = self._found.get(result.source, False) or bool(result.readings)

    def close(self) -> None:
        """Nothing to do."""

    def sentence(self) -> str | None:
        """A sentence for the user; None if every source had a face."""
        without = [Path(source).name or source for source, found in self._found.items() if not found]
        if not without:
            return None
        rest = len(without) - _NAMED
        named = ", ".join(without[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
        return (
            f"No face was found in {named}. Use pictures in which a face is at least 30 pixels wide, upright, in "
            "enough light and not covered."
        )


class _Shown(Window):
    """A window that remembers whether the user closed it."""

    closed_by_user = False

    def idle(self) -> None:
        try:
            Window.idle(self)
        except Stop:
            self.closed_by_user = True
            raise


class _Notes:
    """Prints notes when something happens, each time it happens, and at the end those that were not printed yet."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def __call__(self, note: str) -> None:
        self._said.add(note)
        say([note])

    def rest(self, notes: Sequence[str]) -> None:
        """Print the notes that were not printed when they came."""
        say(note for note in notes if note not in self._said)
        self._said.update(notes)


def run_live(run: Run, text: str, show: bool | None, outputs: Outputs, pace: Pace | None = None) -> int:
    """Run one source until it ends or the user stops it. Returns the exit code."""
    pace, notes, overlay, faceless = pace or Pace(), _Notes(), Overlay(), _Faceless()
    window = _open_window(show, overlay)
    source = open_lasting(text, pace.wait, notes)
    if pace.fps is not None and not source.live:
        notes(f"{source.name} is a file. Every frame of a file is processed, so --fps has no effect.")
    if window is not None:
        window.clips.source = source
    with ExitStack() as stack:
        stack.callback(source.close)
        lesson = run.recorder(outputs, source.name)
        run.note_looked(lesson, outputs.show_students)
        sinks: list[Sink] = [*_sinks(outputs, source, overlay, lesson), *([window] if window else [])]
        if len(sinks) == 0:
            say(["Only a summary will be printed at the end. To save results, add --jsonl or --save."])
        tell(f"Watching {source.name}. To stop, press Ctrl-C{' or q in the window' if window else ''}.")
        summary, health = Summary(run.students), stack.enter_context(Health(outputs.profile, table=True))
        sinks[:0] = [summary, faceless]
        run.loop.only_changed = pace.only_changed()
        plan = pace.schedule_for(source)
        outcome = play(run.loop, [source], sinks, schedule=plan, on_begin=health.begin, on_note=notes)
    lost = [source.lost] if source.lost else []
    run.forget_gone(summary)
    code = _finish(outcome, summary, outputs, lost, lesson, notes, faceless.sentence())
    return exit_code() if outcome.stopped and not (window and window.closed_by_user) else code


def run_files(run: Run, files: Sequence[str], outputs: Outputs, pace: Pace | None = None) -> int:
    """Analyze every frame of every file. One of several files that cannot be opened is reported and skipped.

    Returns:
        The exit code.
    """
    pace, notes = pace or Pace(), _Notes()
    faults: list[str] = []
    read: list[Source] = []
    sources = _open_each(files, faults, read)
    first = next(sources, None)
    summary = Summary(run.students)
    outcome, lesson, faceless = Outcome(), None, _Faceless()
    if first is not None:
        with ExitStack() as stack:
            stack.callback(first.close)
            lesson = run.recorder(outputs, ", ".join(map(public_address, files)))
            run.note_looked(lesson, outputs.show_students)
            sinks: list[Sink] = [summary, faceless, *_sinks(outputs, first, Overlay(), lesson)]
            health, bar = stack.enter_context(Health(outputs.profile)), stack.enter_context(_progress())
            every = chain([first], sources)
            run.loop.only_changed = pace.only_changed()
            run.read_every_label()
            outcome = play(
                run.loop, every, sinks, _advance(bar), schedule=pace.schedule(), on_begin=health.begin, on_note=notes
            )
    faults += [source.lost for source in read if source.lost]
    run.forget_gone(summary)
    code = _finish(outcome, summary, outputs, faults, lesson, notes, faceless.sentence())
    return exit_code() if outcome.stopped else code


def check_files(files: Sequence[str]) -> None:
    """Raises UsageError for an input that ``analyze`` cannot use, before time is spent on the inputs before it."""
    for text in files:
        if text == "screen" or text.startswith("screen:") or (text.isdigit() and not Path(text).exists()):
            raise UsageError(f"analyze works on files, but {text} never ends. Type: fewshot live --source {text}")
        if "://" not in text and not Path(text).exists():
            open_source(text).close()  # raises the error with the best text


def _open_each(files: Sequence[str], faults: list[str], read: list[Source]) -> Iterator[Source]:
    for text in files:
        try:
            source = open_source(f"./{text}" if text.isdigit() else text)  # a file called 7, not camera 7
        except SourceError as error:
            if len(files) == 1:
                raise
            faults.append(str(error))
            continue
        read.append(source)
        yield source


def _open_window(show: bool | None, overlay: Overlay) -> _Shown | None:
    if show is None:
        try:
            check_display()
        except WindowError as error:
            say([f"{error.text} This run has no window."])
            return None
    return _Shown(overlay) if show is not False else None


def _sinks(outputs: Outputs, first: Source, overlay: Overlay, lesson: LessonRecorder | None) -> list[Sink]:
    video = AnnotatedVideo.for_source(outputs.save, first, overlay) if outputs.save else None
    lines = JsonLines(outputs.jsonl) if outputs.jsonl else None
    table = CsvTable(outputs.table) if outputs.table else None
    parquet = ParquetTable(outputs.parquet) if outputs.parquet else None
    crops = FaceCrops(outputs.crops) if outputs.crops else None
    return [sink for sink in (lines, table, parquet, crops, video, lesson) if sink is not None]


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    terminal = console(stderr=True)
    return Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)


def _advance(bar: Progress) -> Callable[[Source, Step], None]:
    """A function that moves the progress bar; one row per source."""
    rows: dict[int, object] = {}

    def advance(source: Source, _step: Step) -> None:
        if id(source) not in rows:
            rows[id(source)] = bar.add_task(Path(source.name).name, total=source.frames)
        bar.advance(rows[id(source)])  # type: ignore[arg-type]

    return advance


def _finish(
    outcome: Outcome,
    summary: Summary,
    outputs: Outputs,
    faults: Sequence[str],
    lesson: LessonRecorder | None,
    notes: _Notes,
    faceless: str | None = None,
) -> int:
    """Print the summary, where the outputs are, and what went wrong. Returns the exit code."""
    notes.rest([note for note in outcome.notes if note not in faults])
    if outcome.frames > 0:
        _show(outcome, summary, outputs)
    if faceless:
        tell(faceless)
    if lesson is not None and lesson.deleted:
        tell(f"Lesson {lesson.lesson} was deleted while it ran, so nothing of it is kept in the database.")
    elif lesson is not None:
        tell(f"Lesson {lesson.lesson} was recorded. To list all lessons, type: fewshot lessons")
    for fault in faults:
        print_error(fault)
    return FAILED if faults else 0


def _show(outcome: Outcome, summary: Summary, outputs: Outputs) -> None:
    console().print(summary.table())
    count = counted(outcome.frames, "frame")
    dropped = f", {outcome.dropped} dropped" if outcome.dropped else ""
    tell(f"{count} in {outcome.seconds:.1f} s ({outcome.rate:.1f} per second{dropped}).")
    timeline = None if outputs.why_no_timeline else outputs.timeline
    if timeline is not None:
        if timeline.parent == home():
            make_private_folder(home())
        timeline.parent.mkdir(parents=True, exist_ok=True)
        save_timeline(summary, timeline)
    written = {
        "Annotated video": outputs.save,
        "Results": outputs.jsonl,
        "Table": outputs.table,
        "Parquet table": outputs.parquet,
        "Faces": outputs.crops,
        "Timeline": timeline,
        "Profile": outputs.profile,
    }
    for what, path in written.items():
        if path is not None:
            tell(f"{what}: {path}")
