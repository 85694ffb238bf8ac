"""The process of a lesson with drawn eyes, and a reader that reads the two squares of a lesson by their place."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest
from drawn_faces import see_drawings

from fewshot import room
from fewshot.call_labels import tile_labels
from fewshot.call_labels.tile_labels import Text
from fewshot.commands import batch_work, runs

LABELS = ("Bela", "Visitor Zzyzx")


class Reader:
    """The label of the left face is Bela's, though the face is Asha's; that of the right one is a visitor's."""

    def read(self, _frame: object, boxes: list, wanted: list[int]) -> list[Text]:
        first = min(float(box[0]) for box in boxes)
        return [Text(LABELS[float(boxes[number][0]) > first], 0.99) for number in wanted]


def see(patch: pytest.MonkeyPatch) -> None:
    """Read labels so in this process."""
    patch.setattr(room, "open_reader", Reader)
    patch.setattr(runs, "open_reader", Reader)
    patch.setattr(tile_labels, "EVERY", 0.05)
    patch.setattr(tile_labels, "APART", 0.0)


if __name__ == "__main__":
    see_drawings(pytest.MonkeyPatch())
    see(pytest.MonkeyPatch())
    batch_work.main()
