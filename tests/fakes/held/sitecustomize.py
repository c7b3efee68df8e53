"""Hold the sandbox of a demo, see `held_sandbox`; Python imports this in each process at its start."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

if "jira_sandbox" in sys.orig_argv:
    from fakes.held_sandbox import PULL, START, Hold

    from jira_sandbox import server

    while START in os.environ and not Path(os.environ[START]).exists():
        time.sleep(0.02)  # noqa: TID251 - no Trio here
    if PULL in os.environ:
        create_app = vars(server)["create_app"]

        def create_held_app(*arguments: Any, **options: Any) -> Hold:
            hold = Hold(Path(os.environ[PULL]))
            hold.app = create_app(*arguments, **options)
            return hold

        vars(server)["create_app"] = create_held_app
