"""The one rule for what systems leave in folders of pictures: hidden files, thumbnails, trash. No reader opens them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# In lower case. Names that begin with a dot are hidden on macOS and Linux (".thumbnails", ".AppleDouble", "._1.jpg").
_FOLDERS = {
    "__macosx", "network trash folder", "temporary items",  # macOS
    "system volume information", "recycler", "recycled", "config.msi", "_vti_cnf",  # Windows
    "resource.frk", "thumbnails", "_thumbnails", "thumbs", "_thumbs",  # old Macs, programs for photos
    "lost+found", "__pycache__", "cvs", "#recycle", "#snapshot", "_gsdata_",  # Linux, network disks, backups
}  # fmt: skip
_FILES = {
    "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "autorun.inf", "picasa.ini", "zbthumbnail.info",
    "pspbrwse.jbf", "icon\r", "sync.ffs_db",
}  # fmt: skip
# Synology and QNAP put "@" before their folders (@eaDir, @Recycle, @__thumb, @tmp), Windows "$" ($RECYCLE.BIN).
_FOLDER = re.compile(r"[@$].*|found\.\d{3}", re.IGNORECASE)
# Temporary files of Office, streams of other file systems that became files of their own.
_FILE = re.compile(r"~\$.*|.*@syno(eastream|resource)|.*:(zone\.identifier|encryptable|afp_\w+)", re.IGNORECASE)


def is_clutter(name: str, folder: bool) -> bool:
    """Whether a name belongs to a system and not to a person.

    >>> is_clutter("@eaDir", folder=True), is_clutter("._1.jpg", folder=False), is_clutter("anna", folder=True)
    (True, True, False)
    """
    plain = name.strip(" ").lower()
    if plain.startswith("."):
        return True
    return plain in _FOLDERS or bool(_FOLDER.fullmatch(plain)) if folder else _is_system_file(name.lower())


def _is_system_file(name: str) -> bool:
    return name in _FILES or bool(_FILE.fullmatch(name))


def in_clutter(path: PurePosixPath) -> bool:
    """Whether a file, or a folder above it, is clutter. ``path`` begins below the folder that a person chose."""
    return any(is_clutter(part, folder=True) for part in path.parts[:-1]) or is_clutter(path.name, folder=False)


def entries_of(folder: Path) -> list[Path]:
    """The files and folders in a folder without clutter, sorted by name.

    Raises:
        OSError: the folder cannot be read.
    """
    with os.scandir(folder) as found:
        return sorted(folder / entry.name for entry in found if not is_clutter(entry.name, _is_folder(entry)))


def files_below(folder: Path) -> Iterator[Path]:
    """The regular files in a folder and its subfolders without clutter, sorted. Links to folders are not followed.

    Raises:
        OSError: a folder cannot be read.
    """
    for path in entries_of(folder):
        if path.is_dir():
            if not path.is_symlink():
                yield from files_below(path)
        elif path.is_file():
            yield path


def leads_up(path: Path) -> bool:
    """Whether a path is a link to a folder above itself: following it leads in a circle, or through a whole disk."""
    return path.is_symlink() and path.parent.resolve().is_relative_to(path.resolve())


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle, a disk that was removed
        return False
