"""Test ``ticketr status``, ``diff`` and ``show``, which send no request, and broken files."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty
from fakes.users import User

from jira_sandbox import make_site
from ticketr.app.sync import Store

HOSTILE = "a\x1b[2J\x9b2Kb\u202e"
KEYS = {
    "folder",
    "tickets",
    "edited",
    "older",
    "drafts",
    "conflicts",
    "unsettled",
    "unknown",
    "broken",
    "missing",
    "losses",
    "literals",
    "refused",
}


def clash(someone: User) -> None:
    """Let both sides change the title of DEMO-9, and pull."""
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-9", summary="Theirs")
    assert someone.runs("pull").code == 3


def test_a_folder_without_tickets_says_how_to_begin_and_stays_as_it_is(someone: User) -> None:
    (someone.root / "ticketr.toml").unlink()

    told = someone.runs("status")

    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("there is no ticket here; ticketr pull brings those of Jira")
    assert someone.runs("diff").out == ""
    assert someone.runs("status", "--json").json["tickets"] == 0
    assert [*someone.root.iterdir()] == []  # the command does not make it a workspace


@pytest.mark.parametrize("command", ["status", "list", "diff", "push"])
def test_a_mistyped_folder_is_refused_and_not_made(someone: User, command: str) -> None:
    typo = someone.root.with_name("typo")

    told = someone.runs(command, "--folder", str(typo))

    assert (told.code, told.out) == (2, "")
    assert f"--folder is {typo}: there is no such folder" in told.err
    assert not typo.exists()


def test_after_a_pull_there_is_nothing_to_push(someone: User) -> None:
    someone.runs("pull")

    told = someone.runs("status")

    assert told.code == 0
    assert told.out == "nothing to push; 12 tickets are unchanged since the last sync\n"
    assert told.err == ""


def test_edits_drafts_and_conflicts_are_listed(someone: User) -> None:
    clash(someone)
    someone.edits("DEMO-3.md", "Translate the new texts", "Translate")
    someone.edits("DEMO-3.md", "## Tasks\n", "## Tasks\n- A task\n\n")
    someone.writes("new.md", "# TICKET: New\n\n## Tasks\n- Part\n")

    told = someone.runs("status")

    assert told.code == 0
    assert told.out.splitlines() == [
        "edited    DEMO-4 (DEMO-3.md): Title",
        "draft     A task (DEMO-3.md)",
        "draft     New (new.md)",
        "draft     Part (new.md)",
        "conflict  DEMO-9 (DEMO-9.md): Title",
    ]
    assert told.err == "1 edited, 3 drafts, 1 in conflict\n"


def test_json_has_the_same_keys_for_every_folder(someone: User) -> None:
    empty = someone.runs("status", "--json").json
    clash(someone)
    someone.edits("DEMO-3.md", "## Tasks\n", "## Tasks\n- A task\n\n")
    someone.writes("bad.md", "# TICKET: A\n<<<<<<< HEAD\n")

    told = someone.runs("status", "--json").json

    assert told.keys() == empty.keys() == KEYS
    assert told["folder"] == str(someone.root)
    assert told["edited"] == [{"key": "DEMO-9", "path": "DEMO-9.md", "parts": ["Title"]}]
    assert told["drafts"] == [{"title": "A task", "path": "DEMO-3.md", "parent": "DEMO-3"}]
    (conflict,) = told["conflicts"]
    assert conflict == {"key": "DEMO-9", "path": "DEMO-9.md", "parts": ["DEMO-9: Title"]}
    (broken,) = told["broken"]
    assert broken["path"] == "bad.md"
    assert broken["reason"].startswith("bad.md:2:1: this file holds a git conflict")


def test_a_key_in_two_files_is_reported_with_both(someone: User) -> None:
    someone.runs("pull")
    someone.writes("copy.md", "# TICKET: [DEMO-9] Again\n")

    told = someone.runs("status")

    assert told.code == 1
    assert told.out == "broken    DEMO-9 is in DEMO-9.md and in copy.md; keep one of them\n"


def test_a_sub_task_that_was_moved_or_came_with_a_merge_is_listed(someone: User) -> None:
    someone.runs("pull")
    text = (someone.root / "DEMO-3.md").read_text()
    someone.writes("DEMO-3.md", text.split("\n## Tasks")[0])
    text = (someone.root / "DEMO-9.md").read_text().split("\n## Tasks")[0]
    someone.writes("DEMO-9.md", f"{text}\n## Tasks\n- [DEMO-77] Came\n- [DEMO-4] Moved\n")

    edited, unknown = someone.runs("status").out.splitlines()
    assert edited == "edited    DEMO-4 (DEMO-9.md): Parent"
    assert unknown.startswith("unknown   DEMO-77 (DEMO-9.md): never pulled into this folder")
    failed = someone.runs("push")
    assert failed.code == 3
    assert "in Jira by ticketr bulk DEMO-4 --move DEMO-9" in failed.err


def test_a_moved_sub_task_that_git_brings_back_to_its_former_ticket_is_in_two_files(
    someone: User,
) -> None:
    someone.runs("pull")
    former = (someone.root / "DEMO-3.md").read_text()
    ticket, tasks = former.split("\n## Tasks")
    someone.writes("DEMO-3.md", ticket)
    text = (someone.root / "DEMO-9.md").read_text().split("\n## Tasks")[0]
    someone.writes("DEMO-9.md", f"{text}\n## Tasks{tasks}")
    assert someone.runs("bulk", "DEMO-4", "DEMO-5", "--move", "DEMO-9", "--yes").code == 0

    someone.writes("DEMO-3.md", former)

    told = someone.runs("status")
    assert told.code == 1
    assert "DEMO-4 and 1 more key are in DEMO-3.md and in DEMO-9.md; keep one" in told.out


@pytest.mark.parametrize(("tickets", "lines"), [(12, 6), (200, 1)])
def test_tickets_that_came_with_a_clone_are_reported_and_many_are_counted(
    someone: User, tickets: int, lines: int
) -> None:
    someone.site = make_site(tickets=tickets, seed=1)
    someone.runs("pull")
    for path in filter(Path.is_file, (someone.root / ".ticketr").glob("*")):
        path.unlink()

    told = someone.runs("status").out.splitlines()

    assert len(told) == lines
    assert told[-1].startswith("unknown   ")
    assert told[-1].endswith(": never pulled into this folder; the next pull compares with Jira")
    someone.runs("pull")
    assert someone.runs("status").out.startswith("nothing to push")


def test_a_conflict_shows_the_changes_of_both_sides(someone: User) -> None:
    clash(someone)
    old = someone.reads("DEMO-9.md")
    assert old.title == "Mine"

    told = someone.runs("diff")

    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[:2] == ["--- DEMO-9 at the last sync", "+++ DEMO-9.md"]
    assert "+# TICKET: [DEMO-9] Mine" in lines
    at = lines.index("+++ DEMO-9 in Jira")
    assert "+# TICKET: [DEMO-9] Theirs" in lines[at:]
    assert someone.runs("diff", "DEMO-9").out == told.out
    assert someone.runs("diff", "demo-9").out == told.out
    assert someone.runs("diff", "DEMO-1").out == ""


def test_without_a_last_sync_one_side_is_shown_against_the_other(someone: User) -> None:
    someone.writes("mine.md", "# TICKET: [DEMO-9] Mine\n")
    someone.runs("pull")

    told = someone.runs("diff")

    lines = told.out.splitlines()
    assert lines[:2] == ["--- mine.md", "+++ DEMO-9 in Jira"]
    assert lines.count("-# TICKET: [DEMO-9] Mine") == 1
    assert sum(line.startswith("+++") for line in lines) == 1


def test_a_sub_task_is_shown_with_its_ticket(someone: User) -> None:
    someone.runs("pull")
    someone.edits("DEMO-3.md", "Translate the new texts", "Translate")

    told = someone.runs("diff", "DEMO-4")

    assert "+++ DEMO-3.md" in told.out


def test_a_key_that_is_not_here_is_wrong_usage(someone: User) -> None:
    someone.runs("pull")

    told = someone.runs("diff", "DEMO-99")

    assert (told.code, told.out) == (2, "")
    assert "DEMO-99 was never pulled into this folder" in told.err


def test_json_of_a_diff_has_the_whole_texts(someone: User) -> None:
    clash(someone)

    told = someone.runs("diff", "--json").json

    assert told.keys() == {"folder", "tickets", "broken", "missing"}
    (ticket,) = told["tickets"]
    assert ticket.keys() == {"key", "path", "base", "local", "remote"}
    assert (ticket["key"], ticket["path"]) == ("DEMO-9", "DEMO-9.md")
    assert ticket["local"].startswith("# TICKET: [DEMO-9] Mine\n")
    assert ticket["remote"].startswith("# TICKET: [DEMO-9] Theirs\n")


def test_text_from_others_is_cleaned_for_the_terminal(someone: User) -> None:
    clash(someone)
    someone.writes(f"{HOSTILE}.md", f"# TICKET: {HOSTILE}\n")
    someone.retitles("DEMO-9", HOSTILE)

    for command in ("status", "diff"):
        told = someone.runs(command)

        assert told.out
        assert told.out.replace("\n", "").isprintable()
        assert someone.runs(command, "--json").out.isascii()


@pytest.mark.parametrize(("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_shown_unless_they_are_not_wanted(
    someone: User, variables: dict[str, str], colored: bool
) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    command = [*PROGRAM, "diff", "--folder", str(someone.root)]

    config = str(someone.root.parent / "config")
    env = environment(TICKETR_CONFIG_DIR=config)
    with job_on_pty(command, environ=env | variables) as pty:
        pty.wait_for(r"\+# TICKET: \[DEMO-9\] Mine[^\n]*\n")
        assert pty.wait_for_end() == 0

    assert ("\x1b[32m+# TICKET: [DEMO-9] Mine" in pty.output) is colored
    assert ("\x1b" in pty.output) is colored


def test_status_does_not_wait_for_a_process_that_writes(
    someone: User,
) -> None:
    someone.runs("pull")

    with Store(someone.root, ".ticketr").lock():
        assert someone.runs("status").code == 0
        assert someone.runs("diff").code == 0
        assert someone.runs("jobs").code == 0
        assert someone.runs("resolve").code == 0


def test_a_ticket_that_has_lost_its_key_is_reported_as_broken_and_not_as_a_draft(
    someone: User,
) -> None:
    someone.runs("pull")
    someone.edits("DEMO-9.md", "[DEMO-9] ", "")

    told = someone.runs("status")

    assert told.code == 1
    assert told.out.startswith("broken    DEMO-9.md:1:11: the heading of DEMO-9 has lost its key")
    assert "draft" not in told.out


def test_a_mistyped_heading_is_named_with_its_line_and_nothing_of_it_is_sent(
    someone: User,
) -> None:
    someone.runs("pull")
    someone.edits("DEMO-9.md", "# TICKET: ", "# TICKT: ")
    someone.edits("DEMO-1.md", "## Description", "## Descripton")

    told, pushed = someone.runs("status"), someone.runs("push")

    assert (told.code, pushed.code) == (1, 3)
    heading = "DEMO-9.md:1:1: this is not quite the heading of a ticket; write # TICKET: Title"
    section = "DEMO-1.md:3:1: did you mean ## Description?"
    assert [line[10:].startswith((section, heading)) for line in told.out.splitlines()] == [
        True
    ] * 2
    assert f"failed: {heading}" in pushed.err
    assert "it is in no file any more" not in told.out


def test_a_task_that_is_written_as_a_heading_is_warned_about(someone: User) -> None:
    someone.runs("pull")
    someone.writes("new.md", "# TICKET: Pay\n\n## Tasks\n- ### Ask the bank\n- #2 is fine\n")

    told, planned = someone.runs("status"), someone.runs("push", "new.md", "-n")

    words = "new.md:4: the marks of a heading become a part of it; write Ask the bank"
    assert [line for line in told.out.splitlines() if "marks" in line] == [
        f'text      draft "### Ask the bank" (new.md): Title: {words}'
    ]
    assert f"Title: {words}" in planned.err


def test_a_title_that_is_too_long_for_jira_is_named(someone: User) -> None:
    someone.runs("pull")
    someone.writes("new.md", f"# TICKET: {'x' * 256}\n")

    told, planned = someone.runs("status"), someone.runs("push", "-n")

    words = f'draft "{"x" * 256}" (new.md): Title: it has 256 characters; Jira takes 255'
    assert told.out.splitlines()[1:] == [f"refused   {words}"]
    assert someone.runs("status", "--json").json["refused"][0]["path"] == "new.md"
    assert "Title: it has 256 characters; Jira takes 255" in planned.err


def test_a_ticket_whose_file_is_gone_is_reported_until_a_pull_writes_it_again(
    someone: User,
) -> None:
    someone.runs("pull")
    (someone.root / "DEMO-9.md").unlink()

    told, shown = someone.runs("status"), someone.runs("diff")

    assert (told.code, shown.code, shown.out) == (0, 0, "")
    line = "DEMO-9 (DEMO-9.md): it is in no file any more; the next pull writes it again, as "
    assert told.out == f"missing   {line}absence here deletes nothing in Jira\n"
    assert shown.err == told.out.removeprefix("missing   ")
    assert someone.runs("diff", "demo-9").err == shown.err
    assert someone.runs("diff", "DEMO-1").err == ""
    for command in ("status", "diff"):
        expected = [{"key": "DEMO-9", "path": "DEMO-9.md"}]
        assert someone.runs(command, "--json").json["missing"] == expected
    someone.runs("pull")
    assert someone.runs("status").out.startswith("nothing to push")


def test_a_ticket_that_neither_jira_nor_any_file_has_is_forgotten(someone: User) -> None:
    someone.runs("pull")
    (someone.root / "DEMO-9.md").unlink()
    someone.site.delete("DEMO-9")

    someone.runs("pull")

    assert someone.runs("status").out.startswith("nothing to push")


FILE = """\
Some words.

