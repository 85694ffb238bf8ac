"""Reads picture files of phones, cameras and scanners as upright BGR frames."""

from __future__ import annotations

import functools
import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from fewshot.clutter import is_clutter
from fewshot.errors import FewshotError, UsageError
from fewshot.translation import later
from fewshot.types import Frame

PICTURE_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".tif", ".tiff", ".heic", ".heif",
        ".hif", ".avif", ".gif", ".jp2", ".j2k", ".jpf", ".jpx", ".ppm", ".pgm",
    }
)  # fmt: skip
"""Suffixes of pictures, in lower case."""

_COMPLETE = 0.95
"""A JPEG that was cut off is used if at least this share of its rows is complete."""

_HEADS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")
"""The first bytes of JPEG, PNG, GIF, TIFF and JPEG 2000."""

_FAULTS = (
    OSError, ValueError, SyntaxError, EOFError, MemoryError, RuntimeError, LookupError, TypeError, AttributeError,
    ArithmeticError, struct.error, zlib.error,
)  # fmt: skip
"""What decoders raise for bytes that are not as they should be; each format has its own."""

MAX_PIXELS = 24_000_000
"""Larger pictures are reduced to this size while they are decoded. 100 megapixels would need 300 MB, and faces would
not be classified better."""

# Damaged EXIF data cost nothing but the turn. ``catch_warnings`` would not do: photos are read in several threads.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def is_picture(path: Path) -> bool:
    """Whether ``path`` has the name of a picture, or has no suffix and begins as a picture does.

    What a system made ("._a.jpg" of macOS) does not count.
    """
    if is_clutter(path.name, folder=False):
        return False
    return path.suffix.lower() in PICTURE_SUFFIXES or (not path.suffix[1:].isalpha() and _begins_as_picture(path))


def _begins_as_picture(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(12)
    except OSError:
        return False
    brand = head[4:8] == b"ftyp" and head[8:11] in (b"hei", b"hev", b"mif", b"avi")
    return head.startswith(_HEADS) or (head[:4] == b"RIFF" and head[8:] == b"WEBP") or brand


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
            upright = _decoded(image, max_pixels)
        except Image.DecompressionBombError as error:  # a second header inside the file says so
            raise _too_large(path) from error
        except _FAULTS as error:
            ended = _without_end(path, max_pixels) if isinstance(error, OSError) else None
            if ended is None:
                raise _damaged(path) from error
            upright = ended
    if (size[0] > size[1]) != (upright.width > upright.height):  # rotated by EXIF
        size = (size[1], size[0])
    return np.ascontiguousarray(np.asarray(upright)[..., ::-1]), size


def _decoded(image: Image.Image, max_pixels: int) -> Image.Image:
    _reduce_on_decoding(image, max_pixels)
    image.load()
    return _upright(_fit(_eight_bit(image), max_pixels))


def _without_end(path: Path, max_pixels: int) -> Image.Image | None:
    """A JPEG whose last bytes are missing; None if more than the last rows of the picture are missing.

    The decoder invents what is missing. So the file is decoded with two different ends: what both have in common is in
    the file.
    """
    data = path.read_bytes().rstrip(b"\xff")
    if not data.startswith(b"\xff\xd8"):
        return None
    noise = bytes(np.random.default_rng(0).integers(1, 255, 1 << 16, dtype=np.uint8))
    pictures = []
    for end in (b"", noise):
        try:
            with Image.open(io.BytesIO(data + end + b"\xff\xd9")) as image:
                image.draft(None, (image.width, image.height))
                image.load()
                pictures.append(np.asarray(image.convert("RGB")))
                if not end:
                    upright = _upright(_fit(_eight_bit(image), max_pixels))
        except (*_FAULTS, Image.DecompressionBombError):
            return None
    rows = np.flatnonzero((pictures[0] != pictures[1]).any(axis=(1, 2)))
    return None if len(rows) and rows[0] < _COMPLETE * len(pictures[0]) else upright


@functools.cache
def _know_heic() -> bool:
    """Whether HEIC pictures can be read: pillow-heif holds GPL code, so an installation may do without it."""
    try:
        import pillow_heif  # the import takes 50 ms, and most pictures do not need it
    except ImportError:
        return False
    pillow_heif.register_heif_opener()
    return True


def _is_heic(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return False
    return head[4:8] == b"ftyp" and any(brand in head[8:] for brand in (b"heic", b"heix", b"hevc", b"heim", b"heis"))


def _no_heic(path: Path) -> FewshotError:
    return FewshotError(
        later(
            "{path} is a HEIC picture, and this installation cannot read those. Save it as JPEG, or set the phone "
            "to take JPEG pictures.",
            path=path,
        ),
        hint="Or, in the project's folder, type: pip install '.[heif]'",
    )


def _readable(path: Path) -> Image.Image:
    """Open ``path`` and read its header."""
    if path.suffix.lower() in {".heic", ".heif", ".hif"}:
        _know_heic()
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UsageError(
                later("{path} is not a file but a pipe or a device. Give the path of a picture.", path=path)
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return _open(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(later("There is no file {path}. Give the path of an existing picture.", path=path)) from error
    except IsADirectoryError as error:
        raise UsageError(later("{path} is a folder. Give the path of a picture.", path=path)) from error
    except PermissionError as error:
        raise FewshotError(later("You are not allowed to read {path}. Change its permissions.", path=path)) from error
    except Image.DecompressionBombError as error:
        raise _too_large(path) from error
    except UnidentifiedImageError as error:
        raise FewshotError(
            later(
                "{path} is not a picture. Expected JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF, GIF or JPEG 2000. "
                "Remove it or save it as JPEG.",
                path=path,
            )
        ) from error
    except _FAULTS as error:
        raise _damaged(path) from error


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError as error:
        # Some programs rename a phone's HEIC pictures to .jpg.
        if not _know_heic() and _is_heic(path):
            raise _no_heic(path) from error
        return Image.open(path)


def _damaged(path: Path) -> FewshotError:
    return FewshotError(
        later("{path} is damaged or cut off. Copy it again from the original, or use another picture.", path=path)
    )


def _too_large(path: Path) -> FewshotError:
    return FewshotError(
        later("{path} has more than 178 megapixels. Save it smaller, or use another picture.", path=path)
    )


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
    except _FAULTS:
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
