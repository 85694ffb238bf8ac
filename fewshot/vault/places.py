"""Where the epoch key lies: outside of the folder with the data, so that a copy of that folder opens nothing."""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path

from fewshot.errors import UsageError
from fewshot.models.files import home
from fewshot.private_files import FOLDER, make_private_folder, why_not_writable

VARIABLE = "FEWSHOT_KEYS"
BESIDE = "epoch-keys"
"""The last resort: a folder in the one with the data."""

logger = logging.getLogger(__name__)


def places(data: Path) -> list[Path]:
    """Folders where an epoch key may lie, the best one first.

    It is ``$FEWSHOT_KEYS``, or a folder beside the program's own: ``~/.fewshot-keys`` beside ``~/.fewshot``.

    Args:
        data: the folder of ``keys.json``.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return [Path(given).expanduser()]
    return usual_places(data)


def usual_places(data: Path) -> list[Path]:
    """``places`` without ``$FEWSHOT_KEYS``."""
    found = []
    with suppress(UsageError):
        own = home().absolute()
        found.append(own.with_name(f"{own.name}-keys"))
    return [*found, data / BESIDE]


def place_for_new(data: Path) -> Path:
    """The first of ``places`` that can be written to, made for its owner only.

    Raises:
        OSError: there is none.
    """
    refused = "there is no folder for it"
    for place in places(data):
        try:
            make_private_folder(place)
            refused_here = why_not_writable(place)
        except OSError as error:
            refused_here = error.strerror or str(error)
        if refused_here:
            refused = f"{place}: {refused_here}"
            continue
        with suppress(OSError):
            place.chmod(FOLDER)
        if place.resolve().is_relative_to(data.resolve()):
            logger.warning(
                "The key of the encryption lies in %s, beside the data that it protects%s. Whoever copies both can "
                "read everything. Set %s to a folder of another volume.",
                place, ", because no other folder can be written to" if place == data / BESIDE else "", VARIABLE,
            )  # fmt: skip
        return place
    raise OSError(refused)
