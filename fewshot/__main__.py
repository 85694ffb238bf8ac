"""``python -m fewshot`` is the command ``fewshot``."""

from __future__ import annotations

from fewshot.cli import main

if __name__ == "__main__":
    main()
