"""Which network recognises the students of a class, in words."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from fewshot.classroom.class_rows import Networks
from fewshot.classroom.names import quoted
from fewshot.errors import Note
from fewshot.models.files import WEIGHTS, resolve
from fewshot.translation import later

PREVIOUS = "expression_previous"
"""The expression network of the version before, in the registry. It ships for one version, with its population
prototypes (.json) beside it: a class goes on with the network that enrolled it."""
OWN_SUFFIX = ":identity"
"""How the name of the expression network's own, weaker identity output ends."""


def is_weaker(networks: Networks | None) -> bool:
    """Whether a class was enrolled without the face recogniser; False while it has no vectors."""
    return networks is not None and networks.identity_network.endswith(OWN_SUFFIX)


def recogniser_of(networks: Networks | None) -> str:
    """The recogniser that made a class's identity vectors; "auto" for a new class."""
    if networks is None:
        return "auto"
    return "own" if is_weaker(networks) else "mobilefacenet"


def network_of(networks: Networks | None) -> Path | None:
    """The network of the version before, if that enrolled the class; None for the one that ships."""
    return None if networks is None else previous_network(networks.network)


def previous_network(network: str) -> Path | None:
    """The file of the previous network, if that is the network of this name; None for every other network.

    Raises:
        ModelUnavailable: the file is damaged.
    """
    return resolve(PREVIOUS) if network == _previous() else None


@cache
def _previous() -> str:
    described = json.loads((WEIGHTS / f"{PREVIOUS}.json").read_text(encoding="utf-8"))
    return str(described["network"])


def how_recognised(networks: Networks | None) -> str:
    """What recognises the students of a class; "" while it has no vectors."""
    if networks is None:
        return ""
    return later("built-in network (less reliable)") if is_weaker(networks) else later("face recogniser")


def weaker_note(classroom: str) -> str:
    """What a user should know about a class for which ``is_weaker`` is true."""
    return later(
        "Class {classroom} was enrolled with the built-in network, which recognises students less reliably than the "
        "face recogniser. It stays that way until its photos are enrolled again.",
        classroom=classroom,
    )


def again_by_command(classroom: str) -> str:
    """How to enroll such a class again, on the command line."""
    name = quoted(classroom)
    return (
        "To enroll it again, type: fewshot models pull, then for every student: "
        f"fewshot roster {name} --remove STUDENT, then: fewshot enroll {name} PHOTOS"
    )


def previous_note(classroom: str) -> Note:
    """What a user should know about a class that was enrolled with the network of the version before."""
    name = quoted(classroom)
    return Note(
        later(
            "Class {classroom} was enrolled with the network of the version before and goes on with it. The new "
            "network reads faces better.",
            classroom=classroom,
        ),
        f"To use it, type for every student: fewshot roster {name} --remove STUDENT, then: fewshot enroll {name} "
        "PHOTOS",
    )


AGAIN_BY_CLICK = later(
    "To enroll it again: open Settings → Models and click “Download the missing models”. Then click each student's "
    "card, remove the student in the tab More, and add the photos again."
)
"""How to enroll such a class again, in the app."""
