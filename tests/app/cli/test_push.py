"""Test ``ticketr push``: its plan, output, questions, exit codes."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.lossy import Lossy
from fakes.processes import PROGRAM, PUSH_KEYS, environment, sandbox_thread
from fakes.ptys import job_on_pty
from fakes.users import User, ticketr_here

from jira_sandbox import create_app
from ticketr.app.cli.confirmation import plan_lines
from ticketr.app.sync import PlanEntry
from ticketr.app.sync.compare.diff import Change
from ticketr.app.tickets import parse

HOSTILE = "a\x1b[2J\x9b2Kb\u202e"
DEMO_9 = {"key": "DEMO-9", "url": "http://127.0.0.1/browse/DEMO-9"}
KEYS = {"status", "message", "folder", *PUSH_KEYS}


def drafts(count: int) -> str:
    return "".join(f"# TICKET: Number {number}\n\n" for number in range(count))


def test_sent_issues_are_listed_by_key(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.writes("new.md", drafts(1))

    told = someone.runs("push")

    assert (told.code, told.out) == (0, "")
    assert told.err.splitlines()[-2:] == [
        "created http://127.0.0.1/browse/DEMO-13",
        "1 created (DEMO-13), 1 updated (DEMO-9)",
    ]
    assert someone.finds("DEMO-9").summary == "Mine"
    assert someone.runs("push").err.splitlines()[-1] == "0 created, 0 updated"


def test_a_file_stands_for_its_tickets_and_drafts(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.retitles("DEMO-1", "Not yet")
    someone.writes("one.md", drafts(1))
    someone.writes("sprint/two.md", "# TICKET: Two\n")

    told = someone.runs("push", "one.md", "./DEMO-9.md")

    assert told.code == 0, told.err
    assert told.err.splitlines()[-1] == "1 created (DEMO-13), 1 updated (DEMO-9)"
    assert someone.reads("one.md").key == "DEMO-13"
    assert someone.finds("DEMO-1").summary != "Not yet"
    planned = someone.runs("push", "sprint", "-n", "--json").json["planned"]
    assert [entry["path"] for entry in planned] == ["sprint/two.md"]
    (run,) = someone.runs("jobs", "--json", "--limit", "1").json
    assert run["name"] == "Push sprint/two.md"


@pytest.mark.parametrize(
    ("word", "problem"),
    [
        ("gone.md", "gone.md is not there"),
        ("one", "one is not a key; a key looks like PROJ-123"),
        ("notes.md", "notes.md holds no ticket; one begins with a line like # TICKET: Title"),
        (".ticketr", ".ticketr is no file with tickets in "),
        ("..", ".. is no file with tickets in "),
        ("link.md", "link.md is no file with tickets in "),
    ],
)
def test_what_is_no_file_of_tickets_is_not_pushed(someone: User, word: str, problem: str) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.writes("notes.md", "# Notes\n")
    someone.writes("../other.md", drafts(1))
    (someone.root / "link.md").symlink_to("../other.md")

    told = someone.runs("push", word)

    assert (told.code, told.out) == (2, "")
    assert problem in told.err
    assert someone.finds("DEMO-9").summary != "Mine"


def test_only_a_broken_file_that_was_named_counts(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.writes("bad.md", "# TICKET: [DEMO-77] A\n<<<<<<< HEAD\n")
    someone.writes("copy.md", "# TICKET: [DEMO-3] Again\n")

    for command in ("status", "diff", "push", "pull"):
        told = someone.runs(command, "DEMO-9")
        assert (told.code, told.err.count(".md: ")) == (0, 0)

    named = {"DEMO-3": "copy.md", "DEMO-3.md": "copy.md", "copy.md": "copy.md", "bad.md": "bad.md"}
    for word, path in named.items():
        told = someone.runs("push", "DEMO-9", word)
        assert (told.code, path in told.err) == (3, True)
        assert ("bad.md" in told.err) == (word == "bad.md")
    assert [someone.runs(command, "DEMO-3").code for command in ("status", "pull")] == [1, 3]


def test_a_dry_run_prints_the_plan_and_sends_nothing(someone: User) -> None:
    someone.runs("pull")
    old = someone.finds("DEMO-9").summary
    someone.retitles("DEMO-9", "Mine")
    someone.edits("DEMO-9.md", "Labels: ", "Labels: mine, ")
    labels = ", ".join(someone.finds("DEMO-9").labels)
    someone.writes("new.md", "# TICKET: New\n\n## Description\nSome\nlines.\n")

    told = someone.runs("push", "--dry-run")

    assert told.code == 0
    assert told.out.splitlines() == [
        "create New (new.md)",
        "    Title: New",
        "    Description: Some lines.",
        "update DEMO-9 Mine (DEMO-9.md)",
        f"    Title: {old} -> Mine",
        f"    Labels: {labels} -> mine, {labels}",
    ]
    assert "created" not in told.err
    assert someone.finds("DEMO-9").summary == old
    assert len(someone.site) == 12


def test_json_has_the_same_keys_for_every_result(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.writes("new.md", "\n# TICKET: Wrong\n\n## Fields\nPriority: Hihg\n")

    done = someone.runs("push", "--json")
    nothing = someone.runs("push", "--json", "--dry-run")

    assert done.json.keys() == nothing.json.keys() == KEYS
    assert (done.code, done.json["status"], done.json["updated"]) == (3, "completed", [DEMO_9])
    (failed,) = done.json["failed"]
    assert failed.pop("reason").startswith('Priority: "Hihg" is not possible: did you mean High?')
    assert failed == {
        "key": "",
        "path": "new.md",
        "code": "invalid",
        "title": "Wrong",
        "line": 2,
    }
    (planned,) = done.json["planned"]
    assert (planned["action"], planned["key"], planned["path"]) == ("update", "DEMO-9", "DEMO-9.md")
    assert done.json["folder"] == str(someone.root)


@pytest.mark.parametrize("command", ["push", "sync"])
def test_a_cancelled_run_lists_in_json_what_was_done_until_then(
    someone: User, command: str
) -> None:
    someone.writes("new.md", drafts(9))  # so few are sent one by one
    asked: list[str] = []

    def stop(method: str, at: str) -> None:
        if (method, at) == ("POST", "issue"):
            asked.append(at)
            if len(asked) == 6:
                signal.raise_signal(signal.SIGINT)

    app = create_app(someone.site)
    someone.connect = lambda: Lossy(app, lambda *_: None, before=stop)

    told = someone.runs(command, "--json")

    half = told.json["push"] if command == "sync" else told.json
    keys = [each["key"] for each in half["created"]]
    assert (told.code, told.json["status"]) == (130, "cancelled")
    assert told.json["message"] == f"Cancelled: {len(keys)}/9 tickets pushed"
    assert 0 < len(keys) < 9
    assert all(someone.finds(key).summary.startswith("Number ") for key in keys)
    assert half.keys() | {"status", "message", "folder"} == KEYS
    assert (half["total"], len(half["planned"])) == (9, 9)
    if command == "sync":
        assert told.json["pull"]["new"] == 12


def test_a_ticket_changed_in_jira_is_left_alone_with_a_hint(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-9", summary="Theirs")

    told = someone.runs("push")

    assert told.code == 3
    what = "changed in Jira since the last pull (DEMO-9: Title); pull first, or sync"
    assert told.err.splitlines()[-2:] == [
        f"conflict: DEMO-9 (DEMO-9.md): {what}",
        "to merge what Jira has changed: ticketr sync; --strategy says which side wins a conflict",
    ]


def test_no_strategy_makes_a_push_overwrite_changes_in_jira(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-9", summary="Theirs")
    someone.writes("ticketr.toml", '[sync]\nstrategy = "local"\n')

    told = someone.runs("push", "--strategy", "mine")

    assert told.code == 2
    assert re.search("No such option:? '?--strategy", told.err)
    assert someone.runs("push").code == 3
    assert someone.finds("DEMO-9").summary == "Theirs"
    assert someone.runs("sync").code == 0
    assert someone.finds("DEMO-9").summary == "Mine"


def test_many_writes_need_a_yes(someone: User) -> None:
    someone.writes("new.md", drafts(21))

    for command in ("push", "sync"):
        told = someone.runs(command)

        assert told.code == 2
        assert "this would create or change 21 tickets in http://127.0.0.1; " in told.err
        assert "look at them with ticketr push --dry-run, and say --yes if that is" in told.err
    assert len(someone.site) == 12
    assert someone.runs("push", "--dry-run").code == 0
    assert someone.runs("push", "--yes").code == 0
    assert len(someone.site) == 33


def test_a_dry_run_that_finds_a_failure_ends_with_3(someone: User) -> None:
    someone.runs("pull")
    someone.edits("DEMO-1.md", "Status: To Do", "Status: Done")

    told = someone.runs("push", "--dry-run")

    assert (told.code, told.out) == (3, "")
    assert 'failed: DEMO-1 (DEMO-1.md): Status: no transition leads to "Done"' in told.err
    assert "Nothing was sent: 0 tickets would be pushed, 1 would not" in told.err


def test_a_hostile_title_reaches_no_terminal(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", HOSTILE)
    someone.writes("new.md", f"# TICKET: {HOSTILE}\n\n## Fields\nPriority: {HOSTILE}\n")

    plan, told = someone.runs("push", "--dry-run"), someone.runs("push")
    listed = someone.runs("push", "--json")

    for text in (plan.out, plan.err, told.out, told.err):
        assert text.replace("\n", "").isprintable()
    assert "update DEMO-9 ab (DEMO-9.md)" in plan.out
    assert told.code == 3
    assert listed.out.isascii()
    assert listed.json["failed"][0]["title"] == HOSTILE


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_thread(tickets=5) as url:
        yield url


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [("n\r", 0, "Nothing was sent"), ("\x03\r", 130, ""), ("y\r", 0, "21 created")],
    ids=["no", "ctrl+c", "yes"],
)
def test_in_a_terminal_many_writes_are_asked_about(
    answer: str, code: int, words: str, tmp_path: Path, site: str
) -> None:
    # Press Enter after Ctrl+C: a signal just before the read is handled when the read returns.
    path = tmp_path / "new.md"
    path.write_text(drafts(21))
    command = [*PROGRAM, "push", "--folder", str(tmp_path)]

    with job_on_pty(command, size=(100, 24), environ=environment(site)) as pty:
        pty.wait_for(rf"Create or change 21 tickets in {site}\? \[y/N\]: ")
        pty.type(answer)
        pty.wait_for(words)
        assert pty.wait_for_end() == code

    made = [ticket for ticket in parse(path.read_text()).tickets if ticket.key]
    assert len(made) == (21 if answer.startswith("y") else 0)


CHANGED = "it has changed since the plan was shown"


@pytest.fixture
def small_site() -> Generator[str]:
    with sandbox_thread(tickets=5) as url:
        yield url


def ticketr(small_site: str, folder: Path, *arguments: str, code: int = 0) -> str:
    """Run a command without a terminal, and return its standard output."""
    arguments += ("--folder", str(folder))
    ended = ticketr_here(
        *arguments, folder=folder.parent, env=environment(small_site), in_workspace=False
    )
    assert ended.returncode == code
    return ended.stdout


def retitle(folder: Path, key: str, title: str) -> None:
    path = folder / f"{key}.md"
    _, _, rest = path.read_text().partition("\n")
    path.write_text(f"# TICKET: [{key}] {title}\n{rest}")


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", ["push", "sync"])
def test_the_plan_is_shown_and_only_what_it_says_is_sent(
    command: str, small_site: str, tmp_path: Path
) -> None:
    ticketr(small_site, tmp_path, "pull")
    old = (tmp_path / "DEMO-1.md").read_text().partition("] ")[2].partition("\n")[0]
    retitle(tmp_path, "DEMO-1", "Mine")
    retitle(tmp_path, "DEMO-3", "Mine too")
    path = tmp_path / "DEMO-3.md"
    path.write_text(path.read_text().replace("Status: To Do", "Status: In Progress"))
    (tmp_path / "new.md").write_text("# TICKET: New\n")
    (tmp_path / "bad.md").write_text("# TICKET: Bad\n<<<<<<< mine\n")
    arguments = [*PROGRAM, command, "--folder", str(tmp_path)]

    with job_on_pty(arguments, size=(200, 40), environ=environment(small_site)) as pty:
        pty.wait_for(rf"Create or change 3 tickets in {small_site}\? \[y/N\]: ")
        retitle(tmp_path, "DEMO-1", "Another")
        (tmp_path / "later.md").write_text("# TICKET: Later\n")
        pty.type("y\r")
        pty.wait_for("1 created")
        assert pty.wait_for_end() == 3

    told = pty.output.replace("\r", "").split("\n")
    begin = told.index("update DEMO-1 Mine (DEMO-1.md)")
    assert told[begin + 1] == f"    Title: {old} -> Mine"
    assert told[begin + 2] == "update DEMO-3 Mine too (DEMO-3.md)"
    assert told[begin - 2 : begin] == ["create New (new.md)", "    Title: New"]
    assert told[begin + 4] == "    Status: To Do -> In Progress"
    assert told[begin + 5].startswith("left alone: bad.md:2:1: this file holds a git")
    assert f"left alone: DEMO-1 (DEMO-1.md): {CHANGED}" in told
    assert 'left alone: draft "Later" (later.md): it is not in the plan that was shown' in told
    assert told[-2] == "to see a new plan, with what was left alone: ticketr push"
    listed = ticketr(small_site, tmp_path, "push", "--dry-run", code=3).split("\n")
    assert [line for line in listed if not line.startswith(" ")] == [
        "create Later (later.md)",
        "update DEMO-1 Another (DEMO-1.md)",
        "",
    ]


def test_nothing_is_asked_where_nothing_would_be_sent(small_site: str, tmp_path: Path) -> None:
    arguments = [*PROGRAM, "push", "--folder", str(tmp_path)]

    with job_on_pty(arguments, environ=environment(small_site)) as pty:
        pty.wait_for("0 created, 0 updated")
        assert pty.wait_for_end() == 0

    assert "y/N" not in pty.output


@pytest.mark.unmeasured
def test_a_conflict_is_left_alone_unless_a_sync_has_a_strategy(
    small_site: str, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for folder in (tmp_path / "mine", other):
        ticketr(small_site, folder, "pull")
    retitle(other, "DEMO-1", "Theirs")
    ticketr(small_site, other, "push")
    mine = tmp_path / "mine"
    retitle(mine, "DEMO-1", "Mine")
    ticketr(small_site, mine, "pull", code=3)

    with job_on_pty(
        [*PROGRAM, "push", "--folder", str(mine)],
        size=(200, 40),
        environ=environment(small_site),
    ) as pty:
        pty.wait_for("0 created, 0 updated, 1 in conflict")
        assert pty.wait_for_end() == 3
    reason = "it is in conflict with Jira (Title); run ticketr resolve DEMO-1"
    assert f"left alone: DEMO-1 (DEMO-1.md): {reason}" in pty.output

    with job_on_pty(
        [*PROGRAM, "sync", "--strategy", "local", "--folder", str(mine)],
        size=(200, 40),
        environ=environment(small_site),
    ) as pty:
        pty.wait_for(r"Create or change 1 ticket in [^ ]+\? \[y/N\]: ")
        pty.type("y\r")
        pty.wait_for(r"1 updated \(DEMO-1\)")
        assert pty.wait_for_end() == 0


def shown(old: str, new: str, part: str = "Description") -> list[str]:
    """Return the lines of a plan for one changed part, without indent."""
    head, *lines = plan_lines(PlanEntry("AB-1", "A", "a.md", 1, (Change(part, old, new),)))
    assert head == "update AB-1 A (a.md)"
    assert all(line.startswith("    ") for line in lines)
    return [line[4:] for line in lines]


def test_a_short_part_is_one_line() -> None:
    assert shown("Low", "", "Priority") == ["Priority: Low -> (empty)"]


def test_of_a_text_the_lines_that_differ_are_shown_and_no_others() -> None:
    old = "The same.\n\nOne word.\nGone.\n\nThe end."
    new = "The same.\n\nOne wort.\n\nThe end.\nMore."

    assert shown(old, new) == [
        "Description:",
        "    - One word.",
        "    + One wort.",
        "    - Gone.",
        "    + More.",
    ]


def test_a_long_line_is_cut_around_the_difference() -> None:
    same, rest = "x" * 200, "y" * 200

    assert shown(f"{same}old{rest}", f"{same}new{rest}") == [
        "Description:",
        f"    - ...{'x' * 20}old{'y' * 37}...",
        f"    + ...{'x' * 20}new{'y' * 37}...",
    ]


def test_many_lines_are_counted() -> None:
    old = "\n".join(f"old {number}" for number in range(10))
    new = "\n".join(f"new {number}" for number in range(10))

    lines = shown(old, new)

    assert lines[-1] == "    ... and 12 more lines; ticketr diff shows them all"
    assert lines[1:3] == ["    - old 0", "    + new 0"]
    assert len(lines) == 10


def test_blank_lines_alone_are_named() -> None:
    assert shown("a\nb", "a\n\nb") == ["Description:", "    (blank lines)"]


def test_a_draft_is_shown_by_the_beginning_of_each_part() -> None:
    changes = (Change("Title", "", "New"), Change("Description", "", "word " * 100))

    assert plan_lines(PlanEntry("", "New", "new.md", 1, changes)) == [
        "create New (new.md)",
        "    Title: New",
        f"    Description: {'word ' * 12}...",
    ]
