"""Test ``ticketr sync``, and what ``ticketr pull`` shares with it."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import pytest
import trio
from fakes.processes import PROGRAM, environment, sandbox_process, ticketr
from fakes.ptys import job_on_pty
from fakes.pulls import Recorder
from fakes.users import User

from jira_sandbox import create_app
from ticketr.app.jira.transport import AsksMissing

PULL = {
    "total",
    "new",
    "updated",
    "merged",
    "unchanged",
    "in_conflict",
    "left_alone",
    "kept",
    "conflicts",
    "failed",
    "inexact",
    "gone",
    "left_out",
    "pruned",
    "prunable",
    "recovered",
}
SETTLE = "ticketr resolve DEMO-9 --take mine, jira or both"
DELETED = "it was deleted in Jira, or you may no longer see it"
PUSH = {
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


def clash(someone: User, key: str = "DEMO-9") -> None:
    someone.retitles(key, "Mine")
    someone.site.edit(key, summary="Theirs")


def test_pull_and_push_are_both_reported(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-1", summary="Theirs")

    told = someone.runs("sync")

    assert (told.code, told.out) == (0, "")
    assert told.err.splitlines()[-2:] == [
        "0 new, 1 updated, 11 unchanged",
        "0 created, 1 updated (DEMO-9)",
    ]
    assert someone.reads("DEMO-1.md").title == "Theirs"
    assert someone.finds("DEMO-9").summary == "Mine"


def test_each_ticket_of_the_query_is_in_one_of_the_counts(someone: User) -> None:
    someone.runs("pull")
    someone.edits("DEMO-3.md", "Priority: High", "Priority: Low")
    someone.edits("DEMO-3.md", "Agree on the wording", "Mine")
    someone.site.edit("DEMO-3", labels=("theirs",))
    clash(someone)
    someone.writes("DEMO-2.md", "Notes of mine\n")

    told = someone.runs("sync")

    lines = told.err.splitlines()
    assert told.code == 3
    assert "Sync complete: 9 tickets pulled, 2 pushed, 1 in conflict, 2 kept" in lines
    assert "0 new, 0 updated, 1 merged with edits here, 8 unchanged, 1 in conflict, 2 kept" in lines


def test_json_has_both_halves_with_the_keys_of_each(someone: User) -> None:
    told = someone.runs("sync", "--json").json

    assert told.keys() == {"status", "message", "folder", "pull", "push"}
    assert told["pull"].keys() == PULL
    assert told["push"].keys() == PUSH
    assert someone.runs("pull", "--json").json.keys() == PULL | {"status", "message", "folder"}


def test_a_conflict_ends_with_3_and_the_last_line_says_what_to_do(someone: User) -> None:
    someone.runs("pull")
    clash(someone)

    told = someone.runs("sync")

    assert told.code == 3
    assert told.err.splitlines()[-5:] == [
        "Sync complete: 11 tickets pulled, 0 pushed, 1 in conflict",
        "0 new, 0 updated, 11 unchanged, 1 in conflict",
        "conflict: DEMO-9 (DEMO-9.md): changed here and in Jira: DEMO-9: Title",
        "0 created, 0 updated",
        f"to settle a conflict: ticketr diff DEMO-9; {SETTLE}",
    ]
    assert someone.runs("pull").code == 3
    (conflict,) = someone.runs("sync", "--json").json["pull"]["conflicts"]
    assert conflict == {
        "key": "DEMO-9",
        "path": "DEMO-9.md",
        "reason": "changed here and in Jira: DEMO-9: Title",
        "code": "conflict",
        "title": "",
        "line": None,
    }


@pytest.mark.parametrize(
    ("strategy", "title"),
    [("mine", "Mine"), ("jira", "Theirs"), ("local", "Mine"), ("remote", "Theirs")],
)
def test_a_strategy_settles_every_conflict(someone: User, strategy: str, title: str) -> None:
    someone.runs("pull")
    clash(someone)

    assert someone.runs("sync", "--strategy", strategy).code == 0

    assert someone.reads("DEMO-9.md").title == title
    assert someone.finds("DEMO-9").summary == title


def test_a_deleted_ticket_is_reported_with_the_command_that_moves_it_away(someone: User) -> None:
    someone.runs("pull")
    someone.site.delete("DEMO-9")

    kept, pruned = someone.runs("sync"), someone.runs("sync", "--prune")

    assert (kept.code, pruned.code) == (0, 0)
    assert kept.err.splitlines()[-3:-1] == [
        f"gone from Jira's answer, kept here: DEMO-9 (DEMO-9.md): {DELETED}",
        "to move the files of deleted tickets away: ticketr pull --prune",
    ]
    assert pruned.err.splitlines()[-2] == "moved to .ticketr/trash: DEMO-9"
    assert "DEMO-9.md" not in someone.files()


def test_many_notes_are_counted_instead_of_printed(someone: User) -> None:
    someone.writes("wrong.md", "# TICKET: A\n\n## Fields\nNo Such: x\n\n" * 25)

    told = someone.runs("push", "--yes")

    assert told.code == 3
    assert told.err.count("failed: ") == 20
    assert told.err.splitlines()[-1] == "... and 5 more; --json lists them all"


def test_one_file_that_lies_outside_is_wrong_usage(someone: User) -> None:
    (someone.root / "out").symlink_to(someone.root.parent)

    outside = f"it has to be a .md file below {someone.root}"
    link = "the file, or a folder on the way to it, is a link; nothing is written through a link"
    hidden = "no tickets are kept in a hidden folder or below attachments/"
    reasons = {
        **dict.fromkeys(("../x.md", "/x.md", "x.txt", "x"), outside),
        "out/x.md": link,
        **dict.fromkeys((".git/x.md", "attachments/x.md"), hidden),
    }
    for name, reason in reasons.items():
        told = someone.runs("pull", "-o", name)

        assert told.code == 2
        assert f"Invalid value for --output: {reason}\n" in told.err
    assert someone.asked == []


def test_the_output_file_is_relative_to_the_current_folder(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.writes("ticketr.toml", "")
    (someone.root / "sub").mkdir()
    monkeypatch.chdir(someone.root / "sub")

    assert someone.runs("pull", "--output", "all.md").code == 0

    assert [*someone.files()] == ["sub/all.md"]


@pytest.mark.parametrize("command", ["pull", "push", "sync"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--http", "curl"], "'curl' is not one of 'httpx', 'asks'"),
        (["--nonsense"], "No such option"),
        (["-w", "nowhere"], "nowhere"),
    ],
)
def test_wrong_usage_ends_with_2_and_sends_no_request(
    someone: User, command: str, options: list[str], words: str
) -> None:
    told = someone.runs(command, *options)

    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert someone.asked == []


@pytest.mark.parametrize("command", ["pull", "sync"])
def test_a_strategy_that_there_is_not_is_wrong_usage(someone: User, command: str) -> None:
    told = someone.runs(command, "--strategy", "yours")

    assert (told.code, told.out) == (2, "")
    assert "'yours' is not one of 'mine', 'jira', 'both'" in told.err
    assert someone.asked == []


def test_ctrl_c_stops_a_sync_with_130_and_the_count(tmp_path: Path) -> None:
    command = [*PROGRAM, "sync", "--folder", str(tmp_path)]
    with (
        sandbox_process(tickets=700, latency=0.3) as url,
        job_on_pty(command, size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"[1-9]\d*% \(\d+/700\) Pulling tickets")
        pty.type("\x03")
        pty.wait_for(r"Cancelled: \d+/700 tickets pulled")
        assert pty.wait_for_end() == 130


def test_asks_can_speak_http(tmp_path: Path) -> None:
    command = [*PROGRAM, "pull", "--folder", str(tmp_path), "--http", "asks"]
    with (
        sandbox_process(tickets=30) as url,
        job_on_pty(command, size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for("30 new, 0 updated, 0 unchanged")
        assert pty.wait_for_end() == 0

    assert len(list(tmp_path.glob("*.md"))) > 10


def test_without_asks_choosing_it_is_wrong_usage(tmp_path: Path) -> None:
    # Is found before the real package and hides it.
    (tmp_path / "asks.py").write_text("raise ModuleNotFoundError(\"No module named 'asks'\")\n")
    env = environment("http://127.0.0.1:9") | {"PYTHONPATH": str(tmp_path)}

    ended = ticketr("pull", "--http", "asks", "--json", folder=tmp_path, env=env)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "asks cannot be used (No module named 'asks')" in ended.stderr


class TooOld(Recorder):
    """A transport on an anyio that does not work with the current Trio; opening it fails."""

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()
        raise AsksMissing("anyio 3 does not run on Trio")


def test_an_asks_that_cannot_be_opened_is_wrong_usage_too(someone: User) -> None:
    someone.connect = lambda: TooOld(create_app(someone.site))

    told = someone.runs("pull", "--http", "asks", "--json")

    assert (told.code, told.json["error"]) == (2, "AsksMissing")
    assert "anyio 3 does not run on Trio" in told.json["message"]


def test_to_prune_is_suggested_only_where_it_would_move_something(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.delete("DEMO-9")

    edited = someone.runs("pull")
    someone.site.delete("DEMO-3")

    assert "--prune" not in edited.err
    assert "it was edited here" in edited.err
    assert someone.runs("pull").err.splitlines()[-1].endswith("ticketr pull --prune")
