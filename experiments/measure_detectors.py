"""The three detectors on the same pictures: faces found, false alarms, error of the landmarks, milliseconds.

    python experiments/measure_detectors.py --shared ../shared

Reference: SCRFD on the picture at twice the usual resolution. Writes experiments/results/detectors.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.faces.detections import Detector
from fewshot.faces.detectors.cascade import CascadeDetector
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.faces.detectors.yunet import YunetDetector
from fewshot.models.files import WEIGHTS
from fewshot.research.bench.detectors import gallery, landmark_error, milliseconds, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--out", type=Path, default=Path("experiments/results/detectors.md"))
    arguments = parser.parse_args()
    models = arguments.shared / "models"
    detectors: list[Detector] = [
        ScrfdDetector(models / "insightface/models/buffalo_sc/det_500m.onnx"),
        YunetDetector(models / "detectors/face_detection_yunet_2023mar.onnx"),
        CascadeDetector(WEIGHTS / "landmarks.onnx"),
    ]
    head = ["# Detectors", "", "    python experiments/measure_detectors.py", ""]
    lines = [*head, *table(detectors, arguments.shared)]
    errors = [landmark_error(detector, arguments.shared) for detector in detectors]
    lines.append("| landmark error on CK+: mean (median, 95 %; found) | " + " | ".join(errors) + " |")
    frame = gallery(arguments.shared, 0)
    times = [milliseconds(detector, frame) for detector in detectors]
    lines.append("| ms for a 1080p gallery of 49 | " + " | ".join(times) + " |")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
