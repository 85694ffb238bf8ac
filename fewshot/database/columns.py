"""Column types that behave the same in every database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from fewshot.types import Vectors


class Utc(TypeDecorator[datetime]):
    """A time in UTC, with its time zone. SQLite does not store time zones, so all times are written in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Convert to UTC for the database."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Convert from the database to UTC, with a time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Floats(TypeDecorator[NDArray[np.float32]]):
    """A vector, float32, shape (d,), as little-endian bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: NDArray[np.floating] | None, _dialect: Dialect) -> bytes | None:
        """Convert a vector of shape (d,) to 4 d bytes for the database."""
        return None if value is None else np.ascontiguousarray(value, "<f4").tobytes()

    def process_result_value(self, value: Any, _dialect: Dialect) -> NDArray[np.float32] | None:
        """Convert bytes from the database to a vector, float32, shape (d,)."""
        return None if value is None else np.frombuffer(value, "<f4").astype(np.float32)

    def compare_values(self, x: Any, y: Any) -> bool:
        """Whether all numbers of two vectors are equal."""
        return np.array_equal(x, y)


def stack(vectors: list[NDArray[np.float32]], dimension: int) -> Vectors:
    """Vectors as rows, float32, shape (n, dimension)."""
    return np.stack(vectors) if vectors else np.zeros((0, dimension), np.float32)


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(UTC)
