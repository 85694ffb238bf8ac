"""``fewshot export-data`` and ``fewshot audit``: what is held about a student, and who did what with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from shlex import quote

import typer

from fewshot.access.audit_page import log_rows
from fewshot.access.export import folder_for, student_files, write_files
from fewshot.access.forget import Forgotten, check_receipt, forget
from fewshot.audit.log import newest
from fewshot.audit.verify import verify
from fewshot.classroom.names import quoted
from fewshot.classroom.owners import Owners, owner_named
from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import still_called
from fewshot.commands.terminal import FAILED, agreed, cell, console, print_error, table, tell
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.private_files import why_not_writable, write_private
from fewshot.session.analysis.words import counted

_ONE = {
    "photos": "photo", "expression vectors": "expression vector", "identity vectors": "identity vector",
    "pictures": "picture", "consents": "consent", "corrections": "correction",
    "check-ins": "check-in", "seconds of readings": "second of readings", "lessons": "lesson",
}  # fmt: skip
"""What a receipt counts, in the singular."""
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
    lines = log_rows(database, last, owner_named(database, as_name))
    if not lines:
        tell(_EMPTY)
        return
    rows = table("Line", "When (UTC)", "Account", "Event", "Student (random id)", "Details")
    for line in lines:
        rows.add_row(*map(cell, line))
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


def run_forget(class_name: str, student: str, receipt: Path | None, yes: bool, owner: Owner = LOCAL_TEACHER) -> int:
    """Erase a student, and write the receipt. Returns the exit status: 1 if something is left to do.

    Raises:
        UsageError: there is no such class or student, nobody can be asked, or there is no place for the receipt. Then
            nothing was erased.
        StoreError: the erasure is not complete.
    """
    store = ClassStore(owner=owner)
    _check_place(receipt or Path("receipt.json"))
    roster = store.roster(class_name)
    if student not in roster.students:
        store.consents(class_name, student)  # its error names the class or the students
    spelled = store.spelled(class_name)
    question, why = f"Erase {student} from {class_name} for good?", "An erasure is final, and nobody can be asked here."
    if not yes and not agreed(question, why, "To erase without a question, add: --yes"):
        tell("Nothing was changed.")
        return 0
    done = forget(store, class_name, student)
    held = ", ".join(counted(count, _ONE[what], what) for what, count in done.receipt["removed"].items() if count)
    tell(f"{student} was erased from {class_name}: {held or 'no data'}.")
    if done.sealed:
        tell(f"{counted(done.receipt['keys_dropped'], 'key')} dropped: what is left in older copies cannot be opened.")
    else:
        tell("This student was enrolled by an earlier version and was not encrypted, so older copies and backups can")
        tell("still be read. Delete them yourself. To encrypt the others, type: fewshot key seal")
    if done.also:
        tell(done.also)
    if still_called(spelled) in done.also:
        tell(f"To rename the class, type: fewshot roster {quoted(spelled)} --rename NEW_NAME")
    file, text = receipt or Path(f"receipt-{done.receipt['receipt'][:12]}.json"), _as_json(done.receipt)
    status = 0
    try:
        write_private(file, text.encode())
    except OSError as error:  # the disk became full; the receipt cannot be made again
        status = FAILED
        print_error(
            f"The student is erased, but the receipt could not be written to {file} ({error.strerror or error}). Keep "
            "what is printed here, from { to }, in a file of this name:"
        )
        typer.echo(text)
    else:
        tell(f"Receipt, signed, without a name: {file}")
    if done.pending:
        status = FAILED
        print_error(done.pending)
    _tell_of_backups(done)
    tell("Not in reach of fewshot: " + " ".join(done.receipt["out_of_reach"]))
    return status


def _tell_of_backups(done: Forgotten) -> None:
    """Say which backups were made before, and which were written again without the student."""
    for backup in done.backups:
        tell(f"The backup {backup} was made before. Make a new one, because titles of this class are lost in it:")
        tell(f"  fewshot backup {quote(str(backup))}")
    for shown in done.managed:
        if shown.current:
            tell(f"The managed backup {shown.place.file} was written again, without this student.")
        else:
            tell(f"The managed backup {shown.place.file} was made before the erasure. {shown.place.logged()}")
            tell("  The next start of fewshot tries again. Until then it opens together with an older recovery file.")


def _check_place(receipt: Path) -> None:
    """Check that a receipt can be written, before anything is erased: nobody can sign it again afterwards."""
    why = "It is a folder" if receipt.is_dir() else why_not_writable(receipt.parent)
    if not why and not receipt.parent.is_dir():
        why = "There is no such folder"
    if why:
        raise UsageError(f"The receipt cannot be written to {receipt} ({why}). Give a file with --receipt.")


def _as_json(receipt: Mapping[str, object]) -> str:
    return json.dumps(receipt, indent=1, ensure_ascii=False) + "\n"


def run_check_receipt(file: Path) -> int:
    """Say whether a receipt is unchanged. Returns the exit status."""
    if check_receipt(file):
        tell(f"{file} is as this installation wrote it.")
        return 0
    print_error(f"{file} was changed, or another installation wrote it.")
    return FAILED
