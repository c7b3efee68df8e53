"""Hold a sandbox's responses until the test has seen what a program shows meanwhile.

What a program shows in mid pull is gone before a frame is drawn if the machine is slow enough, and
no latency is long enough for every machine. So a test holds the responses instead.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

#: The variables that name the files for which a demo's sandbox waits: to start, and in mid pull.
START, PULL = "TEST_HELD_START", "TEST_HELD_PULL"
_POLL = 0.02


@dataclass(eq=False)
class Hold:
    """ASGI middleware that holds requests until a file exists.

    Attributes:
        file: The file, which the test makes to let the requests go on.
        path: A part of the paths of the requests, usually those for the content of issues.
        answered: The number of them that are answered at once; 1 is 100 issues of a pull.
    """

    file: Path
    path: str = "/issue/bulkfetch"
    answered: int = 1
    app: ASGIApp = field(init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait if the request is held, then pass it on."""
        if scope["type"] == "http" and self.path in scope["path"]:
            self.answered -= 1
            while self.answered < 0 and not self.file.exists():  # noqa: ASYNC110 - of another process
                await trio.sleep(_POLL)
        await self.app(scope, receive, send)


def held_demo(**files: Path) -> dict[str, str]:
    """Return the variables that hold the sandbox of a demo until the test makes files.

    Args:
        files: The file to wait for at the ``start``, and after the first issues of a ``pull``.
    """
    tests = Path(__file__).parents[1]
    return {
        # Python imports `sitecustomize` from there when it starts.
        "PYTHONPATH": os.pathsep.join([str(tests / "fakes" / "held"), str(tests)]),
        **{{"start": START, "pull": PULL}[name]: str(file) for name, file in files.items()},
    }
