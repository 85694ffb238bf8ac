"""How large a face may be in its frame: found with one detection pass, and with a second one with a margin.

    python experiments/measure_large_faces.py --shared ../shared

Portraits of the London set are scaled so that the face has a share of the frame's height; then 150 tightly cropped
pictures of two sets. Prints the table of docs/explanation/faces.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.research.bench.large_faces import cropped_rows, portrait_rows
from fewshot.research.evaluation.tables import markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--pictures", type=int, default=150)
    arguments = parser.parse_args()
    detector = ScrfdDetector(arguments.shared / "models/insightface/models/buffalo_sc/det_500m.onnx")
    data = arguments.shared / "data"
    print(markdown(portrait_rows(detector, data / "london", arguments.people)))
    print(markdown(cropped_rows(detector, [data / "people_wild", data / "rafdb"], arguments.pictures)))


if __name__ == "__main__":
    main()
