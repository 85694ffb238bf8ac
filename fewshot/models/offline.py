"""Remembers that the network did not answer, so that the next start does not wait for it again."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from fewshot.private_files import make_private_folder, write_private

MEMORY = 600.0
"""Seconds before a network that did not answer is tried again."""

_since: dict[str, float] = {}


def was_silent(file: Path, network: str) -> bool:
    """Whether the network recently did not answer, to this process or to an earlier one (recorded in ``file``)."""
    since = dict(_since)
    with suppress(OSError, ValueError, TypeError):
        since |= json.loads(file.read_text(encoding="utf-8"))
    moment = since.get(network)
    # A time in the future means that the clock was set back.
    return isinstance(moment, int | float) and 0 <= time.time() - moment < MEMORY


def remember(file: Path, network: str) -> None:
    """Record that the network did not answer just now."""
    _since[network] = time.time()
    # If the folder cannot be written, the next start waits again; that is all.
    with suppress(OSError):
        make_private_folder(file.parent)
        write_private(file, json.dumps({network: _since[network]}).encode())


def forget(file: Path, network: str) -> None:
    """The network answers again."""
    _since.pop(network, None)
    with suppress(OSError):
        file.unlink(missing_ok=True)
