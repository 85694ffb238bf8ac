"""Reads zips of photos: the names in their code page, one file after the other, and every fault in words."""

from __future__ import annotations

import lzma
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO

from fewshot.classroom.names import alike
from fewshot.errors import UsageError, reason_of
from fewshot.translation import tr

MOST_FILES, MOST_BYTES = 3000, 1 << 30
"""A zip with more files or bytes than this is refused before anything is written."""

_UTF8, _ENCRYPTED = 0x800, 0x1
_UNICODE_PATH = 0x7075
# Code pages of systems whose zip programs do not write UTF-8: DOS and Windows names of western, central and eastern
# Europe, Turkey, Greece, the Hebrew and Arabic scripts, Japan, China, Taiwan and Korea.
_PAGES = (
    "cp437", "cp850", "cp1252", "cp852", "cp1250", "cp866", "cp1251", "cp857", "cp1254", "cp737", "cp1253", "cp862",
    "cp1255", "cp720", "cp1256", "shift_jis", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_RARE_PAGES = ("cp775", "cp1257", "cp874", "cp1258", "koi8_r")
"""The Baltic, Thailand, Vietnam, old Unix systems in Russia. In them, too, the usual western names look like names: so
they are only taken if they give names that are known, and are offered where the page is not clear."""
_FAULTS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, UnicodeError, NotImplementedError, RuntimeError,
    ValueError, EOFError, LookupError, ArithmeticError, TypeError, MemoryError, OSError,
)  # fmt: skip


@contextmanager
def in_words(archive: str, inside: str = "") -> Iterator[None]:
    """Turns what a damaged or unusual zip raises into an error that says what to do.

    Raises:
        UsageError: always in place of another error.
    """
    where = tr("{archive}, file {file},", archive=archive, file=inside) if inside else archive
    try:
        yield
    except UsageError:
        raise
    except NotImplementedError as error:
        raise UsageError(
            tr(
                "{zip} cannot be unpacked: it is packed by a method that this program does not know. Make the zip "
                "again with the usual method (deflate).",
                zip=where,
            )
        ) from error
    except _FAULTS as error:
        if "password" in str(error) or "encrypted" in str(error):
            raise UsageError(
                tr("{zip} cannot be unpacked: it has a password. Make the zip again, without a password.", zip=where)
            ) from error
        if isinstance(error, OSError) and error.strerror:
            raise UsageError(tr("{zip} cannot be unpacked: {reason}.", zip=where, reason=reason_of(error))) from error
        raise UsageError(
            tr("{zip} cannot be unpacked: it is damaged or not complete. Make the zip again.", zip=where)
        ) from error


def files_in(
    archive: zipfile.ZipFile, name: str, skip: Callable[[str], bool], known: Collection[str], notes: list[str]
) -> list[tuple[str, zipfile.ZipInfo]]:
    """The files of a zip with their names as they were written.

    Args:
        archive: the zip.
        name: its name, for messages.
        skip: which names are left out.
        known: names of students that are known; they tell the code page of names.
        notes: what a teacher should know is added here.

    Raises:
        UsageError: there are too many files, or the code page of the folders' names is not clear.
    """
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    kept = [pair for pair in _named(entries, name, known, notes) if not skip(pair[0])]
    size = sum(entry.file_size for _, entry in kept)
    if len(kept) > MOST_FILES or size > MOST_BYTES:
        raise UsageError(
            tr(
                "{zip} contains {number} files ({size} MB unpacked). The limit is {most} files and {limit} MB. Split "
                "it, and upload the parts one by one.",
                zip=name,
                number=len(kept),
                size=size >> 20,
                most=MOST_FILES,
                limit=MOST_BYTES >> 20,
            )
        )
    return kept


def copy(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: IO[bytes]) -> None:
    """Unpack one file piece by piece: a large zip needs no more memory than a small one."""
    with archive.open(entry) as source:
        while piece := source.read(1 << 20):
            target.write(piece)


