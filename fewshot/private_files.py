"""Files and folders that only their owner may open, because they hold data of students."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o077
HAS_MODES = os.name == "posix"
"""Windows has no such permissions: there the user's profile folder keeps other accounts out."""


def make_private_folder(folder: Path) -> None:
    """Create a folder for its owner only, with the folders above it. A folder that exists is not changed.

    Raises:
        OSError: it cannot be created.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=FOLDER, exist_ok=True)


def open_private(path: Path) -> IO[bytes]:
    """Open a file for writing that only its owner may open. A file that exists is replaced, also one open to others.

    Raises:
        OSError: it cannot be written.
    """
    return os.fdopen(private_opener(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)), "wb")


def open_fresh(path: Path) -> IO[bytes]:
    """Open a new file as ``open_private`` does, in a folder that others may write to as well: for a temporary file.

    What has this name is deleted first. A link that somebody put there is never followed.

    Raises:
        OSError: it cannot be created, or somebody else puts a file there at the same time.
    """
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), FILE), "wb")


def private_opener(path: str | Path, flags: int) -> int:
    """Open a file as ``open_private`` does: for the argument ``opener`` of ``open``.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, flags, FILE)
    try:
        mode = os.fstat(descriptor).st_mode
        if HAS_MODES and stat.S_ISREG(mode) and mode & _OTHERS:  # /dev/null must stay open to everybody
            os.fchmod(descriptor, FILE)  # before a byte is in it
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def claim_private(path: Path) -> None:
    """Create an empty file that only its owner may open, for a library that then writes to it by its name.

    Raises:
        OSError: it cannot be written.
    """
    if path.is_file() or not path.exists():
        open_private(path).close()


def write_private(path: Path, data: bytes | memoryview) -> None:
    """Write a file that only its owner may open; see ``open_private``."""
    with open_private(path) as file:
        file.write(data)


def why_not_writable(folder: Path) -> str:
    """Why no file can be created in a folder, or in the nearest one above it that exists; "" if one can be created."""
    place = folder.absolute()
    try:
        while not place.exists() and place != place.parent:
            place = place.parent
        with tempfile.TemporaryFile(dir=place):  # the only proof: modes say nothing of a disk that is read-only
            return ""
    except OSError as error:
        return error.strerror or str(error)


def tighten(paths: Iterable[Path]) -> list[str]:
    """Take the access of other users of this computer away from files and folders; those that are missing are skipped.

    Returns:
        A sentence for each one that stays open to others, with the reason and the next step.
    """
    return [said for path in paths if HAS_MODES and (said := _tighten(path))]


def _tighten(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return ""
    mode, what = stat.S_IMODE(found.st_mode), "folder" if stat.S_ISDIR(found.st_mode) else "file"
    if not mode & _OTHERS:
        return ""
    if what == "folder" and (mode & stat.S_ISVTX or _is_shared(path)):
        return (
            f"Other users of this computer can look into the folder {path}, which fewshot does not change, because it "
            "is not only for fewshot. Set FEWSHOT_HOME to a folder of its own."
        )
    if found.st_uid != os.geteuid():
        return (
            f"Other users of this computer can open the {what} {path}, and it belongs to another user, so fewshot "
            f"cannot change that. Ask the owner to take the access of others away (chmod go-rwx)."
        )
    try:
        path.chmod(mode & ~_OTHERS)
    except OSError as error:
        return (
            f"Other users of this computer can open the {what} {path}, and its permissions could not be changed "
            f"({error.strerror or error}). Move it to a disk where permissions can be set."
        )
    return ""


def _is_shared(folder: Path) -> bool:
    """Whether a folder holds more than the data of fewshot: the root, or a user's home folder."""
    place = folder.resolve()
    try:
        home = Path.home().resolve()
    except RuntimeError:
        home = place.parent / ".."
    return place in (home, Path(place.anchor))
