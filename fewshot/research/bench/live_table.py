"""The table of speed: what was measured beside what was wanted, as Markdown and as one flat JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fewshot.research.bench.machine import as_list
from fewshot.research.evaluation.tables import markdown

Spread = Mapping[str, float]
"""median, low and high of several runs; of one run all three are the same."""


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table.

    Attributes:
        key: in live.json.
        what: in words.
        limit: to reach; None where nothing was promised.
        most: the limit is the most that is allowed, not the least.
        form: how a value is written, as for ``str.format``.
    """

    key: str
    what: str
    limit: float | None = None
    most: bool = True
    form: str = "{:.1f}"

    def words(self, value: float) -> str:
        """The value with its unit."""
        return self.form.format(value).replace("%", " %")

    def met(self, value: float) -> bool | None:
        """None where there is nothing to meet."""
        if self.limit is None:
            return None
        return value <= self.limit if self.most else value >= self.limit


def _least(key: str, what: str, limit: float, form: str = "{:.1f}") -> Target:
    return Target(key, what, limit, False, form)


TARGETS = (
    _least("fps_49", "49 faces, 1920x1080: frames a second, H.264 decoding included", 30),
    Target("p95_ms_49", "... decoded frame to its labels, file as fast as it can be read: p95", 45, form="{:.0f} ms"),
    Target("p50_ms_49", "... the same, p50", form="{:.0f} ms"),
    Target("between_p95_ms_49", "... from one labelled frame to the next: p95", form="{:.0f} ms"),
    Target("live_p95_ms_49", "... decoded frame to labels, as a camera of 25 frames a second: p95", form="{:.0f} ms"),
    Target("live_dropped_49", "... frames of that camera there was no time for", form="{:.1%}"),
    Target("fresh_49", "... faces embedded and classified in the very frame", form="{:.2%}"),
    _least("answered_fps_49", "... every face answered in every frame, embedded where it changed: frames a second", 60),
    Target("answered_p95_ms_49", "... the same, decoded frame to its labels: p95", 40, form="{:.0f} ms"),
    Target("answered_fresh_49", "... the same, faces embedded in the very frame", form="{:.1%}"),
    Target("core_ms_whole_49", "... processor time of a decoded frame, every face embedded", form="{:.1f} ms"),
    Target("core_ms_changed_49", "... the same, changed faces embedded (in turns in one process)", form="{:.1f} ms"),
    Target("rss_mb_49", "... resident memory at most", 700, form="{:.0f} MB"),
    _least("fps_25", "25 faces, 1920x1080: frames a second", 45),
    Target("p95_ms_25", "... decoded frame to its labels: p95", form="{:.0f} ms"),
    Target(
        "lesson_s_whole_25",
        "... 50 minutes at 8 frames a second: processor time, every face embedded",
        form="{:.0f} s",
    ),
    Target(
        "lesson_s_changed_25", "... the same, changed faces embedded (in turns in one process)", 300, form="{:.0f} s"
    ),
    _least("fps_1", "1 face, 1280x720: frames a second", 90),
    Target("p95_ms_1", "... decoded frame to labels, as a camera of 30 frames a second: p95", 25, form="{:.1f} ms"),
    Target("dropped_1", "... frames of that camera there was no time for", form="{:.1%}"),
    _least("ratio_to_handwritten", "times as fast as the loop written by hand, same frames", 15),
    Target("handwritten_ms", "... the loop written by hand: a frame of 49 faces", form="{:.0f} ms"),
    Target("ours_ms", "... ours, the same frames", form="{:.0f} ms"),
    Target("start_s", "start to the first labelled frame of a class of 49", 2.5, form="{:.2f} s"),
    Target("import_s", "`import fewshot`", 0.3, form="{:.2f} s"),
    _least("identity_49", "right name, 49 enrolled by one neutral photo each", 0.995, "{:.2%}"),
    _least("identity_strangers", "right name, 42 enrolled of whom 6 leave and return elsewhere", 0.995, "{:.2%}"),
    Target("stranger_named", "... 7 strangers called by a student's name", 0.005, form="{:.2%}"),
    Target("switches", "names that changed on a track, both videos", 0, form="{:.0f}"),
    Target("returned_s", "who returns elsewhere is known again after, at most", 0.5, form="{:.2f} s"),
    Target("enroll_50_s", "`fewshot enroll` of 50 students, 5 photos each, from launch to exit", 20, form="{:.1f} s"),
)


def table_rows(found: Mapping[str, Spread], targets: Sequence[Target] = TARGETS) -> list[dict[str, str]]:
    """Rows of the Markdown table; what was not measured is left out."""
    rows = []
    for target in targets:
        if target.key not in found:
            continue
        spread = found[target.key]
        low, high = target.words(spread["low"]), target.words(spread["high"])
        met = target.met(spread["median"])
        rows.append(
            {
                "what": target.what,
                "median": f"**{target.words(spread['median'])}**",
                "range": "" if low == high else f"{low} - {high}",
                "target": "" if target.limit is None else _wanted(target),
                "met": {None: "", True: "yes", False: "no"}[met],
            }
        )
    return rows


def _wanted(target: Target) -> str:
    return f"{'<=' if target.most else '>='} {target.words(target.limit or 0.0)}"


def stage_rows(stages: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[dict[str, str]]:
    """One row a scene: milliseconds p50 / p95 of every stage."""
    return [
        {"scene": scene, **{name: f"{ms['p50_ms']:.1f} / {ms['p95_ms']:.1f}" for name, ms in of_scene.items()}}
        for scene, of_scene in stages.items()
    ]


def report(found: Mapping[str, Spread], told: Mapping[str, Any]) -> str:
    """The whole Markdown page.

    Args:
        found: key of a target -> what was measured.
        told: "network" (its name), "machine" (name -> words), "notes", "commands" (lists of words) and "stages" (as
            ``stage_rows``).
    """
    machine = as_list(told["machine"])
    notes = "".join(f"- {note}\n" for note in told["notes"])
    commands = "".join(f"    {command}\n" for command in told["commands"])
    return (
        f"# Speed of the whole system\n\nNetwork `{told['network']}`.\n\n"
        f"{markdown(table_rows(found))}\n"
        f"{notes}\n"
        "Milliseconds of every stage, p50 / p95 (stages overlap: their sum is the work, not the time):\n\n"
        f"{markdown(stage_rows(told['stages']))}\n"
        "![Where the time of one frame goes](live_stages.png)\n"
        "![Frames a second, run by run](live_runs.png)\n"
        "![From decoded frame to labels](live_latency.png)\n\n"
        f"Machine:\n\n{machine}\n"
        f"Repeat with:\n\n{commands}"
    )


def flat(found: Mapping[str, Spread], told: Mapping[str, Any]) -> dict[str, Any]:
    """live.json: the median of every key, all spreads under "spread", and whatever else was told."""
    return {**{key: spread["median"] for key, spread in found.items()}, "spread": dict(found), **told}
