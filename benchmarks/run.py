"""Run the benchmarks: all of them, or those named on the command line."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

PARTS = (
    "pull",
    "sync",
    "terminal",
    "app",
    "statusline",
    "queue_speed",
    "queue_events",
    "queue_scale",
    "queue_memory",
)


def main() -> None:
    sys.path.insert(0, str(Path(__file__).parent))
    chosen = sys.argv[1:] or PARTS
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for name in chosen:
        for row in import_module(name).rows():
            print(row, flush=True)


if __name__ == "__main__":
    main()
