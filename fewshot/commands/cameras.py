"""``fewshot cameras``: which cameras this computer has, and which number each one is."""

from __future__ import annotations

from fewshot.commands.terminal import cell, console, table, tell
from fewshot.live.sources.cameras import list_cameras


def show_cameras() -> None:
    """Print a row for every camera that gives a picture, or what to do if there is none."""
    found = list_cameras()
    if not found:
        tell(
            "No camera gives a picture. Plug one in, close other programs that use it, or allow access to it in the "
            "system's privacy settings."
        )
        return
    rows = table("Number", "Camera")
    for number, name in found:
        rows.add_row(str(number), cell(name) or "-")
    console().print(rows)
    tell(f"To watch a camera, type: fewshot live --source {found[0][0]}")
