"""Put the numbers that the project is judged by together: experiments/results/summary.md, and the README's table.

    python experiments/summary.py

Measures nothing: every number is looked up in the CSV files that evaluate.py and identity.py wrote.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fewshot.research.evaluation.results_summary import put_into, text

HEAD = """# What the project is judged by

    python experiments/summary.py

Looked up in the tables beside this one; how each is measured: closed_set.md, enrollment.md, episodes.md, open_set.md,
identity.md, noise.md, and docs/protocols.md. Wanted: what was hoped for before any of it was measured.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--readme", type=Path, default=Path("README.md"))
    arguments = parser.parse_args()
    try:
        table = text(arguments.results)
        page = put_into(arguments.readme.read_text(encoding="utf-8"), table)
    except (LookupError, FileNotFoundError) as error:
        sys.exit(str(error))
    (arguments.results / "summary.md").write_text(HEAD + table, encoding="utf-8")
    arguments.readme.write_text(page, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
