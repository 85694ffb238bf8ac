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
        clear: from here on a single frame suffices as well, if the student leads every other one by ``lead``.
        same: below this, two pictures do not show one person.
        duplicate: from here on, two students are one person.
    """

    accept: float
    margin: float
    sure: float
    same: float
    duplicate: float
    clear: float = 2.0
    lead: float = 2.0

    @property
    def still(self) -> float:
        """Below this, a face whose picture changed suddenly is somebody else: half way from ``same`` to ``accept``,
        since in one room and light a person is more alike to themselves than on two photos."""
        return (self.same + self.accept) / 2


# MobileFaceNet of buffalo_sc. On CK+ (development) the best of 30 enrolled is as alike as 0.44 to 0.1 % of the
# strangers' pictures. What that does elsewhere: single pictures against students enrolled from 2 photos, share of
# students named right / share of strangers' faces given a name, at accept 0.42, 0.45, 0.48: CFEE (120 subjects)
# 1.00/.000, 1.00/.000, 1.00/.000; LFW (120, any light and age) .97/.000, .96/.000, .92/.000; JAFFE (10 women, one
# studio, the hardest to tell apart) 1.00/.07, 1.00/.04, .99/.01. A track votes over several frames, which helps both.
# One frame alone, on CK+ and the LFW people that no pair names (development; pictures made like tiles of a gallery,
# classes of 49 enrolled from one neutral photo): share of students missed / of strangers given a name, at 0.42 and a
# lead of 0.10, 0.15, 0.20: .0015/.0021, .0030/.0012, .0112/.0004; at 0.50 and any lead: .027/.000.
IDENTITY_THRESHOLDS: dict[str, IdentityThresholds] = {
    "w600k_mbf": IdentityThresholds(
        accept=0.45, margin=0.05, sure=0.50, same=0.30, duplicate=0.55, clear=0.42, lead=0.15
    ),
}

FALLBACK_THRESHOLDS = IdentityThresholds(
    accept=0.42, margin=0.16, sure=0.54, same=0.32, duplicate=0.70, clear=0.42, lead=0.20
)
"""For the identity output of the expression network, and for any network without an entry.

Chosen on CK+ (development; experiments/results/identity.md), faces found by the cascades, classes of 49 enrolled by one
neutral picture: of all rules that name no more strangers than the one before (0.51 and a lead of 0.06), this one names
most students rightly by one picture. Leading counts for more than being alike: another light makes people less alike
to themselves and nobody more alike to others. Named rightly 95.5 % (before 94.9 %), wrongly none (0.02 %), strangers
1.8 % (1.9 %); at once, from 0.54 on or with a lead of 0.20, of the strangers 0.7 % each."""


def identity_thresholds(network: str) -> IdentityThresholds:
    """The thresholds of an identity network; ``network`` may carry a hash after the name ("name:hash", "name@hash")."""
    name = network.replace("@", ":").split(":")[0]
    return IDENTITY_THRESHOLDS.get(name, FALLBACK_THRESHOLDS)
