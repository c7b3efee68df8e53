"""``python -m ticketr``."""

from __future__ import annotations

from ticketr.cli import main

if __name__ == "__main__":
    main()
