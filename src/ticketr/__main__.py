"""``python -m ticketr``."""

from __future__ import annotations

import sys

try:
    from ticketr.app.cli import main
except KeyboardInterrupt:
    sys.stderr.write("ticketr: interrupted\n")
    sys.exit(130)

if __name__ == "__main__":
    main()
