"""Opens the source that a user names, for example after ``--source``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeGuard, cast

import numpy as np

from fewshot.addresses import missing_file
from fewshot.errors import SourceError, UsageError, reason_of
from fewshot.live.sources.base import ArrayPicture, FrameSource, Source, SourceNotFound
from fewshot.live.sources.cameras import SCHEMES, open_url, open_webcam
from fewshot.live.sources.lasting import LastingSource
from fewshot.live.sources.screen import ScreenSource
from fewshot.live.sources.still_pictures import PictureSource, open_folder
from fewshot.live.sources.video import VideoSource
from fewshot.pictures import is_picture
from fewshot.translation import later
from fewshot.types import Frame

Watchable = str | int | os.PathLike[str] | Source | Iterable[Frame] | Sequence[str | os.PathLike[str]]
"""What can be watched: camera number, file, folder, address, "screen", an open source, a picture as an array, frames of
a video as arrays, or a list of paths of pictures."""


def open_source(what: Watchable) -> Source:
    """Open a webcam (0), a video, a picture, a folder of pictures, an address, "screen" or "screen:x,y,w,h".

    An open source is returned as it is. A list of paths of pictures is read as a folder of them. One array of shape
    (height, width, 3) is a picture; any other iterable of arrays is used as frames, 25 per second.

    Raises:
        SourceNotFound: there is no such source (it is both a ``SourceError`` and a ``UsageError``).
        UsageError: an array is not a picture.
        SourceError: the source exists but gives no picture.
    """
    if isinstance(what, int):
        return open_webcam(what)
    if isinstance(what, str | os.PathLike):
        return _open_named(str(what))
    if _is_source(what):
        return what
    if isinstance(what, np.ndarray) and what.ndim in (2, 3):
        return ArrayPicture(what)
    if isinstance(what, list | tuple) and any(isinstance(one, str | os.PathLike) for one in what):
        return _open_list(what)
    if not isinstance(what, Iterable):
        raise UsageError(
            f"{type(what).__name__} cannot be watched. Give a camera number, a path, an address, a picture or frames."
        )
    return FrameSource(cast("Iterable[Frame]", what))


def open_picture(what: str | os.PathLike[str] | Frame) -> Source:
    """Open one picture: a file, or an array of shape (height, width, 3).

    Raises:
        SourceNotFound: there is no such file.
        UsageError: it is not a picture.
    """
    if isinstance(what, np.ndarray):
        return ArrayPicture(what)
    if not isinstance(what, str | os.PathLike):
        raise UsageError(f"{type(what).__name__} is not a picture. Give the path of a picture, or an array of it.")
    path = Path(what)
    if path.is_dir() or (path.is_file() and not is_picture(path)):
        raise UsageError(f"{path} is not a picture. Give one picture; Classroom.watch takes videos and folders.")
    return PictureSource([path], str(path))


def _open_list(what: Sequence[object]) -> PictureSource:
    """A list of paths of pictures; names of files that are not pictures are an error before anything is read."""
    for one in what:
        if not isinstance(one, str | os.PathLike):
            raise UsageError("A list must have either paths of pictures or arrays. Give one kind in one list.")
        path = Path(one)
        if not path.exists():
            raise SourceNotFound(later("There is no file {file}. Give paths of pictures.", file=missing_file(str(one))))
        if not is_picture(path) or not path.is_file():
            raise UsageError(f"{one} is not a picture. A list takes pictures; give videos and folders one by one.")
    name = "1 picture" if len(what) == 1 else f"{len(what)} pictures"
    return PictureSource([Path(cast("str", one)) for one in what], name)


def _is_source(what: object) -> TypeGuard[Source]:
    """Whether it is an open source: frames and generators have no attribute ``live``."""
    return hasattr(what, "live") and hasattr(what, "close")


def open_lasting(
    what: Watchable,
    patience: float | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Source:
    """Like ``open_source``, but waits for a camera, stream or screen that is lost later.

    Args:
        what: see ``open_source``. Files and open sources are returned as they are.
        patience: seconds to wait for a lost source; None: until the run is stopped; 0: do not wait.
        on_note: called with a note when the source is lost and when it is back.

    Raises:
        SourceNotFound, SourceError: as ``open_source``. The first opening does not wait.
    """
    source = open_source(what)
    if source is what or not source.live or patience == 0:
        return source
    return LastingSource(source, lambda: open_source(what), patience, on_note)


def _open_named(text: str) -> Source:
    if text.isascii() and text.isdigit():
        return open_webcam(int(text))
    if device := re.fullmatch(r"/dev/video(\d+)", text):
        return open_webcam(int(device[1]))
    if text == "screen" or text.startswith("screen:"):
        return ScreenSource(text)
    scheme, separator, _ = text.partition("://")
    if separator:
        if scheme.lower() not in SCHEMES:
            named = scheme if scheme.isalnum() else "something else"
            raise SourceNotFound(
                later(
                    "Addresses that start with {scheme}:// are not supported. Use {schemes}.",
                    scheme=named,
                    schemes=", ".join(SCHEMES),
                )
            )
        return open_url(text)
    return _open_path(Path(text), text)


def _open_path(path: Path, name: str) -> Source:
    try:
        if path.is_dir():
            return open_folder(path, name)
        if not path.exists():
            raise SourceNotFound(
                later(
                    "There is no file or folder {name}. Give a video, a picture, a folder of pictures, a camera "
                    "number, a stream address, or screen.",
                    name=missing_file(name),
                )
            )
        if not path.is_file():  # opening a pipe would wait for whatever writes to it, without end
            raise SourceError(
                later(
                    "{name} is a pipe or a device. Give a video, a picture, a folder of pictures, a camera number, "
                    "a stream address, or screen.",
                    name=name,
                )
            )
        with path.open("rb"):
            pass
    except OSError as error:
        raise SourceError(
            later(
                "{name} cannot be read: {reason}. Check the permissions of the file.",
                name=name,
                reason=reason_of(error),
            )
        ) from error
    if is_picture(path) and path.suffix.lower() != ".gif":  # which is usually a small video
        return PictureSource([path], name)
    return VideoSource(path, name)
