"""``fewshot key``: show, check, rotate, export, import and use the keys of the encryption."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from rich.progress import Progress

from fewshot.access.safety import Safety, import_keys, keys_here
from fewshot.commands.secret_words import secret_word
from fewshot.commands.terminal import agreed, console, tell
from fewshot.errors import UsageError
from fewshot.models.files import home
from fewshot.secret_variables import secret_variable
from fewshot.session.analysis.words import counted
from fewshot.vault import FileKeys, HeldKeys
from fewshot.vault.held_keys import TOKEN, checked_token
from fewshot.vault.key_file import SECRET

NEW_SECRET = "FEWSHOT_KEY_NEW"  # nosec B105: the name of a variable


def show_keys() -> None:
    """Say where the keys are, and what would open them elsewhere."""
    keys = keys_here()
    if isinstance(keys, HeldKeys):
        tell(f"The keys are held by {keys.url}: {counted(len(keys.names()), 'key')}.")
        tell("Its recovery file and the key that opens them are shown there.")
        _tell_plain()
        return
    record = keys.record
    if not record:
        Safety.here().refuse_lost()
        tell("There are no keys yet. The first enrollment makes them.")
        _tell_plain()
        return
    epoch = keys.epoch_file()
    tell(
        f"Keys: {keys.path} ({counted(len(record['keys']), 'key')}; {counted(len(record['dropped']), 'key')} dropped)."
    )
    tell("Key that opens them: " + (str(epoch) if epoch is not None else "not on this computer."))
    tell(f"{SECRET} is {'needed to open them too' if record['secret'] else 'not used'}.")
    recovery = record.get("recovery")
    if not recovery:
        tell("There is no recovery file. If the key or the disk is lost, everything in the classes is lost too.")
        tell("To make a recovery file, type: fewshot key export FILE")
    else:
        for place in recovery["places"]:
            tell(f"Recovery file: {place} ({'there' if Path(place).exists() else 'its disk is not connected'}).")
    Safety.here().refuse_lost()
    _tell_plain()


def check_keys(archives_deleted: bool = False) -> int:
    """Open everything once, and say what cannot be read. Returns the exit status.

    Args:
        archives_deleted: somebody has deleted what archives of a server's log and its copies held from before.
    """
    safety = Safety.here()
    if archives_deleted:
        safety.archives_deleted()
    state = safety.check()
    tell(f"{counted(state.sealed, 'row')} can be opened.")
    if state.plain:
        tell(f"{counted(state.plain, 'row')} of an earlier version can be read, and are not encrypted yet.")
        tell("To encrypt them, type: fewshot key seal")
    if state.lost:
        tell(f"{counted(state.lost, 'row')} cannot be opened: their keys are not here, or they were changed.")
        tell("To use a recovery file, type: fewshot key import FILE")
    _tell_readable_elsewhere(safety)
    return 1 if state.lost else 0


def rotate_key() -> None:
    """Replace the key that opens all others."""
    safety = Safety.here()
    new = secret_variable(NEW_SECRET)
    safety.rotate(new)
    if isinstance(safety.keys, FileKeys):
        tell(f"The key was replaced. It is now {safety.keys.epoch_file()}.")
    if new is not None:
        tell(
            f"From now on set {SECRET} to the value that {NEW_SECRET} has now." if new else f"{SECRET} is not used now."
        )
    tell("Older copies of keys.json cannot be opened any more.")


def export_key(file: Path, passphrase_file: Path | None, replace: bool) -> None:
    """Write a recovery file.

    Raises:
        UsageError: there are no keys, the file cannot be written, or the passphrase does not fit.
    """
    safety = Safety.here()
    safety.must_exist()
    if isinstance(safety.keys, HeldKeys):
        safety.keys.export(file, "")  # refuses, before a passphrase is asked for
    first = replace or not safety.recovery_places()
    passphrase = secret_word("passphrase", passphrase_file, new=first, otherwise="Nothing was written.")
    for said in safety.export(file, passphrase, replace):
        raise UsageError(said)
    tell(f"{file} opens the keys with the passphrase, also on another computer. It is kept up to date from now on.")
    tell("Keep it on another disk, and the passphrase in another place: whoever has a backup, this file and the")
    tell("passphrase can read everything.")


def import_key(file: Path, passphrase_file: Path | None) -> None:
    """Take over the keys of a recovery file.

    Raises:
        UsageError: it is no recovery file, or the passphrase is wrong.
    """
    count = import_keys(file, secret_word("passphrase", passphrase_file, new=False))
    tell(f"{counted(count, 'key')} are here now. Keys of what was erased were not taken back.")
    tell("To see what can be read, type: fewshot key check")


def serve_the_keys(host: str, port: int, certificate: Path | None, private_key: Path | None) -> None:
    """Hold the keys of this installation for other computers, until Ctrl-C.

    Raises:
        UsageError: packages or the token are missing, or other computers could reach the keys without TLS.
    """
    if importlib.util.find_spec("uvicorn") is None:
        raise UsageError(
            "The key holder needs packages that are not installed (uvicorn).",
            hint="To install them, type in the project's folder: pip install '.[serve]'",
        )
    from fewshot.api.key_holder import serve_keys

    serve_keys(home(), host, port, checked_token(secret_variable(TOKEN) or ""), certificate, private_key, tell)


def seal_now(yes: bool, in_place: bool) -> None:
    """Encrypt what an earlier version wrote.

    Raises:
        UsageError: nobody can be asked; ``in_place`` for a database that is no server's; see ``Safety.seal``.
        StoreError: the database or the keys cannot be written.
    """
    safety = Safety.here()
    if in_place and not safety.on_server:
        raise UsageError("Only a database on a PostgreSQL server can be encrypted in place or as a new one.")
    if not safety.plain_rows():
        tell("Everything is encrypted already.")
        _tell_readable_elsewhere(safety)
        return
    tell(
        "Names, vectors and readings of an earlier version will be encrypted. There is no way back: an earlier version"
    )
    tell("of fewshot cannot read them afterwards, and the copies that fewshot made of the database are deleted.")
    if in_place:
        tell("In place is weaker: if it is stopped before its end, readable rows stay in the files of the server.")
    elif safety.on_server:
        tell("An encrypted copy is written as a new database on the server, checked, and takes the name of this one,")
        tell("which is then dropped. Meanwhile nobody can use it. The server's disk needs space for both.")
    if not yes and not agreed("Encrypt now?", "Nobody can be asked here.", "To go on without a question: --yes"):
        tell("Nothing was changed.")
        return
    with Progress(console=console(), transient=True) as bar:
        task = bar.add_task("Encrypting", total=None)
        safety.seal(lambda done, total: bar.update(task, completed=done, total=total), in_place)
    tell("Everything is encrypted now. Backups and copies that were made before are not: delete them yourself.")
    _tell_readable_elsewhere(safety)
    if not safety.recovery_places():
        tell("To make a recovery file for the case that this disk is lost, type: fewshot key export FILE")


def _tell_readable_elsewhere(safety: Safety) -> None:
    said = safety.readable_elsewhere()
    for sentence in said:
        tell(sentence)
    if said:
        tell("To see what is left of it later, type: fewshot key check")
        tell("After you have deleted archives and copies from before, type: fewshot key check --archives-deleted")


def _tell_plain() -> None:
    safety = Safety.here()
    if said := safety.not_encrypted():
        tell(said)
        tell("To encrypt them, type: fewshot key seal")
    _tell_readable_elsewhere(safety)
