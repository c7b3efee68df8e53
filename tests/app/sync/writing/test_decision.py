"""What becomes of a ticket and its file; a kill between file and state costs nothing."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest
from fakes.stores import NEW, OLD, files, put

from ticketr.app.jira import Issue
from ticketr.app.jira.adf import to_adf
from ticketr.app.sync import Code, Columns, FileFailed, Side, State, Store
from ticketr.app.sync.compare.mapping import TicketAndText
from ticketr.app.sync.state.state import IssueRow, MergeBase
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.rendering import RenderedFamily, render_family
from ticketr.app.sync.writing.writer import FamilyResult, FamilyWriter
from ticketr.app.tickets import Ticket, render_ticket


def write(
    store: Store,
    ticket: Ticket,
    *,
    path: str | None,
    base: Ticket | None = None,
    prefer: Side | None = None,
) -> FamilyResult:
    """Write a ticket over the state of a workspace that was synced with a base, or never."""
    if base is not None:
        row = IssueRow(issue_of(base))
        with closing(State(store.state_path)) as state:
            state.record("1", MergeBase(path or "", render_ticket(base)), [row], seen=0.0)
    text = TicketAndText(ticket, render_ticket(ticket), frozenset())
    return written(store, RenderedFamily((issue_of(ticket),), text, path), prefer=prefer)


def written(store: Store, family: RenderedFamily, *, prefer: Side | None = None) -> FamilyResult:
    with closing(State(store.state_path)) as state:
        results, error = FamilyWriter(store, state, seen=1.0, prefer=prefer).write([family])
    if error is not None:
        raise error
    (result,) = results
    return result


def issue_of(ticket: Ticket) -> Issue:
    return Issue("1", ticket.key or "", {"description": to_adf(ticket.description)})


def write_new(
    store: Store, *, path: str | None, base: Ticket | None
) -> tuple[WriteOutcome | None, str]:
    result = write(store, NEW, path=path, base=base)
    return result.outcome, result.path


def test_the_rest_of_its_file_stays_byte_for_byte(store: Store) -> None:
    before = "\ufeffNotes.\r\n\r\n"
    after = "\r\n\r\n# TICKET: A draft\r\nFree text \r\n"
    old = render_ticket(OLD).replace("\n", "\r\n").rstrip("\r\n")
    new = render_ticket(NEW).replace("\n", "\r\n").rstrip("\r\n")
    path = put(store, "a.md", before + old + after)

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.UPDATED, "a.md")
    assert path.read_bytes() == (before + new + after).encode()


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_are_no_edit_and_stay(end: str, store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD).replace("\n", end))

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.UPDATED, "a.md")
    assert path.read_bytes().decode() == render_ticket(NEW).replace("\n", end)


def test_a_file_that_equals_jiras_version_is_taken_as_it_is(store: Store) -> None:
    path = put(store, "a.md", render_ticket(NEW))
    written = path.stat()

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.UNCHANGED, "a.md")
    found = path.stat()
    assert (found.st_ino, found.st_ctime_ns) == (written.st_ino, written.st_ctime_ns)


def test_an_empty_file_in_the_way_is_filled(store: Store) -> None:
    put(store, "DEMO-1.md", "")

    assert write_new(store, path=None, base=None) == (WriteOutcome.NEW, "DEMO-1.md")


def test_a_link_out_of_the_workspace_is_not_followed(store: Store, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text(render_ticket(OLD))
    (store.root / "a.md").symlink_to(outside)

    assert files(store) == []
    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.KEPT, "a.md")
    assert outside.read_text() == render_ticket(OLD)


def test_a_link_inside_the_workspace_is_not_followed_either(store: Store) -> None:
    put(store, "real.md", render_ticket(OLD))
    link = store.root / "a.md"
    link.symlink_to("real.md")

    assert files(store) == ["real.md"]
    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.KEPT, "a.md")
    assert link.is_symlink()
    assert (store.root / "real.md").read_text() == render_ticket(OLD)


def test_a_files_mode_is_kept_and_a_new_one_follows_the_umask(store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD))
    path.chmod(0o640)

    write_new(store, path="a.md", base=OLD)

    assert path.stat().st_mode & 0o777 == 0o640
    write(store, Ticket("Other", key="DEMO-2"), path="b.md")
    put(store, "plain.md", "x")
    expected = (store.root / "plain.md").stat().st_mode
    assert (store.root / "b.md").stat().st_mode == expected


@pytest.mark.parametrize("key", ["../../x", "DEMO-1/../x", "demo-1", ""])
def test_a_key_that_is_none_never_becomes_a_path(store: Store, key: str) -> None:
    text = TicketAndText(Ticket(title="x"), "# TICKET: x\n", frozenset())

    result = written(store, RenderedFamily((Issue("1", key, {}),), text, None))

    assert result.outcome is None
    assert result.note is not None
    assert result.note.code is Code.BAD_VALUE
    assert list(store.root.glob("**/*.md")) == []


def test_a_file_whose_name_is_as_long_as_names_may_be_is_rewritten(store: Store) -> None:
    name = "n" * 252 + ".md"
    put(store, name, render_ticket(OLD))

    assert write_new(store, path=name, base=OLD) == (WriteOutcome.UPDATED, name)


def test_a_write_that_fails_leaves_the_file_whole_and_nothing_beside_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(store, "a.md", render_ticket(OLD))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileFailed, match=r"cannot write .*a\.md: No space left on device"):
        write_new(store, path="a.md", base=OLD)

    assert path.read_text() == render_ticket(OLD)
    assert sorted(each.name for each in store.root.iterdir()) == [".ticketr", "a.md"]


def version(title: str) -> RenderedFamily:
    issue = Issue(id="1", key="DEMO-1", fields={"summary": title, "updated": title})
    return render_family(issue, (), Columns.of(()), path=None)


def killed_after_the_file(store: Store, state: State, family: RenderedFamily) -> None:
    """Write a file, and die before the state has it."""
    with pytest.MonkeyPatch.context() as patch:

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(State, "record", die)
        with pytest.raises(KeyboardInterrupt):
            FamilyWriter(store, state, seen=1.0).write([family])


@pytest.mark.parametrize("written_before", [False, True])
@pytest.mark.parametrize("kills", [1, 2])
def test_a_file_that_a_killed_pull_wrote_is_no_edit(
    kills: int, written_before: bool, store: Store, state: State
) -> None:
    writer = FamilyWriter(store, state, seen=1.0)
    if written_before:
        writer.write([version("First")])
    for number in range(kills):
        killed_after_the_file(store, state, version(f"Killed {number}"))

    (result,), error = writer.write([version("Last")])

    assert (result.outcome, error) == (WriteOutcome.UPDATED, None)
    assert "Last" in (store.root / "DEMO-1.md").read_text()
    assert state.paths_and_possible_bases(["1"])[1] == {"1": [version("Last").content.text]}


def test_a_ticket_that_was_kept_leaves_no_text_that_would_count_as_ours(
    store: Store, state: State
) -> None:
    writer = FamilyWriter(store, state, seen=1.0)
    writer.write([version("First")])
    path = store.root / "DEMO-1.md"
    path.write_text("# TICKET: [DEMO-1] Mine\n")
    writer.write([version("Second")])
    assert state.paths_and_possible_bases(["1"])[1] == {"1": [version("First").content.text]}

    path.write_text(version("Second").content.text)  # taken over by hand, from wherever
    (result,), _ = writer.write([version("Third")])

    assert result.outcome is WriteOutcome.CONFLICT
    assert "Second" in path.read_text()


def test_an_edit_after_a_kill_is_still_an_edit(store: Store, state: State) -> None:
    killed_after_the_file(store, state, version("Killed"))
    path = store.root / "DEMO-1.md"
    path.write_text(path.read_text() + "Mine.\n")

    (result,), _ = FamilyWriter(store, state, seen=1.0).write([version("Last")])

    assert result.outcome is WriteOutcome.MERGED
    assert path.read_text() == version("Last").content.text + "\n## Description\nMine.\n"


def test_a_new_ticket_comes_back_as_the_family_that_was_given(store: Store, state: State) -> None:
    family = version("First")

    (result,), _ = FamilyWriter(store, state, seen=1.0).write([family])

    assert result.family is family  # a pull forgets what it has written by that
