"""``fewshot embed``: the vectors of every face in pictures and videos, for other programs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from fewshot import loops
from fewshot.classroom.photo_perception import photo_perception
from fewshot.commands.terminal import say, tell
from fewshot.errors import FewshotError, UsageError
from fewshot.faces.quality import LIVE_LIMITS
from fewshot.live.sources import CapturedFrame, Source
from fewshot.live.sources.opening import open_source
from fewshot.live.sources.still_pictures import PictureSource
from fewshot.perception import Perception, open_perception
from fewshot.private_files import open_fresh
from fewshot.prototypes.classifier import Classifier
from fewshot.types import EMOTIONS, Face


@dataclass(slots=True)
class Row:
    """One face: where it is, and whether a lesson would classify it.

    Attributes:
        captured: the frame that contains it.
        face: with both vectors; its box and landmarks are in pixels of the source.
        readable: whether it is good enough to be classified; ``reasons`` say why it is not.
        reasons: in words.
    """

    captured: CapturedFrame
    face: Face
    readable: bool
    reasons: tuple[str, ...]


def run_embed(images: Sequence[str], out: Path, detector: str, download: bool, network: Path | None = None) -> None:
    """Write ``out``, one row per face of pictures and of every frame of videos; docs/reference/cli.md has the arrays.

    Raises:
        UsageError: there is no such picture or video, or ``out`` cannot be written.
        FewshotError: nothing could be read.
    """
    if out.suffix.lower() != ".npz":
        raise UsageError(f"Vectors cannot be written to {out}. Give a file name that ends in .npz.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {out.absolute().parent}. Create it, or choose another folder.")
    sources = [_opened(text) for text in images]
    perception = open_perception(detector, download=download, network=network)
    say(perception.notes)
    faults: list[str] = []
    rows: list[Row] = []
    # The limits of a lesson: they decide what is readable, but every face that is found gets its row and vectors.
    photo_chain, read = photo_perception(perception, LIVE_LIMITS), 0
    for captured in _captured(sources, faults):
        read += 1
        # Of a video only what is written is kept: its frames would not fit into memory.
        rows += [_without_pixels(row) for row in _rows(photo_chain, captured)]
    say(faults)
    if not read:
        raise FewshotError("None of the pictures could be read, so nothing was written. Give other pictures.")
    write_vectors(out, rows, perception, _reader(network, perception))
    videos = any(not isinstance(source, PictureSource) for source in sources)
    tell(f"Faces: {len(rows)}, {'frames' if videos else 'pictures'}: {read}. Vectors: {out}")


def _without_pixels(row: Row) -> Row:
    """The row without the pixels of its frame and crop."""
    row.captured = replace(row.captured, frame=_NOTHING)
    row.face.crop = _NOTHING
    return row


def write_vectors(out: Path, rows: Sequence[Row], perception: Perception, reader: Classifier | None) -> None:
    """Write the archive in one step.

    Raises:
        FewshotError: ``out`` cannot be written.
    """
    faces = [row.face for row in rows]
    expression = np.array([face.expression for face in faces], np.float32).reshape(-1, perception.embedder.dimension)
    verdicts = reader.read(expression, [None] * len(rows)) if reader is not None and rows else []
    probabilities = [[verdict.probabilities[emotion] for emotion in EMOTIONS] for verdict in verdicts]
    unknown = np.full((len(rows) - len(verdicts), len(EMOTIONS)), np.nan)
    arrays = {
        "paths": np.array([row.captured.source for row in rows], dtype=np.str_),
        "frames": np.array([row.captured.index for row in rows], np.int64),
        "times": np.array([row.captured.time for row in rows], np.float64),
        "boxes": np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        "landmarks": np.array([face.landmarks for face in faces], np.float32).reshape(-1, 5, 2),
        "scores": np.array([face.score for face in faces], np.float32),
        "readable": np.array([row.readable for row in rows], bool),
        "reasons": np.array(["; ".join(row.reasons) for row in rows], dtype=np.str_),
        "emotions": np.array([verdict.emotion or "" for verdict in verdicts] + [""] * len(unknown), dtype=np.str_),
        "probabilities": np.concatenate([np.array(probabilities).reshape(-1, len(EMOTIONS)), unknown]).astype(
            np.float32
        ),
        "classes": np.array(EMOTIONS),
        "expression": expression,
        "identity": np.array([face.identity for face in faces], np.float32).reshape(-1, perception.identity_dimension),
        "network": np.array(perception.network),
        "identity_network": np.array(perception.identity_network),
    }
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with open_fresh(temporary) as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        temporary.replace(out)
    except OSError as error:
        raise FewshotError(
            f"{out} cannot be written: {error.strerror}. Free some space or choose another folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


_NOTHING = np.zeros((0, 0, 3), np.uint8)


def _reader(network: Path | None, perception: Perception) -> Classifier | None:
    """Classifies with the population prototypes beside the network; None, and a note, if there are none."""
    try:
        population = loops.open_population(network)
        loops.require_network(population, perception.network)
    except FewshotError as error:
        say([f"The emotions are left empty. {error}"])
        return None
    return Classifier(population)


def _opened(text: str) -> Source:
    if not Path(text).exists():
        raise UsageError(f"There is no file or folder {text}. Give pictures, folders of pictures, or videos.")
    return open_source(f"./{text}" if text.isdigit() else text)


def _captured(sources: Sequence[Source], faults: list[str]) -> Iterator[CapturedFrame]:
    for source in sources:
        try:
            yield from source
        except FewshotError as error:
            faults.append(str(error))
        finally:
            source.close()
        faults.extend(source.notes)
        faults.extend([source.lost] if source.lost else [])


def _rows(photo_chain: Perception, captured: CapturedFrame) -> list[Row]:
    """All faces with both vectors; boxes and landmarks in pixels of the upright picture at its full size on disk."""
    faces = photo_chain.find(captured.frame)
    judged = [face.quality for face in faces]
    for face in faces:
        face.quality = replace(face.quality, reasons=())
    photo_chain.embed(faces)
    photo_chain.identify(captured.frame, faces)
    if captured.size is not None:
        scale = np.array(captured.size, np.float32) / np.array(captured.frame.shape[1::-1], np.float32)
        for face in faces:
            face.box = np.asarray(face.box * np.tile(scale, 2), np.float32)
            face.landmarks = np.asarray(face.landmarks * scale, np.float32)
    return [Row(captured, face, quality.ok, quality.reasons) for face, quality in zip(faces, judged, strict=True)]
