"""The recovery file: opens the keys with a passphrase when the epoch key or the whole disk is lost.

It holds a private key (X25519) that is encrypted with the passphrase, and the present keys sealed to its public half,
which stays in ``keys.json``. So the file is written anew after every change without asking for the passphrase. After an
erasure the new file does not have the dropped keys. An older copy of the file still has them.
"""

from __future__ import annotations

import base64
import json
import logging
import secrets
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fewshot.errors import UsageError, reason_of
from fewshot.translation import later, together
from fewshot.vault.cipher import KEY_BYTES, derived
from fewshot.vault.durable import write_through

FORMAT = "fewshot recovery 1"
SHORTEST = 12
"""Characters of a passphrase."""

_BOX = b"fewshot recovery box"
_SCRYPT = {"n": 2**17, "r": 8, "p": 1}
_LARGEST = 64_000_000

logger = logging.getLogger(__name__)


def new_recovery(passphrase: str) -> dict[str, Any]:
    """A new key pair, as it is kept in ``keys.json``: the private half only encrypted.

    Raises:
        UsageError: the passphrase is too short.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    if len(passphrase) < SHORTEST:
        raise UsageError(
            later(
                "This passphrase has {number} characters, and at least {least} are needed. Nothing was written. "
                "Choose a longer one, such as five words that do not belong together.",
                number=len(passphrase),
                least=SHORTEST,
            )
        )
    private = X25519PrivateKey.generate()
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    sealed = _aead(_stretched(passphrase, salt)).encrypt(nonce, private.private_bytes_raw(), FORMAT.encode())
    return {
        "public": private.public_key().public_bytes_raw().hex(),
        "private": {"salt": salt.hex(), "nonce": nonce.hex(), "sealed": _text(sealed)},
        "places": [],
    }


def check_pair(pair: Mapping[str, Any]) -> None:
    """Raises ValueError, KeyError or TypeError if a key pair is not of the form that ``new_recovery`` makes."""
    texts = [pair["public"], *pair["places"], *(pair["private"][name] for name in ("salt", "nonce", "sealed"))]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    if len(bytes.fromhex(pair["public"])) != KEY_BYTES or any("\0" in place for place in pair["places"]):
        raise ValueError


def fits(recovery: Mapping[str, Any], passphrase: str) -> bool:
    """Whether a passphrase opens a recovery file."""
    try:
        _private(recovery, passphrase)
    except UsageError:
        return False
    return True


def seal_to(public: str, plain: bytes, bound: bytes) -> bytes:
    """Seal something so that only the passphrase opens it, which is not needed here.

    Args:
        public: the public half of a recovery file, hex digits.
        plain: any bytes.
        bound: must be given again to open it.

    Returns:
        A public key that was made for this once (32 bytes), the nonce (12), and the encrypted bytes.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    once = X25519PrivateKey.generate()
    made = once.public_key().public_bytes_raw()
    shared = _shared(once, bytes.fromhex(public), bytes.fromhex(public), made)
    nonce = secrets.token_bytes(12)
    return bytes(made + nonce + _aead(shared).encrypt(nonce, plain, bound))


def open_sealed(pair: Mapping[str, Any], passphrase: str, sealed: bytes, bound: bytes) -> bytes:
    """Open what ``seal_to`` made.

    Args:
        pair: the key pair, as in a recovery file.
        passphrase: of the recovery file.
        sealed: what ``seal_to`` returned.
        bound: what was given to it.

    Raises:
        UsageError: the passphrase is wrong.
        ValueError: what is sealed was changed.
    """
    private = _private(pair, passphrase)
    try:
        shared = _shared(private, sealed[:32], bytes.fromhex(pair["public"]))
        return bytes(_aead(shared).decrypt(sealed[32:44], sealed[44:], bound))
    except _failures() as error:
        raise ValueError("it was changed, or was sealed for another recovery file") from error


def write_files(record: Mapping[str, Any], keys: Mapping[str, bytes], only_stale: bool = False) -> list[str]:
    """Write the recovery file anew at all its places.

    Args:
        record: of ``keys.json``.
        keys: all keys.
        only_stale: leave files that are of the present state.

    Returns:
        A sentence for each place that could not be written.
    """
    recovery, said = record.get("recovery"), []
    for place in map(Path, recovery["places"] if recovery else ()):
        if only_stale and is_current(place, record):
            continue
        try:
            if not place.parent.is_dir():
                raise OSError("its folder is not there")
            refuse_other(place, record["store"])
            write_through(place, json.dumps(_content(record, keys), indent=1).encode())
        except UsageError as error:
            said.append(error.text)
        except (OSError, ValueError) as error:
            said.append(
                later(
                    "The recovery file {file} could not be brought up to date ({reason}): it lacks the newest keys, "
                    "and may still hold dropped ones. Connect its disk; the next start of fewshot writes it.",
                    file=place,
                    reason=reason_of(error),
                )
            )
    return said


