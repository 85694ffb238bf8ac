"""Reads the labels of tiles with RapidOCR (extra ``labels``): on this computer, with the networks of its wheel."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fewshot.call_labels.lines import find_lines, lower_edge
from fewshot.call_labels.tile_labels import SURE, Text
from fewshot.call_labels.tiles import find_tiles
from fewshot.errors import UsageError
from fewshot.translation import later
from fewshot.types import Frame

_SHAPE = (3, 48, 160)
"""Of the network's input: shorter lines are padded to this width, longer ones make it wider."""


def can_read() -> bool:
    """Whether the extra is installed."""
    return find_spec("rapidocr") is not None


def open_reader() -> LabelReader:
    """A reader; its network is loaded by the first label.

    Raises:
        UsageError: the extra is not installed.
    """
    if not can_read():
        raise UsageError(
            later("The labels of a call are read with the package rapidocr, which is not installed."),
            hint="To install it, type in the project's folder: pip install '.[labels]'",
        )
    return LabelReader()


class LabelReader:
    """Finds the tile of each face, and reads the line at its lower edge. Only one thread may use it."""

    def __init__(self) -> None:
        self._network: Any = None

    def read(self, frame: Frame, boxes: Sequence[NDArray[np.floating]], wanted: Sequence[int]) -> list[Text | None]:
        """The labels of some faces.

        Args:
            frame: BGR, shape (height, width, 3).
            boxes: x0, y0, x1, y1 of all faces of the frame, pixels.
            wanted: indices of those whose labels are read.

        Returns:
            One answer per wanted face; None where no tile or no line was found.
        """
        tiles = find_tiles(frame, boxes)
        answers: list[Text | None] = []
        for number in wanted:
            tile = tiles[number]
            answers.append(None if tile is None else self._best(find_lines(lower_edge(frame, tile))))
        return answers

    def _best(self, lines: Sequence[NDArray[np.uint8]]) -> Text | None:
        """What the likeliest line says that can be read well; else the one that was read best."""
        best: Text | None = None
        for line in lines:
            text = self._read(line)
            if text is not None and (best is None or text.score > best.score):
                best = text
            if best is not None and best.score >= SURE and len(best.text) > 1:
                break
        return best

    def _read(self, line: NDArray[np.uint8]) -> Text | None:
        if self._network is None:
            self._network = _open()
        found = self._network(line, use_det=False, use_cls=False, use_rec=True)
        if not found.txts:
            return None
        return Text(str(found.txts[0]), float(found.scores[0]))


def _open() -> Any:
    """RapidOCR with one thread, because the loop needs the other cores."""
    # It gives its logger a level and a handler of its own when it is imported.
    from rapidocr import RapidOCR

    network = RapidOCR(
        params={
            "Global.log_level": "critical",
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "Rec.rec_img_shape": list(_SHAPE),
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
    logging.getLogger("RapidOCR").propagate = False
    return network
