"""The command ``fewshot`` without its encryption, to measure what that costs. Only for made-up classes.

    python -m fewshot.research.bench.sealing.not_encrypted app

Everything is as in ``fewshot``, also the length of the values, but they are written as they are. Such a database cannot
be opened by ``fewshot``, nor can this program open one of it.
"""

from __future__ import annotations

from typing import Any

from fewshot.cli import main
from fewshot.vault import cipher

_CHECK = bytes(16)
"""As long as what AES-GCM appends."""


class _AsItIs:
    """Has the methods of AESGCM that are used."""

    def encrypt(self, _nonce: bytes, plain: bytes, _bound: bytes) -> bytes:
        return plain + _CHECK

    def decrypt(self, _nonce: bytes, sealed: bytes, _bound: bytes) -> bytes:
        return sealed[: -len(_CHECK)]


def _aead(_key: bytes) -> Any:
    return _AsItIs()


# Also in processes that this one starts: they import this module as their main program.
cipher._aead = _aead  # type: ignore[assignment]

if __name__ == "__main__":
    main()
