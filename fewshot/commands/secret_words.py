"""Passwords and passphrases: typed without being shown, or read from a file; never given as an argument."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.secret_variables import one_line, why_unreadable


def secret_word(word: str, path: Path | None, new: bool = True, otherwise: str = "Nothing was changed.") -> str:
    """A password or passphrase, from its file or else typed at the terminal.

    Args:
        word: "password" or "passphrase"; the option that names the file is called after it.
        path: the file that holds it in one line; "-" is standard input; None asks for it.
        new: it is typed twice, so that a slip is noticed.
        otherwise: what is said if the two differ.

    Raises:
        UsageError: it cannot be read, nobody can be asked, or the two differ.
    """
    if path is not None:
        return _from_file(word, path)
    if not sys.stdin.isatty():
        raise UsageError(
            f"A {word} is typed at a terminal, and there is none here. Nothing was changed.",
            hint=f"To read it from a file or from another program, add: --{word}-file FILE (- is standard input)",
        )
    first = getpass.getpass(f"{word.capitalize()} (at least 12 characters): " if new else f"{word.capitalize()}: ")
    if new and getpass.getpass(f"The same {word} again: ") != first:
        raise UsageError(f"The two {word}s differ. {otherwise} Type the same command again.")
    return first


def _from_file(word: str, path: Path) -> str:
    try:
        if str(path) == "-":
            line = one_line(sys.stdin.buffer)
        else:
            with path.open("rb") as file:
                line = one_line(file)
    except (OSError, UnicodeError) as error:
        reason = why_unreadable(error)
        raise UsageError(f"The {word} cannot be read from {path} ({reason}). Nothing was changed.") from error
    if line is None:
        raise UsageError(f"{path} must hold the {word} in one line, and nothing else. Nothing was changed.")
    return line
