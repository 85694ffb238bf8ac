"""What the system is researched with. The running system imports nothing from here (a test holds it)."""

import os

from fewshot.models.files import home

# matplotlib would keep its list of fonts in the user's own folders.
os.environ.setdefault("MPLCONFIGDIR", str(home() / "cache" / "matplotlib"))
