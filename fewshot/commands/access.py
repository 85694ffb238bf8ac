"""``fewshot export-data`` and ``fewshot audit``: what is held about a student, and who did what with it."""

from __future__ import annotations

from pathlib import Path

from fewshot.access.export import folder_for, student_files, write_files
from fewshot.audit.log import latest, newest
from fewshot.audit.verify import verify
from fewshot.classroom.owners import Owners, owner_named
from fewshot.classroom.store import ClassStore
from fewshot.commands.terminal import FAILED, cell, console, print_error, table, tell
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.session.analysis.words import counted

_EMPTY = "The audit log has no lines yet."


def export_data(class_name: str, student: str, output: Path | None, owner: Owner = LOCAL_TEACHER) -> None:
    """Write everything that is held about a student of the owner.

    Raises:
        UsageError: there is no such class or student, or the folder cannot be written.
        StoreError: the database is damaged.
    """
    database = ClassStore(owner=owner).database
    files = student_files(database, owner, class_name, student)
    for path in write_files(files, output or folder_for(student)):
        tell(f"Data of {student}: {path}")
    tell("These files hold personal data. Give them to the family only, and delete them here afterwards.")


def show_audit(last: int, as_name: str | None) -> None:
    """List the latest lines of the log: all, or those of one teacher.

    Raises:
        UsageError: there is no such account, or ``last`` is below 1.
    """
    if last < 1:
        raise UsageError(f"{last} lines cannot be shown. Give a number from 1 on: fewshot audit show --last 20")
    database = Owners().database
    lines = latest(database, last, owner_named(database, as_name))
    if not lines:
        tell(_EMPTY)
        return
    names = {owner.id: owner.name for owner in Owners(database).all()}
    rows = table("Line", "When (UTC)", "Account", "Event", "Student (random id)", "Details")
    for line in lines:
        details = ", ".join(f"{name} {value}" for name, value in line.told().items())
        account = names.get(line.owner, "unknown" if not line.owner else "removed account")
        when = str(line.at)[:19].replace("T", " ")
        rows.add_row(*map(cell, (str(line.number), when, account, str(line.event), str(line.subject), details)))
    console().print(rows)


def verify_audit(kept: str) -> int:
    """Check the log, and print every fault. Returns 0 if there is none, else 1."""
    checked = verify(Owners().database, kept)
    for said in checked.findings:
        print_error(said)
    if checked.findings:
        print_error(
            f"The audit log has {counted(checked.count, 'line')} and is not as it was written. Compare it with a "
            "backup of the database, and find out who could write to its file."
        )
        return FAILED
    tell(
        f"The audit log is whole: {counted(checked.count, 'line')}, each as it was written, and the last one is signed."
    )
    return 0


def show_head() -> None:
    """Print the head in one line.

    Raises:
        UsageError: there is no signed head yet.
    """
    head = newest(Owners().database)
    if head is None or not head.signature:
        raise UsageError("The audit log has no signed line yet.", hint="To check it, type: fewshot audit verify")
    tell(f"{head.number} {head.hash} {head.key} {head.signature}")