def _named(
    entries: list[zipfile.ZipInfo], archive: str, known: Collection[str], notes: list[str]
) -> list[tuple[str, zipfile.ZipInfo]]:
    raw = {entry.filename: _raw(entry) for entry in entries}
    unclear = [name for name in raw.values() if isinstance(name, bytes)]
    page = _page(unclear, archive, known) if unclear else "utf-8"
    if page not in ("utf-8", "cp437"):
        shown = sorted({PurePosixPath(name.decode(page, "replace")).parts[0] for name in unclear})
        notes.append(
            tr(
                "The names in {zip} are not in UTF-8. They were taken for the code page {page}: {names}. If that is "
                "wrong, upload the folder itself instead of a zip.",
                zip=archive,
                page=page,
                names=", ".join(shown[:5]),
            )
        )
    names = [raw[entry.filename] for entry in entries]
    decoded = [name.decode(page, "replace") if isinstance(name, bytes) else name for name in names]
    return list(zip(decoded, entries, strict=True))


def _raw(entry: zipfile.ZipInfo) -> str | bytes:
    """The name of a file if its encoding is known, else its bytes."""
    if entry.filename.isascii() or entry.flag_bits & _UTF8:
        return entry.filename
    raw = entry.orig_filename.encode("cp437")
    extra = entry.extra
    while len(extra) >= 4:  # Info-ZIP's second name, in UTF-8
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and struct.unpack_from("<I", extra, 5)[0] == zlib.crc32(raw):
            return extra[9 : 4 + length].decode("utf-8")
        extra = extra[4 + length :]
    return raw


def _page(names: list[bytes], archive: str, known: Collection[str]) -> str:
    """The code page of names. Only the names of folders must be clear: those of the photos mean nothing."""
    folders = [folder for name in names if b"/" in name and not (folder := name.rpartition(b"/")[0]).isascii()]
    readings: dict[str, list[str]] = {}
    for page in ("utf-8", *_PAGES, *_RARE_PAGES):
        try:
            readings[page] = [folder.decode(page) for folder in folders]
        except UnicodeDecodeError:
            continue
    if "utf-8" in readings:
        return "utf-8"
    wanted = {alike(name) for name in known if not name.isascii()}
    meant = {page: words for page, words in readings.items() if _parts(words) <= wanted}
    likely = meant or {page: words for page, words in readings.items() if all(map(_plausible, words))}
    usual = meant or {page: words for page, words in likely.items() if page not in _RARE_PAGES}
    if usual and len({tuple(words) for words in usual.values()}) == 1:
        return next(iter(usual))
    choices = sorted({" / ".join(sorted(set(words))[:3]) for words in (likely or readings).values()})
    raise UsageError(
        tr(
            "The names of the folders in {zip} are not in UTF-8, and it is not clear how to read them. They may be: "
            "{names}. Upload the folder itself instead of a zip, or make the zip again with names in UTF-8.",
            zip=archive,
            names="; ".join(choices[:8]),
        )
    )


def _parts(words: list[str]) -> set[str]:
    return {alike(part) for word in words for part in word.split("/") if not part.isascii()}


def _plausible(name: str) -> bool:
    """Whether a name looks like one that a person wrote: letters of one script in each word, capitals in front."""
    for word in "".join(
        letter if letter.isalpha() or unicodedata.category(letter)[0] == "M" else " " for letter in name
    ).split():
        # A vowel sign belongs to one script, an accent to all.
        scripts = {_script(letter) for letter in word} - {"COMBINING"}
        if len(scripts) > 1 or (any(letter.isupper() for letter in word[1:]) and not word.isupper()):
            return False
    signs = (letter for letter in name if not letter.isascii() and not letter.isalpha())
    return all(unicodedata.category(sign)[0] == "M" for sign in signs)


def _script(letter: str) -> str:
    script = unicodedata.name(letter, "UNKNOWN").split()[0]
    return "CJK" if script in ("CJK", "HIRAGANA", "KATAKANA", "HALFWIDTH") else script
