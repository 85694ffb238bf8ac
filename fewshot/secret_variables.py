"""Secrets of the environment: in a variable, or in a file that another variable names.

A container is given its secrets as files, so that they stand in no list of processes and in no settings. For a secret
``NAME``, the variable ``NAME_FILE`` is the path of a file that holds it in one line.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from fewshot.errors import UsageError

SUFFIX = "_FILE"
LONGEST = 4096
"""Bytes of a file with a secret."""


def secret_variable(name: str, environment: Mapping[str, str] = os.environ) -> str | None:
    """The secret that a variable or its file holds; None if neither is set.

    A variable that is set to nothing is "", because for some secrets that means "none any more".

    Args:
        name: of the variable; ``name`` + "_FILE" names the file.
        environment: where the variables are looked up.

    Raises:
        UsageError: both are set, or the file cannot be read or does not hold one line.
    """
    given, path = environment.get(name), environment.get(name + SUFFIX, "").strip()
    if not path:
        return given
    if given:
        raise UsageError(
            f"{name} and {name}{SUFFIX} are both set, so it is not clear which one counts. Remove one of them."
        )
    return _line_of(Path(path), name + SUFFIX)


def one_line(file: BinaryIO) -> str | None:
    """The only line of a file that holds a secret; None if it has more or fewer lines, or is too long.

    Raises:
        OSError, UnicodeError: it cannot be read, or is not written in UTF-8.
    """
    data = file.read(LONGEST + 1)
    lines = data.decode("utf-8-sig").splitlines()
    return lines[0] if len(data) <= LONGEST and len(lines) == 1 else None


def why_unreadable(error: OSError | UnicodeError) -> str:
    """What ``one_line`` has raised, in words."""
    return getattr(error, "strerror", None) or "it is not written in UTF-8"


def _line_of(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as file:
            line = one_line(file)
    except (OSError, UnicodeError) as error:
        raise UsageError(
            f"The file {path} that {variable} names cannot be read ({why_unreadable(error)}). Check that it "
            "is there, and that the user who runs fewshot may read it."
        ) from error
    if line is None or not line.strip():
        raise UsageError(f"The file {path} that {variable} names must hold the secret in one line, and nothing else.")
    return line
