"""Serves the service without pages: one process, several behind one port, or replicas of Ray Serve."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from fewshot.api.tls import require_tls
from fewshot.app.daily import daily
from fewshot.app.guard import SERVICE, Policy
from fewshot.app.listening import LOOPBACK, Listening, listening_at, place_of, public_origins
from fewshot.app.server import NEEDED_BY_SERVICE
from fewshot.app.service_application import SERVICES, application
from fewshot.classroom.store import ClassStore
from fewshot.cluster import require_ray
from fewshot.database.owner import DEMO, LOCAL_TEACHER, is_demo
from fewshot.errors import FewshotError, UsageError
from fewshot.session.temporary import clean_up

if TYPE_CHECKING:
    from fewshot.api.service import Service

PORT = 8601
DRAINED_WITHIN = 5.0
"""Seconds within which running lessons are handed over after SIGTERM."""
LONGEST_MESSAGE = 4_200_000
"""Bytes of a message of a WebSocket: one frame, and a little."""
AT_LEAST = 5.0
"""A process that ends within these seconds after its start is not started again."""
MOST_EARLY = 3
"""Processes that may be killed so soon before the service gives up: too little memory would kill each new one."""
logger = logging.getLogger(__name__)


def launch(
    port: int | None = None,
    host: str | None = None,
    *,
    public_urls: Sequence[str] = (),
    processes: int = 1,
    certificate: Path | None = None,
    key: Path | None = None,
    ray: bool = False,
    most: int | None = None,
) -> None:
    """Serve it until Ctrl-C or SIGTERM; running lessons are then handed over to their clients.

    Args:
        port: None takes 8601; 0 lets the system choose.
        host: the address to listen at; None is this computer only.
        public_urls: addresses that a reverse proxy gives it.
        processes: how many share the port.
        certificate, key: files for TLS; None for none.
        ray: whether the processes are replicas of Ray Serve.
        most: of them while lessons run; see ``fewshot.app.service_ray.serve_on_ray``.

    Raises:
        UsageError: the extra is not installed, the port is taken, an address is wrong, or other computers could reach
            it without TLS.
        StoreError: the database cannot be written to.
    """
    if is_demo():
        raise UsageError(f"The demo has no service for other programs ({DEMO}=1). Unset {DEMO}.")
    missing = [name for name in NEEDED_BY_SERVICE if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"The service needs packages that are not installed ({', '.join(missing)}).",
            hint="To install them, type in the project's folder: pip install '.[serve]'",
        )
    _require_number(processes, ray, most)
    where, public = listening_at(host or LOOPBACK), public_origins(public_urls)
    require_tls(certificate, key, "key", None if where.local else _open_to_others(where))
    bound = _bound(where, PORT if port is None else port)
    port = int(bound.getsockname()[1])
    ClassStore(owner=LOCAL_TEACHER).require_writable(unless_full=True)
    clean_up()
    policy = Policy(where.hosts(port), public, place=place_of(where, public))
    print(
        f"The service is at {where.url(port, certificate is not None)}{SERVICE}. Press Ctrl-C to stop it.", flush=True
    )
    for origin in public.values():
        if origin.startswith("http://"):
            print(
                f"Warning: {origin} has no TLS, so everybody in the network can read tokens and pictures along. Use "
                "https://.",
                file=sys.stderr,
            )
    if not public:
        # Without a proxy nobody may say from which address a request comes.
        os.environ["FORWARDED_ALLOW_IPS"] = ""
    with contextlib.closing(bound), daily():
        if ray:
            from fewshot.app.service_ray import Where, serve_on_ray

            bound.close()  # Ray Serve's proxy listens there itself
            serve_on_ray(policy, Where(where.address, port, certificate, key), processes, most)
        elif processes == 1:
            _serve(policy, bound, certificate, key)
        else:
            _serve_many(policy, bound, certificate, key, processes)


class Draining(uvicorn.Server):
    """A server that hands its lessons over before it stops. A second signal, a second later, stops it at once."""

    _signalled = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take no new lesson, wait until those that run are handed over, and stop."""
        now, service = time.monotonic(), SERVICES[0] if SERVICES else None
        if service is None:
            super().handle_exit(sig, frame)
        elif not service.draining.is_set():
            self._signalled = now
            service.drain()
            threading.Thread(target=self._stop_when_drained, args=(service, sig), daemon=True).start()
        elif now - self._signalled > 1:  # Ctrl-C reaches every process, and the first one also stops the others
            super().handle_exit(sig, frame)

    def _stop_when_drained(self, service: Service, sig: int) -> None:
        until = time.monotonic() + DRAINED_WITHIN
        while service.lessons and time.monotonic() < until:
            time.sleep(0.05)
        super().handle_exit(sig, None)


