"""From a training checkpoint, or from the safetensors made of one, to the weights that ship.

    python experiments/export.py outputs/train/main/last.ckpt --shared ../shared
    python experiments/export.py experiments/weights/expression.safetensors --shared ../shared
    python experiments/export.py outputs/train/mine/last.ckpt --own faces --out mine

With --own the 8-bit copy is fitted to pictures of your own (FOLDER or FILE.csv, as data.root of the training), and
FER2013 is not needed.

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
from fewshot.embedding.runtime import shrunk
from fewshot.research.datasets.fer2013 import load_fer2013
from fewshot.research.evaluation.own_population import own_crops, own_data
from fewshot.research.training.quantise import calibration_crops
from fewshot.research.training.sentences import in_sentences
from fewshot.research.training.shipping import write_exact, write_quantised

SHIPPED, KEPT = Path("fewshot/weights"), Path("experiments/weights")
HALF = Path("outputs/expression_fp16.onnx")
FITTED, CHECKED = 8192, 256
"""Training crops that the 8-bit copy is fitted to, and others that it is checked on."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, help="a .ckpt or .safetensors file")
    parser.add_argument("--shared", type=Path, default=Path("../shared"), help="folder with data/fer2013, to calibrate")
    parser.add_argument("--prepared", type=Path, default=Path("outputs"), help="where experiments/prepare.py wrote")
    parser.add_argument("--keep-identity", action="store_true", help="leave identity.onnx, of the same first layers")
    parser.add_argument("--out", type=Path, help="for all files, in place of fewshot/weights and experiments/weights")
    parser.add_argument("--own", help="calibrate with your own pictures: folder or csv, as data.root of the training")
    parser.add_argument("--faces", default="detect", help="of --own: detect, or whole if the pictures are cut already")
    parser.add_argument("--form", default="auto", help="of --own: as data.form of the training")
    parser.add_argument("--seed", type=int, default=0, help="of --own: as seed of the training")
    arguments = parser.parse_args()
    with in_sentences():
        export(arguments)


def export(arguments: argparse.Namespace) -> None:
    """Write all files, and check them.

    Raises:
        FewshotError: a file is missing, or a check failed.
    """
    out, kept = arguments.out or SHIPPED, arguments.out or KEPT
    files, size = write_exact(arguments.source, out, kept, HALF, arguments.keep_identity)
    fitted, checked = (shrunk(crops, size) for crops in crops_of(arguments))
    write_quantised(files["expression"], out / "expression.onnx", fitted, checked)
    for path in (out / "expression.onnx", *files.values()):
        print(f'{path}: sha256="{sha256_of(path)}", size={path.stat().st_size:_}')


def crops_of(arguments: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Grey crops to fit the 8-bit copy to, and others to check it on, each of shape (n, 112, 112)."""
    if arguments.own:
        data = own_data(
            arguments.own, arguments.shared, arguments.prepared, arguments.faces, arguments.form, arguments.seed
        )
        return own_crops(data, "train")[:FITTED], own_crops(data, "val")[:CHECKED]
    fer = load_fer2013(arguments.shared / "data/fer2013")
    crops = calibration_crops(fer, arguments.prepared, FITTED + CHECKED)
    return crops[:FITTED], crops[FITTED:]


if __name__ == "__main__":
    main()
