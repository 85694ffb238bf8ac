"""Single pictures: without tracking or smoothing from one picture to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fewshot.clutter import entries_of
from fewshot.errors import FewshotError, SourceError, printable
from fewshot.live.sources.base import CapturedFrame, SourceNotFound
from fewshot.pictures import is_picture, read_sized_picture
from fewshot.translation import later, together


class PictureSource:
    """One picture, or all pictures of a folder sorted by name.

    A picture that cannot be read is skipped and named in ``notes``. If no picture can be read, that is an error.

    Args:
        files: the pictures; results contain these paths.
        name: what the user typed.
    """

    live = False

    def __init__(self, files: Sequence[Path], name: str) -> None:
        self.name = name
        self.fps: float | None = None
        self.frames: int | None = len(files)
        self.dropped = 0
        self.lost: str | None = None
        self.notes: list[str] = []
        self._files = files

    def __iter__(self) -> Iterator[CapturedFrame]:
        read, wrong = 0, None
        for path in self._files:
            try:
                frame, size = read_sized_picture(path)
            except FewshotError as error:
                if len(self._files) == 1:
                    raise SourceError(error.text, hint=error.hint) from error
                wrong = wrong or error
                self.notes.append(together(error.text, error.hint))
                continue
            read += 1
            reduced = size != (frame.shape[1], frame.shape[0])
            yield CapturedFrame(str(path), 0, 0.0, frame, independent=True, size=size if reduced else None)
        if not read:
            none = later(
                "None of the {number} pictures in {name} can be read.", number=len(self._files), name=self.name
            )
            first = (wrong.text, wrong.hint) if wrong is not None else ("", "")
            raise SourceError(together(none, first[0]), hint=first[1])

    def close(self) -> None:
        """Nothing is held open."""


def open_folder(path: Path, name: str) -> PictureSource:
    """All pictures directly in a folder; subfolders are not searched.

    Raises:
        SourceNotFound: there are none.
    """
    entries = [file for file in entries_of(path) if file.is_file()]
    files = [file for file in entries if is_picture(file)]
    if not files:
        raise SourceNotFound(
            later(
                "There is no picture in {name} (subfolders are not searched). Expected JPEG, PNG, WebP, BMP, TIFF, "
                "HEIC, AVIF, GIF or JPEG 2000 files. Give videos one by one.",
                name=name,
            )
        )
    source = PictureSource(files, name)
    others = [printable(file.name) for file in entries if file not in files]
    if others:
        shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
        source.notes.append(
            later("Skipped in {folder}, because they are not pictures: {files}", folder=name, files=shown)
        )
    return source
