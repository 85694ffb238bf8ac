"""The one family of errors a user may meet, and notes. The command line prints text and hint, never a traceback."""

from __future__ import annotations

from dataclasses import dataclass

from fewshot.addresses import without_secrets
from fewshot.safe_text import has_stray_bytes, printable
from fewshot.translation import Later, altered, later

__all__ = [
    "DimensionMismatch", "FewshotError", "ModelMissing", "ModelUnavailable", "Note", "SourceError", "StoreError",
    "UsageError", "has_stray_bytes", "printable", "reason_of",
]  # fmt: skip

SYSTEM_REASONS = (
    later("No space left on device"), later("Disk quota exceeded"), later("File too large"),
    later("Permission denied"), later("Operation not permitted"), later("Read-only file system"),
    later("No such file or directory"), later("Not a directory"), later("Is a directory"), later("File exists"),
    later("File name too long"), later("Input/output error"), later("Too many open files"),
    later("Device or resource busy"), later("database or disk is full"), later("database is locked"),
    later("database disk image is malformed"), later("file is not a database"), later("disk I/O error"),
    later("unable to open database file"), later("attempt to write a readonly database"),
    later("its folder is not there"),
)  # fmt: skip
"""What the system and SQLite say most often, for the catalogues. They say it in English everywhere."""


def reason_of(error: Exception) -> str:
    """What the system, or a library, gives as the reason, to stand in brackets; translated where it is shown, if known.

    >>> reason_of(OSError(28, "No space left on device"))
    'No space left on device'
    """
    return Later((error.strerror if isinstance(error, OSError) else "") or str(error))


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a user should know while the program goes on, such as a weaker model that is used instead.

    As with an error, the command line prints ``str(note)``, and the app shows ``text`` and the next click.

    Attributes:
        text: one or two sentences; true wherever they are shown.
        hint: the next step on the command line, usually a command; "" if there is none.
    """

    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()


class FewshotError(Exception):
    """Something went wrong that a user can act on: the text says what happened, what was expected, what to do.

    The command line prints ``str(error)``: the text, then the hint. The app shows ``error.text`` and adds the next
    click itself.

    Args:
        text: what happened and what was expected; true wherever it is shown. If a page can show it, ``later`` makes
            it, so that it is translated there, for whoever reads it.
        hint: the next step on the command line, usually a command; "" if the text already says what to do.

    Attributes:
        exit_code: what the command line ends with: 1 for a failed run, 2 for wrong usage.
    """

    exit_code = 1

    def __init__(self, text: str = "", *, hint: str = "") -> None:
        # Whatever made the text: no password of an address may reach a screen, a log or a file.
        super().__init__(altered(text, lambda part: without_secrets(printable(part))))
        self.hint = without_secrets(printable(hint))

    @property
    def text(self) -> str:
        """The text without the hint for the command line. ``tr`` translates it, if ``later`` made it."""
        return self.args[0] if self.args else ""

    def __str__(self) -> str:
        return f"{self.text} {self.hint}".strip()


class UsageError(FewshotError):
    """The request itself cannot be carried out as it was made (a missing file, an unknown class, no consent)."""

    exit_code = 2


class DimensionMismatch(FewshotError):
    """Vectors of different length met, so they were made by different networks."""


class ModelUnavailable(FewshotError):
    """A model cannot be used: its file is missing, damaged, unreadable, or does not load."""


class ModelMissing(ModelUnavailable):
    """A model file is neither on this machine nor to be downloaded. Only then may a weaker model replace it."""


class StoreError(FewshotError):
    """A prototype store is damaged, or was made by another network than the one in use."""


class SourceError(FewshotError):
    """A video source cannot be opened, or ended before it should have."""
