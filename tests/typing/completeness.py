"""See that no type of the library is missing or left to a type checker to guess.

A command for the gate, run by the interpreter that ``basedpyright`` is installed beside. It says
nothing if all is well. The modules of the app are their own matter.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

LIBRARY = ("ticketr.jobs.", "ticketr.statusline.", "ticketr.testing.", "ticketr._errors.")


def main() -> None:
    """Exit with a line for each type that is not known for certain."""
    ours = [symbol for symbol in symbols() if is_of_the_library(symbol["name"])]
    if not any(symbol["name"] == "ticketr.open_job_queue" for symbol in ours):
        sys.exit("ticketr was not found")
    wrong = [one for one in ours if one["isTypeAmbiguous"] or not one["isTypeKnown"]]
    if wrong:
        # Most have no line of their own: they are wrong because of what they lead to.
        lines = [line for symbol in wrong for line in doubts(symbol)]
        sys.exit("\n".join([*lines, f"{len(wrong)} types of {len(ours)} are not complete"]))


def symbols() -> list[dict[str, Any]]:
    """All that ``ticketr`` exports, and what is needed to describe that."""
    folder = Path(sys.executable).parent
    command = ["basedpyright", "--verifytypes", "ticketr", "--ignoreexternal", "--outputjson"]
    answer = subprocess.run(
        [folder / command[0], *command[1:]],
        # It looks for the package with the first Python there is.
        env=os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,  # it counts the app's modules, too
    )
    found: list[dict[str, Any]] = json.loads(answer.stdout)["typeCompleteness"]["symbols"]
    return found


def is_of_the_library(name: str) -> bool:
    """Whether it is in one of the library's modules, or exported by ``ticketr`` itself."""
    return name.startswith(LIBRARY) or name.count(".") == 1


def doubts(symbol: dict[str, Any]) -> list[str]:
    """What is not known of its type, and where."""
    return [
        f"{problem['file']}:{problem['range']['start']['line'] + 1}: "
        f"{symbol['name']}: {problem['message']}"
        for problem in symbol["diagnostics"]
        if "range" in problem
    ]


if __name__ == "__main__":
    main()
