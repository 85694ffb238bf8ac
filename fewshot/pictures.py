"""Reads picture files of phones, cameras and scanners as upright BGR frames."""

from __future__ import annotations

import functools
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fewshot.clutter import is_clutter
from fewshot.errors import FewshotError, UsageError
from fewshot.types import Frame

PICTURE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".hif"}
)
"""Suffixes of pictures, in lower case."""

MAX_PIXELS = 24_000_000
"""Larger pictures are reduced to this size while they are decoded. 100 megapixels would need 300 MB, and faces would
not be classified better."""


def is_picture(path: Path) -> bool:
    """Whether ``path`` has the name of a picture. What a system made ("._a.jpg" of macOS) does not count."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not is_clutter(path.name, folder=False)


def read_picture(path: str | Path, max_pixels: int | None = None) -> Frame:
    """Read a picture as people see it: EXIF rotation applied, transparency on white, 16 bit and grey as 8-bit BGR.

    If a file contains several pictures (TIFF pages, animation), the first one is read.

    Returns:
        BGR uint8, shape (height, width, 3), with at most ``max_pixels`` pixels (default: ``MAX_PIXELS``).

    Raises:
        UsageError: there is no such file.
        FewshotError: the file is not a picture, is damaged, or is too large.
    """
    return read_sized_picture(path, max_pixels)[0]


def read_sized_picture(path: str | Path, max_pixels: int | None = None) -> tuple[Frame, tuple[int, int]]:
    """Like ``read_picture``; also returns the width and height of the upright picture before it was reduced."""
    path, max_pixels = Path(path), max_pixels or MAX_PIXELS
    with _readable(path) as image:
        size = image.size
        try:
            _reduce_on_decoding(image, max_pixels)
            image.load()
            upright = _upright(_fit(_eight_bit(image), max_pixels))
        except (OSError, ValueError, SyntaxError, EOFError, MemoryError, RuntimeError) as error:
            raise _damaged(path) from error
    if (size[0] > size[1]) != (upright.width > upright.height):  # rotated by EXIF
        size = (size[1], size[0])
    return np.ascontiguousarray(np.asarray(upright)[..., ::-1]), size


@functools.cache
def _know_heic() -> None:
    import pillow_heif  # the import takes 50 ms, and most pictures do not need it

    pillow_heif.register_heif_opener()


def _readable(path: Path) -> Image.Image:
    """Open ``path`` and read its header."""
    if path.suffix.lower() in {".heic", ".heif", ".hif"}:
        _know_heic()
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UsageError(f"{path} is not a file but a pipe or a device. Give the path of a picture.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _open(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"There is no file {path}. Give the path of an existing picture.") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a folder. Give the path of a picture.") from error
    except PermissionError as error:
        raise FewshotError(f"You are not allowed to read {path}. Change its permissions.") from error
    except Image.DecompressionBombError as error:
        raise FewshotError(f"{path} has more than 178 megapixels. Save it smaller, or use another picture.") from error
    except UnidentifiedImageError as error:
        raise FewshotError(
            f"{path} is not a picture. Expected JPEG, PNG, WebP, BMP, TIFF or HEIC. Remove it or save it as JPEG."
        ) from error
    except (OSError, ValueError, SyntaxError, EOFError, RuntimeError) as error:
        raise _damaged(path) from error


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        _know_heic()  # some programs rename a phone's HEIC pictures to .jpg
        return Image.open(path)


def _damaged(path: Path) -> FewshotError:
    return FewshotError(f"{path} is damaged or cut off. Copy it again from the original, or use another picture.")


def _reduce_on_decoding(image: Image.Image, max_pixels: int) -> None:
    """Let the JPEG decoder reduce a large picture to 1/2, 1/4 or 1/8 (no effect on other formats)."""
    excess = image.width * image.height / max_pixels
    if excess > 1:
        image.draft(None, (int(image.width / excess**0.5), int(image.height / excess**0.5)))


def _fit(image: Image.Image, max_pixels: int) -> Image.Image:
    excess = image.width * image.height / max_pixels
    if excess <= 1:
        return image
    size = (max(1, int(image.width / excess**0.5)), max(1, int(image.height / excess**0.5)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError, TypeError, KeyError):
        return image  # damaged EXIF in a good picture


def _eight_bit(image: Image.Image) -> Image.Image:
    """Convert any mode of Pillow to RGB; the EXIF block is kept."""
    exif = image.info.get("exif")
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        result = Image.alpha_composite(white, layer).convert("RGB")
    elif image.mode.startswith(("I", "F")):
        result = Image.fromarray(_to_bytes(np.asarray(image))).convert("RGB")
    else:
        result = image.convert("RGB")
    if exif and "exif" not in result.info:
        result.info["exif"] = exif
    return result


def _to_bytes(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Frame:
    """Scale one channel of integers or floats to 0..255; the largest value tells which range the channel uses."""
    grey = np.nan_to_num(values.astype(np.float32))
    top = float(grey.max(initial=0.0))
    full = next((limit for limit in (1.0, 255.0, 65535.0) if top <= limit), top)
    if full == 1.0 and values.dtype.kind != "f":
        full = 255.0  # integers up to 1 are a nearly black picture, not fractions
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        full = 65535.0
    levels: Frame = np.clip(grey * (255.0 / full), 0, 255).astype(np.uint8)
    return levels
