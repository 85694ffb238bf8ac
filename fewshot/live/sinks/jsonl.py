"""One JSON line per frame: the interface for other programs. Documented in docs/reference/json-lines.md."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from fewshot.live.sinks.base import TextFile, cannot_be_written
from fewshot.types import Frame, FrameResult, Reading

VERSION = 1
"""Version of the record. Within a version keys may be added, but no key changes its meaning or is removed."""


def as_record(result: FrameResult) -> dict[str, Any]:
    """A frame's result as the dictionary that is written: only str, int, float, bool, list, dict and None."""
    return {
        "version": VERSION,
        "source": result.source,
        "frame": result.index,
        "time": _rounded(result.time, 4) or 0.0,
        "width": result.width,
        "height": result.height,
        "faces": [_face(reading, result.width, result.height) for reading in result.readings],
    }


class JsonLines(TextFile):
    """Writes ``as_record`` of every frame, one per line, in UTF-8. Each line is flushed before the next one.

    Args:
        path: the file; an existing file is overwritten.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, encoding="utf-8", newline="\n")

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Write one line and flush it.

        Raises:
            OutputError: the file cannot be written.
        """
        line = json.dumps(as_record(result), ensure_ascii=False, allow_nan=False) + "\n"
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            raise cannot_be_written(self.path, error) from error


def _face(reading: Reading, width: int, height: int) -> dict[str, Any]:
    readable = bool(reading.probabilities)
    return {
        "track": int(reading.track),
        "box": _box(reading.box, width, height),
        "score": _rounded(reading.score, 4) or 0.0,
        "student": reading.student,
        "identity_score": _rounded(reading.identity_score, 4),
        "emotion": reading.emotion if readable else None,
        "confidence": _rounded(reading.confidence, 6) if readable else None,
        "probabilities": {name: _rounded(value, 6) or 0.0 for name, value in reading.probabilities.items()},
        "prototypes": reading.prototypes,
        "age": _rounded(reading.age, 4) or 0.0,
        "quality": {"readable": not reading.reasons, "reasons": list(reading.reasons)},
        "person": reading.person,
        "named_by": reading.named_by or None,
        "doubt": reading.doubt or None,
    }


def _box(box: tuple[float, float, float, float], width: int, height: int) -> list[float]:
    """The box rounded to 0.01 pixels, clipped to the picture, with x1 > x0 and y1 > y0."""
    x0, y0, x1, y1 = (value if math.isfinite(value) else 0.0 for value in box)
    x0, y0 = min(max(x0, 0.0), width - 1.0), min(max(y0, 0.0), height - 1.0)
    x1, y1 = min(max(x1, x0 + 1.0), float(width)), min(max(y1, y0 + 1.0), float(height))
    return [round(float(value), 2) for value in (x0, y0, x1, y1)]


def _rounded(value: float | None, digits: int) -> float | None:
    """A Python float; None for NaN and infinity, which JSON does not have."""
    return round(float(value), digits) if value is not None and math.isfinite(value) else None
