"""Fetch one file from the internet: bounded in time, resumable, checked, and never seen half-written."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests

from fewshot.checksums import sha256_of
from fewshot.errors import ModelUnavailable
from fewshot.models.registry import Remote

CHUNK = 16 * 1024
ATTEMPTS = 5
PARTIAL_CONTENT = 206


class Unreachable(ModelUnavailable):
    """Not one byte came: no network, a blocked one, or a server that is silent."""


def fetch(remote: Remote, folder: Path, patience: float) -> Path:
    """Download a file into a folder, going on where an earlier download ended.

    What has arrived lies in ``<file>.part``; only a complete file with the right checksum gets its name.

    Args:
        patience: seconds until the first bytes must have come, and that the server may then be silent in between.

    Raises:
        Unreachable: nothing came.
        ModelUnavailable: it cannot be had or written; the text says why.
    """
    part, target = folder / f"{remote.file}.part", folder / remote.file
    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if target.exists() and sha256_of(target) == remote.sha256:
            return target
        resumed = _size(part) > 0
        _receive(remote, part, patience)
        if resumed and sha256_of(part) != remote.sha256:
            part.unlink()  # the older half was no good, so the whole may be
            _receive(remote, part, patience)
        if sha256_of(part) != remote.sha256:
            part.unlink()
            raise ModelUnavailable(
                f"What {_host(remote)} sent as {remote.file} is not the published file (wrong checksum), so it was "
                "removed. Try again later or on another network, or copy the file over by hand."
            )
        _commit(part, target)
    return target


def extract(archive: Path, members: Mapping[Path, str]) -> None:
    """Take files out of a zip, wherever in it they lie, each checked and renamed into place, and delete the zip.

    Args:
        members: SHA-256 by target; the member taken is the one with the target's file name.

    Raises:
        ModelUnavailable: the archive is damaged, lacks a member, or cannot be unpacked here.
    """
    with _writing_to(archive.parent), zipfile.ZipFile(archive) as pack:
        inside = {PurePosixPath(name).name: name for name in pack.namelist()}
        for target, sha256 in members.items():
            content = pack.read(inside[target.name]) if target.name in inside else b""
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ModelUnavailable(f"{archive.name} does not hold the published {target.name}. Delete {archive}.")
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"{target.name}.part")
            part.write_bytes(content)
            _commit(part, target)
    with _writing_to(archive.parent):
        archive.unlink()


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Turn what the disk may do to us into a text for the user."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise ModelUnavailable(f"A downloaded archive in {folder} is damaged. Delete it and try again.") from error
    except OSError as error:
        raise ModelUnavailable(
            f"{folder} cannot be written to ({error.strerror or error}). Free some space, or set FEWSHOT_HOME to a "
            "folder where you may write."
        ) from error


def _receive(remote: Remote, part: Path, patience: float) -> None:
    """Bring ``part`` to full length. A lost connection is taken up again as long as that brings something."""
    received = 0
    with _progress(remote) as show:
        for _ in range(ATTEMPTS):
            gained, reason = _append(remote, part, patience, show)
            received += gained
            if reason is None:
                return
            if gained == 0:
                break
    if received == 0:
        raise Unreachable(f"{_host(remote)} could not be reached ({reason}).")
    raise ModelUnavailable(
        f"The connection to {_host(remote)} was lost ({reason}) after {_size(part) / 1e6:.1f} of "
        f"{remote.size / 1e6:.1f} MB of {remote.file}. They are kept: run `fewshot models pull` to go on."
    )


def _append(remote: Remote, part: Path, patience: float, show: Callable[[int], None]) -> tuple[int, str | None]:
    """One connection's worth of the file. Returns how many bytes came, and why it is not complete (None: it is)."""
    if _size(part) > remote.size:
        part.unlink()
    done = _size(part)
    if done == remote.size:
        return 0, None
    gained = 0
    try:
        response, chunks = _open(remote.url, done, patience)
        with response:
            going_on = response.status_code == PARTIAL_CONTENT and done > 0
            done = done if going_on else 0
            _check(response, remote, done)
            with part.open("ab" if going_on else "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    gained += len(chunk)
                    show(done + gained)
                    if done + gained > remote.size:
                        break
    except (requests.RequestException, TimeoutError) as error:
        return gained, _reason(error, patience)
    return gained, None if done + gained >= remote.size else "it ended too early"


def _open(url: str, offset: int, patience: float) -> tuple[requests.Response, Iterator[bytes]]:
    """Ask for a file from ``offset`` on and wait for its first bytes, at most ``patience`` seconds in all.

    In a thread, because no timeout of a socket covers looking up a name, several addresses, or redirections.
    """
    answer: Future[tuple[requests.Response, Iterator[bytes]]] = Future()
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})

    def ask() -> None:
        try:
            response = requests.get(url, headers=headers, stream=True, timeout=patience)
            chunks = response.iter_content(CHUNK)
            first = next(chunks, b"") if response.ok else b""
            answer.set_result((response, _chain(first, chunks)))
        except Exception as error:  # whatever it is belongs to the thread that asked
            answer.set_exception(error)

    threading.Thread(target=ask, name="fewshot-download", daemon=True).start()
    try:
        return answer.result(timeout=patience)
    except TimeoutError:
        answer.add_done_callback(_close_late)
        raise


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _close_late(answer: Future[tuple[requests.Response, Iterator[bytes]]]) -> None:
    if answer.exception() is None:
        answer.result()[0].close()


def _check(response: requests.Response, remote: Remote, done: int) -> None:
    """Refuse an error page, and a page that is no model (a hotel's login), before anything is overwritten."""
    if not response.ok:
        raise ModelUnavailable(
            f"{_host(remote)} answered {response.status_code} ({response.reason}) for {remote.file}. Try again later, "
            "or set FEWSHOT_MODELS_URL to a mirror."
        )
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and done + int(length) != remote.size:
        raise ModelUnavailable(
            f"{_host(remote)} sent {done + int(length)} bytes as {remote.file} instead of {remote.size}: perhaps the "
            "login page of this network, or a mirror with another file. Open a browser to log in, then try again."
        )


@contextmanager
def _progress(remote: Remote) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal, if there is one. Yields the function to call with the bytes there are."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"downloading {remote.file}", total=remote.size)
        yield lambda done: bar.update(task, completed=done)


def _reason(error: Exception, patience: float) -> str:
    if isinstance(error, ValueError):  # what requests raises for an address it cannot read
        return "this is no http(s) address"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not accepted here"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy refused"
    if isinstance(error, TimeoutError | requests.Timeout) or "timed out" in str(error):
        return f"no answer within {patience:g} s"
    return "no connection"


def _host(remote: Remote) -> str:
    return urlsplit(remote.url).netloc


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _commit(part: Path, target: Path) -> None:
    """Give a complete file its name, when its content is certainly on the disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
