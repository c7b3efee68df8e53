"""What the streams of this process are."""

from __future__ import annotations

import os


def is_full_screen_possible() -> bool:
    """Tell whether input and output are a terminal that can do more than print lines."""
    kind = os.environ.get("TERM", "dumb")
    return os.isatty(0) and os.isatty(1) and kind not in {"", "dumb", "unknown"}
