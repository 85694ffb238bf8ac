"""The service on Ray Serve: each replica is a process of the service, on this computer or on another one.

A lesson is one WebSocket, so it stays at one replica as long as that lives. Everything else of a lesson is in the
store. A client whose replica is gone connects again, is given to another one, and takes over with its ticket.
"""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fewshot.app.guard import Policy
from fewshot.app.listening import listening_at, place_of, public_origins
from fewshot.app.service_application import application
from fewshot.cluster import joins_a_cluster, ray_running
from fewshot.errors import FewshotError

NAME = "fewshot"
"""Of the application in Ray Serve."""
PORT = 8000
"""Where Ray Serve listens on a cluster that is not started here."""
LESSONS = 2
"""Requests under way for which there is one replica. Nearly all of them are lessons: the others last for moments."""
MOST_UNDER_WAY = 64
"""Requests that a replica takes at the same time; it takes 12 lessons at most and refuses others itself."""
_BEGINS, _STOPS = 10.0, 600.0
"""Seconds for which there must be more or fewer lessons, before a replica begins or stops."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the service listens.

    Attributes:
        address, port: of Ray Serve's proxy.
        certificate, key: files for TLS; None for none.
    """

    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


class Replica:
    """One process of the service.

    Args:
        policy: who may call it.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def __serve_build_asgi_app__(self) -> Any:
        """The application; Ray Serve calls this in the replica."""
        return application(self._policy)


def serve_on_ray(policy: Policy, where: Where, replicas: int, most: int | None) -> None:
    """Serve it until Ctrl-C or SIGTERM; then its clients resume their lessons elsewhere, or when it runs again.

    Args:
        policy: who may call it.
        where: see ``Where``.
        replicas: how many run without any lesson.
        most: how many may run; None: as many as there are cores.

    Raises:
        UsageError: Ray is not installed, or its token is switched off.
        FewshotError: it does not start.
    """
    stop = threading.Event()
    with ray_running(most or replicas), _figures() as variables:
        import ray
        from ray import serve

        # After Ray, which sets a handler of its own.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        most = most or max(replicas, int(ray.cluster_resources().get("CPU", replicas)))
        try:
            serve.start(
                proxy_location="EveryNode" if joins_a_cluster() else "HeadOnly",
                http_options={
                    "host": where.address, "port": where.port,
                    "ssl_certfile": _path(where.certificate), "ssl_keyfile": _path(where.key),
                },
                logging_config=_LOGGING,
            )  # fmt: skip
            serve.run(deployed(policy, replicas, most, variables), name=NAME, route_prefix="/")
            while not stop.wait(1.0):
                pass
        except (RuntimeError, OSError, ValueError, ray.exceptions.RayError) as error:
            raise FewshotError(f"The service does not start on Ray. The lines above say why. ({error})") from error
        finally:
            serve.shutdown()


def build(args: Mapping[str, Any]) -> Any:
    """What a ``RayService`` of Kubernetes names as its ``import_path``: ``fewshot.app.service_ray:build``.

    Args:
        args: ``public_urls``: see ``fewshot serve``; ``replicas`` and ``most``: see ``serve_on_ray``.

    Raises:
        UsageError: an address is wrong.
    """
    everywhere, public = listening_at(""), public_origins(_texts(args.get("public_urls", ())))
    # Behind an ingress the address of the pod means nothing: besides the public names only this machine may call it.
    policy = Policy(listening_at("127.0.0.1").hosts(PORT), public, place=place_of(everywhere, public))
    replicas = int(args.get("replicas", 1))
    return deployed(policy, replicas, int(args.get("most", replicas)), {})


def deployed(policy: Policy, replicas: int, most: int, variables: Mapping[str, str]) -> Any:
    """The application for Ray Serve.

    Args:
        policy: who may call it.
        replicas: how many run without any lesson.
        most: how many may run.
        variables: of the environment of a replica.
    """
    from ray import serve

    return serve.deployment(
        serve.ingress()(Replica),
        name=NAME,
        ray_actor_options={"num_cpus": 1, "runtime_env": {"env_vars": dict(variables)}},
        autoscaling_config={
            "min_replicas": replicas, "initial_replicas": replicas, "max_replicas": most,
            "target_ongoing_requests": LESSONS, "upscale_delay_s": _BEGINS, "downscale_delay_s": _STOPS,
        },
        max_ongoing_requests=MOST_UNDER_WAY,
        # A lesson lasts for an hour. Its client has it on another replica within a second, so a stop does not wait.
        graceful_shutdown_timeout_s=5,
        graceful_shutdown_wait_loop_s=0.5,
        health_check_period_s=2,
        logging_config=_LOGGING,
    ).bind(policy)  # fmt: skip


_LOGGING = {"log_level": "WARNING", "enable_access_log": False}
"""The service itself writes a line for each request, which names nobody."""


@contextmanager
def _figures() -> Iterator[dict[str, str]]:
    """The figures of all replicas of this computer are added up; those of a cluster are those of one replica."""
    if joins_a_cluster():
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="fewshot-figures-") as folder:
        yield {"PROMETHEUS_MULTIPROC_DIR": folder}


def _path(file: Path | None) -> str | None:
    return None if file is None else str(file.absolute())


def _texts(given: Sequence[str] | str) -> Sequence[str]:
    return [given] if isinstance(given, str) else given


__all__ = ["LESSONS", "MOST_UNDER_WAY", "NAME", "PORT", "Replica", "Where", "build", "deployed", "serve_on_ray"]
