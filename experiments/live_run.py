"""One run of the live system over a video, in a process of its own: the measuring hand of benchmark.py.

    python experiments/live_run.py outputs/live/class_49_60s/video.mp4 --class-folder outputs/live/class_49_60s/class

Decodes, finds, embeds, tracks, identifies and classifies every face of every frame; draws nothing. Prints a summary,
and writes the times of every frame as JSON with ``--out``.
"""

from __future__ import annotations

from fewshot.research.bench.live_run import main

if __name__ == "__main__":
    main()
