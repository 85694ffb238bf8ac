"""A gallery as one file of any size: written and read piece by piece, whole or not there, with a checksum."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import StoreError
from fewshot.prototypes.gallery import IdentityGallery

MAGIC = b"fewshot gallery 1\n"
VERSION = 1
_TEMPORARY = ".unfinished"
# A writer that is still there after ten minutes has crashed; its half-written vectors must not stay on the disk.
_STALE_AFTER = 600.0
_DIGEST = hashlib.sha256().digest_size
_PIECE = 1 << 20

Arrays = dict[str, NDArray[Any]]


def save_gallery(gallery: IdentityGallery, path: str | Path) -> None:
    """Write one file, whole or not at all; a crash leaves what was there.

    Raises:
        StoreError: it cannot be written.
    """
    header, arrays, index = gallery.parts()
    write(Path(path), {"version": VERSION, **header}, arrays, index)


def load_gallery(path: str | Path, network: str | None = None) -> IdentityGallery:
    """Read what ``save_gallery`` wrote.

    Args:
        path: of the file.
        network: the identity network in use; None reads any gallery.

    Raises:
        StoreError: there is none, it is damaged, or another version or network made it.
    """
    header, arrays, index = read(Path(path))
    try:
        if header["version"] != VERSION or (network is not None and header["network"] != network):
            raise StoreError(
                f"The gallery {path} has version {header['version']} and vectors of {header['network'] or '?'}. This "
                f"program reads version {VERSION} and uses {network}. Enroll again."
            )
        return IdentityGallery.from_parts(header, arrays, index)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(Path(path), f"{type(error).__name__}: {error}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` when the block ends well: temporary file, fsync, rename.

    Raises:
        StoreError: it could not be written (full disk, no permission); what was there is untouched.
    """
    _remove_leftovers(path)
    temporary = None
    try:
        # mkstemp: a name of our own, readable by nobody else; the rename keeps that.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=_TEMPORARY)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StoreError(
            f"{path} could not be written ({error.strerror or error}). What was there before is untouched. Free some "
            f"space or choose a folder you may write to, and try again."
        ) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)


class _Hashed:
    """Writes to a file and hashes what it writes; keeps the error that FAISS would swallow."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest = file, hashlib.sha256()
        self.error: OSError | None = None

    def write(self, piece: bytes) -> int:
        self.digest.update(piece)
        try:
            return self._file.write(piece)
        except OSError as error:
            self.error = error
            raise


def write(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], index: Any) -> None:
    """Replace ``path`` in one step: magic, length and json of the header, arrays, FAISS index, SHA-256 of all that.

    Raises:
        StoreError: it could not be written; what was there is untouched.
    """
    shapes = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    text = json.dumps({**header, "arrays": shapes}).encode()
    with replacing(path) as file:
        out = _Hashed(file)
        out.write(MAGIC + len(text).to_bytes(8, "little") + text)
        for array in arrays.values():
            out.write(np.ascontiguousarray(array).tobytes())
        try:
            faiss.write_index(index, faiss.PyCallbackIOWriter(out.write, _PIECE))  # type: ignore[attr-defined]
        except RuntimeError as error:
            raise out.error or error from error
        file.write(out.digest.digest())


def read(path: Path) -> tuple[dict[str, Any], Arrays, Any]:
    """Inverse of ``write``: (header, arrays, index).

    Raises:
        StoreError: there is no such file, or it is not what was written.
    """
    try:
        with path.open("rb") as file:
            _check(path, file)
            file.seek(len(MAGIC))
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
            arrays = {}
            for name, (kind, shape) in header.pop("arrays").items():
                size = np.dtype(kind).itemsize * math.prod(shape)
                arrays[name] = np.frombuffer(file.read(size), kind).reshape(shape).copy()
            reader = faiss.PyCallbackIOReader(file.read, _PIECE)  # type: ignore[attr-defined]
            return header, arrays, faiss.read_index(reader)
    except FileNotFoundError as error:
        raise StoreError(f"There is no gallery at {path}. Enroll somebody first.") from error
    except OSError as error:
        raise StoreError(f"The gallery {path} cannot be read ({error.strerror or error}).") from error
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def _check(path: Path, file: BinaryIO) -> None:
    """Before FAISS sees a byte: it trusts what it reads."""
    rest = path.stat().st_size - _DIGEST
    digest, start = hashlib.sha256(), file.read(len(MAGIC))
    digest.update(start)
    rest -= len(start)
    while rest > 0 and (piece := file.read(min(_PIECE, rest))):
        digest.update(piece)
        rest -= len(piece)
    if start != MAGIC or rest or file.read(_DIGEST) != digest.digest():
        raise damaged(path, "its content does not match its checksum")


def damaged(path: Path, why: str) -> StoreError:
    """The error for a store whose bytes are not to be trusted."""
    return StoreError(
        f"The store {path} is damaged ({why}). It was left as it is. Restore it from a backup, or move it away and "
        f"enroll the class again."
    )


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable. Windows has no such call: there a folder cannot be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems refuse; the rename is done all the same.
        pass
    finally:
        os.close(handle)


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f"{path.name}*{_TEMPORARY}"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_AFTER:
                leftover.unlink()
