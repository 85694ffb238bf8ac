"""How alike two identity vectors must be, for each network that makes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdentityThresholds:
    """Cosine similarities of unit identity vectors; they mean nothing for another network.

    Attributes:
        accept: a track is a student from here on.
        margin: the student must lead the second one by this much.
        sure: from here on a single frame suffices, until there were enough to vote.
        same: below this, two pictures do not show one person.
        duplicate: from here on, two students are one person.
    """

    accept: float
    margin: float
    sure: float
    same: float
    duplicate: float


# MobileFaceNet of buffalo_sc, one neutral photo of each of 230 CFEE subjects against all other pictures: same person
# p1 0.53, best stranger p99 0.40. A lesson has another light and camera than the photo: `accept` stays near strangers.
IDENTITY_THRESHOLDS: dict[str, IdentityThresholds] = {
    "w600k_mbf": IdentityThresholds(accept=0.42, margin=0.05, sure=0.55, same=0.30, duplicate=0.55),
}

FALLBACK_THRESHOLDS = IdentityThresholds(accept=0.60, margin=0.06, sure=0.75, same=0.40, duplicate=0.80)
"""For the identity output of the expression network, and for any network without an entry: strict."""


def identity_thresholds(network: str) -> IdentityThresholds:
    """The thresholds of an identity network; ``network`` may carry a hash after the name ("name:hash", "name@hash")."""
    name = network.replace("@", ":").split(":")[0]
    return IDENTITY_THRESHOLDS.get(name, FALLBACK_THRESHOLDS)
