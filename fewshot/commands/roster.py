"""``fewshot enroll`` and ``fewshot roster``: what they print."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.enrollment_report import EnrollmentReport, StudentResult
from fewshot.classroom.names import quoted, same_on_screen
from fewshot.classroom.recognition import again_by_command, how_recognised, is_weaker, weaker_note
from fewshot.classroom.roster import Student
from fewshot.classroom.store import ClassStore, no_such_class
from fewshot.classroom.traces import still_called
from fewshot.clutter import entries_of
from fewshot.commands.terminal import FAILED, NOTICE, cell, console, print_error, say, table, tell
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import printable
from fewshot.room import Classroom
from fewshot.session.analysis.words import counted
from fewshot.session.lessons import LessonStore
from fewshot.session.summary import clock


def run_enroll(
    class_name: str,
    photos: Path,
    consent_by: str | None,
    consent_until: str | None,
    detector: str,
    download: bool,
    network: Path | None = None,
    looks_like: Sequence[str] = (),
    owner: Owner = LOCAL_TEACHER,
) -> int:
    """Enroll a folder and show the result of every photo. Returns 0 if at least one student is enrolled, else 1."""
    classroom = Classroom.open(class_name, detector=detector, download=download, network=network, owner=owner)
    terminal, count = console(stderr=True), 0
    columns = (TextColumn("Reading photos"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as bar:
        with suppress(OSError):
            count = len(entries_of(photos))
        task = bar.add_task("", total=count, completed=-1)  # a student is done when the next one begins
        report = classroom.enroll_folder(
            photos,
            consent_by=consent_by,
            consent_until=consent_until,
            on_student=lambda key: bar.update(task, advance=1, description=cell(key)),
            looks_like=looks_like,
        )
    if report.students:
        say(classroom.perception.notes)
        console().print(enrollment_table(report))
    say(report.notes)
    for student in report.students:
        if student.looks_like:
            say([_two_people(student, f"fewshot enroll {quoted(classroom.name)} {quoted(str(photos))}")])
    tell(NOTICE)
    if not report.students:
        print_error(
            f"{photos} holds no photos, so nobody was enrolled in {classroom.name}. Expected a folder per student: "
            f"{photos}/<student>/<emotion>/*.jpg."
        )
        return FAILED
    if not report.standing:
        print_error(
            f"No student from {photos} was enrolled in {classroom.name}. Expected at least one photo with one clear "
            f"face in {photos}/<student>/<emotion>/. Replace the photos for the reasons above, then try again."
        )
        return FAILED
    _say_how_recognised(classroom.name, classroom.store.networks(classroom.name))
    tell(f"{counted(len(classroom.students), 'student')} in class {classroom.name}.")
    tell(f"To watch the class, type: fewshot live --class {quoted(classroom.name)}")
    return 0


def _two_people(student: StudentResult, command: str) -> str:
    return (
        f"{student.student} was not enrolled, because the face is like that of {student.looks_like}. If they are two "
        "people, such as twins, enroll them again, with the same consent and one more option: "
        f"{command} --looks-like {quoted(student.looks_like)}. When one of the two is in view, the program may then "
        "show no name or the name of the other one."
    )


def _say_how_recognised(name: str, networks: Networks | None) -> None:
    """Print what recognises the students of a class; nothing while it has no vectors."""
    if networks is not None:
        tell(f"Students are recognised with: {how_recognised(networks)}.")
    if is_weaker(networks):
        say([f"{weaker_note(name)} {again_by_command(name)}"])


def enrollment_table(report: EnrollmentReport) -> Table:
    """One row per student: the accepted photos, and every photo that was not accepted with its reason."""
    rows = table("Student", "Accepted", "Photos that were not accepted, and remarks")
    for result in report.students:
        rows.add_row(
            f"[bold]{cell(result.student)}[/bold]" if result.stands else f"[red]{cell(result.student)}[/red]",
            _accepted(result),
            "\n".join(_remarks(result)),
        )
    return rows


def _accepted(result: StudentResult) -> str:
    counts: dict[str, int] = {}
    for photo in result.photos:
        if photo.status == "accepted":
            label = photo.emotion or "unlabelled"
            counts[label] = counts.get(label, 0) + 1
    lines = [f"{cell(label)} {count}" for label, count in counts.items()]
    before = result.count("already enrolled")
    if before:
        lines.append(f"[dim]already enrolled {before}[/dim]")
    return "\n".join(lines) or "none"


def _remarks(result: StudentResult) -> list[str]:
    lines = []
    for photo in result.to_look_at:
        folder = f"{photo.path.parent.name}/" if photo.path.parent.name != result.student else ""
        # Reasons for unreadable files begin with their path, which the row shows already.
        reason = printable(photo.reason or photo.doubt).removeprefix(printable(str(photo.path))).strip()
        lines.append(f"[yellow]{cell(printable(folder + photo.path.name))}[/yellow]: {cell(reason)}")
    if result.problem:
        lines.append(f"[red]{cell(result.problem)}[/red]")
    elif not result.photos:
        lines.append("no photos in this folder")
    return lines + [f"[dim]{cell(note)}[/dim]" for note in result.notes]


def show_classes(owner: Owner = LOCAL_TEACHER) -> None:
    """List the classes of a teacher."""
    store = ClassStore(owner=owner)
    names = store.names()
    if not names:
        place = store.database.path or store.database.url
        tell(f"There is no class in {place} yet. Type: fewshot enroll CLASS PHOTOS --consent-by WHO")
    say(same_on_screen(names, "classes"))
    for name in names:
        tell(f"{name}: {', '.join(sorted(store.roster(name).students)) or 'no students yet'}")


def show_roster(class_name: str, owner: Owner = LOCAL_TEACHER) -> None:
    """Show the students of a class.

    Raises:
        UsageError: there is no such class.
        StoreError: the database is damaged.
    """
    classroom = Classroom.open(class_name, owner=owner)
    if not classroom.exists:
        raise no_such_class(class_name, classroom.store.names())
    rows = table("Student", "Photos", "Consent given by", "Given on", "Valid until", title=f"Class {classroom.name}")
    students = classroom.roster().students
    for key, student in sorted(students.items()):
        rows.add_row(cell(key), cell(_photos(student)), cell(student.consent.given_by), *_days(student))
    console().print(rows)
    say(same_on_screen(students, "students"))
    _say_how_recognised(classroom.name, classroom.store.networks(classroom.name))
    say(
        f"{key} is not recognised: {students[key].consent.why_not(date.today())}. Enroll again with a new consent, or "
        f"type: fewshot roster {quoted(classroom.name)} --remove {quoted(key)}"
        for key in classroom.ended_consents()
    )


def show_lessons(class_name: str | None, owner: Owner = LOCAL_TEACHER) -> None:
    """List the recorded lessons of a teacher's class, or of all their classes.

    Raises:
        UsageError: there is no such class.
    """
    classes = ClassStore(owner=owner)
    if class_name is not None and not classes.exists(class_name):
        raise no_such_class(class_name, classes.names())
    kept = LessonStore(classes.database, owner).lessons(None if class_name is None else classes.spelled(class_name))
    if not kept:
        tell("No lesson has been recorded yet. Type: fewshot live --class CLASS --record")
        return
    rows = table("Lesson", "Class", "Title", "Started", "Length", "State", "Source")
    for info in kept:
        started = info.started.astimezone().strftime("%Y-%m-%d %H:%M")
        state = f"{info.state}, counts only" if info.aggregate else info.state
        cells = (info.classroom, info.title, started, clock(info.seconds), state, info.source)
        rows.add_row(str(info.id), *map(cell, cells))
    console().print(rows)
    held = LessonStore(classes.database, owner).held_back()
    say([held] if held else [])


def delete_lesson(lesson: int, owner: Owner = LOCAL_TEACHER) -> None:
    """Delete a teacher's lesson with all its readings."""
    LessonStore(owner=owner).delete(lesson)
    tell(f"Lesson {lesson} was deleted.")


