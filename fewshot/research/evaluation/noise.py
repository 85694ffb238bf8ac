"""Protocol "noise": enrolled on good photos, read on bad pictures; and enrolled with wrong labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fewshot.classroom.photo_perception import photo_perception
from fewshot.faces.boxes import largest_face
from fewshot.perception import Perception
from fewshot.pictures import read_picture
from fewshot.prototypes.label_doubt import opinions
from fewshot.prototypes.population import Population
from fewshot.research.datasets.single_faces import ANYTHING
from fewshot.research.evaluation.album import Album, Rows
from fewshot.research.evaluation.changes import CHANGES, Finder, Spoiled
from fewshot.research.evaluation.controls import (
    ANOTHER,
    CLASSMATES,
    NO_PHOTO,
    OWN,
    PAIRS,
    SHORT,
    Readings,
    by_subject,
    differences,
    gained,
    read_class,
)
from fewshot.research.evaluation.crops import contact_sheet
from fewshot.research.evaluation.enrollment_protocol import enrollment_estimators
from fewshot.research.evaluation.enrollment_schemes import Scheme, schemes_of
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator
from fewshot.research.evaluation.intervals import bootstrap_mean, paired_difference
from fewshot.research.evaluation.protocol_results import Cell, Context, Report, Row, Table
from fewshot.research.evaluation.support_draws import (
    Draw,
    Shots,
    choose,
    each,
    few_shots,
    leave_one_emotion_out,
    only,
    wrong_labels,
)
from fewshot.session.analysis.words import percent
from fewshot.types import EMOTIONS

CLEAN = "as it is"
READ_BY = (NO_PHOTO, CLASSMATES, ANOTHER, OWN)
JAFFE = "1 an emotion | 1 an emotion"
"""The scheme of JAFFE, which alone has several takes of every emotion: one is enrolled, the others are asked."""
ABOUT = """Everybody enrolls pictures as they are and is read on changed ones: out of focus by 6 % of the distance
between the eyes; JPEG of quality 20; a face of 32 pixels in a picture of 640x384; an eighth of the light with the
noise of a sensor; dark-rimmed glasses; the mouth behind a mask; one side behind a hand. The changes are made to the
picture, before the detector; "found" is the share of the pictures in which it still finds a face, and the others are
not read. The live loop would call some of the found ones unreadable; here all are read. What differs in "read by" is
whose photos the prototypes were made of: nobody's, the classmates' (never the student's own), another subject's in the
student's place (several others in turn), or the student's own beside the classmates'. Balanced accuracy is the mean
over a subject's emotions, then over subjects, bootstrapped over subjects; "loss" is paired by subject against the
same pictures unchanged. Wrong labels: that share of all enrolled photos, drawn anew in every repetition, carries
another of the seven emotions. Pointed out: what enrollment asks about ("looks neutral, and is enrolled as sad"), of the
photos whose labels were made wrong and of the others."""
GAINS = """Balanced accuracy by one's own photos less that by each control, on the same pictures with the same change,
paired by subject: beside the classmates' (what the student's own add to them), beside another subject's (what it is
worth that they are the student's), and beside no photo."""


