"""Walk the whole path of a newcomer who reads no manual: every key was named on the screen before.

A real terminal, a real sandbox, a real editor; each step waits for what the screen says.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import sys
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.processes import PROGRAM
from fakes.pty_screens import PtyScreen
from fakes.ptys import job_on_pty

WIDTH, HEIGHT = 100, 30
TICKET = "DEMO-13"
TITLE = "ISBN with hyphens finds nothing"
#: An editor that writes what its user would: a word at the end of the ticket's title.
EDITOR = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
title, line, rest = path.read_text(encoding="utf-8").partition("\\n")
path.write_text(f"{title}, {path.with_name('word').read_text()}{line}{rest}", encoding="utf-8")
"""


class Newcomer:
    """Somebody in front of a screen, and a colleague who works in Jira meanwhile."""

    def __init__(self, screen: PtyScreen, home: Path) -> None:
        self.screen = screen
        self.home = home

    @property
    def folder(self) -> Path:
        """The folder that the app made for the tickets."""
        (found,) = self.home.parent.glob("ticketr-demo-*")
        return found

    def title_here(self) -> str:
        """Return the title in the ticket's file."""
        heading = (self.folder / f"{TICKET}.md").read_text(encoding="utf-8").partition("\n")[0]
        return heading.removeprefix(f"# TICKET: [{TICKET}] ")

    def jira(self, method: str = "GET", **fields: str) -> str:
        """Look at the ticket in Jira, or change it there first; return its title."""
        site = re.search(r"http://127\.0\.0\.1:\d+", self.screen.rows[0])
        assert site is not None
        url = f"{site[0]}/rest/api/3/issue/{TICKET}"
        login = base64.b64encode(b"demo@example.com:demo").decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = json.dumps({"fields": fields}).encode() if fields else None
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = response.read()
        return str(json.loads(answer)["fields"]["summary"]) if answer else ""

    def edit(self, word: str) -> None:
        """Edit the selected ticket, as the action bar offers."""
        (self.folder / "word").write_text(word)
        self.screen.press("e", f"{TICKET}.md is edited; p shows")

    def push(self, end: str) -> None:
        """Look at the plan of a push, and carry it out."""
        self.screen.press("p", "Enter changes 1 of your tickets in Jira")
        assert "nothing is written until Enter" in self.screen.rows[0]
        self.confirm(end)

    def confirm(self, end: str) -> None:
        """Press Enter until what is asked has been on the screen for long enough to be read."""
        while self.screen.press("\r", f"{end}|Read .* first")[0].startswith("Read "):
            self.screen.press("\x0c", r"\A(?![\s\S]*Read .* first)")


@pytest.fixture
def newcomer(tmp_path: Path) -> Generator[Newcomer]:
    home = tmp_path / "home"
    home.mkdir()
    environ = {name: "" for name in os.environ if name.startswith("JIRA_")} | {
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "TICKETR_CONFIG_DIR": str(tmp_path / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "VISUAL": "",
        "EDITOR": shlex.join([sys.executable, "-ISc", EDITOR]),
    }
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(home), *PROGRAM]
    with job_on_pty(command, size=(WIDTH, HEIGHT), environ=environ) as pty:
        yield Newcomer(PtyScreen(pty, WIDTH, HEIGHT), home)


@pytest.mark.unmeasured
def test_from_the_first_run_to_a_settled_conflict_without_a_manual(newcomer: Newcomer) -> None:
    screen = newcomer.screen
    screen.wait_for("▌ Try it now .* Enter")
    screen.wait_for("Enter begin")
    # Keys before the first frame are dropped. What answers to a resize reads keys, too.
    screen.resize(WIDTH, HEIGHT - 1, "Enter begin")
    screen.resize(WIDTH, HEIGHT, "Enter begin")
    screen.press("\r", "Pull complete: 500 tickets")
    screen.wait_for(r"the tickets are files in\s+/.*/ticketr-demo-")

    screen.press("/", " / ▏")
    screen.press("isbn", " / isbn▏ .* 1 of 1")
    screen.press("\r", "Enter read .* p push… ")
    screen.press("\r", f"─ 3 {TICKET} ")
    screen.wait_for("Expected: it simply works.")

    newcomer.edit("mine")
    screen.wait_for(r"\* 1 edited")
    assert newcomer.jira() == TITLE
    newcomer.push("Push complete: 1 ticket")
    assert newcomer.jira() == f"{TITLE}, mine"

    newcomer.edit("again")
    newcomer.jira("PUT", summary="Renamed by a colleague")
    newcomer.push("changed in Jira since .* 1 in conflict · P gets Jira's")
    assert newcomer.jira() == "Renamed by a colleague"
    screen.press("P", "1 in conflict · c settles")
    screen.wait_for("! both sides changed Title")
    screen.press("c", "1 left to choose: Title")
    screen.press("\x1b[C", "put aside: your text of now")
    newcomer.confirm(f"{TICKET} is settled; .* u takes it back")
    assert newcomer.title_here() == "Renamed by a colleague"

    screen.press("u", f"┌─ Take back ─+┐\n.*{TICKET} in {TICKET}.md")
    newcomer.confirm(f"{TICKET} is as it was")
    assert newcomer.title_here() == f"{TITLE}, mine, again"
    screen.wait_for("! 1 conflict")

    screen.press("J", "─ Ended ─")
    screen.wait_for(r"✓ [\d:]+  Pull demo")  # the last row, which may come in another write
    ended = [re.findall(r"^. (\S) [\d:]+  (\w+) demo", row) for row in screen.rows]
    assert [found[0] for found in ended if found] == [
        ("!", "Pull"),
        ("!", "Push"),
        ("✓", "Push"),
        ("✓", "Pull"),
    ]
    screen.press("q", "2 Tickets")
    screen.pty.type("q")

    assert screen.pty.wait_for_end() == 0
    assert screen.pty.is_restored()
    folder = newcomer.folder
    assert (
        f"Markdown files in {folder}; 'ticketr demo -C {folder}' continues with them"
        in screen.pty.output
    )
