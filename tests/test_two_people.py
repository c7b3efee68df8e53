"""Two people with two clones of one git repository and one site, using the real commands and git.

Run it with ``-s`` to see what they see.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fakes.processes import environment, sandbox_thread
from fakes.users import ticketr_here

from ticketr.app.tickets import Ticket, parse

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def say(text: str) -> None:
    """Print what a person sees; pytest shows it only if a test fails."""
    print(text)  # noqa: T201


@dataclass(frozen=True)
class Person:
    """A person with a clone."""

    name: str
    folder: Path
    site: str

    def git(self, *arguments: str, code: int = 0) -> str:
        env = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        who = ["-c", f"user.name={self.name}", "-c", f"user.email={self.name}@example.com"]
        ended = subprocess.run(
            ["git", *who, *arguments],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        said = ended.stdout + ended.stderr
        say(f"{self.name}$ git {' '.join(arguments)}\n{said}")
        assert ended.returncode == code
        return said

    def runs(self, *arguments: str, code: int = 0) -> list[str]:
        """Run ticketr; return the lines that it printed."""
        env = environment(
            self.site, TICKETR_CONFIG_DIR=str(self.folder.parent / f"{self.name}-config")
        )
        ended = ticketr_here(*arguments, folder=self.folder, env=env)
        said = ended.stdout + ended.stderr
        say(f"{self.name}$ ticketr {' '.join(arguments)}\n{said}[{ended.returncode}]\n")
        assert ended.returncode == code
        assert "Traceback" not in said
        return said.splitlines()

    def edits(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    def commits(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def shares(self, message: str) -> None:
        """Commit everything and push it with git."""
        self.commits(message)
        self.git("push", "--quiet", "origin", "HEAD:main")

    def takes(self, *, code: int = 0) -> None:
        """Merge with git what the other person has pushed."""
        self.git("pull", "--quiet", "--no-rebase", "--no-edit", "origin", "main", code=code)

    def tickets(self) -> dict[str, Ticket]:
        """Return the clone's tickets by their keys."""
        texts = [path.read_text() for path in self.folder.glob("*.md")]
        found = [ticket for text in texts for ticket in parse(text).tickets]
        assert all(ticket.key for ticket in found)
        return {ticket.key or "": ticket for ticket in found}

    def is_clean(self) -> bool:
        return self.git("status", "--porcelain") == "" and self.git("diff") == ""


@dataclass(frozen=True)
class Team:
    """Both people and their site."""

    ada: Person
    ben: Person
    site: str

    def asks(self, method: str, path: str) -> httpx.Response:
        """Read an issue from the site, as a browser would."""
        url = f"{self.site}/rest/api/3/{path}"
        return httpx.request(method, url, auth=("demo@example.com", "demo")).raise_for_status()

    def field(self, key: str, name: str) -> object:
        value = self.asks("GET", f"issue/{key}").json()["fields"][name]
        return value["name"] if isinstance(value, dict) else value


def begin(team: Team) -> None:
    """Ada pulls and shares; Ben clones and has no conflict."""
    ada, ben = team.ada, team.ben
    (ada.folder / "ticketr.toml").write_text(f'site = "{team.site}"\nproject = "DEMO"\n')
    assert ada.runs("pull")[-1] == "12 new, 0 updated, 0 unchanged"
    ada.shares("Pull our tickets")
    ben.takes()
    assert ben.runs("pull")[-1] == "0 new, 0 updated, 12 unchanged"


