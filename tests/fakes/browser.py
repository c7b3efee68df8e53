"""A real browser without a window: Chromium, driven over a pipe by its DevTools protocol."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

PROGRAM = shutil.which("chromium")
"""The path of the browser; None where it is not installed."""
PATIENCE = 60.0
# The browser speaks on descriptors 3 and 4.
_START = """
import os, sys
read, write = os.dup(int(sys.argv[1])), os.dup(int(sys.argv[2]))
for descriptor, number in ((read, 3), (write, 4)):
    if descriptor != number:
        os.dup2(descriptor, number)
    os.set_inheritable(number, True)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """One page of a browser.

    Attributes:
        complaints: What the browser has logged of faults of the page.
        dialogs: The messages of the dialogs that the page has opened; each was accepted.
    """

    def __init__(self, commands: trio.abc.SendStream) -> None:
        self.complaints: list[str] = []
        self.dialogs: list[str] = []
        self._commands = commands
        self._session = ""
        self._last = 0
        self._answers: dict[int, trio.MemorySendChannel[dict[str, Any]]] = {}

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command and return its result."""
        self._last += 1
        number, message = self._last, {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        send, receive = trio.open_memory_channel[dict[str, Any]](1)
        self._answers[number] = send
        await self._commands.send_all(json.dumps(message).encode() + b"\0")
        answer = await receive.receive()
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def attach(self) -> None:
        """Open the page."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Log", "Runtime"):
            await self.call(f"{domain}.enable")

    async def listen(self, messages: trio.abc.ReceiveStream, nursery: trio.Nursery) -> None:
        """Take what the browser sends."""
        text = b""
        async for part in messages:
            *whole, text = (text + part).split(b"\0")
            for each in whole:
                self._take(json.loads(each), nursery)

    def _take(self, message: dict[str, Any], nursery: trio.Nursery) -> None:
        params = message.get("params", {})
        if "id" in message:
            self._answers.pop(message["id"]).send_nowait(message)
        elif message["method"] == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
            nursery.start_soon(self._accept)
        elif message["method"] == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])
        elif message["method"] == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))

    async def _accept(self) -> None:
        await self.call("Page.handleJavaScriptDialog", accept=True)

    async def run(self, script: str) -> Any:
        """Return the value of an expression."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    async def wait_for(self, script: str) -> None:
        """Wait until an expression is true, also over a change of the page."""
        with trio.fail_after(PATIENCE):
            while True:
                if await self.run(script):
                    return
                await trio.sleep(0.05)


@asynccontextmanager
async def open_page(folder: Path) -> AsyncGenerator[Page]:
    """Start the browser with a page; it reaches this machine alone.

    Args:
        folder: Where it may keep its files.
    """
    assert PROGRAM is not None
    from_us, to_browser = os.pipe()
    from_browser, to_us = os.pipe()
    options = [
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"),
        *("--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking"),
        *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe"),
        f"--user-data-dir={folder}",
    ]
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", _START, str(from_us), str(to_us), PROGRAM, *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(from_us, to_us),
    )
    os.close(from_us)
    os.close(to_us)
    async with (
        trio.lowlevel.FdStream(to_browser) as commands,
        trio.lowlevel.FdStream(from_browser) as messages,
        trio.open_nursery() as nursery,
    ):
        page = Page(commands)
        nursery.start_soon(page.listen, messages, nursery)
        try:
            with trio.fail_after(PATIENCE):
                await page.attach()
            yield page
        finally:
            nursery.cancel_scope.cancel()
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
