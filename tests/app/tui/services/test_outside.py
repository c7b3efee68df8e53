"""The editor and the browser, as programs of this test."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from fakes.pulls import inline
from fakes.screens import FakeScreen

from ticketr.app.sync import Store
from ticketr.app.tui import effects, messages
from ticketr.app.tui.messages import Message
from ticketr.app.tui.services import outside
from ticketr.app.tui.services.context import Services
from ticketr.app.tui.services.outside import browser_commands, open_browser, open_editor
from ticketr.app.tui.services.workspaces import OpenWorkspace, Workspaces

SITE = "https://jira.example"
URL = f"{SITE}/browse/DEMO-1"
EDIT = effects.OpenEditor("work", "DEMO-1.md", 3)
BROWSE = effects.OpenBrowser("work", "DEMO-1")


class Reader:
    """Counts how often the files are read."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self) -> None:
        self.reads += 1


@pytest.fixture
def told() -> list[Message]:
    return []


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def services(tmp_path: Path, told: list[Message], reader: Reader) -> Services:
    nothing = cast("Any", None)
    workspace = OpenWorkspace("work", Store(tmp_path, ".ticketr"), nothing, address=SITE)
    opened = Workspaces((workspace,), lambda _: reader, told.append)
    (tmp_path / "DEMO-1.md").write_text("# TICKET: [DEMO-1] One\n")
    return Services(FakeScreen(), nothing, opened, told.append, in_thread=inline)


def program(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        (program("raise SystemExit(3)"), f"the editor {sys.executable} failed with exit code 3"),
        (
            program("import os; os.kill(os.getpid(), 15)"),
            f"the editor {sys.executable} was ended by SIGTERM",
        ),
        (
            "/nowhere/editor",
            "cannot start /nowhere/editor: No such file or directory; set EDITOR to your editor",
        ),
    ],
)
async def test_an_editor_that_fails_is_told(
    services: Services,
    told: list[Message],
    reader: Reader,
    monkeypatch: pytest.MonkeyPatch,
    editor: str,
    words: str,
) -> None:
    monkeypatch.setenv("VISUAL", editor)

    await open_editor(services, EDIT)

    assert told == [messages.Resized(80, 12), messages.Told(words)]
    assert reader.reads == 1


async def test_after_the_editor_the_files_are_read_and_its_end_is_told(
    services: Services, told: list[Message], reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", program("import os, sys; os.unlink(sys.argv[1])"))

    await open_editor(services, EDIT)

    assert told == [messages.Resized(80, 12), messages.EditorClosed("work", "DEMO-1.md")]
    assert reader.reads == 1


async def test_a_file_that_is_gone_is_not_made_by_an_editor(
    services: Services, told: list[Message], reader: Reader, tmp_path: Path
) -> None:
    (tmp_path / "DEMO-1.md").unlink()

    await open_editor(services, EDIT)

    assert told == [messages.Told("DEMO-1.md is gone, so there is nothing to edit")]
    assert reader.reads == 1
    assert cast("FakeScreen", services.terminal).handovers == 0


async def test_a_second_press_starts_no_second_editor(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", program("pass"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(open_editor, services, EDIT)
        nursery.start_soon(open_editor, services, EDIT)

    assert cast("FakeScreen", services.terminal).handovers == 1


async def test_a_browser_that_runs_on_is_left_alone(
    services: Services, told: list[Message], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(outside, "BROWSER_WAIT", 0.0)
    started, go, ended = tmp_path / "started", tmp_path / "go", tmp_path / "ended"
    for each in (started, go, ended):
        os.mkfifo(each)
    code = f"open({str(started)!r}, 'w'); open({str(go)!r}); open({str(ended)!r}, 'w').write('yes')"
    monkeypatch.setenv("BROWSER", program(code))
    programs: list[trio.Process] = []
    start = trio.lowlevel.open_process

    async def remembering(*args: Any, **options: Any) -> trio.Process:
        programs.append(await start(*args, **options))
        return programs[-1]

    monkeypatch.setattr(trio.lowlevel, "open_process", remembering)

    await open_browser(services, BROWSE)

    assert told == [messages.Told(f"opened {SITE}/browse/DEMO-1", is_error=False)]
    await trio.to_thread.run_sync(started.read_text)
    await trio.to_thread.run_sync(go.write_text, "")
    assert await trio.to_thread.run_sync(ended.read_text) == "yes"
    assert await programs[0].wait() == 0


@pytest.mark.parametrize(
    ("browser", "commands"),
    [
        ("firefox", [["firefox", URL]]),
        ("firefox --new-tab %s", [["firefox", "--new-tab", URL]]),
        ("'my browser' --url=%s &", [["my browser", f"--url={URL}"]]),
        ("firefox:'unclosed: :w3m %s", [["firefox", URL], ["w3m", URL]]),
        ("", [[outside.OPENER, URL]]),
    ],
)
def test_the_variable_of_the_browser_is_read_as_other_programs_read_it(
    browser: str, commands: list[list[str]]
) -> None:
    assert list(browser_commands({"BROWSER": browser}, URL)) == commands


async def test_a_second_browser_is_tried_where_the_first_is_missing(
    services: Services, told: list[Message], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    record = tmp_path / "address"
    monkeypatch.setenv("BROWSER", f"/nowhere/browser:{program(code)} {record} <%s>")

    await open_browser(services, BROWSE)

    assert told == [messages.Told(f"opened {URL}", is_error=False)]
    assert record.read_text() == f"<{URL}>"


@pytest.mark.parametrize("browser", ["/nowhere/browser", "'", program("raise SystemExit(1)")])
async def test_a_browser_that_fails_is_told_with_the_address(
    services: Services, told: list[Message], monkeypatch: pytest.MonkeyPatch, browser: str
) -> None:
    monkeypatch.setenv("BROWSER", browser)

    await open_browser(services, BROWSE)

    words = f"no browser could be opened; the address is {SITE}/browse/DEMO-1"
    assert told == [messages.Told(words)]
