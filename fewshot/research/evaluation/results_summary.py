"""The numbers that the project is judged by, each looked up in the table it comes from. Nothing is measured here.

``experiments/summary.py`` writes them into docs/reference/results.md and experiments/results/summary.md, so that no
number is copied by hand. A test compares both with the tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from fewshot.research.evaluation.results_rows import Row, Tables, Where, estimate, measured, rounded
from fewshot.research.evaluation.system_results import fallback, scale, speed, virtual_classroom
from fewshot.research.evaluation.tables import markdown

FACE_API = "face-api.js' features"
FER_PLUS = "FER+ test, published rule"
PRIVATE = "FER2013 PrivateTest, FER2013's own labels"
PRODUCT = "runtime prototypes"
"""What the program classifies with."""
CLASSIFIER = "learned class vectors, training prior"
"""What training ends with: it knows how frequent each class was, and is not in the program."""
PRODUCT_ESTIMATOR = "adaptive hierarchical"
CFEE_EPISODES: Where = {
    "set": "CFEE, 15 compound emotions",
    "ways": "5",
    "pictures of": "anybody",
    "queries": "balanced",
}
OWN, CLASSMATES, ANOTHER = "own photos", "classmates' photos", "another subject's photos"


def summary(folder: Path) -> dict[str, list[Row]]:
    """Name of each table of docs/reference/results.md -> its rows, one measure per row.

    Args:
        folder: the results: CSV files, and live.md.

    Raises:
        FileNotFoundError: a script has not been run.
        LookupError: a table has no such row.
    """
    tables = Tables(folder)
    return {
        "speed": speed(folder),
        "virtual classroom": virtual_classroom(tables),
        "closed set": closed_set(tables),
        "enrollment": enrollment(tables),
        "gains": gains(tables),
        "episodes": episodes(tables),
        "new states": new_states(tables),
        "identity": identity(tables),
        "fallback": fallback(tables),
        "wrong labels": wrong_labels(tables),
        "bad pictures": bad_pictures(tables),
        "scale": scale(tables),
    }


def closed_set(tables: Tables) -> list[Row]:
    """Seven fixed emotions, nobody enrolled: the product's prototypes; the training classifier has its own row."""

    def ours(test: str, flip: str, reader: str = PRODUCT) -> Where:
        return tables.row("closed_set", {"test": test, "reader": reader, "framing": "aligned", "flip": flip})

    def best(test: str, column: str) -> str:
        top = max(tables.rows("closed_set_peers", {"test": test}), key=lambda row: float(row[column]))
        return f"{rounded(top[column])} ({top['reader']})"

    rows = []
    for test, name, columns in (
        (FER_PLUS, "FER+ test, published rule, 7 classes", {"accuracy": "0.88", "macro-F1": "0.70"}),
        (PRIVATE, "FER2013 PrivateTest, its own labels", {"accuracy": "0.71"}),
    ):
        once, twice = ours(test, "no"), ours(test, "yes")
        data = f"{name}, n = {int(once['n']):,}"
        for column, target in columns.items():
            rows.append(measured(column, data, *estimate(once, column), target, best(test, column)))
            rows.append(measured(f"{column}, with the mirror image", data, *estimate(twice, column)))
        other = estimate(ours(test, "no", CLASSIFIER), "accuracy")
        rows.append(measured("accuracy, training classifier (not in the product)", data, *other))
        if test == FER_PLUS:
            rows.append(measured("calibration error", data, rounded(once["ECE"]), "", "0.03"))
    return rows


ENROLLED = (
    ("cfee", "no photo", "nothing", "nothing", "no photo", ""),
    ("cfee", "one neutral photo each", "neutral", "neutral", OWN, ""),
    ("cfee", "own neutral photo, classmates one per emotion", "neutral", "1 an emotion", OWN, "0.78"),
    ("jaffe", "no photo", "nothing", "nothing", "no photo", "0.80"),
    ("jaffe", "one neutral photo each", "1 neutral", "1 neutral", OWN, ""),
    ("jaffe", "own neutral photo, classmates one per emotion", "1 neutral", "1 an emotion", OWN, "0.85"),
    ("jaffe", "one photo per emotion each", "1 an emotion", "1 an emotion", OWN, "0.96"),
    ("jaffe", "two photos per emotion each", "2 an emotion", "2 an emotion", OWN, ""),
)
"""Data set, in words, what the student brings, what classmates bring, whose photos are used, target."""


def enrollment(tables: Tables) -> list[Row]:
    """Accuracy with photos, beside another network's features under the same estimator."""
    rows = []
    for data, words, student, classmates, by, target in ENROLLED:
        where = {"data": data, "student brings": student, "classmates bring": classmates, "read by": by}
        mine, peer = (
            tables.row("enrollment", where | {"network": network, "estimator": PRODUCT_ESTIMATOR})
            for network in ("ours", "face-api.js")
        )
        people = f"{data.upper()}, {mine['subjects']} people"
        best = f"{rounded(peer['accuracy'])} ({FACE_API})"
        rows.append(measured(f"accuracy, {words}", people, *estimate(mine, "accuracy"), target, best))
    return rows


