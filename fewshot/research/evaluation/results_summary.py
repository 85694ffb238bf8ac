"""The numbers that the project is judged by, each looked up in the table it comes from: nothing is measured here.

``experiments/summary.py`` writes them to experiments/results/summary.md and into the README, so that no number is
copied by hand; a test holds both to the tables.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from fewshot.research.evaluation.tables import markdown

START, END = "<!-- summary: experiments/summary.py -->", "<!-- end of summary -->"
"""What the table stands between in the README."""
WHAT, MEASURED, WANTED, OTHERS = "on still pictures", "measured", "wanted", "others, same run"
FACE_API = "face-api.js' features"
Where = dict[str, str]
Question = tuple[str, str, str, str]
"""In words, what the student brings, what classmates bring, whose photos it is read by."""
FER_PLUS = "FER+ test, published rule"
PRIVATE = "FER2013 PrivateTest, FER2013's own labels"
CFEE_EPISODES: Where = {
    "set": "CFEE, 15 compound emotions",
    "ways": "5",
    "pictures of": "anybody",
    "queries": "balanced",
}


class Tables:
    """The CSV files of a folder of results, each read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, list[Where]] = {}

    def rows(self, table: str, where: Where) -> list[Where]:
        if table not in self._read:
            with (self.folder / f"{table}.csv").open(newline="", encoding="utf-8") as stream:
                self._read[table] = list(csv.DictReader(stream))
        return [row for row in self._read[table] if all(row[name] == wanted for name, wanted in where.items())]

    def row(self, table: str, where: Where) -> Where:
        """The one row that is meant.

        Raises:
            LookupError: there is none, or several: a protocol has changed its words.
        """
        found = self.rows(table, where)
        if len(found) != 1:
            raise LookupError(f"{table}.csv: {len(found)} rows with {where}")
        return found[0]


def summary(folder: Path) -> list[dict[str, str]]:
    """Rows of the README's table, from the CSV files in ``folder``.

    Raises:
        FileNotFoundError: a protocol has not been run.
        LookupError: a table has no such row.
    """
    tables = Tables(folder)
    return [*closed_set(tables), *enrollment(tables), *episodes(tables), *others(tables)]


def closed_set(tables: Tables) -> list[dict[str, str]]:
    def ours(test: str, flip: str) -> Where:
        reader = "learned class vectors, training prior"
        return tables.row("closed_set", {"test": test, "reader": reader, "framing": "aligned", "flip": flip})

    def best(test: str, column: str) -> str:
        return _number(max(float(row[column]) for row in tables.rows("closed_set_peers", {"test": test})))

    once, twice = (ours(FER_PLUS, flip) for flip in ("no", "yes"))
    private, mirrored = (ours(PRIVATE, flip) for flip in ("no", "yes"))
    both = [f"{_number(row['accuracy'])} / {_number(row['macro-F1'])}" for row in (once, twice)]
    return [
        _row(
            f"FER+ test, published rule, 7 classes (n = {int(once['n']):,}): top-1 / macro-F1",
            f"{both[0]}; with its mirror image {both[1]}",
            "0.88 / 0.70",
            f"{best(FER_PLUS, 'accuracy')} / {best(FER_PLUS, 'macro-F1')} (the best of four networks in each)",
        ),
        _row("calibration error of that, without the mirror", _number(once["ECE"]), "0.03"),
        _row(
            f"FER2013 PrivateTest, its own labels (n = {int(private['n']):,})",
            f"{_number(private['accuracy'])}; with its mirror image {_number(mirrored['accuracy'])}",
            "0.71",
            best(PRIVATE, "accuracy"),
        ),
    ]


