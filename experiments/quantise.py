"""What 8 bits and the engines cost and gain: time, cosine to fp32, accuracy.

    python experiments/quantise.py --shared ../shared --times     time alone, on an idle machine; kept in outputs/
    python experiments/quantise.py --shared ../shared             accuracy, and the tables with both

Every file and engine is read with the same prototypes, those of fewshot/weights/expression.json. Nothing is chosen
here: calibration crops and settings are those of fewshot/research/training/quantise.py. Writes
experiments/results/quantised.csv and .md.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import psutil

from fewshot.embedding.runtime import Embedder
from fewshot.inference.engines import OnnxRuntimeSession, OpenVinoSession
from fewshot.research.bench.machine import processor
from fewshot.research.evaluation.quantised import (
    FACES,
    Open,
    Timed,
    about_times,
    add_times,
    embedded,
    read_tests,
    read_times,
    times,
)
from fewshot.types import Vectors

WEIGHTS, RESULTS = Path("fewshot/weights"), Path("experiments/results")
TIMES, PREPARED = Path("outputs/quantised_times.json"), Path("outputs/fer2013_prepared.npz")
FILES = {
    "fp32": Path("experiments/weights/expression_fp32.onnx"),
    "fp16": Path("outputs/expression_fp16.onnx"),
    "int8": WEIGHTS / "expression.onnx",
}


def ways() -> dict[str, Open]:
    """Every file with every engine that can run it, by name; each is opened with a number of threads."""

    def runtime(file: str) -> Open:
        return lambda threads: OnnxRuntimeSession(FILES[file], threads)

    def vino(file: str, precision: str) -> Open:
        return lambda threads: OpenVinoSession(FILES[file], threads, precision)

    return {
        "fp32, ONNX Runtime": runtime("fp32"),
        "fp16, ONNX Runtime": runtime("fp16"),
        "int8, ONNX Runtime": runtime("int8"),
        "fp32, OpenVINO": vino("fp32", "f32"),
        "fp32 in bf16, OpenVINO": vino("fp32", "bf16"),
        "int8, OpenVINO": vino("int8", "f32"),
        "int8 and bf16, OpenVINO": vino("int8", "bf16"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--times", action="store_true", help="measure time alone")
    arguments = parser.parse_args()
    if arguments.times:
        load = psutil.getloadavg()[0]
        add_times(TIMES, Timed(network_name(), processor(), load, times(ways())))
        print(TIMES.read_text(encoding="utf-8"))
        return
    tests = read_tests(arguments.shared, WEIGHTS, PREPARED)
    measured = read_times(TIMES)
    reference: dict[str, Vectors] = {}
    rows = []
    for name, open_way in ways().items():
        session = open_way(2)
        vectors = {test.name: embedded(session, test.crops) for test in tests}
        reference = reference or vectors
        cosine = np.concatenate([(vectors[key] * reference[key]).sum(axis=1) for key in vectors])
        spent = [f"{value:.1f}" for one in measured[:1] for value in one.ms[name]] or ["", ""]
        near = [f"{value:.5f}" for value in (cosine.mean(), np.quantile(cosine, 0.01), cosine.min())]
        accuracy = [f"{test.accuracy(vectors[test.name]):.4f}" for test in tests]
        rows.append([name, *spent, *near, *accuracy])
        print(rows[-1], flush=True)
    write([test.name for test in tests], [len(test.crops) for test in tests], rows, about_times(measured))


def network_name() -> str:
    """Of the shipped network."""
    return Embedder(WEIGHTS / "expression.onnx", engine="onnxruntime").network


def write(tests: list[str], sizes: list[int], rows: list[list[str]], timed: list[str]) -> None:
    """The tables, as CSV and Markdown; ``timed`` are lines about the times."""
    header = ["way", "ms, 1 thread", "ms, 2 threads", "cosine, mean", "cosine, p1", "cosine, min", *tests]
    with (RESULTS / "quantised.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])
    lines = [
        "# What 8 bits and the engines cost and gain",
        "",
        "    python experiments/quantise.py --times",
        "    python experiments/quantise.py",
        "",
        f"Network `{network_name()}`.",
        f"Time: median for {FACES} crops, all ways taking turns. Cosine: to fp32 in ONNX Runtime, over all crops of",
        "the tests. Accuracy: nearest prototype, the runtime's prototypes, aligned crops; enrolled: every photo read",
        "with all others of the person enrolled, with the estimator of the product.",
        "",
        "| " + " | ".join([*header[:6], *(f"{name}, n = {n}" for name, n in zip(tests, sizes, strict=True))]) + " |",
        "|---" * len(header) + "|",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        *timed,
    ]
    (RESULTS / "quantised.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
