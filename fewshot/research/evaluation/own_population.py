"""Population prototypes of a network that was trained on pictures of your own, made from the same pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.errors import UsageError
from fewshot.models.files import WEIGHTS
from fewshot.prototypes.calibration import Calibration, fit_thresholds
from fewshot.prototypes.population import Population, Variances
from fewshot.prototypes.space import squared_distances, transform
from fewshot.research.datasets.subjects import Picture
from fewshot.research.evaluation.confidence import cautious_temperature
from fewshot.research.evaluation.variances import estimate_variances
from fewshot.research.training.augment import Augmentation
from fewshot.research.training.folder_data import FolderDataModule
from fewshot.research.training.own_faces import MARGIN
from fewshot.research.training.population import centre, class_means
from fewshot.types import Vectors


@dataclass(frozen=True, eq=False)
class OwnPopulation:
    """What was made, and what it rests on.

    Attributes:
        population: for the file beside the network.
        balanced: mean recall of the classes on the validation part.
        shown: training and validation faces.
        note: what could not be measured on these pictures, in words; "" if all was.
    """

    population: Population
    balanced: float
    shown: tuple[int, int]
    note: str


def own_data(
    root: str, shared: Path, prepared: Path, faces: str = "detect", form: str = "auto", seed: int = 0
) -> FolderDataModule:
    """Your pictures as training with the same seed divides them, with the faces cut out.

    Args:
        root: folder or csv, as ``data.root`` of the training.
        shared: folder whose models are searched for the detector.
        prepared: folder in which the faces that were found are kept.
        faces, form: as ``data.faces`` and ``data.form``.
        seed: as ``seed`` of the training.

    Raises:
        UsageError: there are too few pictures or faces, or an option is unknown.
    """
    way: Literal["detect", "whole"] = "whole" if faces == "whole" else "detect"
    if faces != way:
        raise UsageError(f"--faces {faces} is unknown. Use --faces detect or --faces whole.")
    data = FolderDataModule(
        root, Augmentation(), prepared=str(prepared), shared=str(shared), form=form, faces=way, seed=seed
    )
    data.setup("fit")
    return data


def own_crops(data: FolderDataModule, part: str) -> NDArray[np.uint8]:
    """The grey crops of "train" or "val", shape (n, 112, 112)."""
    faces = np.stack(data.tables["train" if part == "train" else "public"].faces)
    return faces[:, MARGIN:-MARGIN, MARGIN:-MARGIN]


def own_population(embedder: Embedder, data: FolderDataModule) -> OwnPopulation:
    """Class means of the training part; temperature and thresholds of the validation part.

    Args:
        embedder: the network.
        data: see ``own_data``.

    Raises:
        UsageError: no picture of a class gave a face.
    """
    train, held = (embedder.embed_grey(own_crops(data, part)) for part in ("train", "val"))
    labels, truth = ([data.classes.index(one.emotion) for one in data.shown[part]] for part in ("train", "val"))
    kinds = np.eye(len(data.classes))[labels]
    missing = [word for word, count in zip(data.classes, kinds.sum(axis=0), strict=True) if not count]
    if missing:
        raise UsageError(
            f"No face for training was found in the pictures of {', '.join(missing)}. Add pictures of it, or take the "
            "word out."
        )
    mean = centre(train, kinds)
    prototypes = class_means(transform(train, mean), kinds)
    distances = squared_distances(transform(held, mean), prototypes)
    asked = np.array(truth, np.int64)
    found = fit_thresholds(distances, asked, temperature=cautious_temperature([(distances, asked)]))
    alone = Calibration((0.0,), (found.temperature,), (found.far,), (found.margin,))
    u = transform(np.concatenate([train, held]), mean)
    variances, note = _variances(u, [*data.shown["train"], *data.shown["val"]], prototypes, data.classes)
    population = Population(embedder.network, tuple(data.classes), mean, prototypes, variances, alone)
    right = distances.argmin(axis=1) == asked
    recalls = [float(right[asked == kind].mean()) for kind in np.unique(asked)]
    return OwnPopulation(population, float(np.mean(recalls)), (len(train), len(held)), note)


def _variances(
    u: Vectors, shown: Sequence[Picture], prototypes: Vectors, classes: Sequence[str]
) -> tuple[Variances, str]:
    """From your subjects if they can tell; else the spread of your pictures in the shares of the network that ships."""
    emotions = [picture.emotion for picture in shown]
    try:
        if not all(picture.subject for picture in shown):
            raise UsageError("Not every picture has a subject.")
        # All of one camera: what it does cannot be told from what the pictures have in common.
        subjects = [picture.subject for picture in shown]
        return estimate_variances(u, subjects, emotions, ["own"] * len(shown), prototypes, classes), ""
    except UsageError as error:
        own = prototypes[[list(classes).index(emotion) for emotion in emotions]]
        spread = float(((u - own) ** 2).sum(axis=1).mean())
        shares = asdict(Population.load(WEIGHTS / "expression.json").variances)
        whole = sum(shares.values())
        scaled = Variances(**{name: spread * share / whole for name, share in shares.items()})
        return scaled, (
            f"How much people differ was not measured: {error} The shares of the network that ships were taken. Add "
            "subjects with two pictures of the same emotion to measure it."
        )
