"""Test the commands on one ticket: ``ticketr new``, ``edit``, ``open``, ``log`` and ``attachments``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty
from fakes.pulls import URL
from fakes.users import User

from ticketr.app.tickets import Ticket, parse


def drafted(someone: User, *arguments: str) -> tuple[str, Ticket]:
    """Write a draft; return its file's name and content."""
    told = someone.runs("new", *arguments)
    assert (told.code, told.err) == (0, "")
    path = Path(told.out.removesuffix("\n"))
    (ticket,) = parse(path.read_text(encoding="utf-8")).tickets
    return os.path.relpath(path, someone.root), ticket


def test_a_draft_is_named_after_its_title_and_pushed_as_it_is(someone: User) -> None:
    name, ticket = drafted(someone, "Search", "by author!", "--type", "Story", "--parent", "DEMO-1")

    assert (name, ticket.title, ticket.key) == ("search-by-author.md", "Search by author!", None)
    assert dict(ticket.fields) == {"Type": "Story", "Parent": "DEMO-1"}
    assert someone.runs("push").code == 0
    assert someone.reads(name).key == "DEMO-13"
    assert someone.finds("DEMO-13").parent == someone.finds("DEMO-1").id


def test_the_type_is_the_one_that_is_set_for_new_tickets(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_STORY_TYPE", "Bug")

    assert drafted(someone, "A")[1].fields["Type"] == "Bug"


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../x", "x.md"),
        ("/etc/passwd", "etc-passwd.md"),
        ("..", "draft.md"),
        ("Ärger mit 漢字", "ärger-mit-漢字.md"),
        ("漢" * 300, f"{'漢' * 60}.md"),
        ("DEMO-1", "draft-demo-1.md"),
        ("[WIP] Thing", "wip-thing.md"),
        ("[DEMO-1] Taken", "demo-1-taken.md"),
        ("## Tasks", "tasks.md"),
        ("# TICKET: x", "ticket-x.md"),
        ("-_-", "draft.md"),
    ],
)
def test_any_title_is_kept_and_none_becomes_a_path(someone: User, title: str, name: str) -> None:
    assert drafted(someone, "--", title)[0] == name

    assert someone.reads(name).title == title
    assert [*someone.files()] == [name]


def test_control_characters_are_left_out(someone: User) -> None:
    name, ticket = drafted(someone, "two\nlines \x1b[2J\x07of it")

    assert (name, ticket.title) == ("two-lines-of-it.md", "two lines \ufffdof it")


def test_bytes_that_are_no_text_do_no_harm(someone: User) -> None:
    assert drafted(someone, "caf\udce9")[1].title == "caf\ufffd"


def test_a_file_that_is_there_is_never_overwritten(someone: User) -> None:
    someone.writes("a.md", "Mine.\n")
    (someone.root / "a-2.md").symlink_to("nowhere")

    assert drafted(someone, "A")[0] == "a-3.md"

    assert (someone.root / "a.md").read_text() == "Mine.\n"


def test_it_goes_to_the_current_folder_inside_the_workspace_and_never_to_a_hidden_one(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.writes("ticketr.toml", "")
    for folder in ("sub", ".hidden/deep"):
        (someone.root / folder).mkdir(parents=True)
        monkeypatch.chdir(someone.root / folder)
        drafted(someone, folder)

    assert [*someone.files()] == ["hidden-deep.md", "sub/sub.md"]


def test_a_folder_that_is_named_counts_more_than_the_current_one(
    someone: User, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()

    assert drafted(someone, "-C", "../other", "A")[0] == "../other/a.md"


def test_json_has_the_path(someone: User) -> None:
    told = someone.runs("new", "A", "--json").json

    assert told == {"folder": str(someone.root), "path": str(someone.root / "a.md")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["  "], "the title is empty"),
        (["\x1b[2J"], "the title is empty"),
        (["A", "--parent", "the epic"], "it has to be a key like PROJ-123"),
    ],
)
def test_wrong_usage_writes_nothing(someone: User, arguments: list[str], words: str) -> None:
    told = someone.runs("new", *arguments)

    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert someone.files() == {}


def test_a_folder_that_is_not_there_is_named(someone: User) -> None:
    told = someone.runs("new", "-C", "nowhere", "A")

    assert told.code == 1
    assert f"cannot write {someone.root / 'nowhere' / 'a.md'}: No such file" in told.err


