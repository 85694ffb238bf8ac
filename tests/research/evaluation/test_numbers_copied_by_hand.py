"""Numbers that people wrote into the README, the page of limits and the model card are those of the tables."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from fewshot.research.evaluation.results_summary import summary

ROOT = Path(__file__).parents[3]
RESULTS = ROOT / "experiments/results"
README, LIMITS, CARD = ROOT / "README.md", ROOT / "docs/explanation/limits.md", ROOT / "fewshot/weights/model_card.md"
ENGINES = ROOT / "docs/explanation/engines.md"
FOUND = summary(RESULTS)
GALLERY, JAFFE_VIDEO = "49 people, one neutral photo each", "10 people, two photos per emotion"
BOTH_1, BOTH_5 = "1-shot, soft k-means", "5-shot, soft k-means"
CLASSES_7, PRIVATE = "FER+ test, published rule, 7 classes", "FER2013 PrivateTest, its own labels"
CLASSIFIER = "accuracy, training classifier (not in the product)"
OWN_NEUTRAL = "accuracy, own neutral photo, classmates one per emotion"
EACH = "accuracy, one photo per emotion each"
CHANGED = (
    *("good pictures", "out of focus", "JPEG of quality 20", "face of 32 pixels", "an eighth of the light"),
    "mouth covered",
)

HOPED = [
    ("FER+ test", "closed set", "accuracy", CLASSES_7),
    ("FER2013 PrivateTest", "closed set", "accuracy", PRIVATE),
    ("JAFFE, own neutral photo", "enrollment", OWN_NEUTRAL, "JAFFE"),
    ("CFEE, own neutral photo, classmates", "enrollment", OWN_NEUTRAL, "CFEE"),
]
"""Beginning of a row "hoped for and not reached", then table, measure and data of the summary."""
ROWS = [
    (README, 1, "Speed: 49 faces", "speed", "frames per second, H.264", "49 faces, 1920x1080"),
    (README, 1, "Right name, 49 students", "virtual classroom", "right name, first second", GALLERY),
    (README, 1, "Right emotion in such a gallery", "virtual classroom", "emotion right", GALLERY),
    (README, 1, "Right emotion, 10 people, two photos", "virtual classroom", "emotion right", JAFFE_VIDEO),
    (README, 1, "FER+ test, 7 classes", "closed set", "accuracy", CLASSES_7),
    *((LIMITS, 2, *row) for row in HOPED),
    (LIMITS, 2, "the same with the training classifier", "closed set", CLASSIFIER, PRIVATE),
    (LIMITS, 2, "JAFFE without photos", "enrollment", "accuracy, no photo", "JAFFE"),
    (LIMITS, 2, "JAFFE, one photo per emotion", "enrollment", EACH, "JAFFE"),
    (LIMITS, 2, "CFEE compound emotions, 5-way, 1 shot", "episodes", BOTH_1, "CFEE"),
    (LIMITS, 2, "CFEE compound emotions, 5-way, 5 shots", "episodes", BOTH_5, "CFEE"),
    (LIMITS, 2, "class of 49 without a downloaded", "fallback", "right name, of face-frames", GALLERY),
    (LIMITS, 2, "from decoded frame to labels", "speed", "from decoded frame to labels, file, p95", "49 faces"),
    *((LIMITS, 1, words, "bad pictures", words, "CFEE") for words in CHANGED),
    *((CARD, 1, words, "bad pictures", words, "CFEE") for words in CHANGED),
    *((CARD, 2, *row) for row in HOPED),
    (CARD, 2, "JAFFE, no photo |", "enrollment", "accuracy, no photo", "JAFFE"),
    (CARD, 2, "JAFFE, 1 photo per emotion | 0", "enrollment", EACH, "JAFFE"),
    (CARD, 2, "CFEE compound, 1 shot", "episodes", BOTH_1, "CFEE"),
    (CARD, 2, "CFEE compound, 5 shots", "episodes", BOTH_5, "CFEE"),
    (CARD, 2, "fallback: right names in a class of 49", "fallback", "right name, of face-frames", GALLERY),
    (CARD, 1, "right name, of face-frames of 49", "fallback", "right name, of face-frames", GALLERY),
    (CARD, 1, "a student's name on 7 strangers", "fallback", "strangers called by", "42 people"),
    (CARD, 1, "soft k-means, which sees all queries", "episodes", BOTH_1, "CFEE"),
    (CARD, 2, "soft k-means, which sees all queries", "episodes", BOTH_5, "CFEE"),
]
"""Page, column, beginning of its row, then table, measure and data of the summary."""


@pytest.mark.parametrize(
    ("page", "column", "begins", "table", "measure", "data"), ROWS, ids=[f"{row[0].stem}: {row[2]}" for row in ROWS]
)
def test_a_number_is_the_tables(page: Path, column: int, begins: str, table: str, measure: str, data: str) -> None:
    lines = [one for one in page.read_text(encoding="utf-8").splitlines() if one.startswith(f"| {begins}")]
    cells = [[cell.strip() for cell in one.strip("|").split("|")] for one in lines]
    numbers = [one[column] for one in cells if len(one) > column and re.match(r"[\d.]+", one[column])]
    assert len(numbers) == 1, lines
    exact = [row for row in FOUND[table] if row["measure"] == measure and row["data, n"].startswith(data)]
    loose = [row for row in FOUND[table] if row["measure"].startswith(measure) and row["data, n"].startswith(data)]
    (row,) = exact or loose
    value, shown = (re.match(r"\d+(\.\d+)?", cell) for cell in (row["value"], numbers[0]))
    assert value and shown, lines
    half = 0.5 * 10.0 ** -len((shown[1] or ".")[1:])
    assert float(shown[0]) == pytest.approx(float(value[0]), abs=half + 1e-9), lines


def test_the_page_of_engines_shows_the_table() -> None:
    with (RESULTS / "quantised.csv").open(encoding="utf-8") as stream:
        ways = {row["way"].replace("fp32 in bf16", "bf16"): row for row in csv.DictReader(stream)}
    page = ENGINES.read_text(encoding="utf-8").replace("**", "").replace(" (what runs)", "")
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")
    ]
    for way, row in ways.items():
        times, _, accuracy = [line[1:] for line in lines if line[0] == way]
        assert times == [row["ms, 1 thread"], row["ms, 2 threads"]]
        assert accuracy == list(row.values())[6:]