def read_file(file: Path, passphrase: str) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Open a recovery file.

    Returns:
        What it says, and the keys by their ids.

    Raises:
        UsageError: it cannot be read, is no recovery file, or the passphrase is wrong.
    """
    record = read_record(file)
    try:
        plain = json.loads(open_sealed(record, passphrase, _bytes(record["box"]), _bound(record)))
        keys = {str(name): bytes.fromhex(key) for name, key in plain.items()}
        if any(len(key) != KEY_BYTES for key in keys.values()):
            raise ValueError
        return record, keys
    except _failures() as error:
        raise UsageError(
            later("The recovery file {file} is damaged. Nothing was changed. Use another copy of it.", file=file)
        ) from error


def read_record(file: Path) -> dict[str, Any]:
    """What can be read of a recovery file without its passphrase.

    Raises:
        UsageError: it cannot be read, or is no recovery file.
    """
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError
        record = json.loads(file.read_bytes())
        if record["format"] != FORMAT or not isinstance(record["dropped"], list):
            raise ValueError
        bytes.fromhex(record["store"] + record["public"])
        return dict(record)
    except OSError as error:
        raise UsageError(
            later(
                "The file {file} cannot be read ({reason}). Nothing was changed. Check its name and place.",
                file=file,
                reason=reason_of(error),
            )
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(
            later("{file} is not a recovery file of fewshot. Nothing was changed.", file=file),
            hint="Give the file that was written by fewshot key export.",
        ) from error


def refuse_other(file: Path, store: str) -> None:
    """Check that a recovery file would not replace something else.

    Args:
        file: to write.
        store: id of the keys.

    Raises:
        UsageError: the file is there, and is no recovery file of these keys.
    """
    if not file.exists() or (file.is_file() and not file.stat().st_size):
        return
    try:
        if read_record(file)["store"] == store:
            return
        what = later("{file} is the recovery file of another installation, so it was not replaced.", file=file)
    except UsageError:
        what = later("{file} exists and is not a recovery file, so it was not replaced.", file=file)
    raise UsageError(together(what, later("Give another file, or delete this one first.")))


def is_current(place: Path, record: Mapping[str, Any]) -> bool:
    """Whether the recovery file at a place is of the present state of ``keys.json``."""
    try:
        there = read_record(place)
    except UsageError:
        return False
    return bool(there["store"] == record["store"] and there.get("generation") == record["generation"])


def _content(record: Mapping[str, Any], keys: Mapping[str, bytes]) -> dict[str, Any]:
    recovery = record["recovery"]
    content = {
        "format": FORMAT, "store": record["store"], "generation": record["generation"], "public": recovery["public"],
        "private": recovery["private"], "dropped": record["dropped"],
    }  # fmt: skip
    plain = json.dumps({name: key.hex() for name, key in keys.items()}).encode()
    content["box"] = _text(seal_to(recovery["public"], plain, _bound(content)))
    return content


def _bound(record: Mapping[str, Any]) -> bytes:
    return f"recovery|{record['store']}|{record['generation']}|{','.join(record['dropped'])}".encode()


def _shared(private: Any, other: bytes, public: bytes, once: bytes | None = None) -> bytes:
    """The key of a box.

    Args:
        private: one's own private key.
        other: the other one's public key.
        public: the public key of the recovery file.
        once: the public key that was made for this box; None if it is ``other``.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    secret = private.exchange(X25519PublicKey.from_public_bytes(other))
    return derived(secret, (other if once is None else once) + public, _BOX)


def _private(record: Mapping[str, Any], passphrase: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    try:
        kept = record["private"]
        key = _stretched(passphrase, bytes.fromhex(kept["salt"]))
        raw = _aead(key).decrypt(bytes.fromhex(kept["nonce"]), _bytes(kept["sealed"]), FORMAT.encode())
        return X25519PrivateKey.from_private_bytes(raw)
    except _failures() as error:
        raise UsageError(
            later("The passphrase does not open the recovery file. Nothing was changed."),
            hint="Type the same command again, with the passphrase that was chosen when the file was made.",
        ) from error


def _stretched(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    plain = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return Scrypt(salt, KEY_BYTES, **_SCRYPT).derive(plain)


def _aead(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _failures() -> tuple[type[Exception], ...]:
    from cryptography.exceptions import InvalidTag

    return InvalidTag, ValueError, KeyError, TypeError


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
