"""What moves in a face, as MediaPipe's face landmarker sees it: a second thing to teach a network beside classes.

Seven classes ask a network for little, and what they do not ask for it forgets; a state that nobody was trained on is
told by exactly that. Blendshapes (how far the jaw is open, the inner brow up, a mouth corner back ...) say what moves,
whoever moves it. They are a teacher of training pictures only: nothing of this is needed when the network runs.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import FewshotError, UsageError

_PAIRED = [
    *("browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeLookUp"),
    *("eyeSquint", "eyeWide", "jaw", "mouth", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress"),
    *("mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer"),
]
_SINGLE = [
    *("browInnerUp", "cheekPuff", "jawForward", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
]
NAMES = ["_neutral", *sorted([*_SINGLE, *(name + side for name in _PAIRED for side in ("Left", "Right"))])]
"""In the order of the model's output: the 51 of ARKit by the alphabet, after one that says nothing."""

STILL = {"cheekPuff", "cheekSquint", "jawForward", "noseSneer"}
"""The model answers these with next to nothing whatever the face does (standard deviation over FER2013 under 0.003)."""
SIDEWAYS = {"eyeLookIn", "eyeLookOut"}
"""Which way eyes look is one number, not two of each eye."""
SINGLES = [name for name in _SINGLE if name not in STILL]
PAIRS = [name for name in _PAIRED if name not in STILL | SIDEWAYS]
SHAPES = len(SINGLES) + 2 * len(PAIRS) + 1
"""How many numbers ``mirror_free`` makes."""

# The 146 of the mesh's 478 points that the blendshape model reads (MediaPipe, face_blendshapes_graph.cc).
_READ = [
    *(0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80),
    *(81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153),
    *(154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249),
    *(251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314),
    *(317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382),
    *(384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473),
    *(474, 475, 476, 477),
]
_SIDE = 256
"""Of the mesh model's input, pixels."""
_AROUND = 1.5
"""How much wider than the face that input is, as MediaPipe cuts it."""
_FACE = 2.6
"""Width of a face in distances from eyes to mouth, for the first, rough cut."""
_RIGHT_EYE, _LEFT_EYE = 33, 263


def mirror_free(values: NDArray[np.floating]) -> NDArray[np.float32]:
    """Blendshapes that a mirrored face shares: sums and differences of left and right.

    Args:
        values: in the order of ``NAMES``, 0..1, shape (n, 52).

    Returns:
        Shape (n, ``SHAPES``): the unpaired ones, the mean and the absolute difference of every pair, how far the eyes
        look to a side. Of square roots, because most values lie near 0.
    """
    roots = np.sqrt(np.clip(values.astype(np.float32), 0.0, 1.0))
    column = {name: roots[:, place] for place, name in enumerate(NAMES)}
    left, right = (np.stack([column[name + side] for name in PAIRS], axis=1) for side in ("Left", "Right"))
    gaze = column["eyeLookInLeft"] + column["eyeLookOutRight"] - column["eyeLookInRight"] - column["eyeLookOutLeft"]
    alone = np.stack([column[name] for name in SINGLES], axis=1)
    return np.concatenate([alone, (left + right) / 2, np.abs(left - right), np.abs(gaze)[:, None]], axis=1)


class BlendshapeTeacher:
    """MediaPipe's face landmarker on pictures whose five landmarks are known: mesh, then blendshapes.

    Args:
        task: ``face_landmarker.task`` (Apache-2.0).

    Raises:
        FewshotError: ai-edge-litert is not installed.
        UsageError: there is no such file, or it is of something else.
    """

    def __init__(self, task: Path) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise FewshotError(
                "Blendshapes need LiteRT, which is not installed: uv pip install ai-edge-litert"
            ) from error
        if not task.is_file():
            raise UsageError(f"No face landmarker at {task}.")
        with zipfile.ZipFile(task) as archive:
            try:
                models = [archive.read(f"face_{name}.tflite") for name in ("landmarks_detector", "blendshapes")]
            except KeyError as error:
                raise UsageError(f"{task} is not MediaPipe's face landmarker: {error}") from error
        self._mesh, self._shapes = (Interpreter(model_content=model, num_threads=1) for model in models)
        for interpreter in (self._mesh, self._shapes):
            interpreter.allocate_tensors()

    def see(self, face: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> tuple[NDArray[np.float32], float]:
        """Blendshapes (52,) and the mesh's own score (0..1) of the face in a grey picture (height, width).

        Args:
            landmarks: right eye, left eye, nose, mouth corners as the picture shows them left to right, pixels, (5, 2).
        """
        eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
        width = _FACE * max(float(np.linalg.norm(mouth - eyes)), float(np.linalg.norm(landmarks[1] - landmarks[0])))
        points, _, back = self._points(face, landmarks.mean(axis=0), landmarks[1] - landmarks[0], width * _AROUND)
        # As MediaPipe follows a face: what was found says where to look closely.
        seen = points @ back[:, :2].T + back[:, 2]
        level = seen[_LEFT_EYE] - seen[_RIGHT_EYE]
        axes = np.array([level, [-level[1], level[0]]]) / max(float(np.linalg.norm(level)), 1e-6)
        turned = seen @ axes.T
        low, high = turned.min(axis=0), turned.max(axis=0)
        points, score, _ = self._points(face, (low + high) / 2 @ axes, level, float((high - low).max()) * _AROUND)
        values = _answers(self._shapes, points[_READ][None])[0].reshape(-1)
        return values.astype(np.float32), score

    def _points(
        self, face: NDArray[np.uint8], centre: NDArray[np.floating], level: NDArray[np.floating], side: float
    ) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
        """The mesh (478, 2) in pixels of an upright cut, its score, and the matrix (2, 3) from there to the picture."""
        along = level / max(float(np.linalg.norm(level)), 1e-6)
        linear = np.array([along, [-along[1], along[0]]]) * (_SIDE / max(side, 1.0))
        matrix = np.column_stack([linear, np.full(2, _SIDE / 2) - linear @ centre])
        cut = cv2.warpAffine(face, matrix, (_SIDE, _SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        rgb = np.repeat(cut[None, :, :, None], 3, axis=3).astype(np.float32) / 255
        mesh, presence = _answers(self._mesh, rgb)[:2]
        score = 1 / (1 + np.exp(-float(presence.reshape(-1)[0])))
        return mesh.reshape(-1, 3)[:, :2].astype(np.float64), score, np.asarray(cv2.invertAffineTransform(matrix))


def _answers(interpreter: Any, values: NDArray[np.floating]) -> list[NDArray[np.float32]]:
    """All outputs of a model with one input."""
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values.astype(np.float32))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
