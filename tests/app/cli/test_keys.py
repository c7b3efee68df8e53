"""Test the commands that take the keys of tickets."""

from __future__ import annotations

import pytest
from fakes.users import User


def sent(someone: User) -> list[str]:
    """Return the requests of the last command that have changed an issue or made one."""
    return [each for each in someone.asked if each.startswith(("issue {", "issue/DEMO"))]


def test_a_push_of_named_tickets_sends_no_other(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-1", "Mine")
    someone.retitles("DEMO-2", "Mine too")
    someone.edits("DEMO-3.md", "- [DEMO-4] Translate", "- New\n- [DEMO-4] Rephrase")
    someone.writes("new.md", "# TICKET: New\n")

    plan = someone.runs("push", "--dry-run", "demo-1", "DEMO-4")
    told = someone.runs("push", "demo-1", "DEMO-4")

    assert [line for line in plan.out.splitlines() if not line.startswith(" ")] == [
        "update DEMO-1 Mine (DEMO-1.md)",
        "update DEMO-4 Rephrase the new texts (de, fr, pt-BR) (DEMO-3.md)",
    ]
    assert "left alone: 3 more that were not named" in plan.err.splitlines()
    assert told.code == 0
    assert [each.partition(" ")[0] for each in sent(someone)] == ["issue/DEMO-1", "issue/DEMO-4"]
    told = someone.runs("push", "DEMO-3")
    assert told.err.splitlines()[-1] == "1 created (DEMO-13), 0 updated"
    assert len(someone.runs("status").out.splitlines()) == 2


def test_a_pull_of_named_tickets_fetches_no_other(someone: User) -> None:
    told = someone.runs("pull", "demo-9", "DEMO-1", "DEMO-9")

    assert told.code == 0
    assert sorted(someone.files()) == ["DEMO-1.md", "DEMO-9.md"]
    assert told.err.splitlines()[-1] == "2 new, 0 updated, 0 unchanged"
    assert someone.runs("jobs", "--json").json[0]["name"] == "Pull DEMO-9, DEMO-1"


def test_a_pull_of_a_ticket_that_is_not_there_names_near_ones(someone: User) -> None:
    someone.runs("pull")

    told = someone.runs("pull", "DEMO-99", "DEMO-1")

    assert told.code == 3
    reason = "Jira does not have it, or you may not see it; did you mean DEMO-9"
    assert f"failed: DEMO-99: {reason}" in told.err
    assert "0 new, 0 updated, 1 unchanged" in told.err


@pytest.mark.parametrize("command", ["push", "status", "diff"])
def test_an_unknown_key_is_refused_with_near_ones(someone: User, command: str) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.asked.clear()

    told = someone.runs(command, "DEMO-9", "DEMO-99")

    assert (told.code, told.out, someone.asked) == (2, "", [])
    assert (
        "DEMO-99 was never pulled into this folder, nor is it in a file; did you mean DEMO-9 or DEMO-8"
        in told.err
    )


@pytest.mark.parametrize("command", ["pull", "push", "status", "diff"])
def test_a_malformed_key_is_refused_with_near_ones(someone: User, command: str) -> None:
    someone.runs("pull")

    told = someone.runs(command, "demo9\x1b[2J")

    assert (told.code, told.out) == (2, "")
    assert "DEMO9 is not an issue key, such as PROJ-123; did you mean DEMO-9" in told.err
    assert "\x1b" not in told.err


def test_keys_go_with_no_option_that_chooses_tickets(someone: User) -> None:
    for arguments in (["--every"], ["--jql", "x = 1"], ["--full"], ["--prune"]):
        assert someone.runs("pull", "DEMO-1", *arguments).code == 2
    assert someone.runs("push", "DEMO-1", "--every").code == 2
    assert someone.files() == {}


def test_a_status_of_named_tickets_lists_no_other(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-1", "Mine")
    someone.edits("DEMO-3.md", "- [DEMO-4] Translate", "- New\n- [DEMO-4] Rephrase")
    someone.writes("new.md", "# TICKET: New\n")
    (someone.root / "DEMO-2.md").unlink()
    (someone.root / "DEMO-6.md").unlink()

    told = someone.runs("status", "demo-3", "DEMO-2")

    assert [line[:23] for line in told.out.splitlines()] == [
        "edited    DEMO-4 (DEMO-",
        "draft     New (DEMO-3.m",
        "missing   DEMO-2 (DEMO-",
    ]
    data = someone.runs("status", "DEMO-4", "--json").json
    assert [each["key"] for each in data["edited"]] == ["DEMO-4"]
    assert (data["drafts"], data["missing"]) == ([], [])
    assert someone.runs("status", "DEMO-9").out == "nothing to push of DEMO-9\n"
