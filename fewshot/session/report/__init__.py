"""Reports of a lesson as files: HTML, PDF, CSV, Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.private_files import write_private
from fewshot.session.lesson import Lesson
from fewshot.session.report.contents import Contents, gather
from fewshot.translation import LANGUAGE

__all__ = ["MEDIA_TYPES", "Contents", "check_suffix", "gather", "report_bytes", "write_report"]

MEDIA_TYPES = {
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".csv": "text/csv",
    ".parquet": "application/vnd.apache.parquet",
}
"""The possible formats of a report, by the suffix of its file."""


def check_suffix(path: str | Path) -> str:
    """The suffix in lower case.

    Raises:
        UsageError: a report cannot have this suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in MEDIA_TYPES:
        raise UsageError(
            f"{path}: a report ends with {', '.join(MEDIA_TYPES)}. Choose a name with one of these endings."
        )
    return suffix


def report_bytes(
    lesson: Lesson, suffix: str, earlier: Sequence[Lesson] = (), aggregate: bool = False
) -> dict[str, bytes]:
    """The report as files in memory, for a download.

    Args:
        suffix: ".html", ".pdf", ".csv" or ".parquet".
        earlier: lessons of the same class before this one, for the check-in list and the course over weeks.
        aggregate: only the whole class: no names, and nothing if fewer than 5 people were counted.

    Returns:
        What to append to a file's stem -> the file. There is one file, except for CSV, which also has a description.

    Raises:
        UsageError: there is no such format, or a library for it is not installed.
    """
    suffix = check_suffix(f"report{suffix}")
    if suffix in (".csv", ".parquet"):
        from fewshot.session.report.tables import csv_files, parquet_file

        return csv_files(lesson, aggregate) if suffix == ".csv" else {".parquet": parquet_file(lesson, aggregate)}
    if suffix == ".html":
        from fewshot.session.report.html import html_report

        return {".html": html_report(gather(lesson, earlier, aggregate)).encode("utf-8")}
    return {".pdf": _pdf(lesson, earlier, aggregate)}


def _pdf(lesson: Lesson, earlier: Sequence[Lesson], aggregate: bool) -> bytes:
    """In the reader's language, or in English if no font has its letters: a box says nothing."""
    from fewshot.session.report.pdf import NO_FONT, pdf_report, writable_language

    written = writable_language()
    note = "" if written == LANGUAGE.get() else NO_FONT
    wanted = LANGUAGE.set(written)
    try:
        return pdf_report(gather(lesson, earlier, aggregate), note)
    finally:
        LANGUAGE.reset(wanted)


def write_report(
    lesson: Lesson, path: str | Path, earlier: Sequence[Lesson] = (), aggregate: bool = False
) -> list[Path]:
    """Write the report; the suffix of ``path`` chooses the format. Other arguments are those of ``report_bytes``.

    Returns:
        The files written.

    Raises:
        UsageError: there is no such format or folder, or a library for it is not installed.
    """
    path = Path(path)
    suffix = check_suffix(path)
    if not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written: the folder {path.parent} does not exist. Create it first.")
    written = []
    for ending, data in report_bytes(lesson, suffix, earlier, aggregate).items():
        target = path if ending == suffix else path.with_name(f"{path.stem}{ending}")
        try:
            write_private(target, data)
        except OSError as error:
            if target.is_file():  # half a report
                with suppress(OSError):
                    target.unlink()
            raise UsageError(
                f"{target} cannot be written ({error.strerror or error}). Free some space or choose another folder."
            ) from error
        written.append(target)
    return written
