"""The demo as a host runs it: what its requirements bring, and the memory that one, three and six visitors cost.

    python experiments/hosted_demo.py                     # needs uv or pip, and a package index

Installs deploy/streamlit/requirements.txt into an empty environment, starts ``streamlit run deploy/streamlit/app.py``
with it, and lets visitors without a browser come, play the sample lesson, and leave. Writes
experiments/results/hosted_demo.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from fewshot.app.hosted.visitors import GONE, MOST
from fewshot.research.bench.hosted_demo import HostedDemo, install, measured
from fewshot.research.bench.machine import as_list, busy, describe
from fewshot.research.evaluation.tables import markdown

ROOT = Path(__file__).resolve().parents[1]
TOO_MUCH = 690
"""MB that Streamlit Community Cloud is sure to give."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45.0, help="for which each number of visitors is watched")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="where models are")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"))
    arguments = parser.parse_args()
    warning = busy()
    with tempfile.TemporaryDirectory() as folder:
        installed = install(ROOT, Path(folder) / "environment")
        environment = {"FEWSHOT_SHARED": str(arguments.shared.resolve())} if arguments.shared.is_dir() else {}
        os.environ.pop("PYTHONPATH", None)  # the installed package, and not this checkout
        with HostedDemo(Path(folder) / "home", ROOT, installed["python"], **environment) as demo:
            rows = measured(demo, arguments.seconds, GONE)
            log = demo.log.read_text(encoding="utf-8", errors="replace")
            left = sorted(
                str(path.relative_to(demo.home))
                for path in demo.home.rglob("*")
                if path.is_file() and path != demo.log and ".streamlit" not in path.parts
            )
    table = markdown(rows)
    print(table)
    most = max(float(row["highest"].split()[0]) for row in rows)
    heavy = ", ".join(installed["heavy"]) or "none"
    machine = describe() | ({"note": warning} if warning else {})
    said = [
        f"Installed: {installed['packages']} packages, {installed['megabytes']:.0f} MB on the disk. Packages that the "
        f"demo must not bring (torch, openvino, av ...): {heavy}.",
        f"The highest memory was {most:.0f} MB, {'below' if most < TOO_MUCH else 'ABOVE'} the {TOO_MUCH} MB that "
        f"Streamlit Community Cloud is sure to give. At most {MOST} visitors are let in.",
        f"Files that were left in its home folder: {', '.join(left) or 'none'}. Tracebacks in its log: "
        f"{log.count('Traceback')}.",
    ]
    text = "# The hosted demo\n\n    python experiments/hosted_demo.py\n\nMemory is RSS in MB (10^6 bytes).\n\n"
    text += f"{table}\n" + "\n\n".join(said) + f"\n\nMachine:\n\n{as_list(machine)}"
    (arguments.results / "hosted_demo.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
