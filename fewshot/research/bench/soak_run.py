"""A long run of the live system: samples taken on the way, and what is to be known of it afterwards."""

from __future__ import annotations

import time

from fewshot.live.pipeline import Pipeline
from fewshot.research.bench.machine import as_list
from fewshot.research.bench.soaking import Growth, Sample
from fewshot.research.evaluation.tables import markdown

MOST_GROWTH = 2.0
"""Percent that memory may grow by after the warm-up."""


def soak(pipeline: Pipeline, minutes: float, every: float) -> list[Sample]:
    """Run a pipeline for some minutes, and take a sample every few seconds; Ctrl-C ends it early."""
    samples: list[Sample] = []
    end = time.monotonic() + 60 * minutes
    with pipeline:
        try:
            while pipeline.running and (left := end - time.monotonic()) > 0:
                time.sleep(min(every, left))
                step = pipeline.latest()
                named = sum(reading.student is not None for reading in step.result.readings) if step else 0
                samples.append(Sample.of(pipeline.metrics.snapshot(), named))
                print(progress(samples[-1]), flush=True)
        except KeyboardInterrupt:
            print("Ended early.")
    return samples


def progress(sample: Sample) -> str:
    """One line for the terminal."""
    return (
        f"{sample.seconds / 60:6.1f} min  {sample.memory_mb:6.1f} MB  {sample.processed_rate:5.1f} a second  "
        f"p95 {sample.latency_p95_ms:5.1f} ms  {sample.faces} faces, {sample.named} named, {sample.dropped} dropped"
    )


def summary_rows(samples: list[Sample], grown: Growth | None, notes: list[str]) -> list[dict[str, str]]:
    """The table of a run: what was found, and what is wanted."""
    last = samples[-1]
    rows = [
        ("length", f"{last.seconds / 60:.1f} minutes", ""),
        ("frames processed", f"{last.processed} ({last.processed / last.seconds:.1f} a second)", ""),
        ("frames recorded", str(last.recorded), "all that were processed"),
        ("dropped by the camera", f"{last.dropped} of {last.captured}", ""),
        ("latency, median of p50 / worst p95", f"{median_p50(samples):.0f} / {worst_p95(samples):.0f} ms", ""),
        ("faces / named in the last frame", f"{last.faces} / {last.named}", ""),
        ("most frames waiting", str(max(sample.waiting for sample in samples)), ""),
        ("threads, first and last", f"{samples[0].threads}, {last.threads}", "the same"),
        ("errors and notes", "; ".join(notes) or "none", "none"),
    ]
    if grown is None:
        rows.append(("memory", "the run was too short to say", ""))
    else:
        words = f"{grown.percent:+.2f} % ({grown.start_mb:.1f} to {grown.end_mb:.1f} MB"
        slope = f"; slope {grown.slope_mb_per_hour:+.1f} MB an hour)"
        rows.append(("growth of memory after the warm-up", words + slope, f"< {MOST_GROWTH:g} %"))
    return [{"what": what, "found": found, "wanted": wanted} for what, found, wanted in rows]


def median_p50(samples: list[Sample]) -> float:
    """Median over the samples of the median latency."""
    values = sorted(sample.latency_p50_ms for sample in samples)
    return values[len(values) // 2]


def worst_p95(samples: list[Sample]) -> float:
    """The worst 95th percentile of the latency in any sample."""
    return max(sample.latency_p95_ms for sample in samples)


def report(rows: list[dict[str, str]], command: str, machine: dict[str, str]) -> str:
    """The report, in Markdown."""
    return (
        f"# A long run\n\n{markdown(rows)}\n![Memory, rate and latency over time](soak.png)\n\n"
        f"Machine:\n\n{as_list(machine)}\nRepeat with:\n\n    {command}\n"
    )
