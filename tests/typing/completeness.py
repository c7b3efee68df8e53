"""Check that no type of the library is missing or left to a type checker to infer.

`make check` runs it with the interpreter of ``basedpyright``. It prints nothing if all types are
known. The modules of the app are not checked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LIBRARY = (
    "ticketr.jobs.",
    "ticketr.statusline.",
    "ticketr.testing.",
    "ticketr.portal.",
    "ticketr._errors.",
)


def main() -> None:
    """Exit with a line for each type that is not known."""
    ours = [symbol for symbol in symbols() if is_of_the_library(symbol["name"])]
    if not any(symbol["name"] == "ticketr.open_job_queue" for symbol in ours):
        sys.exit("ticketr was not found")
    wrong = [one for one in ours if one["isTypeAmbiguous"] or not one["isTypeKnown"]]
    if wrong:
        # Most have no line of their own: they are unknown because of what they refer to.
        lines = [line for symbol in wrong for line in doubts(symbol)]
        sys.exit("\n".join([*lines, f"{len(wrong)} types of {len(ours)} are not complete"]))


def symbols() -> list[dict[str, Any]]:
    """Return all symbols that ``ticketr`` exports, and those that describe them."""
    folder = Path(sys.executable).parent
    command = ["basedpyright", "--verifytypes", "ticketr", "--ignoreexternal", "--outputjson"]
    answer = subprocess.run(
        [folder / command[0], *command[1:]],
        # It looks for the package with the first Python on the path.
        env=os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,  # its exit code counts the app's modules too
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)["typeCompleteness"]["symbols"]
    return found


def is_of_the_library(name: str) -> bool:
    """Return whether a symbol is in a module of the library, or exported by ``ticketr``."""
    return name.startswith(LIBRARY) or name.count(".") == 1


def doubts(symbol: dict[str, Any]) -> list[str]:
    """Return what is not known of a symbol's type, and where."""
    return [
        f"{problem['file']}:{problem['range']['start']['line'] + 1}: "
        f"{symbol['name']}: {problem['message']}"
        for problem in symbol["diagnostics"]
        if "range" in problem
    ]


if __name__ == "__main__":
    main()
