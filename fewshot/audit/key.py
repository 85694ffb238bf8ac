"""The key that signs the head of the audit log (Ed25519): a file for its owner only, made when it is first needed."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fewshot.errors import UsageError
from fewshot.models.files import home
from fewshot.private_files import make_private_folder, tighten
from fewshot.translation import later

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

FILE = "audit-key"
_BYTES = 32

logger = logging.getLogger(__name__)
_known: dict[tuple[Path, int, int], Signer] = {}


class Signer:
    """Signs with one key.

    Attributes:
        public: the public half, 64 hex digits; with it anybody can check a signature.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """The signature, 128 hex digits."""
        return self._private.sign(message).hex()


def signer(make: bool = True) -> Signer | None:
    """What signs on this computer; None if there is no key yet and none is to be made.

    Args:
        make: make a key if there is none.

    Raises:
        UsageError: the key cannot be read or made, or it is damaged.
    """
    path = home() / FILE
    try:
        if not path.exists():
            if not make:
                return None
            _make(path)
        found = path.stat()
        known = (path, found.st_ino, found.st_mtime_ns)
        if known not in _known:
            for said in tighten([path]):
                logger.warning(said)
            _known[known] = Signer(_private(path.read_text(encoding="ascii").strip()))
        return _known[known]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it does not hold 64 hex digits"
        raise UsageError(
            later(
                "The key of the audit log in {path} cannot be used ({why}). Until it can, lines of the log are not "
                "signed. Put a backup of the file in its place. Without a backup, delete it: the next line makes a "
                "new key, and the log notes that.",
                path=path,
                why=why,
            )
        ) from error


def is_signed(public: str, message: bytes, signature: str) -> bool:
    """Whether the private half of a key has signed a message; False for what is not a key or a signature."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _private(text: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def _make(path: Path) -> None:
    """Make a key. If two programs do so at once, both then use the same one, and no one sees half a file."""
    make_private_folder(path.parent)
    number, made = tempfile.mkstemp(prefix=f".{FILE}-", dir=path.parent)  # with the rights 0600
    try:
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(os.urandom(_BYTES).hex())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, path)
        except FileExistsError:
            return
        except OSError:  # a disk without hard links
            Path(made).rename(path)
    finally:
        with contextlib.suppress(OSError):
            Path(made).unlink()