def edits_that_git_merges(team: Team) -> None:
    """Both edit different tickets; edits that came by git and are in Jira are not sent again."""
    ada, ben = team.ada, team.ben
    ada.edits("DEMO-9.md", "Rebuild the index", "Rebuild the whole index")
    assert ada.runs("push")[-1] == "0 created, 1 updated (DEMO-9)"
    ada.shares("Say what is rebuilt")
    ben.edits("DEMO-2.md", "Labels: ", "Labels: privacy, ")
    ben.commits("Label it")
    ben.takes()
    assert ben.runs("status") == [
        "edited    DEMO-2 (DEMO-2.md): Labels",
        "edited    DEMO-9 (DEMO-9.md): Title",
        "2 edited",
    ]
    assert ben.runs("push", "--dry-run")[0].startswith("update DEMO-2 ")
    assert ben.runs("sync")[-1] == "0 created, 1 updated (DEMO-2)"
    assert ben.is_clean()
    ben.git("push", "--quiet", "origin", "HEAD:main")
    ada.takes()
    assert ada.runs("sync")[-1] == "0 created, 0 updated"
    assert ada.is_clean()


def a_conflict_in_git(team: Team) -> None:
    """Both change the priority of one ticket: git cannot merge that, and nothing is pushed."""
    ada, ben = team.ada, team.ben
    ada.edits("DEMO-1.md", "Priority: Low", "Priority: Medium")
    ada.runs("sync")
    ada.shares("It is not that unimportant")
    ben.edits("DEMO-1.md", "Priority: Low", "Priority: High")
    ben.commits("It is urgent")
    ben.takes(code=1)
    line, counts = ben.runs("status", code=1)
    assert counts == "1 broken"
    assert line.startswith("broken    DEMO-1.md:19:1: this file holds a git conflict; resolve it")
    assert "DEMO-1.md:19:1: this file holds a git conflict" in "".join(ben.runs("sync", code=3))
    ben.git("checkout", "--ours", "DEMO-1.md")
    ben.commits("It is urgent all the same")
    # Jira has Ada's priority, which is not in Ben's last sync, so he resolves it here too.
    assert ben.runs("sync", code=3)[-1].startswith("to resolve a conflict: ticketr diff DEMO-1; ")
    shown = ben.runs("diff", "DEMO-1")
    assert "+Priority: High" in shown
    assert "+Priority: Medium" in shown
    ben.runs("resolve", "DEMO-1", "--take", "mine")
    assert ben.runs("sync")[-1] == "0 created, 1 updated (DEMO-1)"
    assert ben.is_clean()
    ben.git("push", "--quiet", "origin", "HEAD:main")
    ada.takes()
    assert ada.runs("sync")[-1] == "0 created, 0 updated"
    assert team.field("DEMO-1", "priority") == "High"


def conflicts_through_jira(team: Team) -> None:
    """Both work without git, so only Jira connects them."""
    ada, ben = team.ada, team.ben
    ada.edits("DEMO-3.md", "Results jump", "Results leap")
    ada.edits("DEMO-6.md", "Suggest titles", "Propose titles")
    ada.runs("sync")
    ada.shares("Choose better words")
    ben.edits("DEMO-3.md", "Results jump", "Results hop")
    ben.edits("DEMO-6.md", "Suggest titles", "Offer titles")
    ben.edits("DEMO-6.md", "Labels: search", "Labels: ours, search")
    told = ben.runs("sync", code=3)
    assert "conflict: DEMO-3 (DEMO-3.md): changed here and in Jira: DEMO-3: Title" in told
    assert ben.runs("resolve") == ["DEMO-3 (DEMO-3.md): Title", "DEMO-6 (DEMO-6.md): Title"]
    ben.runs("resolve", "DEMO-3", "--take", "jira")
    ben.runs("resolve", "DEMO-6", "--take", "both")
    path = ben.folder / "DEMO-6.md"
    _, rest = path.read_text().split(">>>>>>> Jira\n")
    path.write_text(f"# TICKET: [DEMO-6] Propose and offer titles\n{rest}")
    assert ben.runs("sync")[-1] == "0 created, 1 updated (DEMO-6)"
    ben.commits("Settle it")
    ben.takes(code=1)  # git has the same conflict, and Jira has Ben's result
    ben.git("checkout", "--ours", "DEMO-6.md")
    ben.shares("Merge")
    assert ben.runs("sync")[-1] == "0 created, 0 updated"
    assert ben.is_clean()
    ada.takes()
    ada.runs("sync")
    assert team.field("DEMO-3", "summary") == "Results leap while the covers load"
    assert team.field("DEMO-6", "summary") == "Propose and offer titles"
    assert team.field("DEMO-6", "labels") == ["ours", "search", "security"]