@dataclass(frozen=True)
class Noise:
    """Reads data sets under every change, by one's own photos and by the controls, and with labels made wrong.

    Attributes:
        datasets: name to role.
        changes: out of ``CHANGES``.
        wrong: shares of wrong labels.
        draws: repeated choices of the neutral photo that is enrolled; JAFFE has three times as many, because an emotion
            has three takes, which are enrolled equally often then.
        repetitions: of the choice of wrong labels.
        development: leave the test sets out.
        resamples: of the bootstrap over subjects.
        doubted: name to role: data sets in which it is counted which wrong labels enrollment points out ...
        classes: ... in classes of so many students ...
        drawn: ... drawn so many times, a tenth of the labels wrong.
        others: in "another subject's photos", so many others in turn.
    """

    datasets: dict[str, str]
    changes: Sequence[str] = tuple(CHANGES)
    wrong: Sequence[float] = (0.0, 0.1, 0.3)
    draws: int = 4
    repetitions: int = 5
    development: bool = False
    resamples: int = 5000
    doubted: dict[str, str] = field(default_factory=dict)
    classes: Sequence[int] = (1, 5, 25, 120)
    drawn: int = 20
    others: int = 5

    def run(self, context: Context) -> Report:
        """Tables of what changed pictures and wrong labels cost."""
        roles, asked = (
            {name: role for name, role in named.items() if role == "development" or not self.development}
            for named in (self.datasets, self.doubted)
        )
        estimators = enrollment_estimators(context)
        changed: list[Row] = []
        gains: list[Row] = []
        wrong: list[Row] = []
        for dataset in roles:
            clean = context.embed(dataset)
            album = Album.of(clean.pictures, clean.vectors, clean.found)
            schemes = self.enrolled(dataset, album, context.seed)
            levels, compared = self._changed(context, dataset, estimators[0], album, clean.found, schemes)
            changed, gains = changed + levels, gains + compared
            for estimator in estimators:
                wrong += self.mislabelled(context.population, estimator, album, schemes, dataset, context.seed)
            self._sheet(context, dataset)
        found: list[Row] = []
        for dataset in asked:
            seen = context.embed(dataset)
            album = Album.of(seen.pictures, seen.vectors, seen.found)
            found += doubted(context.population, album, dataset, self.classes, self.drawn, context.seed, self.resamples)
        return Report(
            "noise",
            "Noise: bad pictures and wrong labels",
            ABOUT.replace("\n", " "),
            roles | asked,
            [
                Table("Changed pictures", changed),
                Table("Gains on changed pictures, paired by subject", gains, "gains", GAINS.replace("\n", " ")),
                Table("Wrong labels among the enrolled photos", wrong, "labels"),
                *([Table("Wrong labels that enrollment points out", found, "doubted")] if found else []),
            ],
        )

    def enrolled(self, dataset: str, album: Album, seed: int) -> list[Scheme]:
        """What the students and their classmates bring."""
        if dataset == "jaffe":
            return [scheme for scheme in schemes_of(dataset, album, 3 * self.draws, seed) if scheme.name == JAFFE]
        neutral = only(neutral=1)
        return [
            Scheme("1 neutral", "1 neutral", few_shots(album, neutral, neutral, self.draws, seed, keep=0)),
            Scheme("all but the one asked", "all", leave_one_emotion_out(album, True, EMOTIONS)),
        ]

    def _changed(
        self,
        context: Context,
        dataset: str,
        estimator: EnrollmentEstimator,
        album: Album,
        found: NDArray[np.bool_],
        schemes: Sequence[Scheme],
    ) -> tuple[list[Row], list[Row]]:
        """One row a change, scheme and control; and one a change and scheme, of what one's own photos gain."""
        levels: list[Row] = []
        gains: list[Row] = []
        read: dict[tuple[str, str], Readings] = {}
        for change in (CLEAN, *self.changes):
            spoiled = None if change == CLEAN else Spoiled(change, finder(context.chain))
            seen = context.embed(dataset, change=spoiled).only(found)
            both = asked_as(album, Album(seen.vectors, album.subjects, album.emotions))
            for scheme in schemes:
                moved = [shifted(draw, len(album), seen.found) for draw in scheme.draws]
                answers = read_class(context.population, estimator, both, moved, READ_BY, self.others, context.seed)
                about: dict[str, Cell] = {"data": dataset, "change": change, "found": float(seen.found.mean())}
                about |= scheme.words
                for control, readings in answers.items():
                    reference = read.setdefault((scheme.name, control), readings)
                    levels.append(about | {"read by": control} | self._numbers(readings, reference, context.seed))
                gains.append(about | self.gains(answers, context.seed))
        return levels, gains

    def gains(self, answers: Mapping[str, Readings], seed: int) -> dict[str, Cell]:
        """What one's own photos gain over every control that was read, each in a column: "own - classmates'"."""
        cells: dict[str, Cell] = {}
        for one, other in (pair for pair in PAIRS if pair[0] == OWN and pair[1] in answers):
            gain, subjects = gained(answers[one], answers[other], seed, self.resamples)
            cells |= {"subjects": subjects, f"{SHORT[one]} - {SHORT[other]}": gain}
        return cells

    def mislabelled(
        self,
        population: Population,
        estimator: EnrollmentEstimator,
        album: Album,
        schemes: Sequence[Scheme],
        dataset: str,
        seed: int,
    ) -> list[Row]:
        """One row an enrollment and share of wrong labels; what is read keeps its true label."""
        rows: list[Row] = []
        for scheme in schemes:
            first: Readings | None = None
            for share in self.wrong:
                readings = Readings()
                for repetition in range(self.repetitions if share else 1):
                    rng = np.random.default_rng([seed, repetition])
                    supports = replace(album, emotions=wrong_labels(album.emotions, share, rng))
                    moved = [shifted(draw, len(album)) for draw in scheme.draws]
                    some = read_class(population, estimator, asked_as(supports, album), moved, (OWN,), seed=seed)[OWN]
                    for subject, truth, predicted in zip(some.subjects, some.truth, some.predicted, strict=True):
                        readings.add(subject, [truth], [predicted])
                first = first or readings
                about: dict[str, Cell] = {"data": dataset, **scheme.words, "estimator": estimator.name}
                rows.append(about | {"wrong labels": percent(share)} | self._numbers(readings, first, seed))
        return rows

    def _numbers(self, readings: Readings, reference: Readings, seed: int) -> dict[str, Cell]:
        values = list(by_subject(readings, balanced=True).values())
        numbers: dict[str, Cell] = {
            "subjects": len(values),
            "balanced accuracy": bootstrap_mean(values, seed, self.resamples),
        }
        if readings is not reference:
            numbers["loss"] = paired_difference(*differences(reference, readings), seed, self.resamples)
        return numbers

    def _sheet(self, context: Context, dataset: str, people: int = 4) -> None:
        """Some pictures under every change, to look at."""
        pictures = context.pictures(dataset)
        chosen = [pictures[place] for place in np.linspace(0, len(pictures) - 1, people).astype(int)]
        find, shown, captions = finder(context.chain), [], []
        for picture in chosen:
            frame = read_picture(context.root / picture.path)
            shown += [frame, *(Spoiled(change, find)(frame) for change in self.changes)]
            captions += [picture.emotion, *self.changes]
        path = context.outputs / "sheets" / f"noise_{dataset}.png"
        contact_sheet(shown, captions, path, columns=len(self.changes) + 1, side=160)


