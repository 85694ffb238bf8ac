"""Let one teacher ask for what belongs to another one, 10,000 times, and check that nothing is read or changed.

    python experiments/hostile_requests.py
    python experiments/hostile_requests.py --requests 200 --seed 7

The requests name the other teacher's lesson, class, uploads, corrections, exports, receipts and audit log: through the
stores, over HTTP, with tokens at /api, over the WebSocket of a lesson with tokens and used tickets, and over WebSockets
that ask for the other one's tab. Names of pictures and exports are guessed. Writes hostile_requests.csv and
hostile_requests.md. Ends with 1 if something was read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from fewshot.research.bench.hostile_attack import attack
from fewshot.research.evaluation.tables import markdown, write_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        tried = attack(Path(home), arguments.requests, arguments.seed)
    rows = [
        {"requests for": kind, "made": str(one.requests), "refused": str(one.refused), "read": str(len(one.read))}
        for kind, one in tried.items()
    ]
    total = sum(one.requests for one in tried.values())
    read = [words for one in tried.values() for words in one.read]
    page = (
        f"# Requests across owners\n\n{total} requests of one teacher for what belongs to another one, seed "
        f"{arguments.seed}: {len(read)} read something, and nothing was changed. A request that was not refused got a "
        "page, a list or an answer that holds nothing of the other teacher.\n\n"
        f"{markdown(rows)}\nRepeat with:\n\n"
        f"    python experiments/hostile_requests.py --requests {arguments.requests} --seed {arguments.seed}\n"
    )
    print(page)
    write_csv(rows, arguments.results / "hostile_requests.csv")
    (arguments.results / "hostile_requests.md").write_text(page, encoding="utf-8")
    for words in read[:20]:
        print(f"  read: {words}")
    if read:
        sys.exit(1)


if __name__ == "__main__":
    main()
