"""Once before training: landmarks, what leaks into a test, and what other networks see in the training faces.

The recogniser's vectors teach identity, MediaPipe's blendshapes what moves in a face (`uv pip install ai-edge-litert`;
without it they are left out, and experiment=shapes cannot be trained).

    python -m fewshot.research.training.prepare --shared ../shared

In a checkout ``experiments/prepare.py`` is the same. Writes outputs/fer2013_prepared.npz, outputs/lfw_prepared.npz and
outputs/fer2013_blendshapes.npz. Eight minutes on two cores, and as many again for the blendshapes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from insightface.model_zoo.arcface_onnx import ArcFaceONNX
from insightface.model_zoo.scrfd import SCRFD
from numpy.typing import NDArray
from rich.progress import track

from fewshot.errors import FewshotError, UsageError
from fewshot.faces.align import ARCFACE_TEMPLATE, align
from fewshot.research.datasets.blendshapes import NAMES, BlendshapeTeacher
from fewshot.research.datasets.data_split_sets import leaking_rows
from fewshot.research.datasets.fer2013 import (
    PRIVATE_TEST,
    PUBLIC_TEST,
    TRAINING,
    Fer2013,
    check_order,
    load_fer2013,
    order_of,
)
from fewshot.research.datasets.fer2013_forms import USAGES
from fewshot.research.datasets.lfw import training_pictures
from fewshot.research.training.datamodule import TRUSTED_BLENDSHAPES
from fewshot.research.training.sentences import in_sentences

# A 48-pixel face is too small and too tight for SCRFD: enlarge it and give it a margin.
ENLARGED, MARGIN = 128, 32
SEEN = 0.4
"""SCRFD's score of a face whose landmarks may be used to cut it out for another network."""