def finder(chain: Perception) -> Finder:
    """The largest face of a picture, by the chain's own detector."""
    eyes = photo_perception(chain, ANYTHING)
    return lambda frame: largest_face(eyes.find(frame))


def asked_as(enrolled: Album, asked: Album) -> Album:
    """Both albums under each other: rows of the second are the same pictures as they are asked about."""
    return Album(
        np.concatenate([enrolled.vectors, asked.vectors]),
        enrolled.subjects + asked.subjects,
        enrolled.emotions + asked.emotions,
    )


def shifted(draw: Draw, rows: int, found: NDArray[np.bool_] | None = None) -> Draw:
    """The same draw with its queries in the second half of ``asked_as``; those not found are not asked."""

    def moved(queries: Rows) -> Rows:
        return [row + rows for row in queries if found is None or found[row]]

    return replace(draw, queries={subject: moved(queries) for subject, queries in draw.queries.items()})


WRONG = 0.1
"""Share of labels that are made wrong."""
SMALL = 25
"""Classes of fewer students are drawn so many times more often that as many students are asked about."""
BROUGHT: dict[str, Shots] = {"1 an emotion": each(1), "1 neutral, happy, sad": only(neutral=1, happy=1, sad=1)}


def doubted(
    population: Population,
    album: Album,
    dataset: str,
    sizes: Sequence[int],
    repetitions: int,
    seed: int,
    resamples: int,
) -> list[Row]:
    """One row for what everybody brings and how many there are; classes and wrong labels are drawn anew each time.

    Args:
        sizes: students of a class.
        repetitions: of every size; more of small ones, see ``SMALL``.
    """
    rows: list[Row] = []
    people = len(set(album.subjects))
    for brings, shots in BROUGHT.items():
        for size in sorted({min(size, people) for size in sizes}):
            wrong: dict[str, list[bool]] = {}
            right: dict[str, list[bool]] = {}
            for repetition in range(repetitions * max(1, SMALL // size)):
                rng = np.random.default_rng([seed, size, repetition])
                said = replace(album, emotions=wrong_labels(album.emotions, WRONG, rng))
                photos = {who: own for who, own in choose(album, shots, repetition, seed, keep=0).items() if own}
                present = rng.permutation(sorted(photos))[:size].tolist()
                thought = opinions(population, [said.supports(photos[who]) for who in present])
                for who, about in zip(present, thought, strict=True):
                    for row, opinion in zip(photos[who], about, strict=True):
                        kind = right if said.emotions[row] == album.emotions[row] else wrong
                        kind.setdefault(who, []).append(opinion.doubtful)
            cells: dict[str, Cell] = {"data": dataset, "everybody brings": brings, "students": len(present)}
            for name, found in (("wrong labels pointed out", wrong), ("right labels pointed out", right)):
                if found:
                    cells[name] = bootstrap_mean([float(np.mean(flags)) for flags in found.values()], seed, resamples)
            rows.append(cells)
    return rows
