"""From a training checkpoint, or from the safetensors made of one, to the weights that ship.

    python experiments/export.py outputs/train/main/last.ckpt --shared ../shared
    python experiments/export.py experiments/weights/expression.safetensors --shared ../shared

Writes to fewshot/weights, which is part of the installed package, expression.onnx (8 bit, what the runtime uses) and
identity.onnx (fp32, its weights kept in fp16); to experiments/weights expression.safetensors (fp16, with its config;
from a checkpoint only) and expression_fp32.onnx (for graphics cards), each with the fingerprint of the trained weights;
to outputs/ expression_fp16.onnx, for comparison. With --keep-identity, identity.onnx stays with the name of the network
that it was exported from, so that classes enrolled with it go on. Checks ONNX against torch to 1e-4 (the identity to
1e-3) and the 8-bit vectors by their cosine, and prints the lines for fewshot/models/registry.py. Then run
experiments/population.py if the weights are new, which makes expression.json, and experiments/quantise.py, which
measures what the 8 bits cost.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from fewshot.checksums import sha256_of
from fewshot.embedding.runtime import Embedder, shrunk
from fewshot.errors import FewshotError
from fewshot.research.datasets.fer2013 import load_fer2013
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
from fewshot.research.training.quantise import calibration_crops, quantise

SHIPPED, KEPT = Path("fewshot/weights"), Path("experiments/weights")
TOLERANCE = {"expression": 1e-4, "identity": 1e-3}
"""Between ONNX and torch. The identity's weights are kept in fp16 after its norms were folded into them."""
LEAST_COSINE = 0.99
"""Mean cosine between 8-bit and fp32 vectors, below which the two would be two networks."""
FITTED, CHECKED = 8192, 256
"""Training crops that the 8-bit copy is fitted to, and others that it is checked on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a .ckpt or .safetensors file")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/fer2013, to calibrate")
    parser.add_argument("--prepared", type=Path, default=Path("outputs"), help="where experiments/prepare.py wrote")
    parser.add_argument("--keep-identity", action="store_true", help="leave identity.onnx, of the same first layers")
    parser.add_argument("--out", type=Path, help="for all files, in place of fewshot/weights and experiments/weights")
    arguments = parser.parse_args()
    out, kept = arguments.out or SHIPPED, arguments.out or KEPT
    safetensors = arguments.source
    if safetensors.suffix != ".safetensors":
        safetensors = kept / "expression.safetensors"
        save_state(*from_checkpoint(arguments.source), safetensors)
    # What ships in fp16 is the truth: the ONNX files are made of the rounded weights, so all give the same vectors.
    network, _ = load_state(safetensors)
    name = stored_fingerprint(safetensors) or fingerprint(network)
    print(f"Network {name}")

    files = {output: out / f"{output}.onnx" for output in OUTPUTS} | {"expression": kept / "expression_fp32.onnx"}
    if arguments.keep_identity:
        del files["identity"]
    size = network.config["size"]
    noise = np.random.default_rng(0).integers(0, 256, (5, size, size), dtype=np.uint8)
    for output, path in files.items():
        export_onnx(network, path, output, name)
        if output == "identity":
            keep_half(path)
        difference = largest_difference(network, path, output, noise)
        print(f"{path}: ONNX against torch {difference:.1e}")
        if difference > TOLERANCE[output]:
            raise FewshotError(f"ONNX and torch differ by {difference:.2e}, at most {TOLERANCE[output]} expected.")
    half = Path("outputs/expression_fp16.onnx")
    half.parent.mkdir(exist_ok=True)
    to_half(files["expression"], half)

    crops = shrunk(
        calibration_crops(load_fer2013(arguments.shared / "data/fer2013"), arguments.prepared, FITTED + CHECKED), size
    )
    quantise(files["expression"], out / "expression.onnx", crops[:FITTED])
    check_quantised(files["expression"], out / "expression.onnx", crops[FITTED:])
    for path in (out / "expression.onnx", *files.values()):
        print(f'{path}: sha256="{sha256_of(path)}", size={path.stat().st_size:_}')


def check_quantised(reference: Path, quantised: Path, crops: np.ndarray) -> None:
    """Compare vectors of grey crops (n, 112, 112).

    Raises:
        FewshotError: they are too far apart to bear one name.
    """
    exact, coarse = (Embedder(path, engine="onnxruntime").embed_grey(crops) for path in (reference, quantised))
    cosine = (exact * coarse).sum(axis=1)
    print(f"{quantised}: cosine to fp32 mean {cosine.mean():.5f}, min {cosine.min():.5f}")
    if cosine.mean() < LEAST_COSINE:
        raise FewshotError(f"Mean cosine of 8-bit vectors {cosine.mean():.4f}, at least {LEAST_COSINE} expected.")


if __name__ == "__main__":
    main()
