"""What ``keys.json`` says, and how its parts are bound together."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from fewshot.errors import reason_of
from fewshot.translation import later
from fewshot.vault.cipher import Cipher, derived
from fewshot.vault.errors import lost_keys
from fewshot.vault.recovery import check_pair

FORMAT = "fewshot keys 1"
_WRAP = b"fewshot wrapping key"


def wrapping_cipher(epoch: bytes, secret: str, record: dict[str, Any]) -> Cipher:
    """Neither the epoch key nor the secret alone opens anything."""
    return Cipher(derived(secret.encode("utf-8", "surrogatepass") or b"\0", epoch, _WRAP), record["epoch"])


def bound(record: dict[str, Any], name: str) -> bytes:
    """What is authenticated with a wrapped key."""
    return f"keys|{record['store']}|{record['epoch']}|{name}".encode()


def epoch_file(place: Path, record: dict[str, Any]) -> Path:
    """The file of the epoch key in a folder."""
    return place / f"{record['copy']}-{record['epoch']}.key"


def is_there(path: Path) -> bool:
    """Whether a file or folder exists. One that may not be looked at counts too, so that the error says that."""
    try:
        return path.exists()
    except PermissionError:
        return True


def dropped_in(path: Path) -> list[str]:
    """The ids of dropped keys in a file that cannot be used otherwise."""
    try:
        found = json.loads(path.read_bytes())["dropped"]
        return [str(name) for name in found]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def shown(folders: list[Path]) -> str:
    """Folders in words."""
    return " or ".join(map(str, folders))


def text_of(data: bytes) -> str:
    """Bytes as text for JSON."""
    return base64.b64encode(data).decode("ascii")


def bytes_of(text: str) -> bytes:
    """The bytes of ``text_of``. Raises ValueError for anything else."""
    return base64.b64decode(text, validate=True)


def read_record(path: Path) -> dict[str, Any]:
    """What a ``keys.json`` says, without opening a key.

    Raises:
        KeysUnusable: it cannot be read, or it is damaged.
    """
    try:
        record = json.loads(path.read_bytes())
        if record["format"] != FORMAT:
            raise lost_keys(path, later("its format {format!r} is not known to this program", format=record["format"]))
        _check(record)
        return dict(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = reason_of(error) if getattr(error, "strerror", None) else later("it is damaged")
        raise lost_keys(path, why) from error


def _check(record: dict[str, Any]) -> None:
    """Raises ValueError, KeyError or TypeError if a part has another form than the one that is written."""
    bytes.fromhex(record["store"] + record["copy"] + record["epoch"])
    paths = [record["folder"], record["place"], *record.get("places", ())]
    texts = [*paths, record["check"], *record["dropped"], *record["keys"].keys(), *record["keys"].values()]
    if not all(isinstance(text, str) for text in texts) or not isinstance(record["dropped"], list):
        raise TypeError
    if not isinstance(record["generation"], int) or any("\0" in path for path in paths):
        raise ValueError
    if "recovery" in record:
        check_pair(record["recovery"])
