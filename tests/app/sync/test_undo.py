"""What replaced the text of a ticket is taken back: the file, the base and the conflict."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from fakes.conflicts import dump, make_conflict, opened, tree
from fakes.examples import examples
from fakes.pulls import Bench
from fakes.stores import make_store, put, undo_last
from fakes.ticket_versions import Versions, versions
from hypothesis import event, given

from ticketr.app.jira import Issue
from ticketr.app.sync import (
    CannotUndo,
    FieldSetting,
    IssuePlace,
    NothingToUndo,
    Side,
    State,
    Store,
    Take,
    Undoable,
    carry_out,
    carry_out_edits,
    choose,
    plan_file_edits,
    read_conflict,
    read_undo_log,
    require_last_undoable_change,
    resolve,
    steps_of_same_change,
    undo_and_keep_copies,
)
from ticketr.app.sync.compare.diff import description_adf
from ticketr.app.sync.compare.mapping import TicketAndText
from ticketr.app.sync.state.state import IssueRow, MergeBase
from ticketr.app.sync.state.undo import MAX_UNDO_STEPS, TextReplacement
from ticketr.app.sync.writing.recording import WriteOutcome
from ticketr.app.sync.writing.rendering import RenderedFamily
from ticketr.app.sync.writing.writer import FamilyWriter
from ticketr.app.tickets import Ticket, parse, render_ticket

KINDS = [
    Undoable.TOOK_MINE,
    Undoable.TOOK_JIRA,
    Undoable.TOOK_BOTH_WITH_MARKERS,
    Undoable.TOOK_BY_PART,
]


def act(store: Store, state: State, kind: Undoable, key: str = "DEMO-9") -> str:
    """Settle a conflict in one of all ways; return where the text was put."""
    if kind is Undoable.TOOK_BY_PART:
        seen = read_conflict(store, state, key)
        return carry_out(store, state, choose(seen, {part.id: "jira" for part in seen.parts})).aside
    take = {
        Undoable.TOOK_MINE: Take.MINE,
        Undoable.TOOK_JIRA: Take.JIRA,
        Undoable.TOOK_BOTH_WITH_MARKERS: Take.BOTH,
    }
    return resolve(store, state, key, take[kind]).aside


def refusal(bench: Bench, key: str | None = None) -> str:
    """Return why an undo is refused; nothing changes."""
    before, state_before = tree(bench), dump(bench)
    with opened(bench) as (store, state), store.lock():
        with pytest.raises(CannotUndo) as caught:
            undo_last(store, state, key)
        assert read_undo_log(state)
    assert (tree(bench), dump(bench)) == (before, state_before)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_an_undo_leaves_everything_as_it_was(bench: Bench, kind: Undoable, end: str) -> None:
    path = await make_conflict(bench)
    path.write_bytes(b"Notes.\n\n" + path.read_bytes().replace(b"\n", end.encode()) + b"\n\n")
    before, state_before = path.read_bytes(), dump(bench)

    with opened(bench) as (store, state), store.lock():
        aside = act(store, state, kind)
        (step,) = read_undo_log(state)
        assert steps_of_same_change(state, step) == (step,)
        after = path.read_bytes()
        done, put_aside = undo_last(store, state)
        assert read_undo_log(state) == ()

    assert (step.kind, step.key, step.path, step.copy_path) == (kind, "DEMO-9", "DEMO-9.md", aside)
    assert bool(aside) is (kind is not Undoable.TOOK_MINE)
    assert done == step
    assert after != before
    assert (path.read_bytes(), dump(bench)) == (before, state_before)
    assert (bench.root / put_aside).read_bytes() == step.after.encode()
    assert step.after.encode() in after


async def test_the_text_that_a_sync_has_overwritten_comes_back_as_an_edit(bench: Bench) -> None:
    await bench.pull()
    bench.retitles("DEMO-9", "Mine")
    before = bench.files()
    bench.site.edit("DEMO-9", summary="Theirs")
    await bench.pull(prefer=Side.REMOTE)
    assert parse((bench.root / "DEMO-9.md").read_text()).tickets[0].title == "Theirs"

    with opened(bench) as (store, state), store.lock():
        done, _ = undo_last(store, state)
        assert [each.key for each in state.known_issues_by_id().values() if each.is_stale] == [
            "DEMO-9"
        ]

    assert done.kind is Undoable.SYNC
    assert bench.files() | before == bench.files()
    (note,) = (await bench.pull()).conflicts
    assert note.reason == "changed here and in Jira: DEMO-9: Title"


async def test_an_edited_ticket_is_left_alone(bench: Bench) -> None:
    path = await make_conflict(bench)
    with opened(bench) as (store, state), store.lock():
        act(store, state, Undoable.TOOK_JIRA)
    path.write_text(path.read_text().replace("Theirs", "Theirs!"))

    where = "the old text is in .ticketr/trash/DEMO-9.md"
    assert refusal(bench) == f"cannot undo: DEMO-9 was edited in DEMO-9.md since; {where}"
    path.write_text("# Notes\n")
    assert refusal(bench) == f"cannot undo: DEMO-9 was edited in DEMO-9.md since; {where}"
    path.unlink()
    assert refusal(bench) == f"cannot undo: DEMO-9.md is not there any more; {where}"


async def test_a_file_whose_markers_were_edited_is_left_alone(bench: Bench) -> None:
    path = await make_conflict(bench)
    with opened(bench) as (store, state), store.lock():
        act(store, state, Undoable.TOOK_BOTH_WITH_MARKERS)
    path.write_text(path.read_text() + "More.\n")

    reason = (
        "DEMO-9.md was edited since, and cannot be read: DEMO-9.md:1:1: this file holds a git "
        "conflict"
    )
    assert refusal(bench).startswith(f"cannot undo: {reason}")


async def test_another_ticket_of_the_file_may_be_edited(bench: Bench) -> None:
    path = await make_conflict(bench)
    before = path.read_text()
    with opened(bench) as (store, state), store.lock():
        act(store, state, Undoable.TOOK_JIRA)
        path.write_text(f"# TICKET: A draft\n\n{path.read_text()}")
        undo_last(store, state)

    assert path.read_text() == f"# TICKET: A draft\n\n{before}"


async def test_a_text_that_is_back_already_is_no_obstacle(bench: Bench) -> None:
    """As after a kill between the file and the state."""
    path = await make_conflict(bench)
    before, state_before = path.read_text(), dump(bench)
    with opened(bench) as (store, state), store.lock():
        act(store, state, Undoable.TOOK_JIRA)
        path.write_text(before)
        assert undo_last(store, state)[1] == ""

    assert (path.read_text(), dump(bench)) == (before, state_before)


@pytest.mark.parametrize("kind", [Undoable.TOOK_MINE, Undoable.TOOK_JIRA])
async def test_what_was_pushed_or_pulled_since_is_left_alone(bench: Bench, kind: Undoable) -> None:
    await make_conflict(bench)
    with opened(bench) as (store, state), store.lock():
        aside = act(store, state, kind)
    await bench.pull()  # which changes nothing
    with opened(bench) as (_, state):
        (step,) = read_undo_log(state)
        assert state.undo.ticket_state_digest(step.head_id) == step.state_digest_after
    await bench.push()
    bench.site.edit("DEMO-9", summary="Theirs again")
    await bench.pull()

    where = f"; the old text is in {aside}" if aside else ""
    assert refusal(bench) == f"cannot undo: DEMO-9 was pulled, pushed or resolved since{where}"


async def test_a_link_out_of_the_workspace_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    path = await make_conflict(bench)
    with opened(bench) as (store, state), store.lock():
        act(store, state, Undoable.TOOK_JIRA)
    outside = tmp_path / "outside.md"
    path.rename(outside)
    path.symlink_to(outside)
    before = outside.read_text()

    assert "DEMO-9.md is not there any more" in refusal(bench)
    assert outside.read_text() == before


async def test_the_latest_of_one_ticket_is_taken_back_by_its_key(bench: Bench) -> None:
    await make_conflict(bench, "DEMO-2")
    await make_conflict(bench, "DEMO-9")
    with opened(bench) as (store, state), store.lock():
        with pytest.raises(NothingToUndo, match=r"^there is nothing to undo here$"):
            undo_last(store, state)
        with pytest.raises(NothingToUndo, match=r"^there is nothing to undo of DEMO-2$"):
            undo_last(store, state, "DEMO-2")
        act(store, state, Undoable.TOOK_JIRA, "DEMO-2")
        act(store, state, Undoable.TOOK_JIRA, "DEMO-9")
        assert [each.key for each in read_undo_log(state)] == ["DEMO-9", "DEMO-2"]
        words = "^there is nothing to undo of DEMO-1; there is of DEMO-9, DEMO-2$"
        with pytest.raises(NothingToUndo, match=words):
            undo_last(store, state, "DEMO-1")
        assert undo_last(store, state, "DEMO-2")[0].key == "DEMO-2"
        assert undo_last(store, state)[0].key == "DEMO-9"
        assert [each.key for each in state.conflicts.all()] == ["DEMO-2", "DEMO-9"]


async def test_what_is_offered_of_a_change_of_several_drafts_is_all_of_it(bench: Bench) -> None:
    await bench.pull()
    for name in ("a", "b"):
        text = f"# TICKET: {name}\n\n## Fields\nPriority: Low\n"
        (bench.root / f"{name}.md").write_text(text, encoding="utf-8")
    change = FieldSetting("Priority", "High")
    edits = {IssuePlace(f"{name}.md", "", 1): change for name in ("a", "b")}
    with opened(bench) as (store, state), store.lock():
        carry_out_edits(store, state, plan_file_edits(store, edits))

        steps = require_last_undoable_change(store, state)
        assert {step.path for step in steps} == {"a.md", "b.md"}
        bench.edits("b.md", "# TICKET: b", "# TICKET: [DEMO-99] b")  # as a push does
        assert {step.path for step in require_last_undoable_change(store, state)} == {"a.md"}
        undone = undo_and_keep_copies(store, state, steps)

    assert ([step.path for step, _ in undone.steps_and_backup_paths], len(undone.failed)) == (
        ["a.md"],
        1,
    )


async def test_only_the_last_steps_are_kept(bench: Bench) -> None:
    await make_conflict(bench)
    with opened(bench) as (store, state), store.lock():
        act(store, state, Undoable.TOOK_JIRA)
        (first,) = read_undo_log(state)
        made = TextReplacement(
            first.start_offset, first.before, first.after, first.file_digest_after, first.copy_path
        )
        for _ in range(MAX_UNDO_STEPS):
            state.undo.add(
                first.kind,
                made,
                key=first.key,
                head_id=first.head_id,
                path=first.path,
                state_before=first.state_before,
            )
        steps = read_undo_log(state)

    assert len(steps) == MAX_UNDO_STEPS
    assert [each.number for each in steps] == list(range(MAX_UNDO_STEPS + 1, 1, -1))


PATH = "AB-1.md"
SIDES: dict[Literal["mine", "jira"], Take] = {"mine": Take.MINE, "jira": Take.JIRA}
# The work of one example differs too much for a time limit to mean anything.
some = examples(100, in_gate=10)


@dataclass(frozen=True)
class Content:
    """All that is in a workspace: the file, and the state without what can be undone."""

    file: bytes
    state: list[str]


def issues_of(ticket: Ticket) -> tuple[Issue, ...]:
    return tuple(
        Issue(
            (each.key or "").removeprefix("AB-"),
            each.key or "",
            {"description": description_adf(each)},
        )
        for each in (ticket, *ticket.tasks)
    )


def make_workspace(folder: Path, three: Versions) -> Store | None:
    """Make a workspace in which both sides have changed a ticket; None if nothing clashes."""
    store = make_store(folder)
    put(store, PATH, render_ticket(three.local))
    rows = [IssueRow(issue) for issue in issues_of(three.base)]
    text = render_ticket(three.remote)
    (remote,) = parse(text).tickets
    family = RenderedFamily(issues_of(remote), TicketAndText(remote, text, frozenset()), PATH)
    with closing(State(store.state_path)) as state:
        state.record("1", MergeBase(PATH, render_ticket(three.base)), rows, seen=1.0)
        ((result,), error) = FamilyWriter(store, state, seen=2.0).write([family])
    assert error is None
    return store if result.outcome is WriteOutcome.CONFLICT else None


def content(store: Store) -> Content:
    with closing(sqlite3.connect(store.state_path)) as db:
        lines = [line for line in db.iterdump() if not line.startswith('INSERT INTO "undo"')]
    return Content((store.root / PATH).read_bytes(), lines)


def done(store: Store, action: Callable[[Store, State], object]) -> Content:
    """Do something in a workspace, and return what is in it then."""
    with closing(State(store.state_path)) as state, store.lock():
        action(store, state)
    return content(store)


def choose_and_carry_out(side: Literal["mine", "jira"]) -> Callable[[Store, State], object]:
    def carried_out(store: Store, state: State) -> object:
        seen = read_conflict(store, state, "AB-1")
        return carry_out(store, state, choose(seen, {part.id: side for part in seen.parts}))

    return carried_out


def resolve_to(take: Take) -> Callable[[Store, State], object]:
    return lambda store, state: resolve(store, state, "AB-1", take)


@pytest.mark.unmeasured
@pytest.mark.parametrize("side", SIDES)
@some
@given(three=versions)
def test_all_of_one_side_is_resolved_to_that_side_and_taken_back(
    side: Literal["mine", "jira"], three: Versions
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = make_workspace(Path(folder, "one"), three)
        other = make_workspace(Path(folder, "other"), three)
        if store is None or other is None:
            event("nothing clashes")
            return
        before = content(store)

        chosen = done(store, choose_and_carry_out(side))
        taken = done(other, resolve_to(SIDES[side]))

        assert chosen == taken
        assert chosen.state != before.state
        assert done(store, undo_last) == done(other, undo_last) == before


@pytest.mark.unmeasured
@some
@given(three=versions)
def test_both_between_markers_are_taken_back(three: Versions) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = make_workspace(Path(folder, "one"), three)
        if store is None:
            event("nothing clashes")
            return
        before = content(store)

        marked = done(store, resolve_to(Take.BOTH))

        assert marked != before
        assert done(store, undo_last) == before
