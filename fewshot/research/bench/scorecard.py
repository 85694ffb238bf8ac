"""All that is measured in one run over one virtual classroom, as one row of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from fewshot.research.bench import scoring
from fewshot.research.bench.lag import Lags, measure_lags
from fewshot.research.bench.scoring import Observation, Share, share
from fewshot.research.simulation.truth import Truth
from fewshot.types import FrameResult

ARRIVED = 2.0
"""Seconds after which a person who came into view counts as known or not known."""


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Shares are of true face-frames; where nothing is said otherwise, of those of enrolled students.

    Attributes:
        found: of all people, matched at IoU >= 0.5.
        false_faces: faces found where there is none, a frame.
        identity: given the right name, from the first frame on.
        identity_later: the same, without the first two seconds after somebody came (a lesson has only one beginning).
        wrong_name: given another student's name.
        strangers_named: of strangers, given a student's name.
        name_switches: how often the name on one person changed into another name, in the whole video.
        track_switches: how often the track number on one person changed.
        emotion: of all people, the right emotion; "unsure" is wrong.
        balanced: mean over the true emotions of that share, 0..1.
        unsure: of all people, found but without an emotion.
        lags: of the label behind the picture.
    """

    found: Share
    false_faces: float
    identity: Share
    identity_later: Share
    wrong_name: Share
    strangers_named: Share
    name_switches: int
    track_switches: int
    emotion: Share
    balanced: float
    unsure: Share
    lags: Lags


def score(truth: Truth, results: Iterable[FrameResult], stills: Mapping[str, str | None]) -> Scorecard:
    """Compare a run with the truth.

    Args:
        truth: of the video.
        results: of the loop, any order; a frame that is missing counts as one in which nothing was found.
        stills: path of a shown picture -> the verdict on the still picture, for the lag.
    """
    compared = scoring.compare(truth, results)
    seen = compared.observations
    arrivals = [_arrivals(seat.faces) for seat in truth.seats]

    def stays(one: Observation) -> bool:
        return one.true.enrolled and one.frame - arrivals[one.true.seat][one.frame] >= ARRIVED * truth.fps

    return Scorecard(
        found=share(seen, scoring.is_found),
        false_faces=compared.false_faces / max(1, compared.frames),
        identity=share(seen, scoring.has_right_name, scoring.is_enrolled),
        identity_later=share(seen, scoring.has_right_name, stays),
        wrong_name=share(seen, scoring.has_wrong_name, scoring.is_enrolled),
        strangers_named=share(seen, scoring.is_named, scoring.is_stranger),
        name_switches=scoring.switches(seen, lambda reading: reading.student),
        track_switches=scoring.switches(seen, lambda reading: reading.track),
        emotion=share(seen, scoring.has_right_emotion),
        balanced=scoring.balanced_emotion_accuracy(seen),
        unsure=share(seen, scoring.is_unsure),
        lags=measure_lags(truth, seen, stills),
    )


def _arrivals(faces: Sequence[object | None]) -> list[int]:
    """For every frame, since when this person has been in view without a break."""
    since: list[int] = []
    for frame, face in enumerate(faces):
        visible_before = frame > 0 and faces[frame - 1] is not None
        since.append(since[-1] if face is not None and visible_before else frame)
    return since


def as_row(card: Scorecard) -> dict[str, str]:
    """The columns of the table, as people read them: percent with 95 % interval, seconds."""
    lags = card.lags
    return {
        "faces found %": str(card.found),
        "false faces a frame": f"{card.false_faces:.2f}",
        "identity %": str(card.identity),
        "identity after 2 s %": str(card.identity_later),
        "wrong name %": str(card.wrong_name),
        "strangers named %": str(card.strangers_named),
        "name switches": str(card.name_switches),
        "track switches": str(card.track_switches),
        "emotion %": str(card.emotion),
        "emotion, balanced %": f"{100 * card.balanced:.1f}",
        "unsure %": f"{100 * card.unsure.value:.1f}",
        "lag median s": _seconds(lags.percentile(50)),
        "lag p95 s": _seconds(lags.percentile(95)),
        "changes followed": f"{lags.followed}/{lags.changes}",
    }


def _seconds(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