def enrollment(tables: Tables) -> list[dict[str, str]]:
    def read(data: str, student: str, classmates: str, by: str, network: str = "ours") -> str:
        where = {"data": data, "student brings": student, "classmates bring": classmates, "read by": by}
        return _number(tables.row("enrollment", where | {"network": network, "estimator": "hierarchical"})["accuracy"])

    def gain(data: str, student: str, classmates: str, against: str) -> str:
        where = {"data": data, "student brings": student, "classmates bring": classmates, "this": "own photos"}
        row = tables.row("enrollment_gains", where | {"network": "ours", "against": against})
        low, high = float(row["gain_low"]), float(row["gain_high"])
        return f"{float(row['gain']):+.2f} ({low:+.2f} to {high:+.2f})"

    def line(data: str, asked: Sequence[Question], wanted: Sequence[str], who: str) -> dict[str, str]:
        # The name of every question, then the answers in the same order.
        measured, peer = (
            " / ".join(read(data, *question[1:], network=network) for question in asked)
            for network in ("ours", "face-api.js")
        )
        return _row(f"{who}: {' / '.join(q[0] for q in asked)}", measured, " / ".join(wanted), f"{peer} ({FACE_API})")

    nothing = ("no photo", "nothing", "nothing", "no photo")

    def neutral(brought: str) -> tuple[Question, Question]:
        # CFEE has one picture of each kind, so its schemes say "neutral" where others say "1 neutral".
        return (
            ("one neutral photo each", brought, brought, "own photos"),
            ("own neutral, classmates' one an emotion", brought, "1 an emotion", "own photos"),
        )

    one = ("1 photo an emotion", "1 an emotion", "1 an emotion", "own photos")
    two = ("2 photos an emotion", "2 an emotion", "2 an emotion", "own photos")
    among, rest = ("neutral", "1 an emotion"), ("all but the one asked", "1 an emotion")
    classmates, another = "classmates' photos", "another subject's photos"
    return [
        line("cfee", [nothing, *neutral("neutral")], ["-", "-", "0.78"], "CFEE, accuracy"),
        line("jaffe", [nothing, *neutral("1 neutral")], ["0.80", "-", "0.85"], "JAFFE (10 women), accuracy"),
        line("jaffe", [one, two], ["0.96", "-"], "the same"),
        _row(
            "own photos against classmates' / against somebody else's (paired): JAFFE, 1 photo an emotion",
            f"{gain('jaffe', *one[1:3], classmates)} / {gain('jaffe', *one[1:3], another)}",
        ),
        _row(
            "the same, CFEE, own neutral photo among classmates' one an emotion",
            f"{gain('cfee', *among, classmates)} / {gain('cfee', *among, another)}",
        ),
        _row(
            "the same, CFEE, photos of all emotions but the one asked, classmates' one an emotion",
            f"{gain('cfee', *rest, classmates)} / {gain('cfee', *rest, another)}",
        ),
    ]


def episodes(tables: Tables) -> list[dict[str, str]]:
    def best(network: str, choose: Callable[[Where], bool]) -> str:
        told = []
        for shots in ("1", "5"):
            rows = tables.rows("episodes", CFEE_EPISODES | {"network": network, "shots": shots})
            told.append(_number(max(float(row["balanced accuracy"]) for row in rows if choose(row))))
        return " / ".join(told)

    def inductive(row: Where) -> bool:
        return row["sees all queries"] == "no" and "probe" not in row["estimator"]

    def cl2n(row: Where) -> bool:
        return row["estimator"] == "CL2N"

    def soft(row: Where) -> bool:
        return row["estimator"] == "soft k-means"

    return [
        _row(
            "CFEE's 15 compound emotions, 5-way, 1 / 5 shots, 2,000 episodes: nearest mean (CL2N)",
            best("ours", cl2n),
            "0.60 / 0.72",
            f"{best('face-api.js', cl2n)}, its best {best('face-api.js', inductive)}; CDNet about 0.57 / 0.69",
        ),
        _row(
            "the same, seeing all queries at once (soft k-means)",
            best("ours", soft),
            "",
            best("face-api.js", soft),
        ),
    ]


