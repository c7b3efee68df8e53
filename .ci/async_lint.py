"""Run flake8-async on files, with less work for each.

By itself it computes the position of each node of a file anew for each rule, because a rule may
rewrite the file. Here none does.
"""

# ruff: noqa: INP001 - no package

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING, Any

import flake8_async
import libcst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flake8_async.base import Error


class Runner(flake8_async.Flake8AsyncRunner_cst):
    """Runs all rules on one tree."""

    noqas: Any

    def run(self) -> Iterator[Error]:
        """Yield what the rules find."""
        wrapper = libcst.MetadataWrapper(self.module, unsafe_skip_copy=True)
        for rule in (*self.utility_visitors, *self.visitors):
            wrapper.visit(rule)
        yield from self.state.problems
        self.noqas = self.state.noqas


if __name__ == "__main__":
    flake8_async.Flake8AsyncRunner_cst = Runner  # type: ignore[misc]
    gc.disable()  # trees of syntax have no cycles, and there are millions of nodes
    sys.exit(flake8_async.main())
