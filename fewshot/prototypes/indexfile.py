"""A file for an index of any size: written and read piece by piece, so that it is never in memory twice."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from fewshot.errors import StoreError
from fewshot.prototypes.storefile import damaged, replacing

MAGIC = b"fewshot gallery 1\n"
_DIGEST = hashlib.sha256().digest_size
_PIECE = 1 << 20

Arrays = dict[str, NDArray[Any]]


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
