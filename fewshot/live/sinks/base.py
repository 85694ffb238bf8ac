"""The interface of every sink, and its errors."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fewshot.errors import FewshotError
from fewshot.private_files import private_opener
from fewshot.types import Frame, FrameResult


class Sink(Protocol):
    """Takes the results of frames. ``close`` may be called more than once, and after a failed ``write``.

    A sink for viewers (a window) has an attribute ``display`` that is true. It is written to in the main thread, as
    windows require, and gets only the newest result of a live source. It may have a method ``idle``, which is called
    while there is nothing to show. All other sinks get every result, in a separate thread.
    """

    def write(self, result: FrameResult, frame: Frame, /) -> None: ...

    def close(self) -> None: ...


class Stop(Exception):
    """A sink requests the end of the run (the window was closed). Not an error."""


class OutputError(FewshotError):
    """A result could not be written: the disk is full, or the folder is missing or write-protected."""


def cannot_be_written(path: Path, why: OSError | str) -> OutputError:
    """The error for a file or folder of results: what the system or the encoder said, and what to do."""
    reason = why if isinstance(why, str) else why.strerror or str(why)
    return OutputError(f"{path} cannot be written: {reason}. Free some space or choose another folder.")


class TextFile:
    """A text file of results that is being written. Each frame is flushed before the next one.

    Args:
        path: the file; an existing file is overwritten.
        encoding, newline, errors: as ``open`` takes them.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: str | Path, encoding: str, newline: str, errors: str = "strict") -> None:
        self.path = Path(path)
        try:
            self._file = open(  # noqa: SIM115
                self.path, "w", encoding=encoding, newline=newline, errors=errors, opener=private_opener
            )
        except OSError as error:
            raise cannot_be_written(self.path, error) from error

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: the rest could not be written.
        """
        try:
            self._file.close()
        except OSError as error:  # data that could not be flushed before fails again here
            raise cannot_be_written(self.path, error) from error


class WindowError(FewshotError):
    """No window can be opened on this machine or in this session."""