def gains(tables: Tables) -> list[Row]:
    """What a student's own photos add to somebody else's, paired by subject."""
    rows = []
    for data, words, student in (
        ("jaffe", "one photo per emotion", "1 an emotion"),
        ("cfee", "a neutral photo", "neutral"),
        ("cfee", "photos of all emotions but the tested one", "all but the one asked"),
    ):
        for against, whose in ((CLASSMATES, "over the classmates' photos"), (ANOTHER, "over another student's photos")):
            where = {"data": data, "student brings": student, "classmates bring": "1 an emotion", "this": OWN}
            row = tables.row("enrollment_gains", where | {"network": "ours", "against": against})
            gain, low, high = (f"{float(row[column]):+.2f}" for column in ("gain", "gain_low", "gain_high"))
            people = f"{data.upper()}, {row['subjects']} people"
            rows.append(measured(f"{words}, {whose}", people, gain, f"{low} to {high}"))
    return rows


def episodes(tables: Tables) -> list[Row]:
    """Emotions that no network here was trained on, from 1 or 5 pictures of each."""

    def top(network: str, shots: str, estimator: str = "") -> Where:
        """The row of an estimator, or the best of those that see one query at a time."""
        rows = tables.rows("episodes", CFEE_EPISODES | {"network": network, "shots": shots})
        chosen = [
            row
            for row in rows
            if row["estimator"] == estimator
            or not (estimator or row["sees all queries"] == "yes" or "probe" in row["estimator"])
        ]
        return max(chosen, key=lambda row: float(row["balanced accuracy"]))

    rows, data = list[Row](), "CFEE, 5-way, 2,000 episodes"
    for shots, target, published in (("1", "0.60", "about 0.57"), ("5", "0.72", "about 0.69")):
        for estimator in ("CL2N", "soft k-means"):
            mine, peer = (top(network, shots, estimator) for network in ("ours", "face-api.js"))
            best = f"{rounded(peer['balanced accuracy'])} ({FACE_API})"
            wanted = target if estimator == "CL2N" else ""
            rows.append(
                measured(f"{shots}-shot, {estimator}", data, *estimate(mine, "balanced accuracy"), wanted, best)
            )
        other = top("face-api.js", shots)
        measure = f"{shots}-shot, {FACE_API}, their best method of one query at a time ({other['estimator']})"
        rows.append(measured(measure, data, *estimate(other, "balanced accuracy")))
        rows.append(measured(f"{shots}-shot, CDNet (ResNet-18), as published", "CFEE, 5-way", published))
    return rows


def new_states(tables: Tables) -> list[Row]:
    """A state from two photos."""
    row = tables.row("open_set_new_states", {"data": "jaffe", "a neutral photo": "yes", "state": "each in turn"})
    people = f"JAFFE, {row['subjects']} people, each emotion in turn"
    return [
        measured("false alarms of a new state", people, *estimate(row, "false alarms"), "<= 0.10"),
        measured("recall of a new state", people, *estimate(row, "recall"), ">= 0.70"),
    ]


def identity(tables: Tables) -> list[Row]:
    """Our own identity output on pairs of pictures."""
    own, recogniser = (
        tables.row("identity", {"chain": f"SCRFD + {name}"})
        for name in ("own identity output", "MobileFaceNet (default)")
    )
    pairs, best = f"LFW, {int(own['pairs']):,} pairs", f"{rounded(recogniser['LFW'])} (MobileFaceNet)"
    return [measured("verification accuracy", pairs, rounded(own["LFW"]), "", "0.93", best)]


def wrong_labels(tables: Tables) -> list[Row]:
    """What enrollment asks about, in classes of five or more who bring one photo of each emotion."""
    rows = []
    for which, digits in (("wrong", 2), ("right", 3)):
        for data in ("cfee", "jaffe"):
            for row in tables.rows("noise_doubted", {"data": data, "everybody brings": "1 an emotion"}):
                if int(row["students"]) >= 5:
                    share = estimate(row, f"{which} labels pointed out", digits)
                    rows.append(
                        measured(f"{which} labels asked about", f"{data.upper()}, class of {row['students']}", *share)
                    )
    return rows


CHANGES = {
    "as it is": "good pictures",
    "blur": "out of focus",
    "JPEG 20": "JPEG of quality 20",
    "32-pixel face": "face of 32 pixels",
    "dark": "an eighth of the light",
    "mouth covered": "mouth covered",
}


def bad_pictures(tables: Tables) -> list[Row]:
    """Balanced accuracy on changed pictures, with the student's own photos of the other emotions."""
    rows = []
    for change, words in CHANGES.items():
        where = {"data": "cfee", "change": change, "student brings": "all but the one asked", "read by": OWN}
        row = tables.row("noise", where)
        rows.append(measured(words, f"CFEE, {row['subjects']} people", *estimate(row, "balanced accuracy", 2)))
    return rows


def text(rows: Sequence[Row]) -> str:
    """A table, as Markdown; a column in which no row has anything is left out."""
    filled = [column for column in rows[0] if any(row[column] for row in rows)]
    return markdown([{column: row[column] for column in filled} for row in rows])


def put_into(page: str, found: Mapping[str, Sequence[Row]]) -> str:
    """A page with each table between its marks, ``<!-- table: NAME -->`` and ``<!-- end of table -->``.

    Raises:
        LookupError: the page has no marks for a table, or marks for one that is not there.
    """
    marks = re.compile(r"(<!-- table: ([^>]+?) -->\n).*?(<!-- end of table -->)", re.DOTALL)
    names = [match[2] for match in marks.finditer(page)]
    if sorted(names) != sorted(found):
        raise LookupError(f"The page has marks for {names}, the tables are {list(found)}. Each needs its own marks.")
    # Blank lines, because a table is none for every Markdown reader right below a comment.
    return marks.sub(lambda match: f"{match[1]}\n{text(found[match[2]])}\n{match[3]}", page)
