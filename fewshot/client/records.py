"""Records of the service as the results that a loop on this computer gives."""

from __future__ import annotations

from typing import Any

from fewshot.errors import FewshotError
from fewshot.live.sinks.jsonl import VERSION
from fewshot.live.sources.base import CapturedFrame
from fewshot.types import FrameResult, Reading


def result_of(record: dict[str, Any], captured: CapturedFrame | None = None) -> FrameResult:
    """A record of docs/reference/json-lines.md as a result.

    Args:
        record: as the service sends it.
        captured: the frame that was sent; its source, number and time are those of the result. None: the record's own.

    Raises:
        FewshotError: it is not such a record.
    """
    try:
        if record["version"] != VERSION:
            raise FewshotError(
                f"The service sends records of version {record['version']}, and this program reads {VERSION}. Install "
                "the same version of fewshot on both."
            )
        readings = tuple(_reading(face) for face in record["faces"])
        width, height = int(record["width"]), int(record["height"])
        if captured is None:
            return FrameResult(
                str(record["source"]), int(record["frame"]), float(record["time"]), width, height, readings
            )
        return FrameResult(captured.source, captured.index, captured.time, width, height, readings)
    except (KeyError, TypeError, ValueError) as error:
        raise FewshotError(
            f"The service sent a record that cannot be read ({type(error).__name__}). Install the same version of "
            "fewshot on both computers."
        ) from error


def _reading(face: dict[str, Any]) -> Reading:
    x0, y0, x1, y1 = (float(value) for value in face["box"])
    return Reading(
        track=int(face["track"]), box=(x0, y0, x1, y1), score=float(face["score"]), student=face["student"],
        identity_score=face["identity_score"], emotion=face["emotion"], confidence=face["confidence"],
        probabilities={str(name): float(value) for name, value in face["probabilities"].items()},
        prototypes=str(face["prototypes"]), age=float(face["age"]), reasons=tuple(face["quality"]["reasons"]),
        person=face["person"], named_by=str(face.get("named_by") or ""), doubt=str(face.get("doubt") or ""),
    )  # fmt: skip
