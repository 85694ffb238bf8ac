"""Does the time of a refused login tell whether a name exists? Pairs of requests, one after the other, on loopback."""

from __future__ import annotations

import http.client
import random
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

from fewshot.accounts.accounts import Accounts
from fewshot.database.engine import in_folder
from fewshot.errors import FewshotError
from fewshot.research.bench.hostile import PASSWORD, PATIENCE, WithLogin
from fewshot.research.bench.served_app import ServedApp

PER_NAME = 8
"""Tries with one name; it is locked after 10 wrong ones."""
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds of refused logins.

    Attributes:
        unknown: with names that nobody has, shape (n,).
        wrong: with names that exist, shape (n,); ``unknown[i]`` and ``wrong[i]`` were measured one after the other.
        answers: the different answers, without the name that was typed; it must be one.
    """

    unknown: NDArray[np.float64]
    wrong: NDArray[np.float64]
    answers: frozenset[tuple[int, str]]


def measure(home: Path, pairs: int, seed: int = 0) -> Pairs:
    """Serve the app in an empty folder, and try to log in.

    Every pair comes from another address of this computer (127.x.x.x), because an address is locked too.

    Raises:
        FewshotError: an account cannot log in with the right password, so nothing would be measured.
    """
    accounts, draw = Accounts(in_folder(home)), random.Random(seed)  # nosec B311: draws orders
    people = [f"teacher {number:04}" for number in range(pairs // PER_NAME + 1)]
    for name in people:
        accounts.add(name, password=PASSWORD)
    accounts.database.close()
    seconds: dict[str, list[float]] = {"unknown": [], "wrong": []}
    answers = set()
    with WithLogin(home) as app:
        if _try(app, people[0], PASSWORD, 0)[1] != 303:
            raise FewshotError("An account cannot log in with its password, so nothing can be measured.")
        for number in range(pairs):
            name = people[number // PER_NAME]
            tries = [("wrong", name), ("unknown", name.replace("teacher", "teachex"))]
            draw.shuffle(tries)
            for kind, name in tries:
                took, status, body = _try(app, name, "a wrong password", number)
                seconds[kind].append(took)
                answers.add((status, body.replace(name, "NAME")))
    return Pairs(np.array(seconds["unknown"]), np.array(seconds["wrong"]), frozenset(answers))


def _try(app: ServedApp, name: str, password: str, number: int) -> tuple[float, int, str]:
    """Seconds, status and page of one try."""
    source = (f"127.1.{number // 250}.{1 + number % 250}", 0)
    with closing(http.client.HTTPConnection("127.0.0.1", app.port, PATIENCE, source_address=source)) as connection:
        connection.connect()
        body = urlencode({"name": name, "password": password})
        headers = {"Host": f"localhost:{app.port}", "Origin": app.address}
        begun = time.perf_counter()
        connection.request("POST", "/login", body, {**headers, "Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        page = answer.read().decode()
        return time.perf_counter() - begun, answer.status, page


def difference(pairs: Pairs, seed: int = 0) -> tuple[float, float, float]:
    """Median of ``unknown - wrong`` over the pairs, and its 95 % bootstrap interval, seconds."""
    found = pairs.unknown - pairs.wrong
    generator = np.random.default_rng(seed)
    medians = np.median(found[generator.integers(0, len(found), (RESAMPLES, len(found)))], axis=1)
    low, high = np.quantile(medians, (0.025, 0.975))
    return float(np.median(found)), float(low), float(high)


def guesses(pairs: Pairs) -> float:
    """How often the quicker of a pair is the unknown name; 0.5 tells an attacker nothing."""
    return float(np.mean(pairs.unknown < pairs.wrong))
