"""Results as a table, one row per face and frame: a CSV file, a Parquet file, or a pandas DataFrame."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fewshot.errors import UsageError
from fewshot.live.sinks.base import TextFile, cannot_be_written
from fewshot.live.sinks.jsonl import as_record
from fewshot.private_files import claim_private
from fewshot.types import EMOTIONS, Frame, FrameResult

if TYPE_CHECKING:
    import pandas

COLUMNS: dict[str, type] = {
    **{"source": str, "frame": int, "time": float, "width": int, "height": int, "face": int, "track": int},
    **{"x0": float, "y0": float, "x1": float, "y1": float, "score": float},
    **{"student": str, "person": int, "identity_score": float, "emotion": str, "confidence": float},
    **{"prototypes": str, "age": float, "readable": bool, "reasons": str},
    **{f"p_{emotion}": float for emotion in EMOTIONS},
    "states": str,
}
"""Columns and their types. "face" counts the faces of a frame from 0; "states" is a JSON object with the probabilities
of the student's own states. All other values are those of the JSON lines. A value that is not known is empty."""

_GROUP = 20_000
"""Rows that are kept in memory before they are written to a Parquet file."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows_of(result: FrameResult) -> Iterator[dict[str, Any]]:
    """The rows of one frame: none if it has no face. A value that is not known is None."""
    record = as_record(result)
    head = {name: record[name] for name in ("source", "frame", "time", "width", "height")}
    for number, face in enumerate(record["faces"]):
        own = {name: value for name, value in face["probabilities"].items() if name not in EMOTIONS}
        yield {
            **head,
            "face": number,
            "track": face["track"],
            **dict(zip(("x0", "y0", "x1", "y1"), face["box"], strict=True)),
            **{name: face[name] for name in ("score", "student", "person", "identity_score", "emotion", "confidence")},
            "prototypes": face["prototypes"],
            "age": face["age"],
            "readable": face["quality"]["readable"],
            "reasons": "; ".join(face["quality"]["reasons"]) or None,
            **{f"p_{emotion}": face["probabilities"].get(emotion) for emotion in EMOTIONS},
            "states": json.dumps(own, ensure_ascii=False) if own else None,
        }


def to_pandas(results: Iterable[FrameResult]) -> pandas.DataFrame:
    """Results as a DataFrame, one row per face and frame; the columns are ``COLUMNS``.

    Args:
        results: for example ``room.watch("lesson.mp4")``. They are read to their end.

    Raises:
        UsageError: pandas is not installed.

    Examples:
        >>> frame = to_pandas(room.watch("lesson.mp4"))  # doctest: +SKIP
        >>> frame.groupby("student").emotion.value_counts()  # doctest: +SKIP
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise UsageError("A DataFrame needs pandas.", hint="Type: pip install pandas") from error
    rows = [row for result in results for row in rows_of(result)]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    kinds = {str: "object", int: "Int64", float: "float64", bool: "bool"}
    return frame.astype({name: kinds[kind] for name, kind in COLUMNS.items()})


class Results(Iterator[FrameResult]):
    """The results of a source, frame by frame, as they come.

    Examples:
        >>> room.watch("lesson.mp4").to_pandas()  # doctest: +SKIP
    """

    def __init__(self, results: Iterable[FrameResult]) -> None:
        self._results = iter(results)

    def __next__(self) -> FrameResult:
        return next(self._results)

    def close(self) -> None:
        """End the run before its source ends."""
        close = getattr(self._results, "close", None)
        if close is not None:
            close()

    def to_pandas(self) -> pandas.DataFrame:
        """All results that are still to come as a DataFrame; see ``to_pandas``.

        Raises:
            UsageError: pandas is not installed.
        """
        return to_pandas(self)


class CsvTable(TextFile):
    """Writes a CSV file, in UTF-8 with the mark that spreadsheets need. Each frame is flushed before the next one.

    A text that a spreadsheet would read as a formula gets an apostrophe before it.

    Args:
        path: the file; an existing file is overwritten.

    Raises:
        OutputError: the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, encoding="utf-8-sig", newline="", errors="replace")
        try:
            self._writer = csv.DictWriter(self._file, list(COLUMNS))
            self._writer.writeheader()
        except OSError as error:
            raise cannot_be_written(self.path, error) from error

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Write the rows of one frame.

        Raises:
            OutputError: the file cannot be written.
        """
        try:
            for row in rows_of(result):
                self._writer.writerow({name: _cell(value) for name, value in row.items()})
            self._file.flush()
        except OSError as error:
            raise cannot_be_written(self.path, error) from error


class ParquetTable:
    """Writes a Parquet file. It is complete only after ``close``.

    Args:
        path: the file; an existing file is overwritten.

    Raises:
        UsageError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
        except ImportError as error:
            raise UsageError("A Parquet file needs pyarrow, which is not installed.", hint=PARQUET_HINT) from error
        self.path = Path(path)
        kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
        self._schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
        self._table, self._rows = pyarrow.Table, list[dict[str, Any]]()
        try:
            claim_private(self.path)
            self._writer: Any = parquet.ParquetWriter(str(self.path), self._schema, compression="zstd")
        except OSError as error:
            raise cannot_be_written(self.path, error) from error

    def write(self, result: FrameResult, _frame: Frame | None = None) -> None:
        """Take the rows of one frame, and write those of many frames at once.

        Raises:
            OutputError: the file cannot be written.
        """
        self._rows += rows_of(result)
        if len(self._rows) >= _GROUP:
            self._flush()

    def close(self) -> None:
        """Write the rest and finish the file.

        Raises:
            OutputError: the rest could not be written.
        """
        if self._writer is None:
            return
        try:
            self._flush()
            self._writer.close()
        except OSError as error:
            raise cannot_be_written(self.path, error) from error
        finally:
            self._writer = None

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        # Names of files may hold bytes that are not UTF-8.
        clean = [{k: _utf8(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]
        try:
            self._writer.write_table(self._table.from_pylist(clean, schema=self._schema))
        except OSError as error:
            raise cannot_be_written(self.path, error) from error


PARQUET_HINT = "Type: pip install pyarrow. Or write a table with --csv."


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else value


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
