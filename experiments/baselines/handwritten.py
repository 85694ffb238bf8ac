"""The loop a user writes by hand: InsightFace for the faces, the ``fer`` package's network for each of them.

    python experiments/baselines/handwritten.py outputs/live/class_49_60s/video.mp4 --start 50 --frames 8

What one finds in tutorials: ``FaceAnalysis("buffalo_sc")``, ``get``, then mini_XCEPTION once a face on a grey crop of
64x64, everything with default threads. Timed from the decoded frame to its labels, one frame after the other; prints
the milliseconds of each. The same machine, video and frames as ours: see experiments/benchmark.py.
"""

from __future__ import annotations

from fewshot.research.bench.handwritten import main

if __name__ == "__main__":
    main()
