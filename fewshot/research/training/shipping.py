"""All network files that ship, written from a checkpoint or from its safetensors, and compared with each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fewshot.embedding.runtime import Embedder
from fewshot.errors import FewshotError, UsageError
from fewshot.research.training.export import (
    OUTPUTS,
    export_onnx,
    fingerprint,
    from_checkpoint,
    keep_half,
    largest_difference,
    load_state,
    save_state,
    stored_fingerprint,
    to_half,
)
from fewshot.research.training.quantise import quantise

TOLERANCE = {"expression": 1e-4, "identity": 1e-3}
"""Between ONNX and torch. The identity's weights are kept in fp16 after its norms were folded into them."""
LEAST_COSINE = 0.99
"""Mean cosine between 8-bit and fp32 vectors, below which the two would be two networks."""


def write_exact(
    source: Path, out: Path, kept: Path, half: Path, keep_identity: bool = False
) -> tuple[dict[str, Path], int]:
    """Write every file that computes as the trained network does, and print how far each is from torch.

    Args:
        source: a .ckpt or .safetensors file.
        out: folder for identity.onnx.
        kept: folder for expression_fp32.onnx and, from a checkpoint, expression.safetensors.
        half: path of the fp16 copy, for comparison.
        keep_identity: leave identity.onnx as it is.

    Returns:
        The ONNX files ("expression" in fp32 and, unless it was left, "identity"), and the side of their input, pixels.

    Raises:
        UsageError: there is no such file, or it is not a checkpoint.
        FewshotError: ONNX and torch differ by more than ``TOLERANCE``.
    """
    safetensors = source
    if not source.is_file():
        raise UsageError(
            f"There is no file {source}. Give the .ckpt of a training (outputs/train/.../last.ckpt) or a "
            ".safetensors file."
        )
    if source.suffix != ".safetensors":
        safetensors = kept / "expression.safetensors"
        save_state(*from_checkpoint(source), safetensors)
    # What ships in fp16 is the truth: the ONNX files are made of the rounded weights, so all give the same vectors.
    network, _ = load_state(safetensors)
    name = stored_fingerprint(safetensors) or fingerprint(network)
    print(f"Network {name}")

    files = {output: out / f"{output}.onnx" for output in OUTPUTS} | {"expression": kept / "expression_fp32.onnx"}
    if keep_identity:
        del files["identity"]
    size = int(network.config["size"])
    noise = np.random.default_rng(0).integers(0, 256, (5, size, size), dtype=np.uint8)
    for output, path in files.items():
        export_onnx(network, path, output, name)
        if output == "identity":
            keep_half(path)
        difference = largest_difference(network, path, output, noise)
        print(f"{path}: ONNX against torch {difference:.1e}")
        if difference > TOLERANCE[output]:
            raise FewshotError(f"ONNX and torch differ by {difference:.2e}, at most {TOLERANCE[output]} expected.")
    half.parent.mkdir(exist_ok=True)
    to_half(files["expression"], half)
    return files, size


def write_quantised(reference: Path, target: Path, fitted: NDArray[np.uint8], checked: NDArray[np.uint8]) -> None:
    """Write the 8-bit copy of a network, and print how close its vectors are.

    Args:
        reference: the fp32 file of the expression network.
        target: of the 8-bit file.
        fitted: grey crops that it is fitted to, shape (n, size, size), where size is that of the network's input.
        checked: other crops that it is checked on, shape (m, size, size).

    Raises:
        FewshotError: the vectors are too far apart to bear one name.
    """
    quantise(reference, target, fitted)
    exact, coarse = (Embedder(path, engine="onnxruntime").embed_grey(checked) for path in (reference, target))
    cosine = (exact * coarse).sum(axis=1)
    print(f"{target}: cosine to fp32 mean {cosine.mean():.5f}, min {cosine.min():.5f}")
    if cosine.mean() < LEAST_COSINE:
        raise FewshotError(f"Mean cosine of 8-bit vectors {cosine.mean():.4f}, at least {LEAST_COSINE} expected.")