# TICKET: [DEMO-7] Pay in \x1b[2Jinstalments

## Description
First line.

Second \x1b[31mline.

## Fields
Status: To Do
Notes: |
  one
  two

## Acceptance Criteria
- It pays
  twice
- It stops

## Comments
- [7] Mia Chen, 2026-03-01 09:30Z:
  One.

  Two.
- new: Mine

## Tasks
- [DEMO-8] Write the API
  ## Description
  With words.
  ## Fields
  Status: Done
- Draw it

# TICKET: [DEMO-10] Another
"""


@pytest.fixture
def owner(someone: User) -> User:
    someone.writes("tickets/more.md", FILE)
    someone.writes("notes.md", "DEMO-7 and DEMO-8 are mentioned here\n")
    someone.writes("broken.md", "# TICKET: [DEMO-99]\n\nDEMO-7\n")
    return someone


@pytest.mark.parametrize("key", ["DEMO-7", "demo-7", " Demo-7 "])
def test_a_ticket_is_printed_as_it_is_in_its_file(owner: User, key: str) -> None:
    start = FILE.index("# TICKET: [DEMO-7]")

    text = FILE[start : FILE.index("\n# TICKET: [DEMO-10]")]
    assert owner.runs("show", key) == (0, text, "")


def test_a_sub_task_is_printed_by_itself(owner: User) -> None:
    assert owner.runs("show", "DEMO-8").out == (
        "- [DEMO-8] Write the API\n  ## Description\n  With words.\n  ## Fields\n  Status: Done\n"
    )


def test_a_ticket_in_a_terminal_is_cleaned(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ticketr.app.cli.ticket._is_output_terminal", lambda: True)

    shown = owner.runs("show", "DEMO-7").out

    assert "\x1b" not in shown
    assert shown.startswith("# TICKET: [DEMO-7] Pay in instalments\n")
    assert len(shown.splitlines()) == 32


def test_json_has_every_part(owner: User) -> None:
    told = owner.runs("show", "DEMO-7", "--json").json

    assert told == {
        "folder": str(owner.root),
        "key": "DEMO-7",
        "title": "Pay in \x1b[2Jinstalments",
        "fields": {"Status": "To Do", "Notes": "one\ntwo"},
        "description": "First line.\n\nSecond \x1b[31mline.",
        "acceptance_criteria": ["It pays\ntwice", "It stops"],
        "texts": {},
        "comments": [
            {
                "id": "7",
                "author": "Mia Chen",
                "time": "2026-03-01 09:30Z",
                "text": "One.\n\nTwo.",
            },
            {"id": None, "author": "", "time": "", "text": "Mine"},
        ],
        "parent": None,
        "tasks": [
            {
                "key": "DEMO-8",
                "title": "Write the API",
                "fields": {"Status": "Done"},
                "description": "With words.",
                "acceptance_criteria": [],
                "texts": {},
                "comments": [],
            },
            {
                "key": None,
                "title": "Draw it",
                "fields": {},
                "description": "",
                "acceptance_criteria": [],
                "texts": {},
                "comments": [],
            },
        ],
        "path": "tickets/more.md",
        "line": 3,
        "text": told["text"],
    }
    assert owner.runs("show", "DEMO-8", "--json").json["parent"] == "DEMO-7"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["DEMO-77"], "DEMO-77 is in no file of {root}; 'ticketr pull' brings what is in Jira"),
        (["x-y"], "x-y is not a key; a key looks like PROJ-123"),
    ],
)
def test_wrong_usage_is_explained(owner: User, arguments: list[str], reason: str) -> None:
    told = owner.runs("show", *arguments)

    assert (told.code, told.out) == (2, "")
    assert told.err.splitlines()[0] == f"ticketr: {reason.format(root=owner.root)}"


def test_a_broken_file_of_its_own_name_is_the_error(owner: User) -> None:
    owner.writes("DEMO-77.md", "# TICKET: [DEMO-77]\n")

    told = owner.runs("show", "DEMO-77")

    assert told.code == 1
    assert told.err.startswith("ticketr: DEMO-77.md:1:11: there is a key but no title")


def test_a_file_that_cannot_be_read_is_passed_over(owner: User) -> None:
    (owner.root / "DEMO-70.md").mkdir()

    assert owner.runs("show", "DEMO-7").code == 0


ODD = os.fsdecode(b"odd-\xff\xfe.md")


def put_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def put_socket(path: Path) -> None:
    path.unlink()
    with socket.socket(socket.AF_UNIX) as here:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            here.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def put_dangling_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.md")


def break_text(path: Path) -> None:
    path.write_text(f"{path.read_text()}\n# STORY: old\n")


def put_markers(path: Path) -> None:
    path.write_text(f"<<<<<<< HEAD\n{path.read_text()}=======\n>>>>>>> main\n")


def put_bytes(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n\xff\xfe\n")


def put_odd_name(path: Path) -> None:
    path.rename(path.with_name(ODD))


def put_copy(path: Path) -> None:
    path.with_name("copy.md").write_text(path.read_text())


BAD: dict[str, Callable[[Path], None]] = {
    "pipe": put_pipe,
    "socket": put_socket,
    "folder": put_folder,
    "loop": put_loop,
    "dangling link": put_dangling_link,
    "broken text": break_text,
    "markers": put_markers,
    "no UTF-8": put_bytes,
    "odd name": put_odd_name,
    "copy": put_copy,
}


@pytest.fixture(params=BAD)
def bad(request: pytest.FixtureRequest, someone: User) -> User:
    """Make a workspace with a broken DEMO-1.md, an edit of DEMO-2, a draft, and changes in Jira."""
    assert someone.runs("pull").code == 0
    someone.retitles("DEMO-2", "Mine")
    someone.writes("draft.md", "# TICKET: A draft\n")
    BAD[request.param](someone.root / "DEMO-1.md")
    someone.site.edit("DEMO-1", summary="Theirs")
    someone.site.edit("DEMO-6", summary="Theirs too")
    return someone


def is_named(text: str) -> bool:
    return any(name in text for name in ("DEMO-1.md", "odd-", "DEMO-1 "))


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", ["pull", "push", "sync"])
def test_a_broken_file_is_named_and_the_rest_goes_on(bad: User, command: str) -> None:
    before = {path.name for path in bad.root.iterdir()}

    told = bad.runs(command)

    assert told.code == 3, told.err
    assert is_named(told.err)
    assert "should not happen" not in told.err
    assert "Trio nursery" not in told.err
    if command != "pull":
        assert bad.finds("DEMO-2").summary == "Mine"
        assert bad.reads("draft.md").key == "DEMO-13"
    if command != "push":
        assert bad.reads("DEMO-6.md").title == "Theirs too"
    assert {path.name for path in bad.root.iterdir()} == before
    assert bad.finds("DEMO-1").summary == "Theirs"
    assert not (bad.root / "nowhere.md").exists()


def test_status_and_diff_name_it_and_show_the_rest(bad: User) -> None:
    shown = {"status": "edited    DEMO-2 (DEMO-2.md): Title", "diff": "+# TICKET: [DEMO-2] Mine"}
    for command, line in shown.items():
        told = bad.runs(command)
        assert told.code == 1
        assert is_named(told.out + told.err)
        assert line in told.out.splitlines()
        assert bad.runs(command, "--json").code == 1


def test_a_repaired_file_gets_the_changes_of_jira(
    someone: User,
) -> None:
    assert someone.runs("pull").code == 0
    path = someone.root / "DEMO-1.md"
    text = path.read_text()
    path.write_text(f"{text}\n# STORY: old\n")
    someone.site.edit("DEMO-1", summary="Theirs")
    assert someone.runs("pull").code == 3
    assert someone.runs("pull").code == 3

    path.write_text(text)

    assert someone.runs("pull").code == 0
    assert someone.reads("DEMO-1.md").title == "Theirs"


def test_a_new_ticket_whose_name_is_taken_fails_alone(someone: User) -> None:
    (someone.root / "DEMO-3.md").mkdir()
    (someone.root / "DEMO-6.md").symlink_to("elsewhere/DEMO-6.md")
    (someone.root / "DEMO-7.md").symlink_to("DEMO-7.md")
    os.mkfifo(someone.root / "DEMO-8.md")

    told = someone.runs("pull")

    assert told.code == 3
    for name in ("DEMO-3.md", "DEMO-6.md", "DEMO-7.md", "DEMO-8.md"):
        assert name in told.err
    assert (someone.root / "DEMO-1.md").is_file()
    assert not (someone.root / "elsewhere").exists()


def test_a_folder_that_leads_nowhere_is_not_made(someone: User) -> None:
    assert someone.runs("pull").code == 0
    (someone.root / "sprint").mkdir()
    (someone.root / "DEMO-1.md").rename(someone.root / "sprint" / "DEMO-1.md")
    assert someone.runs("pull").code == 0
    (someone.root / "sprint" / "DEMO-1.md").unlink()
    (someone.root / "sprint").rmdir()
    (someone.root / "sprint").symlink_to("nowhere")

    told = someone.runs("pull", "--full")

    assert told.code == 0
    assert "1 new, 0 updated, 11 unchanged" in told.err
    assert someone.reads("DEMO-1.md").key == "DEMO-1"
    assert not (someone.root / "nowhere").exists()


def test_a_broken_ticket_is_asked_for_and_never_written_to(someone: User) -> None:
    assert someone.runs("pull").code == 0
    someone.retitles("DEMO-1", "Mine")
    break_text(someone.root / "DEMO-1.md")
    someone.retitles("DEMO-2", "Mine too")

    told = someone.runs("sync", "--full")

    assert told.code == 3
    assert not any(each.startswith("issue/DEMO-1") for each in someone.asked)
    assert any(each.startswith("issue/DEMO-2") for each in someone.asked)
    assert someone.finds("DEMO-1").summary != "Mine"
    assert someone.finds("DEMO-2").summary == "Mine too"
