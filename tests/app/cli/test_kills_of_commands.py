"""Commands whose process is killed at any moment: nothing is lost, and nothing is there twice.

Real processes, real sockets, real kills. Afterwards the command runs again where a user would run
it again, and a sync has to make both sides equal.
"""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes.killed_commands import Commands, forked_sandbox, open_commands
from fakes.processes import environment

from jira_sandbox import Site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.storage import SiteFile
from jira_sandbox.opening import open_site
from ticketr.app.jira.adf import to_adf, to_markdown
from ticketr.app.tickets import parse

BEFORE, LATENCY, KILLED = 8, 0.01, -9
#: How often each command is killed.
TURNS = 20
SETTINGS = "comments = true\nlinks = true\n"
FAULTS = ("", "", "refused=0.3", "429=0.2,lost=0.1,refused=0.1", "500=0.1,503=0.1,cut=0.1,drop=0.1")
DRAFT = """\
# TICKET: A draft

## Description
![](b.png)

## Fields
Labels: doomed

## Comments
- new: See

  ![](c.png)

## Tasks
- A part
"""
FILES = ("attachments", "add", "DEMO-6", "a.png", "b.png")
ALL = ("--jql", "project = DEMO", "--yes")


@dataclass(frozen=True)
class Story:
    """A command that is killed, and what a user does about it.

    Attributes:
        command: The command.
        before: Commands that run first.
        again: Whether it runs again, until nothing is left to do; else it may have done a part.
    """

    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    again: bool = True


RESOLVED = ("resolve", "DEMO-2", "--take")
STORIES = {
    "pull": Story(("pull",)),
    "push": Story(("push", "--yes")),
    "sync": Story(("sync", "--yes")),
    "edit": Story(("bulk", *ALL, "--set", "Labels+=urgent", "--set", "Priority=High")),
    "transition": Story(("bulk", *ALL, "--transition", "Done")),
    "move": Story(("bulk", "--jql", "labels = small", "--yes", "--move", "DEMO-1")),
    "delete": Story(("bulk", "--jql", "labels = doomed", "--delete", "--yes")),
    "resolve mine": Story((*RESOLVED, "mine")),
    "resolve jira": Story((*RESOLVED, "jira")),
    "undo": Story(("undo",), before=((*RESOLVED, "jira"),)),
    "attach": Story(FILES, again=False),
    "worklog": Story(("worklog", "DEMO-6", "1h"), again=False),
}

Facts = list[dict[str, object]]


@contextmanager
def open_data(root: Path) -> Generator[Site]:
    """Open the site in a file, in this process."""
    with SiteFile(root / "site.db", [DEMO_USER]) as file:
        yield open_site(file, tickets=BEFORE, seed=1)


@dataclass
class Machine:
    """Runs commands and sandboxes."""

    commands: Commands
    sandboxes: Commands

    @contextmanager
    def serve(self, root: Path, faults: str = "") -> Generator[str]:
        """Serve the site in a file while the block lasts."""
        hostile = ("--faults", faults) if faults else ()
        options = ("--data", str(root / "site.db"), f"--latency={LATENCY}", *hostile)
        with forked_sandbox(self.sandboxes, root, *options) as url:
            yield url

    def start(self, root: Path, url: str, *command: str) -> int:
        """Start a command; return its process ID."""
        output, env = root / "output.txt", environment(url)
        return self.commands.start(*command, folder=root / "work", env=env, output=output)

    def run(self, root: Path, url: str, *command: str) -> tuple[int, str]:
        """Run a command to its end; return its code and its words."""
        self.start(root, url, *command)
        code, words = self.commands.wait(), (root / "output.txt").read_text()
        assert "Traceback" not in words, words
        return code, f"{command}: {code}\n{words}"