def others(tables: Tables) -> list[dict[str, str]]:
    state = tables.row("open_set_new_states", {"data": "jaffe", "a neutral photo": "yes", "state": "each in turn"})
    own = tables.row("identity", {"chain": "SCRFD + own identity output"})
    recogniser = tables.row("identity", {"chain": "SCRFD + MobileFaceNet (default)"})

    def names_in_class(detector: str) -> str:
        asked = {"cfee_49": ("identity %", "wrong name %"), "cfee_42_strangers_7": ("strangers named %",)}
        found = []
        for video, columns in asked.items():
            where = {"video": video, "detector": detector, "photos": "neutral only", "smoothing": "yes"}
            row = tables.row("accuracy", where)
            found += [f"{row[column].split(' ')[0]} %" for column in columns]
        return " / ".join(found)

    names = {"as it is": "good pictures", "dark": "an eighth of the light"}
    told = {}
    for change in ("as it is", "blur", "JPEG 20", "32-pixel face", "dark", "mouth covered"):
        where = {"data": "cfee", "change": change, "student brings": "all but the one asked", "read by": "own photos"}
        told[names.get(change, change)] = _number(tables.row("noise", where)["balanced accuracy"], 2)
    found: dict[str, list[list[float]]] = {}
    for data in ("cfee", "jaffe"):
        rows = tables.rows("noise_doubted", {"data": data, "everybody brings": "1 an emotion"})
        of_class = [row for row in rows if int(row["students"]) >= 5]
        found[data] = [[float(row[f"{which} labels pointed out"]) for row in of_class] for which in ("wrong", "right")]
    return [
        _row(
            "a new state from 2 photos (JAFFE, each emotion in turn): false alarms, recall",
            f"{_number(state['false alarms'])}, {_number(state['recall'])}",
            "0.10, 0.70",
        ),
        _row(
            f"who it is, where no recogniser is installed: LFW, {int(own['pairs']):,} pairs",
            _number(own["LFW"]),
            "0.93",
            f"the recogniser {_number(recogniser['LFW'])}",
        ),
        _row(
            "the same with OpenCV's cascades before it, virtual classroom of 49 enrolled by one neutral photo: right "
            "name, of all face-frames / another's name / of 7 strangers among 42, a student's name",
            names_in_class("cascade"),
            "97 % / - / -",
            f"{names_in_class('scrfd')} (SCRFD and the recogniser)",
        ),
        _row(
            "a photo enrolled under a wrong emotion is pointed out / a right one is, in classes of 5 or more who bring "
            "1 photo an emotion: CFEE; JAFFE",
            "; ".join(f"{_range(wrong, 2)} / {_range(right, 3)}" for wrong, right in found.values()),
        ),
        _row(
            f"read by one's own photos of the other emotions, CFEE: {' / '.join(told)}",
            " / ".join(told.values()),
        ),
    ]


def text(folder: Path) -> str:
    """The table, as Markdown."""
    return markdown(summary(folder)).replace("| --- | --- | --- | --- |", "|---|---|---|---|")


def put_into(page: str, table: str) -> str:
    """A page with the table between its marks.

    Raises:
        LookupError: the page has no marks.
    """
    if START not in page or END not in page:
        raise LookupError(f"The table goes between {START} and {END}.")
    return re.sub(f"{re.escape(START)}.*?{re.escape(END)}", lambda _: f"{START}\n{table}{END}", page, flags=re.DOTALL)


def _row(what: str, measured: str, wanted: str = "", others: str = "") -> dict[str, str]:
    return {WHAT: what, MEASURED: measured, WANTED: wanted, OTHERS: others}


def _number(value: str | float, digits: int = 3) -> str:
    # Half up, as people round: the tables hold decimal digits, which a float is only near to.
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(str(value)).quantize(step, ROUND_HALF_UP))


def _range(values: Sequence[float], digits: int) -> str:
    return "-".join(dict.fromkeys(_number(value, digits) for value in (min(values), max(values))))
