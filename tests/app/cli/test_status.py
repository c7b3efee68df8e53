"""Test ``ticketr status`` and ``ticketr diff``, which send no request and change nothing."""

from __future__ import annotations

import signal

import pytest
from fakes.lossy import Lossy, once
from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty
from fakes.users import User

from jira_sandbox import create_app, make_site
from ticketr.app.sync import Store

HOSTILE = "a\x1b[2J\x9b2Kb\u202e"
KEYS = {
    "folder",
    "tickets",
    "edited",
    "drafts",
    "conflicts",
    "unsettled",
    "unknown",
    "broken",
    "missing",
    "losses",
    "literals",
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


def test_after_a_pull_there_is_nothing_to_push(someone: User) -> None:
    someone.runs("pull")

    told = someone.runs("status")

    assert told.code == 0
    assert told.out == "nothing to push; 12 tickets are unchanged since the last sync\n"
    assert told.err == ""


def test_one_unchanged_ticket_is_one_ticket(someone: User) -> None:
    assert someone.runs("pull", "DEMO-1").code == 0

    told = someone.runs("status")

    assert told.out == "nothing to push; 1 ticket is unchanged since the last sync\n"


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


def test_a_file_that_cannot_be_read_hides_no_other(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.writes("A.md", "# TICKET: A\n<<<<<<< HEAD\n")
    (someone.root / "B.md").write_bytes(b"# TICKET: \xff\n")

    told, shown = someone.runs("status"), someone.runs("diff")

    assert (told.code, shown.code) == (1, 1)
    edited, first, second = told.out.splitlines()
    assert edited == "edited    DEMO-9 (DEMO-9.md): Title"
    assert first.startswith("broken    A.md:2:1: this file holds a git conflict")
    assert (
        second
        == f"broken    cannot read {someone.root / 'B.md'}: line 1 is not UTF-8; save the file as UTF-8"
    )
    assert "+# TICKET: [DEMO-9] Mine" in shown.out
    assert shown.err.startswith("A.md:2:1: ")


def test_a_key_in_two_files_is_reported_with_both(someone: User) -> None:
    someone.runs("pull")
    someone.writes("copy.md", "# TICKET: [DEMO-9] Again\n")

    told = someone.runs("status")

    assert told.code == 1
    assert told.out == "broken    DEMO-9 is in DEMO-9.md and in copy.md; keep one of them\n"


@pytest.mark.parametrize(("tickets", "lines"), [(12, 6), (200, 1)])
def test_tickets_that_came_with_a_clone_are_reported_and_many_are_counted(
    someone: User, tickets: int, lines: int
) -> None:
    someone.site = make_site(tickets=tickets, seed=1)
    someone.runs("pull")
    for path in (someone.root / ".ticketr").glob("*"):
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


@pytest.mark.parametrize(
    ("variables", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_marks_have_colours_unless_they_are_not_wanted(
    someone: User, variables: dict[str, str], colored: bool
) -> None:
    clash(someone)
    someone.retitles("DEMO-1", "Mine")
    command = [*PROGRAM, "status", "--folder", str(someone.root)]

    config = str(someone.root.parent / "config")
    env = environment(TICKETR_CONFIG_DIR=config)
    with job_on_pty(command, environ=env | variables) as pty:
        pty.wait_for(r"1 edited, 1 in conflict\r?\n")
        assert pty.wait_for_end() == 0

    assert ("\x1b[33medited    \x1b[0mDEMO-1 (DEMO-1.md): Title" in pty.output) is colored
    assert ("\x1b[31mconflict  \x1b[0mDEMO-9" in pty.output) is colored
    assert ("\x1b" in pty.output) is colored


def test_a_draft_that_jira_was_asked_for_is_listed_once(someone: User) -> None:
    someone.writes("new.md", "# TICKET: New\n")

    def stop(method: str, at: str) -> None:
        if (method, at) == ("POST", "issue"):
            signal.raise_signal(signal.SIGINT)

    app = create_app(someone.site)
    someone.connect = lambda: Lossy(app, once("POST", "issue", "answer"), before=stop)
    assert someone.runs("push").code == 130

    told = someone.runs("status")

    line = "unsettled New (new.md): the next push finds out if it exists\n"
    assert (told.out, told.err) == (line, "")
    assert [each["title"] for each in someone.runs("status", "--json").json["drafts"]] == ["New"]


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


def test_a_ticket_moved_to_another_or_a_broken_file_is_not_missing(
    someone: User,
) -> None:
    someone.runs("pull")
    (someone.root / "DEMO-9.md").rename(someone.root / "moved.md")
    someone.edits("DEMO-3.md", "# TICKET: [DEMO-3] ", "# TICKET: [DEMO-3 ")

    assert "missing" not in someone.runs("status").out


def test_a_ticket_that_neither_jira_nor_any_file_has_is_forgotten(someone: User) -> None:
    someone.runs("pull")
    (someone.root / "DEMO-9.md").unlink()
    someone.site.delete("DEMO-9")

    someone.runs("pull")

    assert someone.runs("status").out.startswith("nothing to push")


def test_text_that_looks_special_and_is_none_is_named_with_its_line(someone: User) -> None:
    someone.runs("pull")
    path = next(someone.root.rglob("DEMO-9.md"))
    path.write_text(
        path.read_text().replace("## Description\n", "## Description\nask @Mia\n\n", 1)
        if "## Description" in path.read_text()
        else path.read_text().replace("\n\n", "\n\n## Description\nask @Mia\n\n", 1)
    )
    someone.writes("new.md", "# TICKET: A\n\n## Description\n> [!NOTICE]\n> b\n\n`c`{gren}\n")

    told = someone.runs("status")

    assert told.code == 0
    assert "text      DEMO-9 (DEMO-9.md): Description: DEMO-9.md:4: “@Mia” goes to Jira" in told.out
    assert "text      A (new.md): Description: new.md:4: “[!NOTICE]” goes to Jira" in told.out
    assert "text      A (new.md): Description: new.md:7: “{gren}” makes no status" in told.out
    assert someone.runs("status", "DEMO-9").out.count("text  ") == 1
    first, *others = someone.runs("status", "--json").json["literals"]
    assert (first["key"], first["path"]) == ("DEMO-9", "DEMO-9.md")
    assert [each["title"] for each in others] == ["A", "A"]
