"""Once before training: landmarks, what leaks into a test, and what other networks see in the training faces.

    python experiments/prepare.py --shared ../shared

Writes outputs/fer2013_prepared.npz, outputs/fer2013_blendshapes.npz (needs `uv pip install ai-edge-litert`) and
outputs/lfw_prepared.npz. Eight minutes on two cores, and as many again for the blendshapes.
"""

from __future__ import annotations

from fewshot.research.training.prepare import main

if __name__ == "__main__":
    main()