@pytest.fixture
def owner(someone: User, monkeypatch: pytest.MonkeyPatch) -> User:
    someone.writes("all.md", "# TICKET: [DEMO-1] One\n\n# TICKET: [DEMO-2] Two\n")
    monkeypatch.delenv("VISUAL", raising=False)
    return someone


def as_editor(owner: User, name: str, *lines: str) -> Path:
    """Write a program that stands in for an editor; it gets the words after its own name."""
    program = owner.root.parent / name
    program.write_text("\n".join([f"#!{sys.executable}", "import os, signal, sys", *lines]))
    program.chmod(0o700)
    return program


def test_the_editor_gets_the_file_and_the_line(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = owner.root.parent / "seen"
    program = as_editor(owner, "vim", f"open({str(seen)!r}, 'w').write('|'.join(sys.argv[1:]))")
    monkeypatch.setenv("EDITOR", f"{program} -n")

    assert owner.runs("edit", "demo-2") == (0, "", "")
    assert seen.read_text() == f"-n|+3|{owner.root / 'all.md'}"


def test_a_mistake_in_the_edited_file_is_told_at_once(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = as_editor(owner, "vim", "open(sys.argv[-1], 'a').write('# TICKET: [DEMO-3]\\n')")
    monkeypatch.setenv("VISUAL", str(program))

    told = owner.runs("edit", "DEMO-1")

    assert told.code == 1
    assert told.err.startswith("ticketr: all.md:4:11: there is a key but no title")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("sys.exit(3)", "failed with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "was ended by SIGTERM"),
    ],
)
def test_an_editor_that_fails_is_an_error(
    owner: User, monkeypatch: pytest.MonkeyPatch, line: str, problem: str
) -> None:
    program = as_editor(owner, "mine", line)
    monkeypatch.setenv("EDITOR", str(program))

    told = owner.runs("edit", "DEMO-1")

    path = owner.root / "all.md"
    assert (told.code, told.out) == (1, "")
    assert told.err == f"ticketr: the editor ({program} {path}) {problem}\n"


def test_an_editor_that_is_not_there_is_an_error_that_says_what_to_set(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor")

    told = owner.runs("edit", "DEMO-1")

    assert told.code == 1
    assert told.err == (
        f"ticketr: the editor (no-such-editor {owner.root / 'all.md'}) cannot be started:"
        " No such file or directory; set VISUAL or EDITOR, as in EDITOR=nano\n"
    )


def test_a_key_that_is_in_no_file_starts_no_editor(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor")

    assert owner.runs("edit", "DEMO-3").code == 2


def test_ctrl_c_is_for_the_editor_alone(owner: User) -> None:
    program = as_editor(
        owner,
        "vim",
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler",
        # A handler could run just before a pause, which would then wait for another signal.
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})",
        "print('ready', flush=True)",
        "signal.sigwait({signal.SIGINT})",
        "print('noted')",
    )
    environ = {**environment(), "EDITOR": str(program), "PATH": os.environ["PATH"]}

    with job_on_pty([*PROGRAM, "edit", "-C", str(owner.root), "DEMO-1"], environ=environ) as pty:
        pty.wait_for("ready")
        pty.type("\x03")
        pty.wait_for("noted")
        assert pty.wait_for_end() == 0


ADDRESS = f"{URL}/browse/DEMO-9"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []

    def note(url: str) -> bool:
        addresses.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", note)
    return addresses


def test_the_address_of_an_issue_is_opened(someone: User, opened: list[str]) -> None:
    assert someone.runs("open", "demo-9") == (0, "", "")
    assert opened == [ADDRESS]


def test_the_address_can_be_printed_instead(someone: User, opened: list[str]) -> None:
    assert someone.runs("open", "DEMO-9", "--print") == (0, f"{ADDRESS}\n", "")
    assert opened == []


def test_without_a_browser_the_error_has_the_address(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)

    assert someone.runs("open", "DEMO-9") == (
        1,
        "",
        f"ticketr: no browser can be started here (set BROWSER); the address is {ADDRESS}\n",
    )


def test_a_site_that_only_a_file_names_is_not_opened(
    someone: User, monkeypatch: pytest.MonkeyPatch, opened: list[str]
) -> None:
    for name in ("JIRA_URL", "JIRA_EMAIL", "JIRA_API_TOKEN", "JIRA_PROJECT_KEY"):
        monkeypatch.delenv(name)
    someone.writes("ticketr.toml", 'site = "https://elsewhere.example"\n')

    assert someone.runs("open", "DEMO-9").code == 2
    assert opened == []


def test_work_is_recorded(someone: User) -> None:
    told = someone.runs("worklog", "demo-1", "1d", "4h", "Wrote", "the tests")

    assert (told.code, told.out) == (0, "logged 1d 4h on DEMO-1\n")
    assert [each.seconds for each in someone.finds("DEMO-1").worklogs] == [12 * 3600]


def test_it_is_printed_as_json(someone: User) -> None:
    told = someone.runs("worklog", "DEMO-1", "1h 30m", "--json")
    failed = someone.runs("worklog", "DEMO-99", "1h", "--json")

    (record,) = someone.finds("DEMO-1").worklogs
    assert told.json == {
        "status": "completed",
        "message": "Logged 1h 30m on DEMO-1",
        "key": "DEMO-1",
        "id": str(record.id),
        "spent": "1h 30m",
    }
    assert (failed.code, failed.json["status"], failed.json["error"]) == (1, "failed", "NotFound")


@pytest.mark.parametrize("arguments", [["DEMO-1"], ["DEMO-1", "lunch"], ["x", "2h"]])
def test_wrong_usage_is_refused(someone: User, arguments: list[str]) -> None:
    assert someone.runs("worklog", *arguments).code == 2


def test_a_refusal_is_told(someone: User) -> None:
    told = someone.runs("worklog", "DEMO-99", "1h")

    assert (told.code, told.out) == (1, "")
    assert "Issue does not exist" in told.err


def test_a_text_that_cannot_be_sent_is_refused_in_words(someone: User) -> None:
    told = someone.runs("worklog", "DEMO-1", "1h", "<!-- no -->")

    assert told.code == 1
    assert (
        'Log work failed: "<!-- no -->": in its line 1: “<!-- no -->” is lost in Jira' in told.err
    )
    assert "UnsendableWorkOrComment" not in told.err


def test_attachments_are_added_listed_and_downloaded(someone: User) -> None:
    someone.writes("shot.png", "picture")

    added = someone.runs("attachments", "add", "demo-1", "shot.png")
    listed = someone.runs("attachments", "list", "DEMO-1", "DEMO-2")
    got = someone.runs("attachments", "get", "DEMO-1")
    again = someone.runs("attachments", "get", "DEMO-1")

    assert (added.code, added.out) == (0, "attached shot.png\n")
    assert listed.out == "DEMO-1  1 attachment\n  shot.png  7 bytes\nDEMO-2  no attachments\n"
    assert (got.code, got.out) == (0, "downloaded attachments/DEMO-1/shot.png\n")
    assert (someone.root / "attachments" / "DEMO-1" / "shot.png").read_bytes() == b"picture"
    assert (again.code, again.out) == (0, "1 were there already\n")


def test_they_are_printed_as_json(someone: User) -> None:
    someone.writes("shot.png", "picture")

    added = someone.runs("attachments", "add", "DEMO-1", "shot.png", "--json").json
    listed = someone.runs("attachments", "list", "DEMO-1", "DEMO-99", "--json")

    assert added == {
        "status": "completed",
        "message": "Attached 1 file to DEMO-1",
        "attached": ["shot.png"],
        "unchanged": 0,
        "failed": [],
    }
    ((found,),) = listed.json["issues"].values()
    assert (found["name"], found["size"], listed.code) == ("shot.png", 7, 3)
    assert [each["key"] for each in listed.json["failed"]] == ["DEMO-99"]


def test_a_job_that_fails_ends_the_command(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIRA_API_KEY", "wrong")
    monkeypatch.setenv("JIRA_API_TOKEN", "wrong")

    told = someone.runs("attachments", "list", "DEMO-1", "--json")

    assert (told.code, told.json["status"], told.json["error"]) == (
        1,
        "failed",
        "AuthenticationFailed",
    )


@pytest.mark.parametrize(
    "arguments",
    [["list", "nokey"], ["add", "x", "shot.png"], ["get"]],
)
def test_wrong_usage_of_attachments_is_refused(someone: User, arguments: list[str]) -> None:
    someone.writes("shot.png", "picture")

    assert someone.runs("attachments", *arguments).code == 2
