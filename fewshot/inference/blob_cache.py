"""Checksums over OpenVINO's compiled networks, which it would otherwise use unchecked.

A few wrong bytes in the middle of a blob change the results of a network without any error. So the checksum of a blob
is written when the blob is made, and compared before OpenVINO may use it.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import tempfile
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from fewshot.checksums import sha256_of
from fewshot.models.files import home
from fewshot.private_files import tighten

CHECKSUMS = "checksums.json"
logger = logging.getLogger(__name__)


def folder() -> Path:
    """Where the compiled networks are; it need not exist."""
    return home() / "cache" / "openvino"


def faults(cache: Path) -> dict[Path, str]:
    """What is wrong with each blob of a folder, in words; "" for a good one."""
    known = _known(cache)
    return {path: _fault(path, known) for path in _blobs(cache)}


def throw_away_damaged(cache: Path) -> set[str]:
    """Delete what may not be used, with a note in the log; the network is then compiled anew.

    Returns:
        The names of the good blobs.

    Raises:
        OSError: a damaged file cannot be deleted, so the folder must not be used.
    """
    found = faults(cache)
    # Without the list, an earlier version filled the folder: nothing for a user to worry about.
    level = logging.WARNING if (cache / CHECKSUMS).exists() else logging.INFO
    for path, fault in found.items():
        if fault:
            path.unlink(missing_ok=True)
            logger.log(
                level,
                "The compiled network %s was thrown away, because %s. It is compiled again, which takes some seconds.",
                path,
                fault,
            )
    return {path.name for path, fault in found.items() if not fault}


def remember(cache: Path, good: Collection[str] = ()) -> None:
    """Write the checksums of new blobs. If that fails, they are compiled again next time.

    Args:
        cache: the folder.
        good: names of blobs that were there before and were found to be right.
    """
    known = _known(cache)
    with suppress(OSError):
        tighten(_blobs(cache))  # a blob is a program: with a loose umask others could write to it
        sums = {path.name: known[path.name] if path.name in good else _sum(path) for path in _blobs(cache)}
        if sums == known:
            return
        number, made = tempfile.mkstemp(prefix=f".{CHECKSUMS}-", dir=cache)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            json.dump(sums, file, indent=1)
        Path(made).replace(cache / CHECKSUMS)


def _blobs(cache: Path) -> list[Path]:
    """Everything that OpenVINO may read: all files but our own."""
    try:
        return sorted(path for path in cache.rglob("*") if path.is_file() and CHECKSUMS not in path.name)
    except OSError:
        return []


def _known(cache: Path) -> dict[str, str]:
    try:
        written = json.loads((cache / CHECKSUMS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in written.items()} if isinstance(written, dict) else {}


def _fault(path: Path, known: dict[str, str]) -> str:
    expected = known.get(path.name)
    if expected is None:
        return "it has no checksum"
    try:
        return "" if _sum(path) == expected else "its checksum is wrong"
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"


def _sum(path: Path) -> str:
    """The checksum of a file. A program that opens three networks looks three times at the blobs of all of them."""
    state = path.stat()
    return _sum_of(path, (state.st_ino, state.st_size, state.st_mtime_ns))


@functools.lru_cache(maxsize=64)
def _sum_of(path: Path, _state: tuple[int, ...]) -> str:
    """The checksum of a file in this state, so that a file that changed is read again."""
    return sha256_of(path)
