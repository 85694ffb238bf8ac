"""One file that is either whole or not there: a checksum, then named arrays and a header in json."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fewshot.errors import StoreError

MAGIC = b"fewshot store 1\n"
_TEMPORARY = ".unfinished"
_DIGEST = 64
_HEADER = "header"
# Whoever still writes after ten minutes has crashed; its half-written faces must not stay on the disk.
_STALE_AFTER = 600.0

Arrays = dict[str, NDArray[Any]]


def write(path: Path, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Replace ``path`` in one step: temporary file, fsync, rename. A crash leaves the old file or the new one.

    Args:
        path: its folder must exist.
        header: anything json can hold.
        arrays: by name, of plain numbers.

    Raises:
        StoreError: it could not be written (full disk, no permission); what was there is untouched.
    """
    payload = io.BytesIO()
    text = np.frombuffer(json.dumps(dict(header)).encode(), dtype=np.uint8)
    np.savez(payload, allow_pickle=False, **{_HEADER: text}, **dict(arrays))
    body = payload.getvalue()
    with replacing(path) as file:
        file.write(MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


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


def read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Inverse of ``write``.

    Raises:
        StoreError: there is no such file, or it is not what was written.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise StoreError(f"There is no store at {path}. Enroll somebody first.") from error
    except OSError as error:
        raise StoreError(f"The store {path} cannot be read ({error.strerror or error}).") from error
    start = len(MAGIC) + _DIGEST + 1
    body = content[start:]
    if not content.startswith(MAGIC) or content[len(MAGIC) : start - 1] != hashlib.sha256(body).hexdigest().encode():
        raise damaged(path, "its content does not match its checksum")
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        return json.loads(arrays.pop(_HEADER).tobytes().decode()), arrays
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error


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
