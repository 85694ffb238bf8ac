"""Protocol "enrollment": what a few own photos are worth, beside photos of classmates and of other subjects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.augmented_views import AugmentedEmbedder
from fewshot.errors import UsageError
from fewshot.perception import Perception
from fewshot.prototypes.estimators import AdaptiveHierarchical
from fewshot.prototypes.population import Population
from fewshot.prototypes.supports import NEUTRAL
from fewshot.research.datasets.counts import enough
from fewshot.research.evaluation.album import Album, faces_found
from fewshot.research.evaluation.controls import (
    ANOTHER,
    CLASSMATES,
    CONTROLS,
    LOOKS,
    NO_NEUTRAL,
    NO_PHOTO,
    OWN,
    OWN_NO_NEUTRAL,
    PAIRS,
    SHORT,
    Readings,
    by_subject,
    differences,
    false_neutral,
    gained,
    read_class,
)
from fewshot.research.evaluation.enrollment_schemes import Scheme, schemes_of
from fewshot.research.evaluation.estimators.base import EnrollmentEstimator
from fewshot.research.evaluation.intervals import Interval, bootstrap_mean, paired_difference
from fewshot.research.evaluation.peer_population import peer_population
from fewshot.research.evaluation.peers import FACEAPI, available, peer_outputs
from fewshot.research.evaluation.plots import accuracy_against_shots, paired_gains, written
from fewshot.research.evaluation.protocol_results import OWN_DATA, Cell, Context, Plot, Report, Row, Table
from fewshot.research.evaluation.readers import class_vectors
from fewshot.research.evaluation.vectors import embed_pictures, weights_of
from fewshot.types import EMOTIONS

ROLES = {"ckplus": "development", OWN_DATA: "yours"}
"""Of data sets that are not there to test with."""
FEW = 20
"""Up to so many subjects are shown one by one."""

ABOUT = """Every subject is a student in a class of all subjects of the data set, and is read by the nearest prototype,
without the reject option. What differs is whose photos the prototypes were made of: nobody's, the classmates' (never
the student's own), another subject's in the student's place (several others in turn), or the student's own beside the
classmates'. Of a prototype's distance a share of what is not known of it is taken off, as live
(docs/explanation/estimators.md). No picture that is read is enrolled. Accuracy is the mean over subjects, bootstrapped
over subjects; "balanced" is the mean over a subject's emotions first; "over pictures" pools all; "called neutral" is
the share of pictures of an emotion that are. Gains are differences of balanced accuracy, paired by subject."""

GENERIC = """What comes out of a network's own layer of classes, for comparison: nobody is enrolled and no prototype is
asked. The XCEPTIONs were trained on FER2013, as ours was; what the others saw in training is not published."""


@dataclass(frozen=True)
class Enrollment:
    """Reads every subject of a data set by photos of their own, of their class and of others.

    Args:
        datasets: out of "ckplus", "jaffe" and "cfee", and "own" for your own pictures.
        development: reads CK+ alone: what to use while anything may still be changed.
        draws: repeated choices of the takes that are enrolled.
        others: in "another subject's photos", so many others in turn.
        looks: also with each photo enrolled by the mean of ten looks at it (``fewshot.embedding.augmented_views``).
        peers: also by the features of face-api.js.
        classifiers: also what the classifiers of all networks make of the same people without prototypes.
        resamples: of the bootstrap over subjects.
    """

    datasets: Sequence[str] = ("ckplus", "jaffe", "cfee")
    development: bool = False
    draws: int = 12
    others: int = 5
    looks: bool = True
    peers: bool = True
    classifiers: bool = True
    resamples: int = 5000

    def run(self, context: Context) -> Report:
        """Every table of the protocol."""
        estimators = enrollment_estimators(context)
        levels: list[Row] = []
        gains: list[Row] = []
        generic: list[Row] = []
        people: list[Table] = []
        plots: dict[str, Plot] = {}
        faces: list[str] = []
        datasets = ["ckplus"] if self.development else list(self.datasets)
        strange = peer_population(context, FACEAPI) if self.peers else None
        for dataset in datasets:
            album, found_of = self.album(context, dataset)
            if dataset == OWN_DATA:
                people += too_little(context)
            faces.append(found_of)
            if self.classifiers:
                generic += self.generic(context, dataset)
            schemes = schemes_of(dataset, album, self.draws, context.seed)
            found = self.measure(context.population, album, schemes, estimators, context.seed)
            levels += self.levels(found, schemes, dataset, "ours", context.seed)
            gains += self.gains(found, schemes, dataset, "ours", context.seed)
            plots |= plots_of(found, schemes, dataset, context.seed, self.resamples)
            if len(album.people()) <= FEW:
                people.append(Table(f"Every subject of {dataset}", everybody(found, schemes), f"subjects_{dataset}"))
            if strange is not None:
                other = context.embed_peer(FACEAPI, dataset, ())
                theirs = Album.of(other.pictures, other.vectors, other.found)
                same = schemes_of(dataset, theirs, self.draws, context.seed)
                again = self.measure(strange, theirs, same, estimators[:1], context.seed)
                levels += self.levels(again, same, dataset, FACEAPI.name, context.seed)
                gains += self.gains(again, same, dataset, FACEAPI.name, context.seed)
                gains += self.against(found, again, schemes, dataset, FACEAPI.name, context.seed)
        return Report(
            "enrollment",
            "Enrollment: what photos of one's own are worth",
            ABOUT.replace("\n", " "),
            {name: ROLES.get(name, "test") for name in datasets},
            [
                Table("Accuracy", levels, note=f"Faces found: {', '.join(faces)}."),
                Table("Gains, paired by subject", gains, "gains"),
                *self.alone(generic),
                *people,
            ],
            plots,
        )

    def generic(self, context: Context, dataset: str) -> list[Row]:
        """One row a classifier."""
        return [
            {"data": dataset, "network": network, "classifier": classifier}
            | dict(self._measures(readings, context.seed))
            for network, classifier, readings in classified(context, dataset)
        ]

    def alone(self, rows: Sequence[Row]) -> list[Table]:
        """The table of ``generic``; none if nobody asked."""
        title = "Classifiers alone, no photo"
        return [Table(title, rows, "classifiers", GENERIC.replace("\n", " "))] if rows else []

    def album(self, context: Context, dataset: str) -> tuple[Album, str]:
        """The seven emotions of a data set, as they are read and enrolled, and in how many a face was found."""
        seen, careful = context.embed(dataset, ()), None
        if self.looks:
            embedder = AugmentedEmbedder(context.network, engine=context.engine)
            chain = Perception(context.chain.detector, embedder)
            careful = embed_pictures(chain, seen.pictures, context.root_of(dataset), context.cache).vectors
        return Album.of(seen.pictures, seen.vectors, seen.found, enrolled=careful), faces_found(seen, dataset)

    def measure(
        self,
        population: Population,
        album: Album,
        schemes: Sequence[Scheme],
        estimators: Sequence[EnrollmentEstimator],
        seed: int,
    ) -> dict[tuple[str, str, str], Readings]:
        """All readings of one data set: the first estimator by every control, the others by own photos only."""
        plain = replace(album, enrolled=None)
        found: dict[tuple[str, str, str], Readings] = {}
        for scheme in schemes:
            # Without photos all estimators are the same.
            for place, estimator in enumerate(estimators[:1] if scheme.nobody else estimators):
                controls = controls_of(scheme, album) if place == 0 else [OWN]
                read = read_class(population, estimator, plain, scheme.draws, controls, self.others, seed)
                if place == 0 and album.enrolled is not None and not scheme.nobody:
                    read |= read_class(population, estimator, album, scheme.draws, [LOOKS], self.others, seed)
                found |= {(scheme.name, estimator.name, name): some for name, some in read.items() if len(some)}
        return found

    def levels(self, found: Found, schemes: Sequence[Scheme], dataset: str, network: str, seed: int) -> list[Row]:
        """One row a scheme, estimator and control: accuracy with its interval over subjects."""
        named = {scheme.name: scheme for scheme in schemes}
        return [
            {"data": dataset, "network": network, **named[name].words, "read by": control, "estimator": estimator}
            | dict(self._measures(readings, seed))
            for (name, estimator, control), readings in found.items()
        ]

    def gains(self, found: Found, schemes: Sequence[Scheme], dataset: str, network: str, seed: int) -> list[Row]:
        """Paired differences: one's own photos against every control, the class against none, and the estimators."""
        first = next(estimator for _, estimator, _ in found)
        rows: list[Row] = []
        for scheme in (scheme for scheme in schemes if not scheme.nobody):
            pairs = [
                ((first, one), (first, other), one, other)
                for one, other in pairs_read(found, scheme.name, first, (*PAIRS, (LOOKS, OWN)))
            ]
            pairs += [
                ((first, OWN), (estimator, OWN), f"{OWN}, {first}", f"{OWN}, {estimator}")
                for name, estimator, _ in found
                if name == scheme.name and estimator != first
            ]
            for this, that, one, other in pairs:
                gain, subjects = gained(found[scheme.name, *this], found[scheme.name, *that], seed, self.resamples)
                rows.append(_compared(scheme, dataset, network, one, other, gain, subjects))
        return rows

    def against(
        self, ours: Found, theirs: Found, schemes: Sequence[Scheme], dataset: str, peer: str, seed: int
    ) -> list[Row]:
        """Our network against a peer's on the same draws, paired by subject: without photos and with one's own."""
        rows: list[Row] = []
        for key, readings in theirs.items():
            if key[2] in (NO_PHOTO, OWN) and key in ours:
                gain, subjects = gained(ours[key], readings, seed, self.resamples)
                scheme = next(scheme for scheme in schemes if scheme.name == key[0])
                rows.append(_compared(scheme, dataset, "both", f"{key[2]}, ours", f"{key[2]}, {peer}", gain, subjects))
        return rows

    def _measures(self, readings: Readings, seed: int) -> Row:
        plain = np.sort(list(by_subject(readings).values()))
        even, neutral = by_subject(readings, balanced=True), false_neutral(readings)
        right = np.array(readings.truth) == np.array(readings.predicted)
        return {
            "subjects": len(plain),
            "readings": len(readings),
            "accuracy": bootstrap_mean(plain, seed, self.resamples),
            "balanced": bootstrap_mean(list(even.values()), seed, self.resamples),
            "over pictures": float(right.mean()),
            "called neutral": bootstrap_mean(list(neutral.values()), seed, self.resamples),
            "worst tenth": float(plain[: -(-len(plain) // 10)].mean()),
        }


def too_little(context: Context) -> list[Table]:
    """Which emotions of whom cannot be both enrolled and asked about; no table if there are none."""
    rows = [shortage.row() for shortage in enough(context.pictures(OWN_DATA), shots=1)[1]]
    return [Table("Too few pictures to enroll one and ask about another", rows, "too_few")] if rows else []


def controls_of(scheme: Scheme, album: Album) -> list[str]:
    """Whose photos a scheme is read by; a neutral prototype is only removed where no neutral picture is asked."""
    if scheme.nobody:
        return [NO_PHOTO]
    asked = {album.emotions[row] for draw in scheme.draws for rows in draw.queries.values() for row in rows}
    return [control for control in CONTROLS if NEUTRAL not in asked or control not in (NO_NEUTRAL, OWN_NO_NEUTRAL)]


def everybody(found: Found, schemes: Sequence[Scheme]) -> list[Row]:
    """One row a subject and scheme: accuracy by every control, for data sets of few people."""
    first = next(estimator for _, estimator, _ in found)
    rows: list[Row] = []
    for scheme in (scheme for scheme in schemes if not scheme.nobody):
        controls = [name for name in (NO_PHOTO, CLASSMATES, ANOTHER, OWN) if (scheme.name, first, name) in found]
        scores = {control: by_subject(found[scheme.name, first, control]) for control in controls}
        for subject in scores[OWN]:
            rows.append({"subject": subject, **scheme.words} | {name: score[subject] for name, score in scores.items()})
    return rows


def enrollment_estimators(context: Context) -> list[EnrollmentEstimator]:
    """Those of the context that make prototypes of a student; that of the running system first.

    Raises:
        UsageError: there is none.
    """
    able = [cast(EnrollmentEstimator, e) for e in context.estimators.values() if hasattr(e, "prototypes")]
    if not able:
        raise UsageError("No estimator here makes prototypes of a student. Use estimator=all or estimator=adaptive.")
    order = [AdaptiveHierarchical.name, "hierarchical"]
    return sorted(able, key=lambda e: order.index(e.name) if e.name in order else len(order))


def _compared(
    scheme: Scheme, dataset: str, network: str, one: str, other: str, gain: Interval, subjects: int
) -> dict[str, Cell]:
    """A row of the table of gains."""
    apart = "yes" if gain.low > 0 or gain.high < 0 else "no"
    about = {"data": dataset, "network": network, **scheme.words, "this": one, "against": other}
    return {**about, "subjects": subjects, "gain": gain, "apart from 0": apart}


LABELS = {"votes": "FER+ votes", "labels": "FER2013 labels"}
"""What each head of the training was trained on."""


def classified(context: Context, dataset: str) -> Iterator[tuple[str, str, Readings]]:
    """(network, classifier, what it read) of every picture of the seven emotions with a face, one network after
    another.

    Raises:
        UsageError: the weights do not lie beside the network.
    """
    seen = context.embed(dataset)
    seen = seen.only(seen.found)
    for head, labels in LABELS.items():
        for reader in class_vectors(weights_of(context.network), head).readers(len(EMOTIONS)):
            read = reader.logits(seen.vectors).argmax(axis=1)
            yield "ours", f"{reader.name}, {labels}", Readings(seen.subjects, seen.emotions, _named(read))
    pictures, faces = context.faces(dataset)
    kept = [row for row, picture in enumerate(pictures) if picture.emotion in EMOTIONS]
    shown = [pictures[row] for row in kept]
    for peer in available(context.shared):
        log, _ = peer_outputs(peer, context.shared, faces, context.cache)
        emotions, subjects = [picture.emotion for picture in shown], [picture.student for picture in shown]
        yield peer.name, "its own", Readings(subjects, emotions, _named(log[kept].argmax(axis=1)))


def _named(places: NDArray[np.int64]) -> list[str]:
    return [EMOTIONS[place] for place in places]


Found = Mapping[tuple[str, str, str], Readings]
"""By scheme, estimator and control."""

SHOWN = ("1 an emotion | 1 an emotion", "all but the one asked | 1 an emotion", "1 neutral | 1 an emotion")
"""The scheme whose gains are plotted: the first that a data set has."""
SHOTS = {"1 an emotion | 1 an emotion": 1, "2 an emotion | 2 an emotion": 2}


def pairs_read(
    found: Found, scheme: str, estimator: str, pairs: Sequence[tuple[str, str]] = PAIRS
) -> list[tuple[str, str]]:
    """The pairs of which both were read: of a single person there is nobody else's photo."""
    read = {control for name, maker, control in found if (name, maker) == (scheme, estimator)}
    return [pair for pair in pairs if {*pair} <= read]


def plots_of(found: Found, schemes: Sequence[Scheme], dataset: str, seed: int, resamples: int) -> dict[str, Plot]:
    """Gains subject by subject where the class brings photos of every emotion, and accuracy by number of photos."""
    first = next(estimator for _, estimator, _ in found)
    plots: dict[str, Plot] = {}
    named = {scheme.name: scheme for scheme in schemes}
    shown = next((named[name] for name in SHOWN if name in named), None)
    if shown is not None:
        gains: dict[str, list[float]] = {}
        intervals: dict[str, Interval] = {}
        for one, other in pairs_read(found, shown.name, first):
            mine, theirs = differences(found[shown.name, first, one], found[shown.name, first, other])
            name = f"{SHORT[one]} - {SHORT[other]}"
            gains[name] = [a - b for a, b in zip(mine, theirs, strict=True)]
            intervals[name] = paired_difference(mine, theirs, seed, resamples)
        title = f"{dataset}: {shown.own}; classmates: {shown.brought}"
        plots[f"gains_{dataset}"] = written(paired_gains, gains, intervals, title)
    if all((name, first, OWN) in found for name in SHOTS):
        curves: dict[str, dict[int, Interval]] = {}
        alone = (SHOWN[0], first, ANOTHER) not in found
        for control in (OWN,) if alone else (OWN, CLASSMATES, ANOTHER):
            curves[control] = {0: _accuracy(found["nothing | nothing", first, NO_PHOTO], seed, resamples)}
            for name, shots in SHOTS.items():
                curves[control][shots] = _accuracy(found[name, first, control], seed, resamples)
        plots[f"shots_{dataset}"] = written(accuracy_against_shots, curves, f"{dataset}: photos of each emotion")
    return plots


def _accuracy(readings: Readings, seed: int, resamples: int) -> Interval:
    return bootstrap_mean(list(by_subject(readings).values()), seed, resamples)
