"""What ``fewshot live`` and ``fewshot analyze`` write, checked before anything is opened."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from fewshot.classroom.store import ClassStore
from fewshot.classroom.traces import last_timeline
from fewshot.commands.terminal import say
from fewshot.database.owner import LOCAL_TEACHER, Owner
from fewshot.errors import UsageError
from fewshot.live.sinks.base import cannot_be_written
from fewshot.live.sinks.encoders import SUFFIXES
from fewshot.live.sinks.table import PARQUET_HINT
from fewshot.models.files import home
from fewshot.pictures import is_picture
from fewshot.private_files import why_not_writable


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is written besides the summary in the terminal, for one teacher; ``lesson`` is the title of a lesson."""

    save: Path | None = None
    jsonl: Path | None = None
    picture: Path | None = None
    lesson: str | None = None
    profile: Path | None = None
    table: Path | None = None
    parquet: Path | None = None
    crops: Path | None = None
    owner: Owner = LOCAL_TEACHER

    @property
    def show_students(self) -> bool:
        """Whether a file is written that shows who was seen, or how."""
        return any((self.save, self.jsonl, self.picture, self.table, self.parquet, self.crops))

    def check(self, inputs: Sequence[str]) -> None:
        """Check, before anything is opened, that no output overwrites an input.

        Raises:
            UsageError: an output would overwrite an input, or its path cannot be used.
            OutputError: an output cannot be written.
            StoreError: a lesson is to be recorded, and the database cannot be written.
        """
        files = (self.save, self.jsonl, self.picture, self.profile, self.table, self.parquet)
        wanted = [path for path in files if path is not None]
        if len({path.absolute() for path in wanted}) < len(wanted):
            raise UsageError("Two outputs have the same file name. Give each output a different name.")
        for path in wanted:
            if path.is_dir():
                raise UsageError(f"{path} is a folder. Give the name of a file in it.")
            if not path.absolute().parent.is_dir():
                raise UsageError(f"There is no folder {path.absolute().parent}. Create it, or choose another folder.")
            if path.exists() and any(_reads(i, path) for i in inputs if "://" not in i):
                raise UsageError(f"{path} is an input file and would be overwritten. Choose another output name.")
            _require_writable(path)
        if self.crops is not None and self.crops.exists() and not self.crops.is_dir():
            raise UsageError(f"{self.crops} is a file. Give the name of a folder for the faces.")
        if self.crops is not None and any(_same(self.crops, one) for one in inputs):
            raise UsageError(f"{self.crops} is an input folder. Give another folder for the faces.")
        if self.parquet is not None and find_spec("pyarrow") is None:
            raise UsageError("A Parquet file needs pyarrow, which is not installed.", hint=PARQUET_HINT)
        if self.crops is not None and (why := why_not_writable(self.crops)):
            raise cannot_be_written(self.crops, why)
        if self.save is not None and self.save.suffix.lower() not in SUFFIXES:
            raise UsageError(f"{self.save} is not the name of a video. Use a name that ends in {', '.join(SUFFIXES)}.")

        if self.lesson is not None:
            ClassStore(owner=self.owner).require_writable()
        if why := self.why_no_timeline:
            kept = "To keep it, add --summary-picture FILE, or set FEWSHOT_HOME to a folder where you may write."
            say([f"The timeline of this run will not be kept, because {home()} cannot be written to ({why}). {kept}"])

    @property
    def why_no_timeline(self) -> str:
        """Why the program's own folder cannot take the timeline; "" if it can, or if the timeline goes elsewhere."""
        return why_not_writable(home()) if self.timeline.parent == home() else ""

    @property
    def timeline(self) -> Path:
        """Path of the timeline: the one given, else beside another output, else in the program's own folder."""
        if self.picture is not None:
            return self.picture
        beside = self.save or self.jsonl or self.table or self.parquet
        return beside.with_name(f"{beside.stem}-timeline.png") if beside else last_timeline(self.owner.id)


def _require_writable(path: Path) -> None:
    """Raises OutputError for a file that could not be written after all the work."""
    if path.exists():
        why = "" if os.access(path, os.W_OK) else os.strerror(errno.EACCES)
    else:
        why = why_not_writable(path.absolute().parent)
    if why:
        raise cannot_be_written(path, why)


def _reads(text: str, path: Path) -> bool:
    """Whether an input is this file, or a folder whose pictures include it."""
    if Path(text).is_dir():
        return path.parent.samefile(text) and is_picture(path)
    return Path(text).is_file() and path.samefile(text)


def _same(folder: Path, text: str) -> bool:
    return "://" not in text and Path(text).is_dir() and folder.is_dir() and folder.samefile(text)
