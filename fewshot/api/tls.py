"""The certificate of a program that listens, checked before it listens."""

from __future__ import annotations

from pathlib import Path

from fewshot.errors import UsageError


def require_tls(certificate: Path | None, key: Path | None, option: str, without: UsageError | None) -> None:
    """Check the two files, and that nothing secret travels through a network without them.

    Args:
        certificate, key: PEM files for TLS; None for none.
        option: of the command line that names the key, without its dashes.
        without: the error if there is no certificate; None where only this computer can reach the program.

    Raises:
        UsageError: only one of the files was given, one is not there, or ``without``.
    """
    if (certificate is None) != (key is None):
        raise UsageError(
            "TLS needs a certificate and its private key, and only one of them was given. Give both.",
            hint=f"Add: --certificate FILE --{option} FILE",
        )
    for path in (certificate, key):
        if path is not None and not path.is_file():
            raise UsageError(f"There is no file {path}. Give the path of a PEM file.")
    if certificate is None and without is not None:
        raise without
