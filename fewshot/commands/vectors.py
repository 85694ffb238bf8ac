"""``fewshot embed``: the vectors of every face in pictures, for other programs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fewshot.classroom.photo_perception import photo_perception
from fewshot.commands.terminal import say, tell
from fewshot.errors import FewshotError, UsageError
from fewshot.faces.quality import Limits
from fewshot.live.sources import CapturedFrame
from fewshot.live.sources.opening import open_source
from fewshot.live.sources.still_pictures import PictureSource
from fewshot.perception import Perception, open_perception
from fewshot.types import Face

# No limits: every face found gets a row, also one that would not be classified in a lesson.
_ANY = Limits(size=0, sharpness=-1, yaw=360, pitch=360, roll=360, dark=-1, bright=256, contrast=-1)


def run_embed(images: Sequence[str], out: Path, detector: str, download: bool, network: Path | None = None) -> None:
    """Write ``out``: paths, boxes, scores, expression, identity (one row per face), network, identity_network.

    Raises:
        UsageError: there is no such picture, or ``out`` cannot be written.
        FewshotError: no picture could be read.
    """
    if out.suffix.lower() != ".npz":
        raise UsageError(f"Vectors cannot be written to {out}. Give a file name that ends in .npz.")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"There is no folder {out.absolute().parent}. Create it, or choose another folder.")
    sources = [_pictures(text) for text in images]
    perception = open_perception(detector, download=download, network=network)
    say(perception.notes)
    faults: list[str] = []
    rows: list[tuple[str, Face]] = []
    photo_chain, read = photo_perception(perception, _ANY), 0
    for captured in _captured(sources, faults):
        read += 1
        rows += [(captured.source, face) for face in _faces(photo_chain, captured)]
    say(faults)
    if not read:
        raise FewshotError("None of the pictures could be read, so nothing was written. Give other pictures.")
    write_vectors(out, rows, perception)
    tell(f"Faces: {len(rows)}, pictures: {read}. Vectors: {out}")


def write_vectors(out: Path, rows: Sequence[tuple[str, Face]], perception: Perception) -> None:
    """Write the archive in one step.

    Raises:
        FewshotError: ``out`` cannot be written.
    """
    faces = [face for _, face in rows]
    arrays = {
        "paths": np.array([path for path, _ in rows], dtype=np.str_),
        "boxes": np.array([face.box for face in faces], np.float32).reshape(-1, 4),
        "scores": np.array([face.score for face in faces], np.float32),
        "expression": np.array([face.expression for face in faces], np.float32).reshape(
            -1, perception.embedder.dimension
        ),
        "identity": np.array([face.identity for face in faces], np.float32).reshape(-1, perception.identity_dimension),
        "network": np.array(perception.network),
        "identity_network": np.array(perception.identity_network),
    }
    temporary = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        temporary.replace(out)
    except OSError as error:
        raise FewshotError(
            f"{out} cannot be written: {error.strerror}. Free some space or choose another folder."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _pictures(text: str) -> PictureSource:
    source = open_source(f"./{text}" if text.isdigit() else text) if Path(text).exists() else None
    if isinstance(source, PictureSource):
        return source
    if source is not None:
        source.close()
        raise UsageError(f"{text} is not a picture. Give pictures, or folders of pictures.")
    raise UsageError(f"There is no file or folder {text}. Give pictures, or folders of pictures.")


def _captured(sources: Sequence[PictureSource], faults: list[str]) -> Iterator[CapturedFrame]:
    for source in sources:
        try:
            yield from source
        except FewshotError as error:
            faults.append(str(error))
        faults.extend(source.notes)


def _faces(photo_chain: Perception, captured: CapturedFrame) -> list[Face]:
    """All faces with both vectors; boxes in pixels of the upright picture at its full size on disk."""
    faces = photo_chain.look(captured.frame)
    photo_chain.identify(captured.frame, faces)
    if captured.size is not None:
        scale = np.array(captured.size, np.float32) / np.array(captured.frame.shape[1::-1], np.float32)
        for face in faces:
            face.box = face.box * np.tile(scale, 2)
    return faces
