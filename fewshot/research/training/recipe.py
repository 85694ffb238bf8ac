"""A recipe: steps that make files out of what other steps made, and which of them are done.

A finished step has a stamp: its command, what it was made from and what it made, by hashes of the content. The step is
done as long as all of that still fits. So a step that runs again and makes the same files leaves the later ones done.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from fewshot.checksums import sha256_of
from fewshot.errors import UsageError


@dataclass(frozen=True)
class Step:
    """One command of the recipe.

    Attributes:
        name: unique.
        command: as typed at the root of the repository.
        needs: names of the steps whose files it reads.
        makes: files that it writes.
        minutes: what it costs on two cores.
        options: added to the command, without influence on what is made (where the data lies).
        training: an interrupted run continues from its last checkpoint; ``makes`` is this checkpoint.
        modules: Python modules that it needs beside this package.
    """

    name: str
    command: str
    needs: Sequence[str]
    makes: Sequence[str]
    minutes: float
    options: str = ""
    training: bool = False
    modules: Sequence[str] = ()


@dataclass(frozen=True)
class Stamp:
    """What a finished step leaves.

    Attributes:
        command: of the step.
        inputs: needed step -> ``fingerprint`` of its stamp.
        made: file -> SHA-256.
        finished: date and time, ISO 8601.
        minutes: how long it took.
    """

    command: str
    inputs: dict[str, str]
    made: dict[str, str]
    finished: str
    minutes: float

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what was made, and of nothing else: later steps depend on this only."""
        return hashlib.sha256(json.dumps(self.made, sort_keys=True).encode()).hexdigest()


def in_order(steps: Sequence[Step]) -> list[Step]:
    """The steps as they come, except that each one follows all that it needs.

    Raises:
        UsageError: a step needs an unknown one, or, through others, itself.
    """
    place = {step.name: index for index, step in enumerate(steps)}
    for step in steps:
        if unknown := [need for need in step.needs if need not in place]:
            raise UsageError(f"{step.name} needs {unknown[0]}, and there is no such step.")
    sorter = TopologicalSorter({step.name: step.needs for step in steps})
    try:
        sorter.prepare()
    except CycleError as error:
        raise UsageError(f"These steps need one another: {' -> '.join(reversed(error.args[1]))}") from None
    ready, ordered = list(sorter.get_ready()), []
    while ready:
        name = min(ready, key=place.__getitem__)
        ready.remove(name)
        ordered.append(steps[place[name]])
        sorter.done(name)
        ready += sorter.get_ready()
    return ordered


