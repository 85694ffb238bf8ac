"""Which population prototypes are shipped: what each candidate is worth on development data, and what goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.perception import Perception
from fewshot.prototypes.calibration import Calibration, fit_thresholds
from fewshot.prototypes.estimators import Hierarchical
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances, transform
from fewshot.research.datasets.fer2013 import PUBLIC_TEST, load_fer2013
from fewshot.research.datasets.mosaics import may_train, read_mosaics, taiwan_performers
from fewshot.research.datasets.subjects import read_subjects
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.choosing import Asked, allowance_rows, calibration_of, chosen_allowance, development
from fewshot.research.evaluation.confidence import cautious_temperature, read_strangers, reliable
from fewshot.research.evaluation.controls import OWN, by_subject, read_class
from fewshot.research.evaluation.mosaic_albums import mosaic_album, mosaic_crops, mosaic_vectors
from fewshot.research.evaluation.support_draws import few_shots, only
from fewshot.research.evaluation.variances import estimate_variances
from fewshot.research.evaluation.vectors import detector_of, embed_pictures
from fewshot.research.training.population import Candidate, fer_vectors
from fewshot.types import EMOTIONS, Vectors


def accuracy(candidate: Candidate, vectors: Vectors, truth: NDArray[np.int64]) -> float:
    """Share of vectors (n, d) whose nearest prototype is the truth (n,)."""
    return float((candidate.predict(vectors) == truth).mean())


def measured(
    candidate: Candidate,
    album: Album,
    published: Vectors,
    strangers: Mapping[str, Strangers],
) -> dict[str, str | float]:
    """One row of the table of candidates: nobody is enrolled.

    Args:
        candidate: the prototypes.
        album: CK+.
        published: vectors of PublicTest's pictures as they are, shape (n, d).
        strangers: faces of people who are not enrolled, PublicTest first.
    """
    first, *others = strangers.items()
    shown = np.array([EMOTIONS.index(emotion) for emotion in album.emotions])
    return {
        "prototypes": candidate.name,
        "PublicTest, as published": accuracy(candidate, published, first[1].shown),
        f"{first[0]}, aligned": accuracy(candidate, first[1].vectors, first[1].shown),
        "CK+, all pictures": accuracy(candidate, album.vectors, shown),
        **{f"{name}, balanced": balanced(candidate, faces) for name, faces in others},
    }


@dataclass(frozen=True)
class Strangers:
    """Faces of people who are not enrolled: vectors z, shape (n, d), and their emotions as indices, shape (n,)."""

    vectors: Vectors
    shown: NDArray[np.int64]


def balanced(candidate: Candidate, faces: Strangers) -> float:
    """Mean over the emotions that occur of the share whose nearest prototype is the truth."""
    right = candidate.predict(faces.vectors) == faces.shown
    return float(np.mean([right[faces.shown == emotion].mean() for emotion in np.unique(faces.shown)]))


def mosaic_strangers(
    shared: Path, embedder: Embedder, folder: Path
) -> tuple[dict[str, tuple[Vectors, NDArray[np.int64]]], dict[str, Strangers]]:
    """Posed faces that train, and the faces that choose (``experiments/data_use.json``), through the whole chain.

    Args:
        shared: the folder with data/ and models/.
        folder: where crops and vectors are kept for the next time.
    """
    chain, posed, choose = Perception(detector_of(shared), embedder), {}, {}
    for name, title in (("rafd", "RaFD"), ("taiwan", "Taiwan"), ("rafdb", "RAF-DB"), ("people_wild", "press photos")):
        faces = read_mosaics(shared / "data" / name)
        if name == "rafdb":
            faces = faces.rows(~may_train(faces))
        grey, found = mosaic_crops(chain, faces, folder)
        vectors = mosaic_vectors(embedder, grey, faces.name, folder)
        trains = may_train(faces) & (name in ("rafd", "taiwan"))
        if (found & trains).any():
            posed[title] = vectors[found & trains], faces.labels[found & trains]
        if (found & ~trains).any():
            choose[title] = Strangers(vectors[found & ~trains], faces.labels[found & ~trains])
    return posed, choose


def development_albums(shared: Path, embedder: Embedder, outputs: Path) -> dict[str, Album]:
    """The faces that choose (``experiments/data_use.json``), with who is on them, by data set.

    Args:
        shared: the folder with data/ and models/.
        embedder: the network.
        outputs: with what ``experiments/prepare.py`` wrote; crops and vectors are kept there for the next time.
    """
    fer = load_fer2013(shared / "data/fer2013")
    vectors = fer_vectors(embedder, fer, outputs, outputs / "vectors")
    truth = fer.ferplus_published()
    public = np.flatnonzero((fer.usage == PUBLIC_TEST) & ~vectors.excluded & (truth >= 0))
    albums = {
        "PublicTest": Album(
            vectors.aligned[public],
            tuple(f"fer{row}" for row in public),
            tuple(EMOTIONS[label] for label in truth[public]),
        )
    }
    chain, faces = Perception(detector_of(shared), embedder), read_mosaics(shared / "data/rafdb")
    albums["RAF-DB"] = mosaic_album(chain, embedder, faces.rows(~may_train(faces)), outputs / "vectors")
    return {**albums, **albums_with_people(shared, embedder, outputs / "vectors")}


def albums_with_people(shared: Path, embedder: Embedder, folder: Path) -> dict[str, Album]:
    """The development faces of which several are of one person: press photos, performers that do not train, CK+.

    Args:
        shared: the folder with data/ and models/.
        embedder: the network.
        folder: where crops and vectors are kept for the next time.
    """
    chain = Perception(detector_of(shared), embedder)
    press, taiwan = (read_mosaics(shared / "data" / name) for name in ("people_wild", "taiwan"))
    held = taiwan_performers(taiwan.subjects)[1]
    return {
        "press photos": mosaic_album(chain, embedder, press, folder),
        "Taiwan": mosaic_album(chain, embedder, taiwan, folder).of_people(held),
        "CK+": ckplus(shared, embedder, folder),
    }


def enrolled(population: Population, album: Album) -> float:
    """Balanced accuracy on CK+ where everybody enrolled one neutral photo, as most classes do; mean over subjects."""
    draws = few_shots(album, only(neutral=1), only(neutral=1), draws=2, seed=0)
    read = read_class(population, Hierarchical(), album, draws, [OWN])[OWN]
    return float(np.mean(list(by_subject(read, balanced=True).values())))


def ckplus(shared: Path, embedder: Embedder, folder: Path) -> Album:
    """CK+ (development) through the whole chain.

    Args:
        shared: the folder with data/ and models/.
        folder: where crops and vectors are kept for the next time.
    """
    # With the pictures of contempt, so that the crops are those that the protocols have cut already.
    pictures = read_subjects(shared / "data/subjects.csv", datasets=["ckplus"], emotions=())
    chain = Perception(detector_of(shared), embedder)
    seen = embed_pictures(chain, pictures, shared / "data", folder)
    print(f"CK+: {int(seen.found.sum())} of {len(pictures)} faces found")
    return Album.of(seen.pictures, seen.vectors, seen.found)


def build(
    network: str, chosen: Candidate, album: Album, strangers: Mapping[str, Strangers]
) -> tuple[Population, dict[str, Asked]]:
    """Variances and allowance from CK+, thresholds from all faces of strangers, temperatures from both.

    CK+'s photos of one person come from one recording. What is too far or too close to call among them would make half
    of another class "unsure": only temperatures are taken from them.

    Args:
        strangers: faces of people who are not enrolled, by data set; each data set counts the same.

    Returns:
        The population, and the development readings that its temperatures with photos rest on.
    """
    u = transform(album.vectors, chosen.mean)
    variances = estimate_variances(u, album.subjects, album.emotions, ["ckplus"] * len(u), chosen.prototypes)
    vectors, shown = alike_many(strangers)
    none = fit_thresholds(
        squared_distances(transform(vectors, chosen.mean), chosen.prototypes),
        shown,
        temperature=cautious_temperature(
            [
                (squared_distances(transform(faces.vectors, chosen.mean), chosen.prototypes), faces.shown)
                for faces in strangers.values()
            ]
        ),
    )
    alone = Calibration((0.0,), (none.temperature,), (none.far,), (none.margin,))
    draft = Population(network, EMOTIONS, chosen.mean, chosen.prototypes, variances, alone)
    draft = replace(draft, allowance=chosen_allowance(allowance_rows(draft, album)))
    found = development(draft, album)
    return replace(draft, calibration=calibration_of(found, none)), found


def states_to_rely_on(population: Population, strangers: Mapping[str, Strangers], album: Album) -> tuple[str, ...]:
    """See ``confidence.reliable``: what the product says of the faces of all data sets when nobody is enrolled."""
    albums = {
        name: Album(
            faces.vectors,
            tuple(f"{name} {row}" for row in range(len(faces.shown))),
            tuple(EMOTIONS[label] for label in faces.shown),
        )
        for name, faces in strangers.items()
    }
    reads = {name: read_strangers(population, faces) for name, faces in {**albums, "CK+": album}.items()}
    return reliable(reads, population.classes)


def alike_many(strangers: Mapping[str, Strangers]) -> tuple[Vectors, NDArray[np.int64]]:
    """Vectors, shape (n, d), and emotions, shape (n,), of as many faces of every data set: thinned out or repeated."""
    most = max(len(faces.shown) for faces in strangers.values())
    rows = [np.linspace(0, len(faces.shown) - 1e-6, most).astype(int) for faces in strangers.values()]
    chosen = list(zip(strangers.values(), rows, strict=True))
    vectors = np.concatenate([faces.vectors[places] for faces, places in chosen])
    return vectors, np.concatenate([faces.shown[places] for faces, places in chosen])