def face_landmarks(detector: SCRFD, face: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Five landmarks in units of the picture's width, shape (5, 2), and SCRFD's score (0 if there is no face)."""
    large = cv2.resize(face, (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
    large = cv2.copyMakeBorder(large, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    boxes, points = detector.detect(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), max_num=1)
    if len(boxes) == 0:
        return np.zeros((5, 2), np.float32), 0.0
    return ((points[0] - MARGIN) / ENLARGED).astype(np.float32), float(boxes[0, 4])


def recogniser_vectors(
    recogniser: ArcFaceONNX, faces: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Unit vectors of the recogniser, shape (n, 512), for grey square faces [n, s, s] and landmarks in units of s."""
    vectors = []
    for start in range(0, len(faces), 64):
        crops = [
            cv2.cvtColor(align(face, points[None] * face.shape[0], ARCFACE_TEMPLATE)[0], cv2.COLOR_GRAY2BGR)
            for face, points in zip(faces[start : start + 64], landmarks[start : start + 64], strict=True)
        ]
        vectors.append(recogniser.get_feat(crops))
    stacked = np.concatenate(vectors).astype(np.float32)
    return stacked / np.linalg.norm(stacked, axis=1, keepdims=True)


def main() -> None:
    """Write what training needs beside the data; see the module. A fault ends in a sentence."""
    with in_sentences():
        _main()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    parser.add_argument("--out", type=Path, default=Path("outputs"))
    parser.add_argument("--only", choices=["fer2013", "lfw", "blendshapes"], help="leave the others as they are")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    fer, lfw, blendshapes = (arguments.only in (None, name) for name in ("fer2013", "lfw", "blendshapes"))
    if fer or lfw:
        prepare_recognition(arguments.shared, arguments.out, fer, lfw)
    if blendshapes:
        try:
            prepare_blendshapes(arguments.shared, arguments.out)
        except FewshotError as error:
            print(f"No blendshapes. {error}")


def prepare_recognition(shared: Path, out: Path, fer: bool, lfw: bool) -> None:
    """Landmarks, leaks and the recogniser's vectors."""
    pack = shared / "models/insightface/models/buffalo_sc"
    # Before the models are loaded: wrong data is the most frequent fault.
    if fer:
        check_parts(load_fer2013(shared / "data/fer2013"), shared / "data/fer2013")
    missing = [pack / name for name in ("det_500m.onnx", "w600k_mbf.onnx") if not (pack / name).is_file()]
    if missing:
        raise UsageError(
            f"There is no model {missing[0]}. Name the folder that holds data and models: --shared FOLDER."
        )
    providers = ["CPUExecutionProvider"]
    scrfd, mobilefacenet = str(pack / "det_500m.onnx"), str(pack / "w600k_mbf.onnx")
    detector = SCRFD(scrfd, session=onnxruntime.InferenceSession(scrfd, providers=providers))
    detector.prepare(-1, input_size=(ENLARGED + 2 * MARGIN, ENLARGED + 2 * MARGIN), det_thresh=0.1)
    recogniser = ArcFaceONNX(mobilefacenet, session=onnxruntime.InferenceSession(mobilefacenet, providers=providers))

    if fer:
        prepare_fer2013(detector, recogniser, shared / "data/fer2013", out)
    if lfw:
        prepare_lfw(detector, recogniser, shared / "data/lfw", out)


def check_parts(fer: Fer2013, folder: Path) -> None:
    """Raises UsageError unless there are pictures of Training, PublicTest and PrivateTest.

    The copies in image folders have no PublicTest, so there is nothing to choose an epoch or a setting on.
    """
    missing = [name for use, name in enumerate(USAGES) if not (fer.usage == use).any()]
    if missing:
        raise UsageError(
            f"FER2013 in {folder} has no pictures of {' and '.join(missing)}, which the project's training needs to "
            "measure and choose on. Put fer2013.csv there (with fer2013new.csv for FER+). Or train on the folder as on "
            f"pictures of your own: python experiments/train.py data=folder data.root={folder} data.faces=whole"
        )


def prepare_fer2013(detector: SCRFD, recogniser: ArcFaceONNX, folder: Path, out: Path) -> None:
    """Write ``fer2013_prepared.npz``, row by row as the faces lie in ``folder``."""
    fer = load_fer2013(folder)
    landmarks, scores = located(detector, fer.faces)
    excluded = leaking_rows(fer)
    teachable = np.flatnonzero((fer.usage == TRAINING) & ~excluded & (scores > SEEN))
    identity = np.zeros((len(fer.faces), 512), np.float16)
    identity[teachable] = recogniser_vectors(recogniser, fer.faces[teachable], landmarks[teachable])
    np.savez(
        out / "fer2013_prepared.npz",
        landmarks=landmarks,
        scores=scores,
        excluded=excluded,
        identity=identity,
        order=order_of(fer.faces),
    )
    left_out = [int(excluded[fer.usage == usage].sum()) for usage in (TRAINING, PUBLIC_TEST)]
    print(
        f"FER2013 faces found {np.mean(scores > 0):.4f}, excluded: {left_out[0]} of training, {left_out[1]} of "
        f"PublicTest; with an identity {len(teachable)}"
    )
    print("median landmarks\n", np.median(landmarks[scores > 0.5], axis=0).round(4))


def prepare_blendshapes(shared: Path, out: Path) -> None:
    """Write ``fer2013_blendshapes.npz``, row by row as the faces lie in FER2013; those of PublicTest tell how well they
    are learned, and PrivateTest is left alone.

    Raises:
        FewshotError: LiteRT or the face landmarker is missing.
    """
    if not (out / "fer2013_prepared.npz").is_file():
        raise UsageError(f"No fer2013_prepared.npz in {out}. Run this script without --only first.")
    teacher = BlendshapeTeacher(shared / "models/pretrained/face_landmarker.task")
    fer = load_fer2013(shared / "data/fer2013")
    with np.load(out / "fer2013_prepared.npz") as stored:
        check_order(fer, stored, out / "fer2013_prepared.npz")
        landmarks, known = stored["landmarks"], stored["scores"] > SEEN
    landmarks[~known] = np.median(landmarks[known], axis=0)
    values, scores = np.zeros((len(fer.faces), len(NAMES)), np.float16), np.zeros(len(fer.faces), np.float32)
    for row in track(np.flatnonzero(fer.usage != PRIVATE_TEST), "blendshapes"):
        values[row], scores[row] = teacher.see(fer.faces[row], landmarks[row] * fer.faces.shape[1])
    np.savez(out / "fer2013_blendshapes.npz", blendshapes=values, scores=scores, order=order_of(fer.faces))
    print(f"Blendshapes of {int((scores > TRUSTED_BLENDSHAPES).sum())} faces")


def prepare_lfw(detector: SCRFD, recogniser: ArcFaceONNX, folder: Path, out: Path) -> None:
    """Write ``lfw_prepared.npz``: the pictures that may teach identity and have a face."""
    pictures = training_pictures(folder)
    landmarks, scores = located(detector, pictures)
    kept = scores > SEEN
    pictures, landmarks = pictures[kept], landmarks[kept]
    identity = recogniser_vectors(recogniser, pictures, landmarks).astype(np.float16)
    np.savez(out / "lfw_prepared.npz", faces=pictures, landmarks=landmarks, identity=identity)
    print(f"LFW pictures of identities in no line of pairs.txt: {len(pictures)}")


def located(detector: SCRFD, faces: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Landmarks [n, 5, 2] and scores [n] of n pictures."""
    found = [face_landmarks(detector, face) for face in faces]
    return np.stack([points for points, _ in found]), np.array([score for _, score in found], np.float32)


if __name__ == "__main__":
    main()
