"""Passwords and passphrases: typed without being shown, or read from a file; never given as an argument."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path

from fewshot.errors import UsageError

_LONGEST_FILE = 4096


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
            data = sys.stdin.buffer.read(_LONGEST_FILE + 1)
        else:
            with path.open("rb") as file:
                data = file.read(_LONGEST_FILE + 1)
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not written in UTF-8"
        raise UsageError(f"The {word} cannot be read from {path} ({reason}). Nothing was changed.") from error
    if len(data) > _LONGEST_FILE or len(lines) != 1:
        raise UsageError(f"{path} must hold the {word} in one line, and nothing else. Nothing was changed.")
    return lines[0]