def a_draft_with_tasks(team: Team) -> None:
    """Ada drafts a story and shares it with its keys, so Ben does not create it again."""
    ada, ben = team.ada, team.ben
    (path,) = ada.runs("new", "Search by author", "--type", "Story", "--parent", "DEMO-1")
    assert path == str(ada.folder / "search-by-author.md")
    ada.edits(
        "search-by-author.md", "Type: Story\n", "Type: Story\n\n## Tasks\n- Ask Zoë\n- Build\n"
    )
    assert ada.runs("status") == [
        "draft     Search by author (search-by-author.md)",
        "draft     Ask Zoë (search-by-author.md)",
        "draft     Build (search-by-author.md)",
        "3 drafts",
    ]
    assert ada.runs("push")[-1] == "3 created (DEMO-13, DEMO-14, DEMO-15), 0 updated"
    ada.shares("Draft a story")
    ben.takes()
    assert ben.runs("push")[-1] == "0 created, 0 updated"
    assert ben.is_clean()


def a_deleted_ticket(team: Team) -> None:
    """A ticket is deleted in Jira; its file is moved away only with --prune."""
    ada, ben = team.ada, team.ben
    team.asks("DELETE", "issue/DEMO-9")
    told = ada.runs("sync")
    assert told[-3].startswith("gone from Jira's answer, kept here: DEMO-9 (DEMO-9.md): ")
    assert told[-2] == "to move the files of deleted tickets away: ticketr pull --prune"
    assert ada.is_clean()
    assert ada.runs("pull", "--prune")[-1] == "moved to .ticketr/trash: DEMO-9"
    ada.shares("Put away what is deleted")
    ben.takes()
    assert not any("DEMO-9" in line for line in ben.runs("sync"))


def end(team: Team, *, issues: int) -> None:
    """Another sync changes nothing; both clones and a new one hold the same tickets."""
    ada, ben = team.ada, team.ben
    fresh = Person("fresh", ada.folder.with_name("fresh"), team.site)
    fresh.folder.mkdir()
    fresh.runs("pull")
    for person in (ada, ben):
        assert person.runs("sync", "--full")[-1] == "0 created, 0 updated"
        assert person.is_clean()
    assert ada.git("rev-parse", "HEAD") == ben.git("rev-parse", "HEAD")
    assert ada.tickets() == ben.tickets() == fresh.tickets()
    assert sum(len([*ticket.keys()]) for ticket in fresh.tickets().values()) == issues


@pytest.fixture
def team(tmp_path: Path) -> Generator[Team]:
    """Make a repository with two empty clones, and a site."""
    hub = tmp_path / "hub"
    with sandbox_thread(tickets=12) as site:
        ada, ben = (Person(name, tmp_path / name, site) for name in ("ada", "ben"))
        for person in (ada, ben):
            person.folder.mkdir()
            person.git("init", "--quiet", "--initial-branch", "main")
            person.git("remote", "add", "origin", str(hub))
        ada.git("init", "--quiet", "--bare", str(hub))
        yield Team(ada, ben, site)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("chapters", "issues"),
    [
        ((edits_that_git_merges, a_conflict_in_git), 12),
        ((conflicts_through_jira, a_draft_with_tasks, a_deleted_ticket), 14),
    ],
    ids=["git between them", "Jira between them"],
)
def test_two_people_with_two_clones_end_with_the_same_as_jira(
    team: Team, chapters: Sequence[Callable[[Team], None]], issues: int
) -> None:
    begin(team)

    for chapter in chapters:
        say(f"# {chapter.__doc__}\n")
        chapter(team)

    end(team, issues=issues)
