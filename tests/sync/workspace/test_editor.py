from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from fakes.stores import NEW, OLD, files, put

from ticketr.sync.compare.merge import Side, merge
from ticketr.sync.errors import FileFailed
from ticketr.sync.workspace.editor import Editor, Write, WriteOutcome, WriteResult
from ticketr.tickets import InvalidKey, Ticket, parse, render_ticket, safe_file_name

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.sync.workspace.store import Store


def write(
    store: Store,
    ticket: Ticket,
    text: str,
    *,
    path: str | None,
    bases: list[str],
    prefer: Side | None = None,
) -> WriteResult:
    base = parse(bases[-1]).tickets[0] if bases else None
    name = path or safe_file_name(ticket.key or "")
    each = Write(ticket, text, bases, lambda local: merge(base, local, ticket, prefer=prefer))
    return Editor(store).write(name, [each])[0]


def write_new(store: Store, *, path: str | None, base: Ticket | None) -> tuple[WriteOutcome, str]:
    bases = [render_ticket(base)] if base else []
    result = write(store, NEW, render_ticket(NEW), path=path, bases=bases)
    return result.outcome, result.path


def test_a_new_ticket_gets_a_file_named_after_its_key(store: Store) -> None:
    assert write_new(store, path=None, base=None) == (WriteOutcome.NEW, "DEMO-1.md")
    assert (store.root / "DEMO-1.md").read_text() == render_ticket(NEW)


def test_a_file_that_went_away_is_written_again_where_it_was(store: Store) -> None:
    assert write_new(store, path="sprint/a.md", base=OLD) == (WriteOutcome.NEW, "sprint/a.md")
    assert (store.root / "sprint" / "a.md").read_text() == render_ticket(NEW)


def test_an_unedited_ticket_is_rewritten_in_place(store: Store) -> None:
    put(store, "a.md", render_ticket(OLD))

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.UPDATED, "a.md")
    assert (store.root / "a.md").read_text() == render_ticket(NEW)


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


def test_a_ticket_that_both_sides_have_changed_is_not_written(store: Store) -> None:
    text = render_ticket(OLD).replace("As it was.", "As I want it.")
    path = put(store, "a.md", text)

    result = write(store, NEW, render_ticket(NEW), path="a.md", bases=[render_ticket(OLD)])

    assert result.outcome is WriteOutcome.CONFLICT
    assert result.reason == "changed here and in Jira: DEMO-1: Description"
    assert path.read_text() == text


def test_what_one_side_changed_joins_what_the_other_did(store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD) + "\n## Tasks\n- Something to do\n")

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.MERGED, "a.md")
    assert path.read_text() == render_ticket(NEW) + "\n## Tasks\n- Something to do\n"


def test_what_jiras_version_replaces_is_put_aside(store: Store) -> None:
    text = render_ticket(OLD).replace("As it was.", "As I want it.")
    for _ in range(2):
        put(store, "a.md", text)
        bases = [render_ticket(OLD)]
        result = write(store, NEW, render_ticket(NEW), path="a.md", bases=bases, prefer=Side.REMOTE)

        assert result.outcome is WriteOutcome.MERGED
        assert (store.root / "a.md").read_text() == render_ticket(NEW)
    aside = sorted((store.own / "trash").iterdir())
    assert [path.name for path in aside] == ["DEMO-1.2.md", "DEMO-1.md"]
    assert [path.read_text() for path in aside] == [text, text]


def test_a_file_that_equals_jiras_version_is_taken_as_it_is(store: Store) -> None:
    path = put(store, "a.md", render_ticket(NEW))
    stamp = path.stat()

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.UNCHANGED, "a.md")
    assert path.stat() == stamp


def test_without_a_base_an_equal_ticket_is_adopted_and_another_one_is_a_conflict(
    store: Store,
) -> None:
    put(store, "same.md", render_ticket(NEW).replace("\n", "\r\n"))
    assert write_new(store, path="same.md", base=None) == (WriteOutcome.UNCHANGED, "same.md")

    put(store, "other.md", render_ticket(OLD))
    assert write_new(store, path="other.md", base=None) == (WriteOutcome.CONFLICT, "other.md")
    assert (store.root / "other.md").read_text() == render_ticket(OLD)


def test_a_file_in_the_way_of_a_new_ticket_is_kept(store: Store) -> None:
    path = put(store, "DEMO-1.md", "My notes.\n")

    result = write(store, NEW, render_ticket(NEW), path=None, bases=[])

    assert (result.outcome, result.reason) == (WriteOutcome.KEPT, "the file holds something else")
    assert path.read_text() == "My notes.\n"


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


def test_a_link_inside_the_workspace_stays_a_link(store: Store) -> None:
    put(store, "real.md", render_ticket(OLD))
    link = store.root / "a.md"
    link.symlink_to("real.md")

    assert write_new(store, path="a.md", base=OLD) == (WriteOutcome.UPDATED, "a.md")
    assert link.is_symlink()
    assert (store.root / "real.md").read_text() == render_ticket(NEW)


def test_a_files_mode_is_kept_and_a_new_one_follows_the_umask(store: Store) -> None:
    path = put(store, "a.md", render_ticket(OLD))
    path.chmod(0o640)

    write_new(store, path="a.md", base=OLD)

    assert path.stat().st_mode & 0o777 == 0o640
    write(store, NEW, render_ticket(NEW), path="b.md", bases=[])
    put(store, "plain.md", "x")
    expected = (store.root / "plain.md").stat().st_mode
    assert (store.root / "b.md").stat().st_mode == expected


@pytest.mark.parametrize("key", ["../../x", "DEMO-1/../x", "demo-1", "", None])
def test_a_key_that_is_none_never_becomes_a_path(store: Store, key: str | None) -> None:
    with pytest.raises(InvalidKey):
        write(store, Ticket(title="x", key=key), "# TICKET: x\n", path=None, bases=[])

    assert list(store.root.glob("**/*.md")) == []


def test_a_file_whose_name_is_as_long_as_names_may_be_is_rewritten(store: Store) -> None:
    name = "n" * 252 + ".md"
    put(store, name, render_ticket(OLD))

    assert write_new(store, path=name, base=OLD) == (WriteOutcome.UPDATED, name)


def test_a_write_that_fails_leaves_the_file_whole_and_nothing_beside_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(store, "a.md", render_ticket(OLD))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FileFailed, match=r"cannot write .*a\.md: No space left on device"):
        write_new(store, path="a.md", base=OLD)

    assert path.read_text() == render_ticket(OLD)
    assert sorted(each.name for each in store.root.iterdir()) == [".ticketr", "a.md"]
