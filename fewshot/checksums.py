"""Checksums of files, and of the secrets that are stored as checksums."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content (10 ms for the largest model).

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_secret(secret: str) -> str:
    """Hexadecimal SHA-256 of a random token or ticket, which the database holds instead of the secret itself.

    Any text is taken, also one that is not valid Unicode: it may come from a request.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
