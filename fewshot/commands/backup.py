"""``fewshot backup`` and ``fewshot restore``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from shlex import quote

from fewshot.access.safety import Safety
from fewshot.backup.make import check_passphrase, check_target, make_backup, noted
from fewshot.backup.manage import Shown, managed_files
from fewshot.backup.restore import Prepared, copies_beside, needs_passphrase, prepared, put_in_place, store_file
from fewshot.commands.secret_words import secret_word
from fewshot.commands.terminal import agreed, cell, console, table, tell
from fewshot.errors import FewshotError
from fewshot.session.analysis.words import counted
from fewshot.vault.container import read_header


def run_backup(file: Path, passphrase_file: Path | None) -> None:
    """Write an encrypted backup of all classes and lessons.

    Raises:
        UsageError, StoreError: see ``make_backup``.
    """
    check_target(file)
    passphrase = check_passphrase(secret_word("passphrase", passphrase_file, otherwise="Nothing was written."))
    made = make_backup(file, passphrase)
    holds = made.contents
    tell(
        f"{file} holds {counted(holds.classes, 'class', 'classes')}, {counted(holds.students, 'student')} and "
        f"{counted(holds.lessons, 'lesson')} ({file.stat().st_size / 1e6:.1f} MB, encrypted, checked after writing)."
    )
    tell("Keep the passphrase in another place. Without it nobody can open this file.")
    tell(f"To restore it, type: fewshot restore {quote(str(file))}")


def run_manage(place: Path) -> None:
    """Write a managed backup, and keep it up to date.

    Raises:
        UsageError, StoreError: see ``manage``.
    """
    found = Safety.here().manage(place)
    size = found.file.stat().st_size / 1e6
    tell(f"{found.file} is a managed backup from now on ({size:.1f} MB, encrypted, checked after writing).")
    tell("It is written again whenever somebody is erased, and once a day while the app or the service runs.")
    tell("It opens with a recovery file and its passphrase. Keep the recovery file in another place.")
    tell(f"To restore it, type: fewshot restore {quote(str(found.file))}")


def run_unmanage(place: Path) -> None:
    """Leave a managed backup as it is.

    Raises:
        UsageError, StoreError: see ``unmanage``.
    """
    file = Safety.here().unmanage(place)
    tell(f"{file} is not kept up to date any more. The file stays there: delete it yourself if nobody needs it.")


def show_managed() -> None:
    """List the managed backups, and what failed. Raises StoreError if their list is damaged."""
    found = Safety.here().managed()
    if not found:
        tell("There is no managed backup. To choose a place for one, type: fewshot backup --manage PLACE")
        return
    for shown in found:
        tell(f"{shown.place.file} ({_of_managed(shown)})")
        if shown.place.why:
            tell(f"  {shown.place.reason()}")


def _of_managed(shown: Shown) -> str:
    if not shown.place.written:
        return "never written"
    when = f"written {_local(shown.place.written)}"
    return when if shown.current else f"{when}, before the latest erasure or before the recovery file changed"


def run_restore(file: Path, passphrase_file: Path | None, yes: bool) -> None:
    """Replace the database by a backup, without what was removed after the backup was made.

    Raises:
        UsageError, StoreError: see ``prepared`` and ``put_in_place``.
    """
    store_file()
    passphrase = None
    if needs_passphrase(file):
        if read_header(file).managed is not None:
            tell("This is a managed backup: it opens with the passphrase of the recovery file.")
        passphrase = secret_word("passphrase", passphrase_file, new=False)
    with prepared(file, passphrase) as ready:
        _show(file, ready)
        question = "Replace the database of now by this backup?"
        why = "A restore replaces the database, and nobody can be asked here."
        if not yes and not agreed(question, why, "To restore without a question, add: --yes"):
            tell("Nothing was changed.")
            return
        aside = put_in_place(ready)
    tell(f"The backup was restored to {ready.shown}.")
    if aside is not None:
        tell(f"What was there before is in {aside}. To delete it, type: rm {quote(str(aside))}")
    tell("All logins ended. To see the accounts, type: fewshot accounts")


def show_backups() -> None:
    """List the copies beside the database, and the encrypted backups that were made here."""
    store = store_file()
    copies = copies_beside()
    backups = [*_managed_files(store), *noted(store)]
    if not copies and not backups:
        tell("There is no backup yet. To make one, type: fewshot backup FILE")
        return
    # Lines and no table: a long path must stay in one piece, so that it can be copied.
    for copy in copies:
        made = datetime.fromtimestamp(copy.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
        tell(f"{copy} ({made}, made by fewshot itself; only this computer's keys open it)")
    for backup in backups:
        tell(f"{backup} ({_made(backup)})")
    tell("To restore one, type: fewshot restore FILE")


def _managed_files(store: Path) -> list[Path]:
    try:
        return managed_files(store)
    except FewshotError as error:
        tell(error.text)
        return []


def _made(backup: Path) -> str:
    if not backup.exists():
        return "it is not there any more, or its disk is not connected"
    try:
        header = read_header(backup)
        return f"{_local(header.made)}, encrypted{', managed' if header.managed is not None else ''}"
    except FewshotError as error:
        return error.text


def _local(made: str) -> str:
    try:
        return datetime.fromisoformat(made).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return made


def _show(file: Path, ready: Prepared) -> None:
    rows = table("", "Classes", "Students", "Lessons", "Newest lesson (UTC)")
    for name, holds in (("now", ready.before), (f"backup of {_local(ready.made)}", ready.after)):
        cells = (
            ("-",) * 4
            if holds is None
            else (str(holds.classes), str(holds.students), str(holds.lessons), holds.newest or "none")
        )
        rows.add_row(cell(name), *cells)
    console().print(rows)
    if ready.why:
        tell(f"The present database cannot be opened, so nobody knows what is in it: {ready.why}")
    if ready.foreign:
        tell(
            f"{file} comes from another installation and keeps its own data: what was removed here is not removed "
            "from it."
        )
    words = {"student": "students", "class": "classes", "lesson": "lessons", "photo": "photos"}
    again = [counted(ready.replayed.erased[kind], kind, plural) for kind, plural in words.items()]
    again = [text for text in again if not text.startswith("0 ")]
    if again:
        tell(f"Removed after the backup, so they stay removed: {', '.join(again)}.")
    if ready.replayed.withdrawn:
        tell(f"Withdrawn after the backup, so it stays withdrawn: {counted(ready.replayed.withdrawn, 'consent')}.")
    if ready.replayed.lost:
        what = counted(ready.replayed.lost, "student or lesson", "students and lessons")
        tell(f"Left out, because their keys are not on this computer: {what}.")
        tell("To use a recovery file, type: fewshot key import FILE")
    if ready.replayed.texts:
        tell(
            f"Lost, because an erasure has dropped their key since: {counted(ready.replayed.texts, 'text')} (titles, "
            "markers, labels, or who gave a consent)."
        )
    if ready.replayed.old:
        tell(f"Older than Settings, Privacy allows, so they are left out: {counted(ready.replayed.old, 'lesson')}.")
