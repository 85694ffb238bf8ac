"""The timeline of a class as a picture: one row per student, one colour per emotion."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import FewshotError
from fewshot.live import colours
from fewshot.live.lettering import text_tile
from fewshot.private_files import write_private
from fewshot.session.summary import NOT_READABLE, UNSURE, Summary, clock, title_of
from fewshot.types import EMOTIONS, Frame

_WIDTH, _ROW, _GAP, _TEXT, _MARGIN = 1024, 22, 4, 20, 16
_WHITE: colours.Colour = (255, 255, 255)
_INK: colours.Colour = (40, 40, 40)
_FAINT: colours.Colour = (225, 225, 225)


def draw_timeline(summary: Summary, names: dict[str, str] | None = None) -> Frame:
    """Draw what every student showed when.

    An emotion is a plain colour, "unsure" is striped, and a face that could not be read is dark and dotted. While a
    student is not in view there is only a thin line.

    Args:
        summary: the counts of the run.
        names: the text for a student's key, if it is not the key itself.

    Returns:
        BGR uint8, shape (height, width, 3); the height depends on the class.
    """
    students, strips = summary.strips()
    labels = [(names or {}).get(key, key) if isinstance(key, str) else title_of(key) for key in students]
    titles = [text_tile(label[:28], _TEXT, _INK, _WHITE) for label in labels]
    left = _MARGIN + max([tile.shape[1] for tile in titles], default=0) + 8
    legend = _legend(summary, left + _WIDTH + _MARGIN)
    top = legend.shape[0] + _GAP
    height = top + len(students) * (_ROW + _GAP) + 12 + _TEXT + _MARGIN
    canvas = np.full((height, left + _WIDTH + 2 * _MARGIN, 3), 255, np.uint8)
    canvas[: legend.shape[0], : legend.shape[1]] = legend
    for row, (title, strip) in enumerate(zip(titles, strips, strict=True)):
        y = top + row * (_ROW + _GAP)
        canvas[y + 1 : y + 1 + _TEXT, left - 8 - title.shape[1] : left - 8] = title
        canvas[y : y + _ROW, left : left + _WIDTH] = _strip(strip, summary.labels)
    _axis(canvas, left, top + len(students) * (_ROW + _GAP), summary.duration)
    return canvas


def save_timeline(summary: Summary, path: str | Path, names: dict[str, str] | None = None) -> None:
    """``draw_timeline`` as a PNG that only its owner may open.

    Raises:
        FewshotError: the file cannot be written.
    """
    _, data = cv2.imencode(".png", draw_timeline(summary, names))
    try:
        write_private(Path(path), data.tobytes())
    except OSError as error:
        raise FewshotError(f"{path} cannot be written: {error.strerror}. Choose another folder.") from error


def _strip(bins: NDArray[np.int64], labels: list[str]) -> Frame:
    """A student's row, shape (_ROW, _WIDTH, 3)."""
    columns = bins[np.arange(_WIDTH) * len(bins) // _WIDTH]
    strip = np.full((_ROW, _WIDTH, 3), 255, np.uint8)
    strip[_ROW // 2] = _FAINT
    for index in np.unique(columns[columns >= 0]):
        where = columns == index
        strip[:, where] = _pattern(labels[index], _WIDTH)[:, where]
    return strip


def _pattern(label: str, width: int) -> Frame:
    """The pattern of a label, shape (_ROW, width, 3)."""
    y, x = np.mgrid[:_ROW, :width]
    if label == UNSURE:
        stripes = (x + y) % 8 < 3
        return np.where(stripes[..., None], _pixel(colours.UNSURE), _pixel(_WHITE))
    if label == NOT_READABLE:
        dots = (x % 6 < 2) & (y % 6 < 2)
        return np.where(dots[..., None], _pixel(_WHITE), _pixel(colours.NOT_READABLE))
    return np.broadcast_to(_pixel(colours.colour_of(label)), (_ROW, width, 3))


def _pixel(colour: colours.Colour) -> NDArray[np.uint8]:
    return np.array(colour, np.uint8)


def _legend(summary: Summary, width: int) -> Frame:
    """Swatches and words of all labels: the seven, own states that occur, unsure, not readable, not in view."""
    own = [label for label in summary.labels[2:] if label not in EMOTIONS]
    entries = [_entry(_pattern(label, 30), label) for label in (*EMOTIONS, *own, UNSURE, NOT_READABLE)]
    blank = np.full((_ROW, 30, 3), 255, np.uint8)
    blank[_ROW // 2] = _FAINT
    entries.append(_entry(blank, "not in view"))
    lines: list[list[Frame]] = [[]]
    for entry in entries:
        if lines[-1] and sum(e.shape[1] for e in lines[-1]) + entry.shape[1] > width - _MARGIN:
            lines.append([])
        lines[-1].append(entry)
    canvas = np.full((_MARGIN + len(lines) * (_ROW + 8), width, 3), 255, np.uint8)
    for number, line in enumerate(lines):
        x, y = _MARGIN, _MARGIN + number * (_ROW + 8)
        for entry in line:
            canvas[y : y + _ROW, x : x + entry.shape[1]] = entry
            x += entry.shape[1]
    return canvas


def _entry(swatch: Frame, label: str) -> Frame:
    word = text_tile(label, _TEXT, _INK, _WHITE)
    entry = np.full((_ROW, 30 + word.shape[1] + 12, 3), 255, np.uint8)
    entry[:, :30] = swatch
    cv2.rectangle(entry, (0, 0), (29, _ROW - 1), _INK, 1)
    entry[1 : 1 + _TEXT, 32 : 32 + word.shape[1]] = word
    return entry


def _axis(canvas: Frame, left: int, top: int, duration: float) -> None:
    """A time axis with ticks at round times."""
    cv2.line(canvas, (left, top + 4), (left + _WIDTH, top + 4), _INK, 1)
    if duration <= 0:
        return
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
    step = next((s for s in steps if duration / s <= 10), max(3600, int(duration // 10)))
    for time in range(0, int(duration) + 1, step):
        x = left + round(_WIDTH * time / duration)
        cv2.line(canvas, (x, top + 4), (x, top + 9), _INK, 1)
        label = text_tile(clock(time), _TEXT, _INK, _WHITE)
        start = min(max(x - label.shape[1] // 2, 0), canvas.shape[1] - label.shape[1])
        canvas[top + 12 : top + 12 + _TEXT, start : start + label.shape[1]] = label
