"""Readings as tables for other programs: CSV with a separate description, and Parquet with a description inside."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fewshot import __version__
from fewshot.session.analysis.grid import UNSURE_STATE, make_grid
from fewshot.session.analysis.mood import class_mood
from fewshot.session.analysis.students import NOT_READABLE_STATE
from fewshot.session.analysis.words import MINIMUM, UNCERTAINTY, law, local
from fewshot.session.lesson import Lesson
from fewshot.session.optional_imports import need
from fewshot.session.report.contents import without_name, without_names
from fewshot.translation import later, tr

Columns = dict[str, Any]
"""Name -> a list or array; all have the same length."""

_MEANING = {
    "lesson": "number of the lesson",
    "second": "seconds since the lesson started",
    "student": "name of the student; empty for all faces that are not enrolled",
    "state": "the state in most readings of the second, or unsure, or not readable",
    "confidence": "mean probability of the state; empty if no face could be read",
    "frames": "frames of the second in which the student was in view",
    "readable": "readings of the second that could be read",
    "faces": "all readings of the second",
    "start": "start of the window, in seconds since the lesson started",
    "end": "end of the window, in seconds since the lesson started",
    "share": "share of the people counted in the window, 0 to 1",
    "low": "lower end of the 95 % interval (Wilson)",
    "high": "upper end of the 95 % interval (Wilson)",
    "people": "people counted in the window",
}


def reading_columns(lesson: Lesson) -> Columns:
    """One row per student and second, with the probability of every label in a column ``p_<label>``."""
    rows = lesson.readings
    states = np.array([*lesson.labels, NOT_READABLE_STATE, UNSURE_STATE], dtype=object)  # -2 and -1 from the end
    names = np.array([*lesson.students, ""], dtype=object)
    read = rows.readable > 0
    found: Columns = {
        "lesson": np.full(len(rows), lesson.info.id, np.int32),
        "second": rows.second,
        "student": names[rows.student],
        "state": states[rows.emotion],
        "confidence": _or_empty(rows.confidence, read),
        "frames": rows.frames,
        "readable": rows.readable,
        "faces": rows.faces,
    }
    for column, label in enumerate(lesson.labels):
        found[f"p_{label}"] = _or_empty(rows.probabilities[:, column], read)
    return found


def mood_columns(lesson: Lesson) -> Columns:
    """The whole-class view: one row per minute and state, without overlap; no row if fewer than 5 were counted."""
    mood = class_mood(make_grid(lesson), width=60, step=60, minimum=MINIMUM)
    rows = []
    for window, time in enumerate(mood.time):
        for column, state in enumerate(mood.states):
            if mood.students[window] >= MINIMUM and time % 60 == 0:  # not the edges of gaps, which a chart needs
                numbers = (float(values[window, column]) for values in (mood.share, mood.low, mood.high))
                start, end = max(0, int(time - mood.width / 2)), int(time + mood.width / 2)
                row = (lesson.info.id, start, end, state, *(round(n, 4) for n in numbers), int(mood.students[window]))
                rows.append(row)
    names = ("lesson", "start", "end", "state", "share", "low", "high", "people")
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def about(lesson: Lesson, aggregate: bool) -> dict[str, Any]:
    """Origin and uncertainty of the table, where it may not be used, markers and corrections."""
    info = lesson.info
    markers = without_names(lesson.markers, lesson.students) if aggregate else lesson.markers
    title = without_name(info.title, lesson.students) if aggregate else info.title
    found: dict[str, Any] = {
        "lesson": info.id,
        "class": info.classroom,
        "title": title,
        "started": local(info.started).isoformat(),
        "ended": local(info.ended).isoformat() if info.ended else None,
        "state": info.state,
        "source": info.source,
        "network": info.network,
        "sample": info.sample,
        "aggregate": aggregate,
        "written by": f"fewshot {__version__}",
        "uncertainty": tr(UNCERTAINTY),
        "where this may not be used": "\n".join(law()),
        "markers": [{"second": m.second, "text": m.text} for m in markers],
    }
    if not aggregate:
        found["students"] = lesson.students
        found["corrections"] = [
            {"second": c.second, "student": c.student, "said": c.said, "actually": c.actually, "undone": c.undone}
            for c in lesson.corrections
        ]
    return found


def csv_files(lesson: Lesson, aggregate: bool = False) -> dict[str, bytes]:
    """``.csv`` (UTF-8 with byte order mark, for spreadsheets) and its description ``.csv-metadata.json`` (W3C, "CSV on
    the Web"). A name that a spreadsheet would read as a formula gets an apostrophe before it."""
    aggregate = aggregate or lesson.info.aggregate
    columns = mood_columns(lesson) if aggregate else reading_columns(lesson)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_cells, columns.values()), strict=True))
    described = {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": about(lesson, aggregate)["title"],
        "tableSchema": {"columns": [_described(name) for name in columns]},
        "fewshot": about(lesson, aggregate),
    }
    described_bytes = json.dumps(described, ensure_ascii=False, indent=1).encode("utf-8")
    return {".csv": text.getvalue().encode("utf-8-sig"), ".csv-metadata.json": described_bytes}


def parquet_file(lesson: Lesson, aggregate: bool = False) -> bytes:
    """The same table; the description is JSON under the key ``fewshot`` of the file's metadata.

    Raises:
        UsageError: pyarrow is not installed.
    """
    aggregate = aggregate or lesson.info.aggregate
    arrow = need("pyarrow", later("Parquet files"))
    parquet = need("pyarrow.parquet", later("Parquet files"))
    columns = mood_columns(lesson) if aggregate else reading_columns(lesson)
    types = {"student": arrow.string(), "state": arrow.string()}
    arrays = {name: arrow.array(values, type=types.get(name), from_pandas=True) for name, values in columns.items()}
    table = arrow.table(arrays).replace_schema_metadata({"fewshot": json.dumps(about(lesson, aggregate))})
    sink = io.BytesIO()
    parquet.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _or_empty(values: Any, known: Any) -> Any:
    return np.where(known, values, np.nan).astype(np.float32)


def _cells(values: Sequence[Any]) -> list[Any]:
    """A column of a CSV."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return ["" if math.isnan(value) else f"{value:.4g}" for value in array.tolist()]
    if array.dtype.kind in "OU":
        quoted = {text: f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text for text in set(array)}
        return [quoted[text] for text in array]
    return list(array.tolist())


def _described(name: str) -> dict[str, str]:
    meaning = (
        _MEANING.get(name) or f"mean probability of {name.removeprefix('p_')} over the readings that could be read"
    )
    kind = "string" if name in ("student", "state") else "integer" if name in _WHOLE else "number"
    return {"name": name, "datatype": kind, "dc:description": meaning}


_WHOLE = ("lesson", "second", "frames", "readable", "faces", "start", "end", "people")
