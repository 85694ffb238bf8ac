"""From a training checkpoint to the weights that ship.

    python experiments/export.py outputs/train/main/last.ckpt

Writes fewshot/weights/expression.safetensors (fp16, with its config), expression.onnx (fp32 arithmetic),
outputs/expression_fp16.onnx (for comparison) and checks ONNX against torch to 1e-4.
Then run experiments/population.py, which makes expression.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from fewshot.embedding.training.export import export_onnx, largest_difference, load_state, save_state, to_half
from fewshot.embedding.training.network import ExpressionNetwork
from fewshot.errors import FewshotError

TOLERANCE = 1e-4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--backbone", default="mobilenetv4_conv_small")
    parser.add_argument("--out", type=Path, default=Path("fewshot/weights"))
    arguments = parser.parse_args()
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=False)["state_dict"]
    dimension = len(state["network.project_expression.bias"])
    identity_dimension = len(state["network.identity_head.project.bias"])
    network = ExpressionNetwork(arguments.backbone, dimension, identity_dimension)
    network.load_state_dict({k.removeprefix("network."): v for k, v in state.items() if k.startswith("network.")})
    heads = {name: value for name, value in state.items() if not name.startswith("network.")}

    safetensors, onnx_file = arguments.out / "expression.safetensors", arguments.out / "expression.onnx"
    save_state(network, heads, safetensors)
    # What ships in fp16 is the truth: the ONNX file is made of the rounded weights, so both give the same vectors.
    rounded, _ = load_state(safetensors)
    export_onnx(rounded, onnx_file)
    crops = np.random.default_rng(0).integers(0, 256, (5, 112, 112), dtype=np.uint8)
    difference = largest_difference(rounded, onnx_file, crops)
    if difference > TOLERANCE:
        raise FewshotError(f"ONNX and torch differ by {difference:.2e}, at most {TOLERANCE} expected. Not exported.")
    half = Path("outputs/expression_fp16.onnx")
    half.parent.mkdir(exist_ok=True)
    to_half(onnx_file, half)
    print(f"ONNX against torch: {difference:.1e}; fp16: {largest_difference(rounded, half, crops):.1e}")
    for path in (safetensors, onnx_file, half):
        print(f"{path}  {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