def delete_old_lessons(owner: Owner = LOCAL_TEACHER) -> None:
    """Delete the teacher's lessons that retention has kept until somebody confirms it.

    Raises:
        UsageError: old lessons are not to be deleted at all.
    """
    deleted = LessonStore(owner=owner).delete_old()
    tell(f"{counted(deleted, 'lesson')} deleted." if deleted else "No lesson is old enough to be deleted.")


def remove_student(class_name: str, student: str, owner: Owner = LOCAL_TEACHER) -> None:
    """Remove a student and all their data."""
    classroom = Classroom.open(class_name, owner=owner)
    also = classroom.remove(student)
    left = classroom.students
    tell(
        f"{student} was removed from {classroom.name}, with all consents, vectors and readings. "
        f"Students left: {', '.join(left) or 'none'}."
    )
    if also:
        tell(also)
    if still_called(classroom.name) in also:
        tell(f"To rename the class, type: fewshot roster {quoted(classroom.name)} --rename NEW_NAME")
    tell("Files that you saved yourself (--save, --jsonl, reports, photos) are not deleted. Delete them if needed.")


def withdraw_consent(class_name: str, student: str, owner: Owner = LOCAL_TEACHER) -> None:
    """Record that a student's consent was withdrawn today. A lesson that runs stops recognising the student.

    Raises:
        UsageError: there is no such class or student, or no consent on record.
    """
    store = ClassStore(owner=owner)
    store.withdraw_consent(class_name, student)
    name = store.spelled(class_name)
    tell(f"The consent of {student} in {name} ends today. From now on {student} is not recognised; the data is kept.")
    tell(f"To delete all data, type: fewshot forget {quoted(name)} {quoted(student)}")


def rename_class(class_name: str, name: str, owner: Owner = LOCAL_TEACHER) -> None:
    """Rename a class. Its students and lessons keep everything.

    Raises:
        UsageError: there is no such class, or the new name cannot be used or is taken.
    """
    classroom = Classroom.open(class_name, owner=owner)
    before = classroom.name
    classroom.rename(name)
    tell(f"Class {before} is now called {classroom.name}.")


def _photos(student: Student) -> str:
    return ", ".join(f"{label or 'unlabelled'} {count}" for label, count in student.emotions().items())


def _days(student: Student) -> tuple[str, str]:
    until, today = student.consent.until, date.today()
    if today < student.consent.day:
        return f"[red]{student.consent.day}, in the future[/red]", str(until or "no end date")
    ended = not student.consent.holds(today)
    end = "no end date" if until is None else str(until)
    if student.consent.withdrawn is not None:
        end = f"withdrawn on {student.consent.withdrawn}"
    return str(student.consent.day), f"[red]{end}, ended[/red]" if ended else end
