"""List the licence of every package that runs, and the parts under the GPL, from what is installed.

    python .ci/licences.py                              # prints the page
    python .ci/licences.py docs/reference/licences.md   # writes it

Install everything first (make install). What only trains networks or tests the program is not on the page.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("heif", "openvino", "video", "app", "labels", "postgres")
"""Extras that run; "train" is for research."""

FFMPEG = "LGPL-2.1-or-later"
"""FFmpeg's licence, unless x264 or x265 is built into it: then it is under the GPL too."""

BUNDLED = {
    "x264": "GPL-2.0-or-later", "x265": "GPL-2.0-or-later", "postproc": "GPL-2.0-or-later", "heif": "LGPL-3.0-or-later",
    "de265": "LGPL-3.0-or-later", "avcodec": FFMPEG,
    "mp3lame": "LGPL-2.0-or-later", "libgeos": "LGPL-2.1-or-later",
}  # fmt: skip
"""Libraries inside wheels whose licence asks more than to be named: part of the file's name -> licence."""

FROM_FILES = {
    "av": "BSD-3-Clause", "fpdf2": "LGPL-3.0-only", "insightface": "MIT", "flatbuffers": "Apache-2.0",
    "uharfbuzz": "Apache-2.0", "protobuf": "BSD-3-Clause",
}  # fmt: skip
"""Licences of packages whose metadata do not say them in one word, from the licence file that they bring."""

_SIGNS = (
    ("Apache", "Apache-2.0"), ("MIT", "MIT"), ("BSD", "BSD"), ("MPL", "MPL-2.0"), ("Mozilla", "MPL-2.0"),
    ("ISC", "ISC"),
    ("LGPL", "LGPL"), ("Lesser", "LGPL"), ("GPL", "GPL"), ("PSF", "PSF-2.0"), ("Python Software", "PSF-2.0"),
    ("HPND", "HPND"), ("Historical", "HPND"), ("Unlicense", "Unlicense"), ("zlib", "Zlib"),
)  # fmt: skip


def running() -> dict[str, set[str]]:
    """Every package that runs -> where it comes from: "runtime" or the names of extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: dict[str, set[str]] = {}
    groups = {"runtime": project["dependencies"]} | {name: project["optional-dependencies"][name] for name in EXTRAS}
    for group, lines in groups.items():
        waiting = [wanted for line in lines if applies(wanted := Requirement(line), frozenset())]
        seen: set[tuple[str, frozenset[str]]] = set()
        while waiting:
            wanted = waiting.pop()
            name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
            if (name, extras) in seen:
                continue
            seen.add((name, extras))
            found.setdefault(name, set()).add(group)
            part = installed(name)
            waiting += [
                inner for line in (part.requires or [] if part else []) if applies(inner := Requirement(line), extras)
            ]
    return found


def applies(wanted: Requirement, extras: frozenset[str]) -> bool:
    """Whether a requirement counts on this machine, with these extras of the package that names it."""
    return wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in (extras or {""}))


def installed(name: str) -> Distribution | None:
    """The package; None if it is not installed."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def licence_of(part: Distribution) -> str:
    """The licence as the package names it; "unknown" if it does not."""
    told = part.metadata
    name = canonicalize_name(str(told["Name"]))
    if expression := told.get("License-Expression"):
        return str(expression)
    if name in FROM_FILES:
        return FROM_FILES[name]
    classifiers = [
        line.rpartition("::")[2].strip() for line in told.get_all("Classifier") or [] if line.startswith("License ::")
    ]
    texts = [line for line in classifiers if line != "OSI Approved"] + [
        str(told.get("License") or "").split("\n")[0][:80]
    ]
    for text in texts:
        for sign, short in _SIGNS:
            if sign.lower() in text.lower():
                return text if short in ("BSD", "LGPL", "GPL") and len(text) < 60 else short
    return "unknown"


def bundled(part: Distribution) -> Iterator[tuple[str, str]]:
    """File and licence of the libraries in a wheel that are named in ``BUNDLED``."""
    files = part.files or []
    gpl = any(sign in file.name for file in files for sign in ("libx264", "libx265"))
    for file in files:
        if re.search(r"\.(so|dll|dylib|pyd)\b", file.name):
            for sign, licence in BUNDLED.items():
                if sign in file.name.lower():
                    whole = "GPL-2.0-or-later" if licence == FFMPEG and gpl else licence
                    yield re.sub(r"[-.][0-9a-f]{6,}", "", file.name), whole


def page() -> str:
    """The page, in Markdown."""
    rows, parts, missing = [], [], []
    for name, groups in sorted(running().items()):
        part = installed(name)
        if part is None:
            missing.append(name)
            continue
        rows.append(f"| {name} | {part.version} | {licence_of(part)} | {', '.join(sorted(groups))} |")
        parts += [f"| {name} | {file} | {licence} |" for file, licence in sorted(set(bundled(part)))]
    lines = [
        "# Licences",
        "",
        "The code of fewshot is under the Apache License 2.0, its weights under `WEIGHTS_LICENSE`. This page lists",
        "what an installation brings. `make sbom` writes it again, and a software bill of materials (CycloneDX) to",
        "`outputs/sbom.json`.",
        "",
        "## Parts under the GPL or LGPL inside wheels",
        "",
        "Whoever passes on an installation with them must follow their licences. `NOTICE` says what works without",
        "them: PyAV (`av`) brings libx264 and libx265, pillow-heif brings libx265, shapely brings GEOS.",
        "",
        "| package | file | licence |",
        "|---|---|---|",
        *parts,
        "",
        "## Packages",
        "",
        "| package | version | licence | brought by |",
        "|---|---|---|---|",
        *rows,
    ]
    if missing:
        lines += ["", f"Not installed where this page was made: {', '.join(missing)}."]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")
    else:
        print(page(), end="")
