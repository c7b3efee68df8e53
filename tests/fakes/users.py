"""A user at a shell without a terminal, with their own site, all in this process.

The command line, the client, the files and the threads are real. Only the network is missing: the
client calls the sandbox's application directly.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, NamedTuple

import pytest
from fakes.processes import environment, make_workspace
from fakes.pulls import URL, Recorder

from jira_sandbox import Site, create_app, open_site
from jira_sandbox.data.issue import Issue
from ticketr.app.cli import app
from ticketr.app.jira.transport import Transport
from ticketr.app.tickets import Ticket, parse


class Told(NamedTuple):
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class User:
    """A user, their folder and their site.

    Attributes:
        root: The folder, which is the current one.
        site: The site.
        asked: The requests of the last command that connects to Jira.
        connect: Makes the transport for each such command.
    """

    root: Path
    site: Site
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    asked: list[str] = field(default_factory=list)
    connect: Callable[[], Transport] | None = None

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "ticketr.toml").touch()  # a workspace; the settings are in the environment
        patch = self.monkeypatch
        patch.chdir(self.root)
        patch.setattr("os.isatty", lambda _: False)
        patch.setattr("ticketr.app.cli.options._make_transport", self._transport)
        settings = {
            "TICKETR_CONFIG_DIR": str(self.root.parent / "config"),
            "JIRA_URL": URL,
            "JIRA_EMAIL": "demo@example.com",
            "JIRA_API_TOKEN": "demo",
            "JIRA_PROJECT_KEY": "DEMO",
        }
        for name, value in settings.items():
            patch.setenv(name, value)

    def _transport(self, _: str) -> Transport:
        if self.connect is not None:
            return self.connect()
        recorder = Recorder(create_app(self.site))
        self.asked = recorder.asked
        return recorder

    def runs(self, *arguments: str) -> Told:
        """Run a command as a shell would."""
        self.capsys.readouterr()
        self.monkeypatch.setattr("sys.argv", ["ticketr", *arguments])
        code = app._run()
        out, err = self.capsys.readouterr()
        return Told(code, out, err)

    def writes(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def edits(self, name: str, old: str, new: str) -> Path:
        path = self.root / name
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new, 1).encode())
        return path

    def retitles(self, key: str, title: str) -> Path:
        """Change the title of a ticket in its own file."""
        return self.edits(f"{key}.md", self.reads(f"{key}.md").title, title)

    def reads(self, name: str) -> Ticket:
        """Return the first ticket of a file."""
        return parse((self.root / name).read_bytes().decode()).tickets[0]

    def finds(self, key: str) -> Issue:
        """Return an issue as it is in Jira."""
        issue = self.site.find(key)
        assert issue is not None
        return issue

    def files(self) -> dict[str, str]:
        """Return the user's files."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes().decode()
            for path in sorted(self.root.rglob("*.md"))
            if ".ticketr" not in path.parts
        }


def ticketr_here(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    in_workspace: bool = True,
) -> CompletedProcess[str]:
    """Run a command in this process as `fakes.processes.ticketr` does in one of its own.

    That costs a fifth of the time, and shows the same of all but how a process starts and ends.
    """
    if in_workspace and {"pull", "push", "sync"}.intersection(arguments):
        make_workspace(folder)
    variables = environment() if env is None else env
    out, err = (
        io.TextIOWrapper(io.BytesIO(), "utf-8", errors, newline="", write_through=True)
        for errors in ("strict", "backslashreplace")
    )
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in os.environ.keys() - variables.keys():
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr("os.isatty", lambda _: False)
        patch.setattr("sys.argv", ["ticketr", *arguments])
        code = app._run()
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return CompletedProcess(arguments, code, *said)


def user_of_all_fields(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    settings: str = "",
) -> User:
    """Return a user of the project KIT, whose issues have fields of every type.

    Args:
        root: The folder.
        monkeypatch: Sets the environment.
        capsys: Captures the output.
        settings: The text of ``ticketr.toml``.
    """
    user = User(root, open_site(None, tickets=1, all_fields=True), monkeypatch, capsys)
    monkeypatch.setenv("JIRA_PROJECT_KEY", "KIT")
    user.writes("ticketr.toml", settings)
    return user
