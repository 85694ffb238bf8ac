"""How many pictures of a shared window reach the server while the page that shares it is hidden.

    python experiments/shared_window.py                    # seven minutes; needs Chromium, Xvfb and playwright
    python experiments/shared_window.py --hidden 30

A real browser on a virtual display shares a moving tab through TLS: first from a visible page, then from the same page
behind the call's tab, where browsers slow down the clocks of a page. Writes experiments/results/shared_window.md, and
ends with 1 if the pace while hidden is more than 20 % away from the pace that was asked for.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from fewshot.live.sparing import CALL_FPS
from fewshot.research.bench.machine import as_list, busy, describe
from fewshot.research.bench.shared_window import measured
from fewshot.research.evaluation.tables import markdown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visible", type=float, default=60.0, help="seconds")
    parser.add_argument("--hidden", type=float, default=360.0, help="seconds")
    parser.add_argument("--pace", type=float, default=CALL_FPS, help="pictures per second that the server asks for")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    arguments = parser.parse_args()
    if not arguments.chromium:
        sys.exit("Chromium is missing. On Debian or Ubuntu: sudo apt-get install -y chromium")
    warning = busy()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        phases = measured(arguments.chromium, Path(folder), arguments.visible, arguments.hidden, arguments.pace)
    rows = [
        {
            "the page is": phase.name,
            "the browser says": phase.state,
            "seconds": f"{phase.seconds:.0f}",
            "pictures per second": f"{phase.pace:.2f}",
            "asked for": f"{arguments.pace:g}",
            "longest gap": f"{phase.longest:.2f} s",
            "width": f"{phase.width} px",
        }
        for phase in phases
    ]
    machine = describe() | ({"note": warning} if warning else {})
    head = "# A shared window\n\n    python experiments/shared_window.py\n\n"
    page = f"{head}{markdown(rows)}\nMachine:\n\n{as_list(machine)}"
    print(page)
    (arguments.results / "shared_window.md").write_text(page, encoding="utf-8")
    slow = [phase for phase in phases if abs(phase.pace / arguments.pace - 1) > 0.2 or phase.state not in phase.name]
    if slow:
        sys.exit(1)


if __name__ == "__main__":
    main()