class Recipe:
    """Steps, and the folder with their stamps.

    Args:
        steps: in the order in which they run as far as their needs allow it.
        folder: for stamps and logs, and for copies of files that several steps make.

    Raises:
        UsageError: see ``in_order``.
    """

    def __init__(self, steps: Sequence[Step], folder: Path) -> None:
        self.steps = {step.name: step for step in in_order(steps)}
        self.folder = folder
        makers = Counter(path for step in steps for path in step.makes)
        self._overwritten = {path for path, count in makers.items() if count > 1}

    def chosen(self, only: Sequence[str] = (), until: str | None = None) -> list[str]:
        """Names of the steps to run, in order: all, or those of ``only``, or ``until`` and what it needs.

        Raises:
            UsageError: there is no such step.
        """
        for name in (*only, *([until] if until else [])):
            if name not in self.steps:
                raise UsageError(f"There is no step {name!r}. Choose from: {', '.join(self.steps)}.")
        wanted = {until} if until else set(self.steps)
        for name in reversed(self.steps):
            if name in wanted:
                wanted |= set(self.steps[name].needs)
        return [name for name in self.steps if name in wanted and (not only or name in only)]

    def standing(self) -> dict[str, str | None]:
        """Why each step, in order, has to run; None for a step that is done."""
        why: dict[str, str | None] = {}
        for name, step in self.steps.items():
            waiting = [need for need in step.needs if why[need]]
            own = self.reason(step)
            why[name] = own or (f"done, runs again if {waiting[0]} makes another file" if waiting else None)
        return why

    def reason(self, step: Step) -> str | None:
        """Why a step has to run, if all that it needs is done; None if it need not."""
        stamp = self.stamp(step.name)
        if stamp is None:
            checkpoint = self.resumable(step)
            return f"interrupted, continues from {checkpoint}" if checkpoint else "not done"
        if stamp.command != step.command:
            return "its command has changed"
        now = self.inputs(step)
        if changed := [need for need in {**stamp.inputs, **now} if stamp.inputs.get(need) != now.get(need)]:
            return f"{changed[0]} has changed"
        if lost := [path for path in step.makes if self._lies(step, path, stamp) is None]:
            return f"{lost[0]} is gone or was changed"
        return None

    def stamp(self, name: str) -> Stamp | None:
        """The stamp of a step that has finished, else None."""
        stored = _read(self._stamp(name))
        return Stamp(**stored) if stored else None

    def inputs(self, step: Step) -> dict[str, str]:
        """Needed step -> fingerprint of its stamp, "" if it has none."""
        stamps = {need: self.stamp(need) for need in step.needs}
        return {need: stamp.fingerprint if stamp else "" for need, stamp in stamps.items()}

    def log(self, step: Step) -> Path:
        """Where the output of a step goes."""
        return self.folder / f"{step.name}.log"

    def resumable(self, step: Step) -> Path | None:
        """The checkpoint from which an interrupted training continues; None if it has none, or if what it was made
        from has changed since."""
        begun = _read(self._begun(step.name)) if step.training else None
        if begun is None or (begun["command"], begun["inputs"]) != (step.command, self.inputs(step)):
            return None
        last = Path(step.makes[0])
        written = [last, *sorted(last.parent.glob("epoch*.ckpt"), reverse=True)]
        # A checkpoint is a zip file; one that was cut short has no directory at its end.
        return next((path for path in (*written, Path(begun["resume"])) if zipfile.is_zipfile(path)), None)

    def begin(self, step: Step) -> Path | None:
        """Make way for a step: its stamp goes, what it reads is as the steps that it needs made it, and the folder of
        an earlier training moves aside, because a training writes over what it finds there.

        Returns:
            The checkpoint to resume from, or None.
        """
        self._stamp(step.name).unlink(missing_ok=True)
        for need in step.needs:
            self._restore(self.steps[need])
        if not step.training:
            return None
        checkpoint, run = self.resumable(step), Path(step.makes[0]).parent
        aside = next(path for n in range(1, 1000) if not (path := run.with_name(f"{run.name}-{n}")).exists())
        resume = aside / checkpoint.name if checkpoint and checkpoint.parent == run else checkpoint
        # Whatever ends this in between: a run of other inputs is never resumed, and one of the same is found again.
        begun = {"command": step.command, "inputs": self.inputs(step), "resume": str(resume or "")}
        if checkpoint:
            _write(self._begun(step.name), begun)
        if run.exists():
            run.rename(aside)
        _write(self._begun(step.name), begun)
        return resume

    def finish(self, step: Step, finished: str, minutes: float) -> Stamp:
        """Stamp a step whose files are all written.

        Args:
            finished: date and time, ISO 8601.
            minutes: how long it took.

        Raises:
            OSError: the stamp, or the copy of a file that another step makes too, cannot be written.
        """
        made = {path: sha256_of(Path(path)) for path in step.makes}
        for path in self._overwritten.intersection(step.makes):
            copy_whole(Path(path), self._kept(step, path))
        stamp = Stamp(step.command, self.inputs(step), made, finished, round(minutes, 1))
        _write(self._stamp(step.name), asdict(stamp))
        self._begun(step.name).unlink(missing_ok=True)
        return stamp

    def _restore(self, step: Step) -> None:
        stamp = self.stamp(step.name)
        for path in step.makes if stamp else ():
            lies = stamp and self._lies(step, path, stamp)
            if lies and lies != Path(path):
                copy_whole(lies, Path(path))

    def _lies(self, step: Step, path: str, stamp: Stamp) -> Path | None:
        """Where a file of a finished step lies as it was made: in its place, as a kept copy, or nowhere."""
        places = (Path(path), self._kept(step, path))
        return next((at for at in places if at.is_file() and sha256_of(at) == stamp.made.get(path)), None)

    def _kept(self, step: Step, path: str) -> Path:
        return self.folder / "kept" / step.name / Path(path).name

    def _stamp(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _begun(self, name: str) -> Path:
        return self.folder / f"{name}.begun.json"


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError:
        raise UsageError(f"{path} is damaged. Delete it: its step then runs again.") from None


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file into a folder that may not exist yet; the target is never seen half written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, draft)
    draft.replace(target)
