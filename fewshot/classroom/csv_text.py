"""Reads tables that a spreadsheet wrote as text: any usual encoding and separator."""

from __future__ import annotations

import codecs
import csv
import io
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from fewshot.classroom.names import alike
from fewshot.errors import UsageError
from fewshot.translation import later

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CODE_PAGES = (
    "cp1252", "mac_roman", "cp850", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "cp866", "cp852", "cp775", "cp874", "koi8_r", "shift_jis", "gb18030", "big5", "euc_kr",
)  # fmt: skip
"""Encodings of systems and spreadsheets that do not write UTF-8; the most frequent one comes first."""
_LOOKED_AT = 20_000
"""Signs of a file that tell its code page; a list of consents of a whole school may be long."""


def decoded(raw: bytes, words: Collection[str]) -> str:
    """The text of a file. If it has no mark and is not UTF-8, the code page in which most of ``words`` occur is taken.

    Among several, it is the first one with the fewest signs that do not fit into words, such as "MŸller" and "RenŽ".

    Args:
        raw: the file.
        words: names that should occur in it, such as those of the students' folders.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    if b"\0" in raw[:200]:
        return raw.decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        texts = [raw.decode(page, errors="replace") for page in CODE_PAGES]
        wanted = [alike(word) for word in words]
        return max(texts, key=lambda text: (sum(word in alike(text) for word in wanted), -_misfits(text[:_LOOKED_AT])))


def _misfits(text: str) -> int:
    """How many signs beyond ASCII are not letters, or have the wrong case for their place in a word."""
    found = 0
    for before, last, sign in zip("  " + text, " " + text, text, strict=False):
        if max(last, sign) < "\x80":
            continue
        fits = sign.isalpha() or unicodedata.category(sign)[0] == "M" or sign == "\u2019"
        found += (sign >= "\x80" and not fits) or (last.islower() and sign.isupper())
        found += before.isupper() and last.isupper() and sign.islower()
    return found


def table_rows(text: str, columns: Sequence[str]) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The heads of a table, and its rows with the numbers of their lines.

    Separators are commas, semicolons, tabs or bars: as Excel's line ``sep=;`` says, or the one that gives most columns.

    Args:
        text: the file.
        columns: the heads that are expected.

    Raises:
        UsageError: the text is not a table.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    skipped = len(lines) - len(lines.lstrip("\n \ufeff"))
    line, lines = lines[:skipped].count("\n"), lines[skipped:]
    separators = ",;\t|"
    first, _, rest = lines.partition("\n")
    if first.strip(' "').lower().startswith("sep=") or first.lower().startswith('"sep='):
        named = first.strip(' "')[4:5] or "\t"
        separators = named if named in separators else separators
        line, lines = line + 1, rest
    first = lines.partition("\n")[0]
    separator = max(separators, key=lambda sign: len(set(_heads(first, sign)) & set(columns)))
    heads = _heads(first, separator)
    reader = csv.DictReader(io.StringIO(lines, newline=""), heads, delimiter=separator, skipinitialspace=True)
    return heads, _rows(reader, line, heads)


def _rows(reader: csv.DictReader[str], line: int, heads: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        next(reader, None)
        for row in reader:
            yield line + reader.line_num, {head: (row.get(head) or "").strip() for head in heads}
    except csv.Error as error:
        raise UsageError(
            later(
                "Line {line} is not a row of a table ({reason}). Save it as CSV.",
                line=line + reader.line_num,
                reason=error,
            )
        ) from error


def _heads(line: str, separator: str) -> list[str]:
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []
    return ["_".join(cell.replace("-", " ").replace("_", " ").split()).lower() for cell in cells]
