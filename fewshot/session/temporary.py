"""Temporary folders for photos and recordings of people, which do not outlive a killed program for long."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from fewshot.session.liveness import has_ended, this_process

KINDS = ("demo", "guided", "photos", "picture", "ray", "sample", "upload")
_OWNER = "owner"
_OURS = re.compile(rf"fewshot-({'|'.join(KINDS)})-\w+")


class TemporaryFolder:
    """A folder that is deleted at the end of the block, with ``cleanup``, or by a later start if this one is killed.

    Args:
        kind: one of ``KINDS``; part of its name.
        ignore_cleanup_errors: Windows cannot delete a file that is still read.

    Attributes:
        name: path of an empty folder with the rights of this user only.
    """

    def __init__(self, kind: str, ignore_cleanup_errors: bool = False) -> None:
        self._outer = tempfile.TemporaryDirectory(
            prefix=f"fewshot-{kind}-", ignore_cleanup_errors=ignore_cleanup_errors
        )
        # Beside what it holds, so that nobody takes the file for a photo.
        Path(self._outer.name, _OWNER).write_text(this_process(), encoding="utf-8")
        inner = Path(self._outer.name, "files")
        inner.mkdir()
        self.name = str(inner)

    def cleanup(self) -> None:
        """Delete it with everything in it."""
        self._outer.cleanup()

    def __enter__(self) -> str:
        return self.name

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()


def clean_up() -> int:
    """Delete the folders of programs of this user that were killed. Returns how many were deleted.

    A folder is deleted only if its name is one of ours, it belongs to this user and is not a link, and it names a
    process of this computer that has ended.
    """
    deleted = 0
    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).iterdir():
            if _OURS.fullmatch(path.name) and _is_left_over(path):
                shutil.rmtree(path, ignore_errors=True)
                deleted += not path.exists()
    return deleted


def _is_left_over(path: Path) -> bool:
    try:
        about = path.lstat()
        if not stat.S_ISDIR(about.st_mode) or (hasattr(os, "getuid") and about.st_uid != os.getuid()):
            return False
        return has_ended((path / _OWNER).read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        return False
