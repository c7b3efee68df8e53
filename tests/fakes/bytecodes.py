"""A count of the bytecodes that run: what a step costs, the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Bytecodes:
    """Counts the bytecodes that run in a block, in all tasks."""

    count = 0

    @contextmanager
    def counted(self) -> Generator[None]:
        def trace(frame: FrameType, event: str, arg: object) -> Any:
            frame.f_trace_opcodes = True
            self.count += event == "opcode"
            return trace

        before: Any = sys.gettrace()
        sys.settrace(trace)
        try:
            yield
        finally:
            sys.settrace(before)
