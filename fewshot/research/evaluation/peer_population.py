"""A Population in the feature space of somebody else's network, so that it goes through the same protocols as ours."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from fewshot.errors import UsageError
from fewshot.prototypes.calibration import Calibration, fit_thresholds
from fewshot.prototypes.population import Population
from fewshot.prototypes.space import squared_distances, transform
from fewshot.research.datasets.fer2013 import PUBLIC_TEST, TRAINING, load_fer2013
from fewshot.research.datasets.framing import cut, framings
from fewshot.research.evaluation.album import Album
from fewshot.research.evaluation.choosing import allowance_rows, chosen_allowance
from fewshot.research.evaluation.peers import Peer, peer_outputs
from fewshot.research.evaluation.protocol_results import Context
from fewshot.research.evaluation.variances import estimate_variances
from fewshot.types import EMOTIONS, Vectors
from fewshot.unit_vectors import unit_rows

AN_EMOTION = 300
"""Training faces of each emotion that its mean is taken of: enough for a mean, and few enough to run on a laptop."""


def peer_population(context: Context, peer: Peer) -> Population:
    """Class means of FER2013's training faces, centred; variances and allowance from CK+; thresholds from PublicTest.

    What ``experiments/population.py`` does for our network, with class means only: a peer has no class vectors to fit.

    Raises:
        UsageError: FER2013 was not prepared.
        ModelUnavailable: the peer's file is not here.
    """
    means, mean, distances, truth = _from_fer(context, peer)
    seen = context.embed_peer(peer, "ckplus", ())
    album = Album.of(seen.pictures, seen.vectors, seen.found)
    u = transform(album.vectors, mean)
    variances = estimate_variances(u, album.subjects, album.emotions, ["ckplus"] * len(album), means)
    none = fit_thresholds(distances, truth)
    calibration = Calibration((0.0,), (none.temperature,), (none.far,), (none.margin,))
    draft = Population(peer.name, EMOTIONS, mean, means, variances, calibration)
    return replace(draft, allowance=chosen_allowance(allowance_rows(draft, album)))


def centred_means(vectors: Vectors, labels: np.ndarray, kinds: int) -> tuple[Vectors, np.ndarray]:
    """(class means of the transformed vectors, shape (kinds, d); b, the mean of the class means, shape (d,))."""
    b = np.stack([vectors[labels == kind].mean(axis=0) for kind in range(kinds)]).mean(axis=0).astype(np.float32)
    u = transform(vectors, b)
    return np.stack([u[labels == kind].mean(axis=0) for kind in range(kinds)]).astype(np.float32), b


def _from_fer(context: Context, peer: Peer) -> tuple[Vectors, np.ndarray, np.ndarray, np.ndarray]:
    """(mu, b, distances of PublicTest to mu, its labels)."""
    prepared = context.outputs / "fer2013_prepared.npz"
    if not prepared.is_file():
        raise UsageError(f"No {prepared}. Run first: python experiments/prepare.py")
    fer = load_fer2013(context.root / "fer2013")
    with np.load(prepared) as data:
        landmarks, scores, excluded = data["landmarks"], data["scores"], data["excluded"]
    from fewshot.research.training.datamodule import TRUSTED_LANDMARKS  # torch comes with it

    labels, rows = fer.ferplus_published(), {}
    for usage in (TRAINING, PUBLIC_TEST):
        chosen = _some(labels, (fer.usage == usage) & ~excluded)
        matrices = framings(48, landmarks[chosen], scores[chosen] > TRUSTED_LANDMARKS)
        crops = np.stack([cut(fer.faces[row], matrix[1]) for row, matrix in zip(chosen, matrices, strict=True)])
        colour = np.stack([cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR) for crop in crops])
        _, features = peer_outputs(peer, context.shared, colour, context.cache)
        if features is None:
            raise UsageError(f"{peer.name} gives no feature vectors. Choose a peer that does, such as face-api.js.")
        unit = unit_rows(features)
        rows[usage] = unit.astype(np.float32), labels[chosen]
    means, b = centred_means(*rows[TRAINING], len(EMOTIONS))
    vectors, truth = rows[PUBLIC_TEST]
    return means, b, squared_distances(transform(vectors, b), means), truth


def _some(labels: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The first ``AN_EMOTION`` usable rows of each emotion, in order."""
    rows = [np.flatnonzero(usable & (labels == kind))[:AN_EMOTION] for kind in range(len(EMOTIONS))]
    return np.sort(np.concatenate(rows))
