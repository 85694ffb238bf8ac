"""Downloads one file: limited in time, resumable, checked, and never visible half-written."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests

from fewshot.checksums import sha256_of
from fewshot.errors import ModelUnavailable, reason_of
from fewshot.models.registry import Remote
from fewshot.private_files import make_private_folder
from fewshot.translation import later

CHUNK = 16 * 1024
ATTEMPTS = 5
PARTIAL_CONTENT = 206


class Unreachable(ModelUnavailable):
    """No byte was received: there is no network, it is blocked, or the server does not answer."""


def fetch(remote: Remote, folder: Path, patience: float) -> Path:
    """Download a file to a folder, and continue where an earlier download ended.

    Received bytes are kept in ``<file>.part``. Only a complete file with the right checksum gets the final name.

    Args:
        remote: the file to download.
        folder: where to put it; created if needed.
        patience: seconds to wait for the first bytes, and for more bytes after a pause.

    Raises:
        Unreachable: no byte was received.
        ModelUnavailable: the file cannot be downloaded or written; the text says why.
    """
    part, target = folder / f"{remote.file}.part", folder / remote.file
    with _writing_to(folder):
        for place in (folder.parent, folder):
            make_private_folder(place)
        if target.exists() and sha256_of(target) == remote.sha256:
            return target
        _require_writable(folder)
        resumed = _size(part) > 0
        _receive(remote, part, patience)
        if resumed and sha256_of(part) != remote.sha256:
            part.unlink()  # the older part was wrong; a complete new download may be right
            _receive(remote, part, patience)
        if sha256_of(part) != remote.sha256:
            part.unlink()
            raise ModelUnavailable(
                later(
                    "The file {file} from {host} is not the published file (wrong checksum), so it was removed. "
                    "Try again later or on another network, or copy the file to this machine by hand.",
                    file=remote.file,
                    host=_host(remote),
                )
            )
        _commit(part, target)
    return target


def extract(archive: Path, members: Mapping[Path, str]) -> None:
    """Extract files from any folder of a zip archive, check them, and delete the archive.

    Args:
        archive: the zip archive.
        members: target -> SHA-256. The member with the target's file name is extracted.

    Raises:
        ModelUnavailable: the archive is damaged, a member is missing, or it cannot be extracted here.
    """
    with _writing_to(archive.parent), zipfile.ZipFile(archive) as pack:
        inside = {PurePosixPath(name).name: name for name in pack.namelist()}
        for target, sha256 in members.items():
            content = pack.read(inside[target.name]) if target.name in inside else b""
            if hashlib.sha256(content).hexdigest() != sha256:
                raise ModelUnavailable(
                    later(
                        "{archive} does not contain the published {file}. Delete {archive2} and try again.",
                        archive=archive.name,
                        file=target.name,
                        archive2=archive,
                    )
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f"{target.name}.part")
            part.write_bytes(content)
            _commit(part, target)
    with _writing_to(archive.parent):
        archive.unlink()


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    """Turn errors of the disk into a text for the user."""
    try:
        yield
    except zipfile.BadZipFile as error:
        raise ModelUnavailable(
            later("A downloaded archive in {folder} is damaged. Delete it and try again.", folder=folder)
        ) from error
    except OSError as error:
        raise ModelUnavailable(
            later(
                "{folder} cannot be written to ({reason}). Free some space, or set FEWSHOT_HOME to a folder where "
                "you may write.",
                folder=folder,
                reason=reason_of(error),
            )
        ) from error


def _require_writable(folder: Path) -> None:
    """Raises OSError before the first byte is asked for, not after the last one came."""
    with tempfile.TemporaryFile(dir=folder):
        pass


def _receive(remote: Remote, part: Path, patience: float) -> None:
    """Download until ``part`` is complete. After a lost connection try again, as long as new bytes are received."""
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
        raise Unreachable(later("{host} could not be reached ({reason}).", host=_host(remote), reason=reason))
    raise ModelUnavailable(
        later(
            "The connection to {host} was lost ({reason}) after {done:.1f} of {size:.1f} MB of {file}. This part "
            "is kept, so the next download continues there.",
            host=_host(remote),
            reason=reason,
            done=_size(part) / 1000000.0,
            size=remote.size / 1000000.0,
            file=remote.file,
        ),
        hint="To continue, type: fewshot models pull",
    )


def _append(remote: Remote, part: Path, patience: float, show: Callable[[int], None]) -> tuple[int, str | None]:
    """Download over one connection. Returns the number of new bytes, and why it stopped (None: file is complete)."""
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
    return gained, None if done + gained >= remote.size else later("it ended too early")


def _open(url: str, offset: int, patience: float) -> tuple[requests.Response, Iterator[bytes]]:
    """Request a file from ``offset`` on and wait for its first bytes, at most ``patience`` seconds in total.

    It runs in a thread, because a socket's timeout does not include name look-ups, several addresses or redirections.
    """
    answer: Future[tuple[requests.Response, Iterator[bytes]]] = Future()
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={offset}-"} if offset else {})

    def ask() -> None:
        try:
            response = requests.get(url, headers=headers, stream=True, timeout=patience)
            chunks = response.iter_content(CHUNK)
            first = next(chunks, b"") if response.ok else b""
            answer.set_result((response, _chain(first, chunks)))
        except Exception as error:  # raised again in the thread that waits for the answer
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
    """Reject an error page or another page (such as a hotel's login page) before anything is overwritten."""
    if not response.ok:
        raise ModelUnavailable(
            later(
                "{host} answered {status} ({reason}) for {file}. Try again later, or set FEWSHOT_MODELS_URL to the "
                "address of a mirror.",
                host=_host(remote),
                status=response.status_code,
                reason=response.reason,
                file=remote.file,
            )
        )
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and done + int(length) != remote.size:
        raise ModelUnavailable(
            later(
                "{host} sent {bytes} bytes for {file} instead of {size}. This may be the login page of your "
                "network, or a mirror with another file. Log in with a browser, then try again.",
                host=_host(remote),
                bytes=done + int(length),
                file=remote.file,
                size=remote.size,
            )
        )


@contextmanager
def _progress(remote: Remote) -> Iterator[Callable[[int], None]]:
    """Show a progress bar if this is a terminal. Yields a function to call with the number of received bytes."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(f"downloading {remote.file}", total=remote.size)
        yield lambda done: bar.update(task, completed=done)


def _reason(error: Exception, patience: float) -> str:
    if isinstance(error, ValueError):  # requests raises it for an address that it cannot parse
        return later("this is not an http(s) address")
    if isinstance(error, requests.exceptions.SSLError):
        return later("this machine does not accept its certificate")
    if isinstance(error, requests.exceptions.ProxyError):
        return later("the proxy refused the connection")
    if isinstance(error, TimeoutError | requests.Timeout) or "timed out" in str(error):
        return later("no answer within {seconds:g} s", seconds=patience)
    return later("no connection")


def _host(remote: Remote) -> str:
    return urlsplit(remote.url).netloc


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _commit(part: Path, target: Path) -> None:
    """Give a complete file its final name, after its content is on the disk."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(target)
