"""Starts PostgreSQL, Caddy, coturn and the app with the settings of ``deploy/``, on 127.0.0.1 only, and stops them.

Everything lies in one temporary folder: the data of PostgreSQL too, so no cluster of this computer is touched.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fewshot.errors import FewshotError
from fewshot.research.bench.survival.postgres import PACKAGED, missing

HOST = "127.0.0.1"
TEACHER, PASSWORD = "Anna Berg", "a long password for a trial"  # nosec B105: of an account that lives for minutes
PATIENCE = 600.0
"""Seconds within which each program must answer; generous, because a busy computer starts slowly."""


@dataclass
class Stack:
    """The running programs.

    Attributes:
        folder: everything they keep.
        deploy: the folder of the deployment files.
        ports: by name: database, app, https, turn.
        running: by name.
        pictures: folder for pictures of the browser's pages; None keeps none.
    """

    folder: Path
    deploy: Path
    ports: dict[str, int] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    pictures: Path | None = None

    @property
    def url(self) -> str:
        """The address that a browser types."""
        return f"https://localhost:{self.ports['https']}"

    @property
    def certificate(self) -> Path:
        """Of the authority that Caddy made for this run."""
        return self.folder / "caddy-data/caddy/pki/authorities/local/root.crt"

    def secret(self, name: str) -> Path:
        """The file of a secret, as ``make_secrets.sh`` made it."""
        return self.folder / "deploy/secrets" / name

    @property
    def environment(self) -> dict[str, str]:
        """Of the app, as in ``compose.yaml``."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FEWSHOT_")}
        shared = {name: os.environ[name] for name in ("FEWSHOT_SHARED",) if name in os.environ}
        return {
            **kept, **shared,
            "FEWSHOT_HOME": str(self.folder / "data/fewshot"),
            "FEWSHOT_KEYS": str(self.folder / "keys/fewshot"),
            "FEWSHOT_DATABASE": f"postgresql+psycopg://fewshot@{HOST}:{self.ports['database']}/fewshot",
            "FEWSHOT_DATABASE_PASSWORD_FILE": str(self.secret("database_password")),
            "FEWSHOT_KEY_FILE": str(self.secret("key")),
            "FEWSHOT_TURN_PASSWORD_FILE": str(self.secret("turn_password")),
            "FORWARDED_ALLOW_IPS": HOST,
        }  # fmt: skip

    def fewshot(self, *words: str) -> str:
        """Run a command of the program beside the app, and return what it printed.

        Raises:
            FewshotError: it failed.
        """
        done = subprocess.run(
            [sys.executable, "-m", "fewshot", *words],
            env=self.environment, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        if done.returncode:
            raise FewshotError(f"fewshot {' '.join(words)} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def start_app(self) -> None:
        """Start the app, and wait until it is ready.

        Raises:
            FewshotError: it is not.
        """
        words = [sys.executable, "-m", "fewshot", "app", "--port", str(self.ports["app"]), "--no-browser", "--login"]
        self._start("app", [*words, "--public-url", self.url], self.environment)
        self._until("app", lambda: _answers(self.ports["app"]))

    def start_database(self) -> None:
        """Start PostgreSQL; it asks everybody who comes over the network for a password.

        Raises:
            FewshotError: it does not start.
        """
        data, programs = self.folder / "database", _programs()
        account = _not_root()
        if not data.exists():
            data.mkdir(mode=0o700)
            if account:
                os.chown(data, account["user"], account["group"])
            initdb = [str(programs / "initdb"), "-D", str(data), "-U", "fewshot", "--auth-local=trust", "-E", "UTF8"]
            initdb += ["--auth-host=scram-sha-256", f"--pwfile={self.secret('database_password')}", "--data-checksums"]
            subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=data, **account)
        words = [str(programs / "postgres"), "-D", str(data), "-k", str(data), "-h", HOST]
        self._start("database", [*words, "-p", str(self.ports["database"])], None, **account)
        ready = [str(programs / "pg_isready"), "-q", "-h", HOST, "-p", str(self.ports["database"])]
        self._until("database", lambda: subprocess.run(ready, check=False).returncode == 0)

    def make_database(self) -> None:
        """The empty database of the app, made through the socket as the image's own start does."""
        import psycopg

        place = str(self.folder / "database")
        with psycopg.connect(
            host=place, port=self.ports["database"], user="fewshot", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute("CREATE DATABASE fewshot")

    def start_caddy(self) -> None:
        """Start Caddy with ``deploy/Caddyfile``, its listeners moved to this computer.

        Raises:
            FewshotError: it does not start.
        """
        environment = {
            **os.environ, "FEWSHOT_NAME": f"localhost:{self.ports['https']}", "TLS": "internal",
            "APP": f"{HOST}:{self.ports['app']}", "XDG_DATA_HOME": str(self.folder / "caddy-data"),
            "XDG_CONFIG_HOME": str(self.folder / "caddy-config"),
        }  # fmt: skip
        adapted = subprocess.run(
            [_path("caddy"), "adapt", "--adapter", "caddyfile", "--config", str(self.deploy / "Caddyfile")],
            env=environment, capture_output=True, check=True,
        )  # fmt: skip
        settings = json.loads(adapted.stdout)
        for server in settings["apps"]["http"]["servers"].values():
            server["listen"] = [f"{HOST}:{self.ports['https']}"]
            server["automatic_https"] = {"disable_redirects": True}  # that would listen to everybody at port 80
        settings["apps"]["pki"] = {"certificate_authorities": {"local": {"install_trust": False}}}
        file = self.folder / "caddy.json"
        file.write_text(json.dumps(settings))
        self._start("caddy", ["caddy", "run", "--config", str(file)], environment)
        self._until("caddy", self.certificate.exists)

    def start_coturn(self) -> None:
        """Start coturn with the options of ``compose.yaml``; media may go to this computer only.

        Raises:
            FewshotError: it does not start.
        """
        words = [
            "turnserver", "-c", str(self.secret("turn.conf")), "--log-file=stdout", "--lt-cred-mech",
            "--realm=localhost", "--min-port=49160", "--max-port=49200", "--no-cli", "--no-tls", "--no-dtls",
            "--no-multicast-peers", f"--pidfile={self.folder}/turn.pid", f"--userdb={self.folder}/turn.db",
            "--denied-peer-ip=0.0.0.0-255.255.255.255", "--allow-loopback-peers",
            *(f"--allowed-peer-ip={address}" for address in (HOST, *_own_addresses())),
            f"--listening-ip={HOST}", f"--relay-ip={HOST}", f"--listening-port={self.ports['turn']}",
        ]  # fmt: skip
        self._start("coturn", words, None)
        self._until("coturn", lambda: _listens(self.ports["turn"]))

    def stop(self, name: str, patience: float = 40.0) -> None:
        """Stop one program by its id, and wait for it."""
        process = self.running.pop(name, None)
        if process is None or process.poll() is not None:
            return
        # PostgreSQL would wait for its clients at SIGTERM.
        process.send_signal(signal.SIGINT if name == "database" else signal.SIGTERM)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self, name: str, words: list[str], environment: Mapping[str, str] | None, **account: Any) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                words, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, **account
            )

    def _until(self, name: str, there: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.running[name].poll() is None:
            if there():
                return
            time.sleep(0.1)
        log = (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]
        raise FewshotError(f"{name} did not start. Its log: {log}")


@contextmanager
def stack(deploy: Path) -> Iterator[Stack]:
    """The whole stack, with one account; it is stopped and deleted at the end of the block.

    Args:
        deploy: the folder with the deployment files.

    Raises:
        FewshotError: a program is not installed, or does not start.
    """
    if why := why_not():
        raise FewshotError(f"The stack was not started: it {why}.")
    folder = Path(tempfile.mkdtemp(prefix="fewshot-stack-", dir="/tmp"))  # nosec B108: mkdtemp makes it private
    made = Stack(folder, deploy.absolute(), {name: _free() for name in ("database", "app", "https", "turn")})
    try:
        (folder / "deploy").mkdir()
        shutil.copy(deploy / "make_secrets.sh", folder / "deploy")
        subprocess.run([_path("sh"), str(folder / "deploy/make_secrets.sh")], check=True, stdout=subprocess.DEVNULL)
        folder.chmod(0o711)  # the user of PostgreSQL goes through it to its data
        for part in (folder / "deploy", folder / "deploy/secrets"):
            part.chmod(0o711)
        made.start_database()
        made.make_database()
        (folder / "password").write_text(PASSWORD + "\n")
        made.fewshot("accounts", "add", TEACHER, "--password-file", str(folder / "password"))
        made.start_app()
        made.start_caddy()
        made.start_coturn()
        yield made
    finally:
        for name in reversed(list(made.running)):
            made.stop(name)
        shutil.rmtree(folder, ignore_errors=True)


def why_not() -> str:
    """Why the stack cannot be started here; "" if it can."""
    for program, package in (("caddy", "caddy"), ("turnserver", "coturn"), ("sh", "dash")):
        if shutil.which(program) is None:
            return f"needs {program}, which is not here. On Debian: apt-get install {package}"
    return missing()


def _programs() -> Path:
    versions = sorted((int(path.name), path / "bin") for path in PACKAGED.glob("[0-9]*") if path.name.isdigit())
    return versions[-1][1] if versions else Path(str(shutil.which("initdb"))).parent


def _not_root() -> dict[str, Any]:
    """As whom PostgreSQL runs, because it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _own_addresses() -> list[str]:
    """IPv4 addresses at which the app takes a camera's packets, which are never those of the loopback."""
    import psutil

    families = [address for each in psutil.net_if_addrs().values() for address in each]
    return [one.address for one in families if one.family == socket.AF_INET and one.address != HOST]


def _path(program: str) -> str:
    """Where a program lies that ``why_not`` has looked for."""
    return shutil.which(program) or program


def _free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _answers(port: int) -> bool:
    import requests

    try:
        return requests.get(f"http://{HOST}:{port}/api/ready", timeout=5).status_code == 200
    except requests.RequestException:
        return False
