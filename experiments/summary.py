"""Put the numbers that the project is judged by together: docs/reference/results.md and experiments/results/summary.md.

What was tried against the program goes into docs/explanation/survival.md.

    python experiments/summary.py

Measures nothing: every number is looked up in what evaluate.py, identity.py, accuracy.py, benchmark.py,
benchmark_store.py, survival.py, sealing.py, fuzz.py and hostile_requests.py wrote.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fewshot.research.evaluation.results_rows import Tables
from fewshot.research.evaluation.results_summary import put_into, summary, text
from fewshot.research.evaluation.trust_results import trust

HEAD = """# What the project is judged by

    python experiments/summary.py

Every number is looked up in the tables beside this file. docs/reference/results.md shows the same tables with a
sentence on each; docs/explanation/protocols.md says how each number is measured. Target: what was hoped for before any
of it was measured.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--page", type=Path, default=Path("docs/reference/results.md"))
    parser.add_argument("--survival", type=Path, default=Path("docs/explanation/survival.md"))
    arguments = parser.parse_args()
    try:
        found = summary(arguments.results)
        page = put_into(arguments.page.read_text(encoding="utf-8"), found)
        tried = put_into(arguments.survival.read_text(encoding="utf-8"), {"trust": trust(Tables(arguments.results))})
    except (LookupError, FileNotFoundError) as error:
        sys.exit(str(error))
    tables = "".join(f"\n## {name.capitalize()}\n\n{text(rows)}" for name, rows in found.items())
    (arguments.results / "summary.md").write_text(HEAD + tables, encoding="utf-8")
    arguments.page.write_text(page, encoding="utf-8")
    arguments.survival.write_text(tried, encoding="utf-8")
    print(tables)


if __name__ == "__main__":
    main()