def said(document: Mapping[str, object] | None) -> str:
    """Return a document as Markdown, without the IDs of its pictures."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", to_markdown(document)) if document else ""


def facts(root: Path) -> Facts:
    """Return the issues of the site without keys."""
    with open_data(root) as site:
        return sorted(
            (
                {
                    "summary": issue.summary,
                    "status": issue.status.name,
                    "priority": issue.priority.name,
                    "labels": sorted(issue.labels),
                    "text": said(issue.description),
                    "parent": parent.summary if (parent := site.get(issue.parent or 0)) else "",
                    "comments": [said(each.body) for each in issue.comments],
                    "files": sorted((each.name, each.size) for each in issue.attachments),
                    "links": len(issue.links),
                    "work": [each.seconds for each in issue.worklogs],
                }
                for issue in site
            ),
            key=str,
        )


def make_scene(machine: Machine, root: Path) -> None:
    """Make a workspace with edits of every kind, a draft, and a conflict in DEMO-2."""
    work = root / "work"
    work.mkdir(parents=True)
    (work / "ticketr.toml").write_text(SETTINGS)
    with open_data(root) as site:
        for key in ("DEMO-7", "DEMO-8"):
            site.edit(key, labels=("doomed",))
        site.edit("DEMO-6", labels=("small",))
    with machine.serve(root) as url:
        assert machine.run(root, url, "pull")[0] == 0
    for name in ("a.png", "b.png", "c.png"):
        (work / name).write_bytes(name.encode() * 1000)
    for key, title in (("DEMO-1", "Mine"), ("DEMO-2", "My second")):
        path = work / f"{key}.md"
        text = path.read_text()
        (ticket,) = parse(text).tickets
        path.write_text(text.replace(ticket.title, title, 1))
    edited = (work / "DEMO-1.md").read_text().replace("## Fields\n", "![](a.png)\n\n## Fields\n", 1)
    edited = edited.replace("## Fields\n", "## Fields\nBlocks: DEMO-6\n", 1)
    (work / "DEMO-1.md").write_text(f"{edited.rstrip()}\n\n## Comments\n- new: one\n- new: two\n")
    (work / "draft.md").write_text(DRAFT)
    with open_data(root) as site:
        site.edit("DEMO-2", summary="Theirs", description=to_adf("of theirs"))
    with machine.serve(root) as url:
        assert machine.run(root, url, "pull")[0] == 3


def settle(machine: Machine, root: Path, url: str) -> None:
    """Settle the conflict if it is left, and see that a sync makes both sides equal for good."""
    code, words = machine.run(root, url, "resolve", "--all", "--take", "mine")
    assert code == 0, words
    code, words = machine.run(root, url, "sync", "--yes")
    assert code == 0, words
    before = {path.name: path.read_text() for path in (root / "work").rglob("*.md")}
    code, words = machine.run(root, url, "sync", "--yes")
    assert code == 0, words
    assert {path.name: path.read_text() for path in (root / "work").rglob("*.md")} == before


class Stage:
    """The scene, what each story makes of the site undisturbed, and the seconds of its command."""

    def __init__(self, machine: Machine, root: Path) -> None:
        self.machine = machine
        self.root = root
        self._known: dict[str, tuple[Facts, Facts, float]] = {}

    def undisturbed(self, name: str) -> tuple[Facts, Facts, float]:
        """Return what the site has in the end with and without the command, and its seconds."""
        if name not in self._known:
            story, root = STORIES[name], self.root / name
            shutil.copytree(self.root / "scene", root)
            with self.machine.serve(root) as url:
                for command in story.before:
                    assert self.machine.run(root, url, *command)[0] == 0
                began = time.perf_counter()
                code, words = self.machine.run(root, url, *story.command)
                seconds = time.perf_counter() - began
                assert code in {0, 3}, words
                settle(self.machine, root, url)
            without = self.root / f"{name}, not done"
            shutil.copytree(self.root / "scene", without)
            with self.machine.serve(without) as url:
                for command in story.before:
                    self.machine.run(without, url, *command)
                settle(self.machine, without, url)
            self._known[name] = facts(root), facts(without), seconds
        return self._known[name]

    def cycle(self, root: Path, name: str, rng: random.Random) -> int:
        """Kill the command of a story somewhere, go on, and look what is left."""
        story, (wanted, without, seconds) = STORIES[name], self.undisturbed(name)
        shutil.copytree(self.root / "scene", root)
        faults = rng.choice(FAULTS)
        faults = f"{faults},seed={rng.randrange(1000)}" if faults else ""
        after = rng.uniform(0.0, 1.0) * seconds
        with self.machine.serve(root) as url:
            for command in story.before:
                assert self.machine.run(root, url, *command)[0] == 0
        with self.machine.serve(root, faults) as url:
            pid = self.machine.start(root, url, *story.command)
            ended = self.machine.commands.kill(pid, after)
        try:
            self._look(root, story, wanted, without)
        except BaseException as error:
            error.add_note(f"{name} after {after}, {faults!r}, ended with {ended}; see {root}")
            raise
        shutil.rmtree(root)
        return ended

    def _look(self, root: Path, story: Story, wanted: Facts, without: Facts) -> None:
        with self.machine.serve(root) as url:
            if story.again:
                self.machine.run(root, url, *story.command)
            settle(self.machine, root, url)
        found = facts(root)
        if story.again:
            assert found == wanted
            return
        for issue, most, least in zip(found, wanted, without, strict=True):
            for field, value in issue.items():
                if field in {"files", "work"}:
                    assert is_part(value, most[field])
                    assert is_part(least[field], value)
                else:
                    assert value == most[field]


def is_part(part: object, whole: object) -> bool:
    """Return whether a list has nothing that another one does not have, each as often at most."""
    assert isinstance(part, list)
    assert isinstance(whole, list)
    return all(part.count(each) <= whole.count(each) for each in part)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    root = tmp_path_factory.mktemp("stage")
    with open_commands() as commands, open_commands() as sandboxes:
        machine = Machine(commands, sandboxes)
        make_scene(machine, root / "scene")
        yield Stage(machine, root)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", STORIES)
def test_a_command_may_be_killed_at_any_moment(stage: Stage, tmp_path: Path, name: str) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"{name}: seed {seed}")  # noqa: T201 - to run it again
    rng = random.Random(seed)
    ends = [stage.cycle(tmp_path / str(turn), name, rng) for turn in range(TURNS)]
    print(f"{name}: {ends.count(KILLED)} of {len(ends)} killed")  # noqa: T201 - what it shows

    assert KILLED in ends
