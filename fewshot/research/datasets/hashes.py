"""Pictures known by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.checksums import sha256_of
from fewshot.errors import UsageError


def pixel_hashes(faces: NDArray[np.uint8]) -> list[str]:
    """sha256 of the pixels of each of n grey pictures [n, h, w]."""
    return [hashlib.sha256(face.tobytes()).hexdigest() for face in faces]


def file_hashes(paths: Iterable[Path]) -> list[str]:
    """sha256 of each file.

    Raises:
        UsageError: one of them is not there.
    """
    try:
        return [sha256_of(path) for path in paths]
    except FileNotFoundError as error:
        raise UsageError(
            f"No file {error.filename}, which is listed. Copy it there, or take it off the list."
        ) from error


def set_hash(hashes: Iterable[str]) -> str:
    """sha256 over the sorted hashes, one a line: the same for every order of the pictures."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode("ascii")).hexdigest()
