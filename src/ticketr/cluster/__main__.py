"""``python -m ticketr.cluster``."""

from __future__ import annotations

import sys

from ticketr.cluster._commands import main

sys.exit(main())
