"""How similar two identity vectors must be, for each identity network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IdentityThresholds:
    """Cosine similarities of unit identity vectors; they are valid for one network only.

    Attributes:
        accept: smallest similarity at which a track is assigned to a student.
        margin: smallest lead over the second student.
        sure: from this similarity on, one frame is enough until the track has more identity vectors.
        same: below this, two pictures show different people.
        duplicate: from this similarity on, two students are the same person.
        clear: from this similarity on, one frame is enough if the student leads every other one by ``lead``.
        lead: see ``clear``.
        patient: from this similarity on, a track with all its identity vectors is assigned to the student that leads
            every other one by ``patient_lead``.
        patient_lead: see ``patient``.
    """

    accept: float
    margin: float
    sure: float
    same: float
    duplicate: float
    clear: float = 2.0
    lead: float = 2.0
    patient: float = 2.0
    patient_lead: float = 2.0

    @property
    def still(self) -> float:
        """Below this, a face whose picture changed suddenly shows a different person.

        It is half way from ``same`` to ``accept``: two frames of a person in the same light are more similar than two
        photos.
        """
        return (self.same + self.accept) / 2


# MobileFaceNet of buffalo_sc. On CK+ (development) 0.1 % of strangers' pictures reach 0.44 with the most similar of 30
# enrolled students. Results on other data, for single pictures and students enrolled from 2 photos: share of students
# named correctly / share of strangers' faces that get a name, at accept 0.42, 0.45, 0.48: CFEE (120 subjects)
# 1.00/.000, 1.00/.000, 1.00/.000; LFW (120, any light and age) .97/.000, .96/.000, .92/.000; JAFFE (10 women, one
# studio, the hardest to distinguish) 1.00/.07, 1.00/.04, .99/.01. A track uses several frames, which improves both.
# A single frame, on CK+ and on the LFW people who are in no pair (development; pictures made like tiles of a gallery,
# classes of 49 enrolled from one neutral photo): share of students missed / of strangers given a name, at 0.42 and a
# lead of 0.10, 0.15, 0.20: .0015/.0021, .0030/.0012, .0112/.0004; at 0.50 and any lead: .027/.000.
# Everyday photos (people_wild, development; 117 people with seven photos or more, classes of 30, tracks made of
# other such photos): share of students missed / of strangers given a name, without the rule ``patient``
# and with 0.38 and a lead of 0.10: enrolled from one photo, one vector a track .118/.0003, .072/.0009; three vectors
# .021/.0009, .010/.0014. Enrolled from two photos, one vector .033/.0000, .016/.0003. Nobody got a wrong name in any.
IDENTITY_THRESHOLDS: dict[str, IdentityThresholds] = {
    "w600k_mbf": IdentityThresholds(
        accept=0.45,
        margin=0.05,
        sure=0.50,
        same=0.30,
        duplicate=0.55,
        clear=0.42,
        lead=0.15,
        patient=0.38,
        patient_lead=0.10,
    ),
}

FALLBACK_THRESHOLDS = IdentityThresholds(
    accept=0.42, margin=0.16, sure=0.54, same=0.32, duplicate=0.70, clear=0.42, lead=0.20
)
"""For the identity output of the expression network, and for any network without an entry.

Chosen on CK+ (development; experiments/results/identity.md) with faces found by the cascades and classes of 49 enrolled
from one neutral picture. Among all rules that name no more strangers than the previous rule (0.51 and a lead of 0.06),
this one names the most students correctly from one picture. The lead matters more than the similarity: a change of
light makes two pictures of one person less similar, but does not make two people more similar. Named correctly: 95.5 %
(previous rule 94.9 %); wrongly: 0 % (0.02 %); strangers who get a name: 1.8 % (1.9 %). In one frame, at 0.54 or with a
lead of 0.20, 0.7 % of the strangers get a name in each case."""


def identity_thresholds(network: str) -> IdentityThresholds:
    """The thresholds of an identity network; a hash after its name is ignored ("name:hash", "name@hash")."""
    name = network.replace("@", ":").split(":")[0]
    return IDENTITY_THRESHOLDS.get(name, FALLBACK_THRESHOLDS)
