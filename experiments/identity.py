"""How well identity vectors tell people apart: the recogniser, and the expression network's second output.

    python experiments/identity.py --shared ../shared

Thresholds are read off CK+ (development): every subject enrolled with two pictures, classes of 30 drawn at random. LFW
pairs are a test: nothing is chosen on them. Writes experiments/results/identity.csv and .md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fewshot.embedding.runtime import open_embedder
from fewshot.faces.detections import Detector
from fewshot.faces.detectors.cascade import CascadeDetector
from fewshot.faces.detectors.scrfd import ScrfdDetector
from fewshot.faces.identity import Recogniser
from fewshot.models.files import resolve
from fewshot.perception import Perception
from fewshot.research.evaluation.identity import (
    CLASS_SIZE,
    DRAWS,
    ENROLLED,
    FULL,
    chain_row,
    named_by_rule,
    of_ckplus,
    on_lfw,
)
from fewshot.research.evaluation.tables import markdown, write_csv

SLOW_PAIRS = 400
"""How many LFW pairs the cascades are asked for: they take half a second a picture."""
PAIRS = 6000
HEAD = f"""# Identity: cosine similarity of unit vectors

    {{command}}

Network `{{network}}`, seed 0.

CK+ (development): {ENROLLED} pictures enrolled, {DRAWS} classes of {CLASS_SIZE} drawn; p1 and p5 of the similarity to
oneself, p95 and more of a stranger's to the likest of the class. LFW (test): accuracy over ten folds, threshold of the
other nine, on those pairs of pairs.txt whose pictures are here; the cascades, half a second a picture, are asked for
{SLOW_PAIRS} of them and find both faces of fewer.

"""
RULES = f"""
## Who is named (development)

The fallback on CK+, classes of {FULL} enrolled by one neutral picture each, {DRAWS} drawn: share of the other pictures
of students and of strangers that one picture alone names, by how alike the likest of the class must be and by how much
they must lead the next. The live loop asks this of the mean of several looks.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--pairs", type=int, default=PAIRS, help="how many LFW pairs at most")
    arguments = parser.parse_args()
    data, pack = arguments.shared / "data", arguments.shared / "models/insightface/models/buffalo_sc"
    embedder = open_embedder()
    scrfd = ScrfdDetector(pack / "det_500m.onnx")
    cascade = CascadeDetector(resolve("landmarks", download=False))
    chains: dict[str, tuple[Detector, Recogniser | None]] = {
        "SCRFD + MobileFaceNet (default)": (scrfd, Recogniser(pack / "w600k_mbf.onnx")),
        "SCRFD + own identity output": (scrfd, None),
        "cascades + own identity output (fallback)": (cascade, None),
    }
    rows: list[dict[str, str]] = []
    rules: list[dict[str, str]] = []
    for name, (detector, recogniser) in chains.items():
        perception = Perception(detector, embedder, recogniser)
        people = of_ckplus(perception, data)
        if detector is cascade:
            rules = named_by_rule(people)
        most = SLOW_PAIRS if detector is cascade else arguments.pairs
        accuracy, n = on_lfw(perception, data / "lfw", min(arguments.pairs, most))
        rows.append(chain_row(name, people, accuracy, n))
    out = Path("experiments/results")
    write_csv(rows, out / "identity.csv")
    write_csv(rules, out / "identity_rules.csv")
    typed = [] if arguments.pairs == PAIRS else [f"--pairs {arguments.pairs}"]
    head = HEAD.format(command=" ".join(["python experiments/identity.py", *typed]), network=embedder.network)
    page = head + markdown(rows) + RULES + markdown(rules)
    (out / "identity.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
