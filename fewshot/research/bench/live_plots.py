"""Pictures of where the time goes (needs matplotlib, extra "dev")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fewshot.research.bench.soaking import Sample

STAGES = ("decode", "detect", "align", "track", "embed", "identify", "classify")
"""The stages of one frame, in its order, without those that contain others (latency) or follow (record)."""
COLOURS = ("#999999", "#0072B2", "#56B4E9", "#F0E442", "#D55E00", "#CC79A7", "#009E73")
"""Okabe and Ito's colours, which colour-blind people can distinguish too."""


def plot_stages(
    path: Path, stages: Mapping[str, Mapping[str, Mapping[str, float]]], frame_ms: Mapping[str, float]
) -> None:
    """Stacked bars of the stages' medians, one bar a scene, and the time from frame to frame beside it.

    Args:
        stages: scene -> stage -> {"p50_ms"}.
        frame_ms: scene -> milliseconds a frame.
    """
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 1.2 + 0.9 * len(stages)), layout="constrained")
    names = list(stages)
    left = np.zeros(len(names))
    for stage, colour in zip(STAGES, COLOURS, strict=True):
        widths = np.array([stages[name].get(stage, {}).get("p50_ms", 0.0) for name in names])
        bars = axes.barh(names, widths, left=left, height=0.55, color=colour, label=stage, edgecolor="white")
        labels = [f"{width:.1f}" if width > 0.04 * _longest(stages) else "" for width in widths]
        axes.bar_label(bars, labels, label_type="center", fontsize=8)
        left += widths
    places = np.arange(len(names))
    times = [frame_ms[name] for name in names]
    axes.scatter(times, places, marker="|", s=900, linewidths=2.5, color="black", zorder=3)
    axes.scatter([], [], marker="|", s=80, linewidths=2.5, color="black", label="from frame to frame")
    axes.invert_yaxis()
    axes.set_xlabel("milliseconds a frame (medians; stages of different frames overlap)")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=8, frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def _longest(stages: Mapping[str, Mapping[str, Mapping[str, float]]]) -> float:
    return max(sum(of[stage]["p50_ms"] for stage in STAGES if stage in of) for of in stages.values())


def plot_runs(path: Path, rates: Mapping[str, Sequence[float]], targets: Mapping[str, float]) -> None:
    """Frames a second of every run, one panel a scene, with the target as a line."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, len(rates), figsize=(3.2 * len(rates), 3), layout="constrained", squeeze=False)
    for axes, (name, values) in zip(panels[0], rates.items(), strict=True):
        axes.plot(range(1, len(values) + 1), values, "o-", color="#0072B2")
        if name in targets:
            axes.axhline(targets[name], color="#D55E00", linestyle="--", label=f"target {targets[name]:g}")
            axes.legend(frameon=False, fontsize=8)
        axes.set(title=name, xlabel="run", ylabel="frames a second", xticks=range(1, len(values) + 1))
        axes.set_ylim(0, 1.15 * max(*values, targets.get(name, 0.0)))
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def plot_latency(path: Path, latencies: Mapping[str, Sequence[float]]) -> None:
    """Histograms of milliseconds from decoded frame to labels, one panel a scene, p50 and p95 marked."""
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        len(latencies), 1, figsize=(8, 2.0 * len(latencies)), layout="constrained", squeeze=False
    )
    for axes, (name, values) in zip(panels[:, 0], latencies.items(), strict=True):
        # The first looks at a whole class take many times as long as all that follows.
        end = 2 * float(np.percentile(values, 95))
        axes.hist(np.clip(values, 0, end), bins=60, range=(0, end), color="#56B4E9")
        for percent, style in ((50, "-"), (95, "--")):
            value = float(np.percentile(values, percent))
            axes.axvline(value, color="black", linestyle=style, label=f"p{percent} {value:.1f} ms")
        axes.set_title(f"{name} ({len(values)} frames; what took longer is in the last bar)", fontsize=9)
        axes.legend(frameon=False, fontsize=8)
        axes.set_ylabel("frames")
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1, 0].set_xlabel("milliseconds")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)


def plot_soak(path: Path, samples: Sequence[Sample]) -> None:
    """Memory, rate and latency over the minutes of a long run."""
    from matplotlib import pyplot

    minutes = [sample.seconds / 60 for sample in samples]
    curves = (
        ("resident memory, MB", [("memory", [sample.memory_mb for sample in samples])]),
        (
            "frames a second",
            [
                ("captured", [sample.capture_rate for sample in samples]),
                ("processed", [sample.processed_rate for sample in samples]),
            ],
        ),
        (
            "latency, ms",
            [
                ("p50", [sample.latency_p50_ms for sample in samples]),
                ("p95", [sample.latency_p95_ms for sample in samples]),
            ],
        ),
    )
    figure, panels = pyplot.subplots(3, 1, figsize=(9, 7), layout="constrained", sharex=True)
    for axes, (label, lines) in zip(panels, curves, strict=True):
        for (name, values), colour in zip(lines, ("#0072B2", "#D55E00"), strict=False):
            axes.plot(minutes, values, label=name, color=colour, linewidth=1.2)
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
        if len(lines) > 1:
            axes.legend(frameon=False, fontsize=8)
    panels[-1].set_xlabel("minutes")
    figure.savefig(path, dpi=130)
    pyplot.close(figure)
