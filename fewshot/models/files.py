"""Finds model files in a cache, on the internet, or in this package. ``registry.py`` describes them."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fewshot.checksums import sha256_of
from fewshot.errors import ModelMissing, ModelUnavailable, UsageError, reason_of
from fewshot.models import offline
from fewshot.models.lock import one_process
from fewshot.models.registry import REGISTRY, ModelFile, chain_licence
from fewshot.translation import later, together

__all__ = [
    "REGISTRY",
    "Check",
    "ModelFile",
    "chain_licence",
    "home",
    "list_models",
    "pull",
    "resolve",
    "verify",
]

logger = logging.getLogger(__name__)

WEIGHTS = Path(__file__).parents[1] / "weights"
"""Files that ship with the package."""

REPOSITORY_WEIGHTS = Path(__file__).parents[2] / "experiments" / "weights"
"""Files that only a checkout of the project has, because they would make the wheel three times as large. An installed
package does not have this folder, so the program must also work without it."""

START_PATIENCE = 2.2
"""Seconds that a start waits for the first bytes of a download, so that a blocked network costs less than 3 s."""

PULL_PATIENCE = 10.0
"""The same for ``fewshot models pull``: longer, because the user wants the file."""

_downloading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Check:
    """The check of one model file: where it was found ("missing" if nowhere), and whether its content is right.

    ``fault`` is what ``text`` says without the command that helps; "" if it names none.
    """

    model: ModelFile
    origin: str
    path: Path | None
    ok: bool
    text: str
    fault: str = ""


def home() -> Path:
    """The program's folder for all its files: ``$FEWSHOT_HOME``, or ``.fewshot`` in the user's home folder.

    Raises:
        UsageError: the user has no home folder.
    """
    given = os.environ.get("FEWSHOT_HOME")
    try:
        return Path(given).expanduser() if given else Path.home() / ".fewshot"
    except RuntimeError as error:
        raise UsageError(
            later(
                "The folder for the program's files cannot be found, because this user has no home folder. Set the "
                "environment variable FEWSHOT_HOME to the path of a folder that this user may write to."
            )
        ) from error


def network_file(given: str | Path | None = None) -> Path | None:
    """The expression network to use instead of the shipped one: ``given``, else ``$FEWSHOT_NETWORK``, else None.

    Raises:
        UsageError: there is no such file.
    """
    named = given or os.environ.get("FEWSHOT_NETWORK")
    return resolve("expression", named) if named else None


def resolve(name: str, path: str | Path | None = None, download: bool = True) -> Path:
    """Path of a model's file on this machine; it is downloaded if necessary.

    It is searched in this order: ``path``; the cache (``home()/models``, then insightface's own folder);
    ``$FEWSHOT_SHARED/models``; the files of this package or of its repository; download. A file is used only if its
    checksum is right, but ``path`` is used without a check.

    Args:
        name: name of the model in the registry.
        path: the file itself, or a folder that contains it.
        download: whether it may be downloaded. A network that does not answer costs less than 3 s, once in 10 minutes.

    Raises:
        UsageError: there is no such model, or no file at ``path``.
        ModelMissing: the file is not on this machine and cannot be downloaded.
        ModelUnavailable: a file is there, but it is damaged or unreadable, and no good one can be downloaded.
    """
    model = _entry(name)
    if path is not None:
        given = Path(path).expanduser()
        given = given / model.file if given.is_dir() else given
        if not given.is_file():
            raise UsageError(
                later(
                    "There is no file {file}. Give the path of {file2}, or leave the path out.",
                    file=given,
                    file2=model.file,
                )
            )
        return given
    found = _find(model)
    if found is None and download and not model.embedded:
        # Several programs that start in a new folder would write into one partial file.
        with _downloading, one_process(home() / "models"):
            found = _find(model) or _try_download(model)
    if found is None:
        raise _damaged(model) or _missing(model, _absent(model))
    return found


def _try_download(model: ModelFile) -> Path:
    """Download a model at a start. A file that is there and wrong stays the error if nothing better comes."""
    try:
        return _download(model, START_PATIENCE)
    except ModelUnavailable as error:
        raise _damaged(model) or ModelMissing(error.text, hint=error.hint) from error


def _damaged(model: ModelFile) -> ModelUnavailable | None:
    """The error for a model whose file is there but cannot be used; None if there is no file."""
    for check in (_check(model, origin, path) for origin, path in _places(model) if _is_there(path)):
        return ModelUnavailable(
            later(
                "The file {path} ({task}) is there but cannot be used: it is {fault}",
                path=check.path,
                task=model.task,
                fault=check.fault or check.text,
            ),
            hint=together(
                _advice(model) if check.fault else "", "To check the model files, type: fewshot models verify"
            ),
        )
    return None


def _is_there(path: Path) -> bool:
    """Whether there is an entry with this name, even one that cannot be read."""
    try:
        return os.path.lexists(path)
    except OSError:
        return True


def pull(names: Sequence[str] = ()) -> list[Path]:
    """Download missing models. It waits longer than a start, and tries the network even if it failed recently.

    Args:
        names: names of models; if empty, all published models.

    Returns:
        Path of each model, in order.

    Raises:
        UsageError: there is no such model.
        ModelUnavailable: at least one model cannot be downloaded (the others were downloaded).
    """
    models = [_entry(name) for name in names] or [entry for entry in REGISTRY.values() if entry.remote()]
    failed: dict[str, ModelUnavailable] = {}
    for model in models:
        if model.embedded or model.source in failed or _find(model):
            continue
        try:
            with _downloading, one_process(home() / "models"):
                if not _find(model):
                    _download(model, PULL_PATIENCE, insist=True)
        except ModelUnavailable as error:
            failed[model.source] = error
    if failed:
        errors = list(failed.values())
        raise ModelUnavailable(together(*(error.text for error in errors), between="\n"), hint=errors[-1].hint)
    return [resolve(model.name, download=False) for model in models]


def list_models() -> list[Check]:
    """One check per model of the registry: the file that would be used, or that it is missing."""
    return [next((check for check in checks if check.ok), checks[0]) for checks in map(_checks, REGISTRY.values())]


def verify() -> list[Check]:
    """Compare every model file on this machine with the registry; a missing model gets one check, too."""
    return [check for model in REGISTRY.values() for check in _checks(model)]


def _entry(name: str) -> ModelFile:
    if name not in REGISTRY:
        raise UsageError(
            later("There is no model called {name!r}. Choose from: {models}.", name=name, models=", ".join(REGISTRY))
        )
    return REGISTRY[name]


def _cached(model: ModelFile) -> Path:
    return home() / "models" / model.folder / model.file


def _places(model: ModelFile) -> Iterator[tuple[str, Path]]:
    """Places where a file may be, in order of preference: (name of the place, path)."""
    yield "cache", _cached(model)
    if model.archive is not None:
        with suppress(RuntimeError):  # a user without a home folder
            yield "insightface", Path.home() / ".insightface" / "models" / model.folder / model.file
    shared = os.environ.get("FEWSHOT_SHARED")
    if shared and model.shared:
        yield "FEWSHOT_SHARED", Path(shared).expanduser() / "models" / model.shared / model.file
    if model.embedded:
        yield "embedded", WEIGHTS / model.file
    if model.in_repository:
        yield "repository", REPOSITORY_WEIGHTS / model.file


def _find(model: ModelFile) -> Path | None:
    for origin, path in _places(model):
        if path.is_file():
            check = _check(model, origin, path)
            if check.ok:
                return path
            logger.warning("%s is not used, because it is %s", path, check.text)
    return None


def _checks(model: ModelFile) -> list[Check]:
    found = [_check(model, origin, path) for origin, path in _places(model) if path.is_file()]
    return found or [Check(model, "missing", None, False, _advice(model))]


def _check(model: ModelFile, origin: str, path: Path) -> Check:
    try:
        size = path.stat().st_size
        sha256 = model.sha256 and sha256_of(path)
    except OSError as error:
        return Check(model, origin, path, False, later("unreadable ({reason}).", reason=reason_of(error)))
    if sha256 is None:
        return Check(model, origin, path, size > 0, f"checksum not known, size only: {size} bytes")
    if sha256 == model.sha256:
        return Check(model, origin, path, True, "the published file")
    if sha256 in model.copies:
        return Check(model, origin, path, True, model.copies[sha256])
    text = later(
        "damaged, or another file than {file} ({size} bytes, expected: {expected}). Delete it.",
        file=model.file,
        size=size,
        expected=model.size,
    )
    return Check(model, origin, path, False, together(text, _advice(model)), text)


def _advice(model: ModelFile) -> str:
    if model.embedded:
        return later("It ships with this package: install fewshot again.")
    if model.in_repository:
        return later(
            "It is not part of the installed package: copy experiments/weights/{file} from a checkout of the "
            "repository to {place}.",
            file=model.file,
            place=_cached(model),
        )
    return later("Type `fewshot models pull` while there is internet, or copy it to {place}.", place=_cached(model))


def _absent(model: ModelFile) -> str:
    return later("{file} ({task}) is not on this machine.", file=model.file, task=model.task)


def _missing(model: ModelFile, what: str) -> ModelMissing:
    """The error for a file that is not on this machine; ``what`` says in a sentence what happened."""
    if model.embedded or model.in_repository:
        return ModelMissing(together(what, _advice(model)))
    copy = later("Download it while there is internet, or copy it to {place}.", place=_cached(model))
    return ModelMissing(
        together(what, copy),
        hint="To download it, type: fewshot models pull",
    )


def _download(model: ModelFile, patience: float, insist: bool = False) -> Path:
    """Download a model into the cache, together with all models in the same archive."""
    # Imported here, because most starts need no download and the libraries for it take 0.1 s.
    from fewshot.models.download import Unreachable, extract, fetch

    mirror = os.environ.get("FEWSHOT_MODELS_URL", "")
    remote = model.remote(mirror)
    if remote is None:
        raise _missing(model, _absent(model))
    memory, network = home() / "offline.json", mirror or "internet"
    if not insist and offline.was_silent(memory, network):
        raise _missing(
            model,
            together(
                _absent(model),
                later(
                    "The download was not tried again, because the network did not answer within the last "
                    "{minutes:.0f} minutes.",
                    minutes=offline.MEMORY / 60,
                ),
            ),
        )
    try:
        if model.archive is None:
            fetch(remote, _cached(model).parent, patience)
        else:
            archive = fetch(remote, home() / "models", patience)
            members = [entry for entry in REGISTRY.values() if entry.archive == model.archive]
            extract(archive, {_cached(entry): entry.sha256 for entry in members if entry.sha256})
    except Unreachable as error:
        offline.remember(memory, network)
        raise _missing(model, together(_absent(model), error.text)) from error
    offline.forget(memory, network)
    return _cached(model)
