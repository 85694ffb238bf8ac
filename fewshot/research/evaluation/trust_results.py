"""What was tried against the program and what came of it, in one table: docs/explanation/survival.md.

Each number is looked up in the tables of ``survival.py``, ``sealing.py``, ``fuzz.py`` and ``hostile_requests.py``.
"""

from __future__ import annotations

from fewshot.research.evaluation.results_rows import Row, Tables

WHAT, TRIED, WRONG, AGAIN = "what was tried", "how often", "what went wrong", "repeat with"


def trust(tables: Tables) -> list[Row]:
    """One row per kind of trial.

    Raises:
        FileNotFoundError: a script has not been run.
    """
    return [
        *_kills(tables),
        *_restores(tables),
        *_erasures(tables),
        *_faults(tables),
        *_damage(tables),
        *_inputs(tables),
        *_requests(tables),
    ]


def _kills(tables: Tables) -> list[Row]:
    rows = []
    for database in ("SQLite", "PostgreSQL"):
        found = tables.rows("survival_kills", {"database": database})
        wrong = sum(row["good"] != "yes" for row in found)
        most = max(float(row["seconds lost, most"] or 0) for row in found)
        rows.append(
            _row(
                f"{database}: killed while a lesson is recorded, or students are enrolled and removed",
                f"{_sum(found, 'kills')} kills",
                f"{wrong} damaged stores or half-enrolled students; at most {most:.2f} s of a lesson lost",
                "python experiments/survival.py --only kills",
            )
        )
    return rows


def _restores(tables: Tables) -> list[Row]:
    return [
        _row(
            f"{row['database']}: killed while a backup is restored",
            f"{row['kills']} kills: {row['as before']} left the database of before, {row['restored']} the restored one",
            f"{row['in between, or somebody who was removed is back']} databases in between, or with somebody who was "
            "removed",
            "python experiments/survival.py --only restores",
        )
        for row in tables.rows("survival_restores", {})
        if row["good"] != "not tried"
    ]


def _erasures(tables: Tables) -> list[Row]:
    rows = []
    for row in tables.rows("sealing", {}):
        if row["good"] == "not tried":
            continue
        before, known = row["sealed values that open before"], row["name and vectors that can be read after"]
        rows.append(
            _row(
                f"{row['database']}: a student's values that open after erasure ({row['files']})",
                f"{before} values, all of which opened before",
                f"{row['of them open']} open; name and vectors: {known} can be read",
                "python experiments/sealing.py",
            )
        )
    return rows


def _faults(tables: Tables) -> list[Row]:
    found = tables.rows("survival_faults", {})
    kinds, wrong = {row["fault"] for row in found}, sum(row["good"] != "yes" for row in found)
    tried = f"{len(kinds)} faults, {len(found)} checks"
    words = "Faults: full disk, read-only store, clock set back, signals, restarts, two programs at once"
    return [_row(words, tried, f"{wrong} checks failed", "python experiments/survival.py --only faults")]


def _damage(tables: Tables) -> list[Row]:
    found = tables.rows("survival_damage", {})
    bad = [name for name in found[0] if name.startswith(("what is read has changed", "an error that is not"))]
    wrong = sum(_sum(found, name) for name in bad)
    words = "Changed bits, bytes, sectors and pages in the store's file"
    tried = f"{_sum(found, 'stores'):,} stores"
    return [_row(words, tried, f"{wrong} silently wrong", "python experiments/survival.py --only damage")]


def _inputs(tables: Tables) -> list[Row]:
    rows = []
    for table, words, options in (
        ("fuzz", "Random changes of right bytes", " --minutes 120"),
        ("fuzz_guided", "Changes that look for new ways through the program (atheris)", " --guided --minutes 60"),
    ):
        found = tables.rows(table, {})
        wrong = _sum(found, "other errors, crashes, hangs")
        most = max(int(row["memory, MB at most"]) for row in found)
        rows.append(
            _row(
                f"{words}, at {len(found)} doors",
                f"{_sum(found, 'inputs'):,} inputs",
                f"{wrong} crashes, hangs or errors without words; at most {most} MB",
                f"python experiments/fuzz.py{options}",
            )
        )
    return rows


def _requests(tables: Tables) -> list[Row]:
    found = tables.rows("hostile_requests", {})
    tried, words = f"{_sum(found, 'made'):,} requests", "A teacher asks for what belongs to another one"
    return [_row(words, tried, f"{_sum(found, 'read')} read anything", "python experiments/hostile_requests.py")]


def _sum(rows: list[dict[str, str]], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _row(what: str, tried: str, wrong: str, again: str) -> Row:
    return {WHAT: what, TRIED: tried, WRONG: wrong, AGAIN: f"`{again}`"}