def _serve(policy: Policy, bound: socket.socket, certificate: Path | None, key: Path | None) -> None:
    config = uvicorn.Config(
        application(policy), log_level="warning", access_log=False, ws="websockets-sansio", ws_max_size=LONGEST_MESSAGE,
        timeout_graceful_shutdown=int(DRAINED_WITHIN), ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip
    Draining(config).run(sockets=[bound])


def _serve_many(
    policy: Policy, bound: socket.socket, certificate: Path | None, key: Path | None, processes: int
) -> None:
    """Start the processes, replace one that ends, and stop them all at the end.

    Raises:
        FewshotError: they end as soon as they start.
    """
    context = multiprocessing.get_context("spawn")

    def start() -> tuple[SpawnProcess, float]:
        process = context.Process(target=_child, args=(policy, bound, certificate, key), name="fewshot service")
        process.start()
        return process, time.monotonic()

    with tempfile.TemporaryDirectory(prefix="fewshot-figures-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # the figures of all processes are added up
        running: list[tuple[SpawnProcess, float]] = []
        early = 0
        try:
            running += [start() for _ in range(processes)]
            while True:
                multiprocessing.connection.wait([process.sentinel for process, _ in running], timeout=1)
                for place, (process, begun) in enumerate(running):
                    if process.exitcode is None:
                        continue
                    young = time.monotonic() - begun < AT_LEAST
                    early += young
                    # A process that was killed did not fail by itself, unless it happens again and again.
                    if young and (process.exitcode >= 0 or early > MOST_EARLY):
                        raise FewshotError(
                            f"A process of the service ended {time.monotonic() - begun:.0f} seconds after its start "
                            f"(exit code {process.exitcode}). The lines above say why."
                        )
                    logger.warning(
                        "a process of the service ended (exit code %s); another takes over", process.exitcode
                    )
                    running[place] = start()
        finally:
            _stop(running)
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _stop(running: Sequence[tuple[SpawnProcess, float]]) -> None:
    for process, _ in running:
        process.terminate()
    for process, _ in running:
        process.join(2 * DRAINED_WITHIN + 5)
        if process.exitcode is None:
            process.kill()


def _child(policy: Policy, bound: socket.socket, certificate: Path | None, key: Path | None) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with contextlib.suppress(KeyboardInterrupt):  # what uvicorn raises again after it has stopped
            _serve(policy, bound, certificate, key)
    except FewshotError as error:
        print(f"Error: {error}", file=sys.stderr, flush=True)
        sys.exit(error.exit_code)


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: it would keep the port, and nobody could stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _require_number(processes: int, ray: bool, most: int | None) -> None:
    if not 1 <= processes <= 64:
        text = f"There cannot be {processes} processes. Give a number from 1 to 64."
        raise UsageError(text, hint="For two, add: --processes 2")
    if ray:
        require_ray()
    elif most is not None:
        text = "Only Ray starts more processes while lessons run."
        raise UsageError(text, hint="Add --engine ray, or give the number with --processes")
    if most is not None and most < processes:
        raise UsageError(f"At most {most} processes are fewer than at least {processes}. Change one of the numbers.")


def _open_to_others(where: Listening) -> UsageError:
    return UsageError(
        f"The service does not start: other computers could reach it at {where.given!r} without TLS, and everybody "
        "in the network could read tokens and pictures along.",
        hint="Give it a certificate: fewshot serve --host ADDRESS --certificate FILE --key FILE. Or put a reverse "
        "proxy with HTTPS before it: fewshot serve --public-url https://NAME",
    )


def _bound(where: Listening, port: int) -> socket.socket:
    """A socket that listens at the address and port, before anything else is done.

    Raises:
        UsageError: the port is taken, or the address is not one of this computer.
    """
    made = socket.socket(socket.AF_INET6 if ":" in where.address else socket.AF_INET)
    if sys.platform != "win32":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((where.address, port))
    except (OSError, OverflowError) as error:
        made.close()
        raise UsageError(
            f"The service cannot listen at {where.given}, port {port} ({getattr(error, 'strerror', '') or error}). End "
            "the other program, or choose another port.",
            hint="For example: fewshot serve --port 8700",
        ) from error
    made.set_inheritable(True)
    return made
