"""The process in which atheris gives its inputs to a door; see ``guided``.

Nothing of fewshot is imported before atheris watches the imports: it sees only the branches of modules that it changed.
"""

from __future__ import annotations

import mmap
import os
import sys
from importlib import import_module
from pathlib import Path


def main(doors: str, door: str, folder: str, count: str, seed: str, seconds: str) -> None:
    """Fuzz until ``count`` inputs were tried or the time is over. libFuzzer then ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["fewshot", doors]):
        module = import_module(doors)
        from fewshot.research.bench.survival.fuzz import Trial

    # Made here and not by whoever started this: a right store has keys that only this process knows.
    for place, content in enumerate(module.DOORS[door].right()):
        Path(folder, "corpus", f"right-{place}").write_bytes(content)
    with Path(folder, "state").open("r+b") as file:
        state = mmap.mmap(file.fileno(), mmap.PAGESIZE)
    tell = os.open(Path(folder, "faults"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    last = os.open(Path(folder, "last"), os.O_RDWR | os.O_CREAT, 0o600)
    trial, number = Trial(door, module.give, state, tell), 0

    def one(content: bytes) -> None:
        nonlocal number
        os.pwrite(last, content, 0)
        os.ftruncate(last, len(content))
        trial(number, content)
        number += 1
        trial.note(number)

    options = [
        f"-runs={count}",
        f"-seed={int(seed) + 1}",
        f"-max_total_time={seconds}",
        "-verbosity=0",
        "-rss_limit_mb=0",
    ]
    options += [f"-handle_{name}=0" for name in ("segv", "abrt", "bus", "ill", "fpe", "int", "term", "xfsz")]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", str(Path(folder, "corpus"))], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
