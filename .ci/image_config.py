"""How an image wants its process started, as lines for a shell: ``buildah inspect ... | python3 image_config.py``.

Written: ``image_user`` (numbers), ``image_environment``, ``image_command`` and ``image_health`` (words, quoted), and
``image_layers``.
"""

from __future__ import annotations

import json
import shlex
import sys
from typing import Any


def lines(inspected: dict[str, Any]) -> list[str]:
    """The assignments.

    Args:
        inspected: what ``buildah inspect --type image`` says of an image in Docker's format.

    Raises:
        ValueError: the image does not say which user, command or health check it has.
    """
    image = inspected["Docker"]
    config = image["config"]
    command = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
    kind, *health = (config.get("Healthcheck") or {}).get("Test") or [""]
    user = config.get("User") or ""
    if not command or kind != "CMD" or not all(part.isdigit() for part in user.split(":")) or ":" not in user:
        raise ValueError(f"No command, no health check, or no user and group as numbers: {config}")
    found = {
        "image_user": user,
        "image_environment": shlex.join(config.get("Env") or ()),
        "image_command": shlex.join(command),
        "image_health": shlex.join(health),
        "image_layers": str(len(image["rootfs"]["diff_ids"])),
    }
    return [f"{name}={shlex.quote(value)}" for name, value in found.items()]


if __name__ == "__main__":
    print("\n".join(lines(json.load(sys.stdin))))
