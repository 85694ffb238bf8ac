"""Upload three recordings of 400 MB, one after another and at once, and look at the server's memory and disk.

    python experiments/uploads.py
    python experiments/uploads.py --files 2 --megabytes 60

Writes uploads.csv and uploads.md. Ends with 1 if the server grew by more than 100 MB, or kept a file that was taken
out of its field or whose tab was closed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from fewshot.research.bench.large_uploads import measure, temporary_home
from fewshot.research.evaluation.tables import markdown, write_csv

MOST_GROWTH = 100
"""MB."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=400)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    arguments = parser.parse_args()
    with temporary_home() as home:
        found = measure(Path(home), arguments.files, arguments.megabytes)
    rows = [
        {
            "sent": one.what, "memory before, MB": f"{one.before:.0f}", "peak, MB": f"{one.peak:.0f}",
            "after, MB": f"{one.after:.0f}", "on the disk, MB": f"{one.kept:.0f}",
            "on the disk at the end, MB": f"{one.left:.0f}",
        }
        for one in found
    ]  # fmt: skip
    page = (
        f"# Large uploads\n\n{arguments.files} files of {arguments.megabytes} MB, sent by one tab: resident memory of "
        f"the server, and what lies in its temporary folders.\n\n{markdown(rows)}\nRepeat with:\n\n"
        f"    python experiments/uploads.py --files {arguments.files} --megabytes {arguments.megabytes}\n"
    )
    print(page)
    write_csv(rows, arguments.results / "uploads.csv")
    (arguments.results / "uploads.md").write_text(page, encoding="utf-8")
    if any(one.peak - one.before > MOST_GROWTH or one.left > 1 for one in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
