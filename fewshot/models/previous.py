"""The expression network of the version before: a class goes on with the network that enrolled it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from fewshot.models.files import WEIGHTS, resolve

NAME = "expression_previous"
"""In the registry. The file ships for one version; its population prototypes (.json) are beside it."""


def previous_network(network: str) -> Path | None:
    """The file of the previous network, if that is the network of this name; None for every other network.

    Raises:
        ModelUnavailable: the file is damaged.
    """
    return resolve(NAME) if network == _previous() else None


@cache
def _previous() -> str:
    described = json.loads((WEIGHTS / f"{NAME}.json").read_text(encoding="utf-8"))
    return str(described["network"])
