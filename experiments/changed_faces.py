"""Embed every face in every frame, or only the faces that changed? What it saves, and what it does to the labels.

    python experiments/changed_faces.py

Draws galleries of 12 people (or takes those of an earlier run) whose pictures turn into each other at once or within
0.5, 1 and 2 seconds, with camera noise and swaying heads: of CK+, on which the limit was chosen, and of CFEE, which
took no part in the choice. The clips of ../shared/data/scenes follow. Every video is read as it is, and at 8 frames per
second. Nobody is enrolled. Writes experiments/results/changed_faces.md. The videos go to outputs/changed_faces/ and
show faces: do not publish them.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fewshot.live.changed_faces import CHANGED, OLDEST
from fewshot.perception import open_perception
from fewshot.research.bench.changed_faces import Scene, gallery
from fewshot.research.evaluation.tables import markdown, show
from fewshot.research.simulation.truth import Truth

LIMITS = (0.1, 0.15, 0.3)
FADES = {"ckplus": (0.0, 1.0, 0.5, 2.0), "cfee": (0.0, 1.0)}
"""Seconds; the place in the row is the seed."""
CLIPS = ("paulromeo_faces.mp4", "saumyajha_classroom.mp4", "pyfeat_single_face.mp4", "pyfeat_face_noface.mov")


def videos(arguments: argparse.Namespace) -> Iterator[tuple[str, Path, Truth | None, bool]]:
    """Name, file, truth, and whether the limit may be chosen on it."""
    for dataset, fades in FADES.items():
        for seed, fade in enumerate(fades, 1):
            video, truth = gallery(arguments.work, arguments.shared, dataset, fade, seed)
            yield f"{dataset}, fade {fade:g} s", video, truth, dataset == "ckplus"
    for clip in CLIPS:
        yield clip, arguments.shared / "data" / "scenes" / clip, None, False


def rows_of(name: str, scene: Scene, limits: Sequence[float]) -> list[dict[str, str]]:
    """One row per limit."""
    usual = "-" if scene.truth is None else f"{100 * scene.right(scene.all):.2f}"
    head = {"video": name, "frames per second": f"{scene.fps:.0f}", "right %, every face": usual}
    return [{**head, "limit": f"{limit:g}", **scene.compared(limit).row()} for limit in limits]


def report(network: str, choosing: Sequence[dict[str, str]], testing: Sequence[dict[str, str]]) -> str:
    """The page with both tables."""
    return (
        "# Embedding only the faces that changed\n\n    python experiments/changed_faces.py\n\n"
        f"Network `{network}`. A face is embedded again if its difference is above the limit (shipped: {CHANGED:g}), "
        f'and at the latest after {OLDEST:g} s. "Same label" and "later" compare with the run that embeds every face '
        "in every frame. Lost: not there within a second.\n\n"
        f"## CK+, on which the limit was chosen\n\n{markdown(choosing)}\n"
        f"## CFEE and clips, at the shipped limit\n\n{markdown(testing)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--work", type=Path, default=Path("outputs/changed_faces"))
    parser.add_argument("--frames", type=int, default=10_000, help="of every video, at most")
    parser.add_argument("--out", type=Path, default=Path("experiments/results/changed_faces.md"))
    arguments = parser.parse_args()
    os.environ.setdefault("FEWSHOT_SHARED", str(arguments.shared.resolve()))
    perception = open_perception("scrfd", threads=1)
    choosing: list[dict[str, str]] = []
    testing: list[dict[str, str]] = []
    for name, video, truth, development in videos(arguments):
        for every in (1, 3):
            scene = Scene(video, perception, truth, every, arguments.frames)
            if any(result.readings for result in scene.all):
                rows = rows_of(name, scene, LIMITS if development else (CHANGED,))
                show(rows, name)
                (choosing if development else testing).extend(rows)
    arguments.out.write_text(report(perception.network, choosing, testing), encoding="utf-8")


if __name__ == "__main__":
    main()
