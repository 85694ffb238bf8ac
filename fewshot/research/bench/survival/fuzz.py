"""Makes bytes that nobody meant out of bytes that are right, and gives them to every door, in a process of its own."""

from __future__ import annotations

import json
import mmap
import os
import random
import resource
import signal
import struct
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fewshot.errors import FewshotError
from fewshot.research.bench.survival.doors import DOORS, give

SECONDS = 5.0
"""Seconds of the processor that one input may take; the clock on the wall would blame a busy machine."""

MEMORY = 1 << 30
"""Bytes of memory by which the process may grow."""

_EDGES = (
    b"\x00",
    b"\xff",
    b"\xff" * 4,
    b"\x7f\xff\xff\xff",
    b"\x80\x00\x00\x00",
    b"\x00" * 8,
    b"PK\x05\x06",
    b"../",
    b'"',
)


@dataclass(slots=True)
class Found:
    """What came of one door.

    Attributes:
        inputs: how many were tried; refused: how many ended with an error in words.
        faults: what else happened, with the number of the input.
        most: bytes by which the memory grew at most.
        kept: how many inputs took a way through the program that none before had taken; only ``guided`` knows it.
    """

    inputs: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)
    most: int = 0
    kept: int = 0


def made(door: str, seed: int, number: int) -> bytes:
    """Input ``number`` of a door: the same for the same seed, on every machine."""
    draw = random.Random(f"{door} {seed} {number}")  # nosec B311: draws bytes
    right = DOORS[door].right()
    content = bytearray(draw.choice(right))
    if draw.random() < 0.02:
        return draw.randbytes(draw.randrange(2000))
    for _ in range(draw.choice([1, 1, 2, 4, 16])):
        place = draw.randrange(len(content) + 1)
        size = min(len(content) - place, draw.choice([1, 2, 4, 64, 1000]))
        match draw.randrange(7):
            case 0 if content:
                content[place % len(content)] ^= 1 << draw.randrange(8)
            case 1:
                content[place : place + size] = draw.randbytes(size)
            case 2:
                del content[place : place + size]
            case 3:
                content[place:place] = content[place : place + size] * draw.choice([1, 3, 50])
            case 4:
                edge = draw.choice(_EDGES)
                content[place : place + len(edge)] = edge
            case 5:
                other = draw.choice(right)
                start = draw.randrange(len(other))
                content[place:place] = other[start : start + size]
            case 6 if draw.random() < 0.3:
                del content[place:]
    return bytes(content)


def fuzz(
    door: str, count: int, seed: int, until: float = float("inf"), give: Callable[[str, bytes], None] = give
) -> Found:
    """Give inputs to a door until ``count`` were tried or the time is over.

    Args:
        door: its name in ``doors.DOORS``.
        count: number of inputs.
        seed: of the inputs.
        until: ``time.monotonic()`` when it ends in any case.
        give: what takes the bytes.
    """
    found, number = Found(), 0
    DOORS[door].right()  # made once, and not again after every crash
    while number < count and time.monotonic() < until:
        number = _some(door, number, count, seed, until, give, found)
    found.inputs = number
    return found


def _some(
    door: str, first: int, count: int, seed: int, until: float, give: Callable[[str, bytes], None], found: Found
) -> int:
    """Inputs in one child, until it is done or dies. Returns the number of the next input."""
    state = mmap.mmap(-1, 32)  # number of the input, how many were refused, and bytes that the memory grew by
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            _child(door, first, count, seed, until, give, state, write)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    number, refused, grown = struct.unpack("<qqq", state[:24])
    found.refused += refused
    found.most = max(found.most, grown)
    for line in said.splitlines():
        found.faults.append(json.loads(line))
    if os.WIFSIGNALED(status):
        found.faults.append(f"input {number}: {ended(os.WTERMSIG(status))}")
        return int(number) + 1
    return int(number)


def _child(
    door: str, first: int, count: int, seed: int, until: float, give: Callable[[str, bytes], None], state: mmap.mmap,
    tell: int,
) -> None:  # fmt: skip
    trial = Trial(door, give, state, tell)
    for number in range(first, count + 1):
        trial.note(number)
        if number == count or time.monotonic() > until:
            return
        trial(number, made(door, seed, number))


class Trial:
    """Gives inputs to a door within the limits of time and memory, and writes down what comes of them.

    Whoever reads it lives in another process: this one may be ended by any input.

    Args:
        door: its name.
        give: what takes the bytes.
        state: at least 24 bytes: number of the input, how many were refused, bytes that the memory grew by.
        tell: where faults are written to, one JSON string per line.
    """

    def __init__(self, door: str, give: Callable[[str, bytes], None], state: mmap.mmap, tell: int) -> None:
        self.door, self._give, self._state, self._tell = door, give, state, tell
        self.refused, self._said = 0, set[str]()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders written in C print what they think of the bytes
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        self._begun = _memory()
        with suppress(ValueError, OSError):
            size = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (size + 2 * MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))

    def note(self, number: int) -> None:
        """Write down that input ``number`` is next."""
        self._state[:24] = struct.pack("<qqq", number, self.refused, max(0, _memory() - self._begun))

    def __call__(self, number: int, content: bytes) -> None:
        """Try one input."""
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            self._give(self.door, content)
        except FewshotError:
            self.refused += 1
        except BaseException as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            words = f"{type(error).__name__} in {place.name}, {Path(place.filename).name} {place.lineno}: {error}"
            if (key := words.split(":", maxsplit=1)[0]) not in self._said and len(self._said) < 50:
                self._said.add(key)
                os.write(self._tell, json.dumps(f"input {number}: {words[:300]}").encode() + b"\n")
        signal.setitimer(signal.ITIMER_PROF, 0)


def ended(status: int) -> str:
    """Why a process ended that an input was given to, by the number of the signal."""
    name = signal.Signals(status).name
    return f"more than {SECONDS:g} s" if name == "SIGPROF" else f"ended by {name}"


def _memory() -> int:
    """The most memory that this process ever had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
