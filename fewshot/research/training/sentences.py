"""Errors of a script as sentences: what a person can act on is printed without a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fewshot.errors import FewshotError


@contextmanager
def in_sentences() -> Iterator[None]:
    """Within it a ``FewshotError`` ends the program with its text and exit code; also one that hydra wrapped.

    With hydra's HYDRA_FULL_ERROR=1 the error is raised as it is.

    Raises:
        SystemExit: with ``FewshotError.exit_code``; the text is on the standard error stream.
    """
    try:
        yield
    except Exception as error:
        found = fewshot_error_in(error)
        if found is None or os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        print(f"{found}", file=sys.stderr)
        raise SystemExit(found.exit_code) from error


def fewshot_error_in(error: BaseException | None) -> FewshotError | None:
    """The error of ours that another one was raised from, such as hydra's when an object cannot be made; else None."""
    while error is not None and not isinstance(error, FewshotError):
        error = error.__cause__ or error.__context__
    return error
