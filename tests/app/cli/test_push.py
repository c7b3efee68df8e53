"""Test ``ticketr push``: output, questions, exit codes."""

from __future__ import annotations

import re
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from fakes.lossy import Lossy
from fakes.processes import PROGRAM, environment, sandbox_process
from fakes.ptys import job_on_pty
from fakes.users import User

from jira_sandbox import create_app
from ticketr.app.tickets import parse

HOSTILE = "a\x1b[2J\x9b2Kb\u202e"
DEMO_9 = {"key": "DEMO-9", "url": "http://127.0.0.1/browse/DEMO-9"}
KEYS = {
    "status",
    "message",
    "folder",
    "total",
    "site",
    "planned",
    "created",
    "updated",
    "recovered",
    "conflicts",
    "in_conflict",
    "left",
    "failed",
    "warnings",
}


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


def test_a_long_list_of_keys_is_cut(someone: User) -> None:
    someone.writes("new.md", drafts(12))

    lines = someone.runs("push").err.splitlines()

    assert [line.rpartition("-")[2] for line in lines if line.startswith("created ")] == [
        str(number) for number in range(13, 23)
    ]
    last = lines[-1]
    assert last.startswith("12 created (DEMO-13, DEMO-14, DEMO-15, ")
    assert last.endswith(", DEMO-22 and 2 more), 0 updated")


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
        "update DEMO-9 Mine (DEMO-9.md)",
        f"    Title: {old} -> Mine",
        f"    Labels: {labels} -> mine, {labels}",
        "create New (new.md)",
        "    Title: New",
        "    Description: Some lines.",
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


def test_a_run_that_failed_says_so_in_json_too(someone: User) -> None:
    whole = {
        command: someone.runs(command, "--json").json.keys() for command in ("push", "sync", "pull")
    }
    (someone.root / ".ticketr" / "state.db").write_bytes(b"no database at all" * 100)

    for command in ("push", "sync", "pull"):
        told = someone.runs(command, "--json")

        assert told.code == 1
        assert told.json.keys() == {*whole[command], "error"}
        assert (told.json["status"], told.json["error"]) == ("failed", "StateFailed")
        assert "state.db cannot be used: " in told.json["message"]


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
        assert "look at them with --dry-run, and say --yes if that is what you want" in told.err
    assert len(someone.site) == 12
    assert someone.runs("push", "--dry-run").code == 0
    assert someone.runs("push", "--yes").code == 0
    assert len(someone.site) == 33


def test_many_writes_without_a_yes_are_reported_in_json_too(someone: User) -> None:
    someone.writes("new.md", drafts(21))

    told = someone.runs("push", "--json")

    assert told.code == 2
    assert told.json.keys() == {*KEYS, "error"}
    assert (told.json["status"], told.json["error"]) == ("failed", "Unconfirmed")
    assert told.json["message"].startswith("this would create or change 21 tickets in ")
    assert (told.json["folder"], told.json["created"]) == (str(someone.root), [])
    assert someone.runs("sync", "--json").json["push"]["created"] == []
    assert len(someone.site) == 12


def test_a_dry_run_that_finds_a_failure_ends_with_3(someone: User) -> None:
    someone.runs("pull")
    someone.edits("DEMO-1.md", "Status: To Do", "Status: Done")

    told = someone.runs("push", "--dry-run")

    assert (told.code, told.out) == (3, "")
    assert 'failed: DEMO-1 (DEMO-1.md): Status: no transition leads to "Done"' in told.err
    assert "Nothing was sent: 0 tickets would be pushed, 1 would not" in told.err


def test_twenty_writes_are_not_asked_about(someone: User) -> None:
    someone.writes("new.md", drafts(20))

    assert someone.runs("push").code == 0


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


def test_the_answer_no_is_told_in_json_too(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    someone.writes("new.md", drafts(1))
    monkeypatch.setattr("ticketr.app.cli.settings.is_interactive", lambda: True)
    monkeypatch.setattr("ticketr.app.cli.questions.confirm", lambda _: False)

    told = someone.runs("push", "--json")

    assert (told.code, told.json["status"]) == (0, "cancelled")
    assert told.json["message"] == "Nothing was sent."
    assert told.json.keys() == KEYS
    assert "create Number 0 (new.md)" in told.err
    assert len(someone.site) == 12


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    with sandbox_process(tickets=5) as url:
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
