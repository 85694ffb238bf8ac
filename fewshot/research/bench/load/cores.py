"""From the cost of a face to the size of a machine, and to the price of an hour of a class."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from fewshot.errors import UsageError

LESSONS, STUDENTS, READINGS = 1000, 30, 5.0
"""What a district may need: lessons at once, students of each, readings per second."""
SPARE = 0.7
"""Share of its cores that a machine should use on average: above it, frames wait for each other."""
PRICES = {"currency": "", "price_per_hour": None, "cores": None, "other_per_class_hour": 0.0}
"""What a price file must hold. A price is for one machine; ``other_per_class_hour`` is storage, traffic and people."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What the reader pays.

    Attributes:
        currency: such as "EUR".
        price_per_hour: of one machine.
        cores: of that machine.
        other_per_class_hour: everything else, per class and hour.
    """

    currency: str
    price_per_hour: float
    cores: int
    other_per_class_hour: float = 0.0


def cores_for(
    core_seconds: float, lessons: int = LESSONS, students: int = STUDENTS, readings: float = READINGS
) -> float:
    """Cores for lessons at once, with the spare room of ``SPARE``.

    >>> round(cores_for(0.0014), 1)
    300.0
    """
    return lessons * students * readings * core_seconds / SPARE


def per_class_hour(core_seconds: float, prices: Prices, students: int = STUDENTS, readings: float = READINGS) -> float:
    """Price of one class for an hour: its cores, as a share of a machine, and everything else.

    >>> prices = Prices("EUR", price_per_hour=1.0, cores=10)  # made up for this example
    >>> round(per_class_hour(0.0014, prices), 3)
    0.03
    """
    share = cores_for(core_seconds, 1, students, readings) / prices.cores
    return share * prices.price_per_hour + prices.other_per_class_hour


def load_prices(file: Path) -> Prices:
    """Prices from a JSON file with the fields of ``PRICES``.

    Raises:
        UsageError: it cannot be read, or a price is missing.
    """
    try:
        prices = Prices(**json.loads(file.read_text(encoding="utf-8")))
        numbers = (float(prices.price_per_hour), float(prices.cores), float(prices.other_per_class_hour))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{file} cannot be used as a price file ({error}). It is a JSON file such as {json.dumps(PRICES)}, with "
            "your own prices."
        ) from error
    if not all(map(math.isfinite, numbers)) or numbers[0] < 0 or numbers[1] <= 0 or numbers[2] < 0:
        raise UsageError(f"{file} holds a number that is no price: {numbers}. Fill in your own prices.")
    return prices


def words(core_seconds: float, prices: Prices | None) -> str:
    """The section of the page."""
    said = (
        f"One face costs {1000 * core_seconds:.2f} ms of a core (median over the levels above, with decoding, tracking "
        f"and recording).\n\n"
        f"    cores = lessons x students x readings per second x core-seconds per face / {SPARE}\n\n"
        f"{LESSONS} lessons of {STUDENTS} students at {READINGS:g} readings per second: "
        f"**{cores_for(core_seconds):.0f} cores** of this kind. On paper: it was not run at this size.\n\n"
        "    price of a class-hour = cores of one lesson / cores of a machine x its price per hour + other costs\n\n"
        f"Cores of one lesson: {cores_for(core_seconds, 1):.2f}. "
    )
    if prices is None:
        return said + (
            f"No price is given here. Write yours into a file such as `{json.dumps(PRICES)}` and add `--prices FILE`.\n"
        )
    return said + f"With the given prices: {per_class_hour(core_seconds, prices):.4f} {prices.currency}.\n"
