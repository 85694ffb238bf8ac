"""Data that ships beside the network: population prototypes for unknown people, and how much people differ."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import StoreError
from fewshot.prototypes.calibration import Calibration
from fewshot.prototypes.space import transform
from fewshot.translation import later
from fewshot.types import Vectors

VERSION = 1


@dataclass(frozen=True, slots=True)
class Variances:
    """How strongly each effect moves a transformed vector: E|effect|^2 over all dimensions (squared distance).

    u = mu_e + c_e + d_s + g_se + noise. The class effect has a part that all emotions share, c_e = c + c'_e. A camera
    moves all emotions of a class in a similar way, so neutral photos also tell something about the other emotions.

    Attributes:
        classroom: s_c^2 of c'_e, the effect of this class's camera and light on one emotion.
        student: s_d^2 of d_s, the student's own offset.
        interaction: s_g^2 of g_se, the student's own way of showing one emotion.
        within: s_w^2 of the noise between photos.
        common: variance of c, the part of the class effect that all emotions share; 0 without such a part.
    """

    classroom: float
    student: float
    interaction: float
    within: float
    common: float = 0.0


@dataclass(frozen=True, eq=False)
class Population:
    """Population prototypes, variances and calibration of one network.

    Attributes:
        network: name and hash of the network that made the vectors.
        classes: the k emotions with a population prototype.
        mean: b of the transform u = (z - b) / |z - b|, float32, shape (d,).
        prototypes: mu_e in the transformed space, float32, shape (k, d).
        variances: estimated on development subjects.
        calibration: temperature and thresholds for each number of shots.
        rescale: whether final prototypes are scaled to length 1. Chosen on development subjects.
        allowance: share of a prototype's uncertainty that is subtracted from the distance to it. Chosen on development
            subjects; 0 leaves distances unchanged.
        reliable: emotions that can be relied on without photos: sure readings of people who are not enrolled were right
            often enough in every development set. Empty where nobody measured it.
    """

    network: str
    classes: tuple[str, ...]
    mean: NDArray[np.float32]
    prototypes: Vectors
    variances: Variances
    calibration: Calibration
    rescale: bool = False
    allowance: float = 0.0
    reliable: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", np.asarray(self.mean, dtype=np.float32))
        object.__setattr__(self, "prototypes", np.asarray(self.prototypes, dtype=np.float32))
        # Research leaves emotions out, to take them for new states.
        object.__setattr__(self, "reliable", tuple(one for one in self.reliable if one in self.classes))
        fault = _fault(self)
        if fault:
            raise StoreError(
                later(
                    "The population prototypes of {network!r} cannot be used: {fault}. Install fewshot again, or "
                    "export the network again.",
                    network=self.network,
                    fault=fault,
                )
            )

    @property
    def dimension(self) -> int:
        """d, the length of the network's vectors."""
        return len(self.mean)

    @cached_property
    def fingerprint(self) -> str:
        """A hash that changes if any data changes from which students' prototypes are computed."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    def transform(self, vectors: NDArray[np.floating]) -> Vectors:
        """``space.transform`` with this network's mean: z of shape (n, d) to u of the same shape."""
        return transform(vectors, self.mean)

    def to_json(self) -> str:
        """The population as text; ``from_json`` restores it exactly."""
        return json.dumps(
            {
                "version": VERSION,
                "network": self.network,
                "classes": list(self.classes),
                "variances": asdict(self.variances),
                "calibration": asdict(self.calibration),
                "rescale": self.rescale,
                "allowance": self.allowance,
                "reliable": list(self.reliable),
                "mean": _numbers(self.mean),
                "prototypes": [_numbers(row) for row in self.prototypes],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Population:
        """Inverse of ``to_json``.

        Raises:
            StoreError: the text has another format, or contains impossible numbers.
        """
        try:
            data = json.loads(text)
            if data["version"] != VERSION:
                raise ValueError(f"its version is {data['version']}, this program needs {VERSION}")
            return cls(
                network=data["network"],
                classes=tuple(data["classes"]),
                mean=np.array(data["mean"], dtype=np.float32),
                prototypes=np.array(data["prototypes"], dtype=np.float32),
                variances=Variances(**data["variances"]),
                calibration=Calibration(**{name: tuple(column) for name, column in data["calibration"].items()}),
                rescale=bool(data["rescale"]),
                # Older files do not contain these.
                allowance=float(data.get("allowance", 0.0)),
                reliable=tuple(str(emotion) for emotion in data.get("reliable", ())),
            )
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
            raise StoreError(
                later(
                    "The file of population prototypes cannot be read ({kind}: {reason}). Expected the JSON file "
                    "beside the network. Install fewshot again, or export the network again.",
                    kind=type(error).__name__,
                    reason=error,
                )
            ) from error

    def save(self, path: str | Path) -> None:
        """Write ``to_json`` to a file."""
        Path(path).write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Population:
        """Read a file written by ``save``.

        Raises:
            StoreError: there is no such file, or it is damaged.
        """
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(
                later(
                    "Population prototypes not found at {path} ({reason}). Install fewshot again.",
                    path=path,
                    reason=error,
                )
            ) from error
        return cls.from_json(text)


def _numbers(row: NDArray[np.float32]) -> list[float]:
    # Nine significant digits restore every float32 exactly.
    return [float(f"{value:.9g}") for value in row]


def _fault(population: Population) -> str:
    """What is wrong with the population, in words; "" if nothing is wrong."""
    variances, calibration = asdict(population.variances), population.calibration
    columns = (calibration.temperature, calibration.far, calibration.margin)
    checks = (
        (population.mean.ndim == 1 and len(population.mean) > 0, "the mean is not one vector"),
        (len(set(population.classes)) == len(population.classes) > 0, "its emotions are missing or named twice"),
        (
            population.prototypes.shape == (len(population.classes), population.mean.size),
            f"expected {len(population.classes)} prototypes of length {population.mean.size}, "
            f"got shape {population.prototypes.shape}",
        ),
        (
            bool(np.isfinite(population.mean).all() and np.isfinite(population.prototypes).all()),
            "numbers are not finite",
        ),
        (all(value >= 0 for value in variances.values()), f"a variance is negative or not a number: {variances}"),
        (bool(calibration.shots) and calibration.shots[0] == 0, "the calibration does not begin at 0 shots"),
        (bool(np.all(np.diff(calibration.shots) > 0)), "the numbers of shots do not increase"),
        (all(len(column) == len(calibration.shots) for column in columns), "the calibration table has missing values"),
        (all(value > 0 for value in calibration.temperature), "a temperature is not positive"),
        (0 <= population.allowance < float("inf"), "the allowance is negative or not a number"),
    )
    return next((words for fine, words in checks if not fine), "")
