"""Ray, for more than one machine: joined where ``RAY_ADDRESS`` names a cluster, else started here and ended again.

Ray listens at all addresses of a machine, so it is only used with a token (``RAY_AUTH_MODE=token``). What it writes
lies in a temporary folder that only this user can open; ``fewshot.no_telemetry`` switches its reports off.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fewshot.errors import FewshotError, UsageError
from fewshot.private_files import open_private
from fewshot.session.temporary import TemporaryFolder, clean_up

ADDRESS, MODE = "RAY_ADDRESS", "RAY_AUTH_MODE"
TOKEN, TOKEN_FILE = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"  # nosec B105: names of variables
STORE = 200 * 2**20
"""Bytes of Ray's store of objects. Nothing of a lesson but a few words goes through it."""
_LONGEST = 39 if sys.platform == "darwin" else 43
"""Characters of Ray's folder: it adds 64, and the path of a Unix socket has at most 103 or 107."""


@functools.cache
def _secret() -> str:
    """The token of every Ray that this process starts: Ray reads its token once."""
    return secrets.token_hex(32)


def joins_a_cluster() -> bool:
    """Whether Ray runs already, here or on other machines."""
    return bool(os.environ.get(ADDRESS, "").strip())


def require_ray() -> None:
    """See that Ray may be used here, before anything is written.

    Raises:
        UsageError: it is not installed, or its token is switched off.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError(
            "The engine ray needs a package that is not installed (ray).",
            hint="To install it, type in the project's folder: pip install '.[cluster]'",
        )
    if os.environ.setdefault(MODE, "token") != "token":
        raise UsageError(
            f"Ray would listen at all addresses without a token ({MODE}={os.environ[MODE]}). Unset {MODE}, or set it "
            "to token."
        )


@contextmanager
def ray_running(cores: int) -> Iterator[None]:
    """Ray inside a ``with`` block.

    Args:
        cores: of a Ray that is started here.

    Raises:
        UsageError: see ``require_ray``, or the folder for temporary files has a long path.
        FewshotError: it does not start, or there is no cluster at the address.
    """
    require_ray()
    if joins_a_cluster():
        with _ended({"address": os.environ[ADDRESS].strip()}):
            yield
        return
    clean_up()
    with TemporaryFolder("ray", ignore_cleanup_errors=True) as folder, _token(Path(folder)):
        if len(folder) > _LONGEST:
            raise UsageError(
                f"Ray's folder {folder} has a path of more than {_LONGEST} characters, and its sockets need a shorter "
                "one.",
                hint="For example: TMPDIR=/tmp fewshot ...",
            )
        # Ray lets everybody into the folder that it is given, so it gets one inside a folder that nobody else opens.
        with _ended({"_temp_dir": folder, "num_cpus": cores, "object_store_memory": STORE, "include_dashboard": False}):
            yield


@contextmanager
def _ended(how: dict[str, object]) -> Iterator[None]:
    import ray  # reads RAY_AUTH_MODE now

    try:
        ray.init(logging_level="error", **how)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        where = f"at {how['address']}" if "address" in how else "here"
        why = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FewshotError(f"Ray does not run {where} ({why}). Check {ADDRESS} and {TOKEN_FILE}.") from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _token(folder: Path) -> Iterator[None]:
    """The token of a Ray that is started here, in a file beside Ray's own: no list of processes shows it."""
    before = {name: os.environ.pop(name, None) for name in (TOKEN, TOKEN_FILE)}
    file = folder.parent / "token"
    with open_private(file) as opened:
        opened.write(_secret().encode())
    os.environ[TOKEN_FILE] = str(file)
    try:
        yield
    finally:
        del os.environ[TOKEN_FILE]
        os.environ.update({name: value for name, value in before.items() if value is not None})


__all__ = ["ADDRESS", "MODE", "STORE", "TOKEN", "TOKEN_FILE", "joins_a_cluster", "ray_running", "require_ray"]
