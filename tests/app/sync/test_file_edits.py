"""Changes of fields in files: planned as values, carried out, and taken back to the byte."""

from __future__ import annotations

import pytest
from fakes.conflicts import dump, opened, tree
from fakes.frozen import frozen
from fakes.pulls import Bench
from fakes.stores import undo_last

from ticketr.app.sync import (
    CannotEdit,
    CannotUndo,
    FieldSetting,
    FileEdit,
    FileEditPlan,
    FileFailed,
    IssuePlace,
    ListAction,
    State,
    Store,
    Undoable,
    add_drafts_in_new_file,
    add_sub_task,
    carry_out_edits,
    plan_file_edits,
    read_undo_log,
    steps_of_same_change,
    undo_step_and_keep_copy,
)
from ticketr.app.tickets import Ticket, parse, render

DONE = FieldSetting("status", "Done")
HAND_WRITTEN = """\
My notes.

# TICKET: [DEMO-90]  By hand
## Fields
Status:To Do
Labels: a

# TICKET: A draft
## Fields
Priority: Low
# TICKET: A draft
## Fields
Priority: Low
"""


def place(store: Store, key: str) -> IssuePlace:
    for path in (each for names in store.walk() for each in names):
        if store.holds_key(path, key):
            return IssuePlace(path, key)
    raise AssertionError(key)


def carry_out(store: Store, state: State, plan: FileEditPlan) -> None:
    with store.lock():
        carry_out_edits(store, state, plan)


@pytest.mark.parametrize(
    ("change", "after"),
    [
        (FieldSetting("Labels", "x", ListAction.ADD), "a, b, x"),
        (FieldSetting("labels", " b ", ListAction.ADD), None),
        (FieldSetting("labels", "x, y", ListAction.ADD), 'a, b, "x, y"'),
        (FieldSetting("labels", "a", ListAction.REMOVE), "b"),
        (FieldSetting("labels", "x", ListAction.REMOVE), None),
        (FieldSetting("Labels", "x"), "x"),
        (FieldSetting("Labels", ""), ""),
        (FieldSetting("Labels", "a, b"), None),
    ],
)
def test_a_plan_names_what_each_field_says_and_will_say(
    store: Store, change: FieldSetting, after: str | None
) -> None:
    text = render([Ticket("A title", "DEMO-1", fields={"Labels": "a, b"})])
    store.root.mkdir(exist_ok=True)
    (store.root / "a.md").write_text(text)

    plan = plan_file_edits(store, {IssuePlace("a.md", "DEMO-1"): change})

    edit = FileEdit("DEMO-1", "A title", "a.md", 1, "Labels", "a, b", after or "")
    assert plan.edits == ((edit,) if after is not None else ())
    assert plan.issue_count == (after is not None)
    assert (store.root / "a.md").read_text() == text


def test_a_list_that_cannot_be_read_is_not_changed(store: Store) -> None:
    store.root.mkdir(exist_ok=True)
    (store.root / "a.md").write_text(render([Ticket("A title", fields={"Labels": '"a'})]))

    with pytest.raises(CannotEdit, match="A title was not changed: Labels cannot be read: "):
        plan_file_edits(
            store, {IssuePlace("a.md", line=1): FieldSetting("Labels", "x", ListAction.ADD)}
        )


@pytest.mark.parametrize(
    ("gone", "what"),
    [(IssuePlace("a.md", "DEMO-7"), "DEMO-7"), (IssuePlace("a.md", "", 3), "the draft of line 3")],
)
def test_an_issue_that_is_not_there_any_more_is_named(
    store: Store, gone: IssuePlace, what: str
) -> None:
    store.root.mkdir(exist_ok=True)
    (store.root / "a.md").write_text("# TICKET: x\n\n# TICKET: [DEMO-1] y\n")

    with pytest.raises(CannotEdit) as caught:
        plan_file_edits(store, {gone: DONE})
    words = f"{what} was not changed: a.md no longer holds it; read the files again"
    assert str(caught.value) == words


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_what_was_changed_is_taken_back_to_the_byte(bench: Bench, end: str) -> None:
    await bench.pull()
    path = bench.root / "hand.md"
    path.write_bytes(HAND_WRITTEN.replace("\n", end).encode())
    before, state_before = tree(bench), dump(bench)
    with opened(bench) as (store, state):
        places = [place(store, key) for key in ("DEMO-3", "DEMO-4", "DEMO-9", "DEMO-90")]
        places += [IssuePlace("hand.md", "", line) for line in (8, 11)]
        carry_out(store, state, plan_file_edits(store, dict.fromkeys(places, DONE)))

        assert dump(bench) == state_before
        changed = HAND_WRITTEN.replace("]  By", "] By").replace("\n## ", "\n\n## ")
        changed = changed.replace("Status:To Do", "Status: Done")
        changed = changed.replace("Priority: Low", "Priority: Low\nstatus: Done")
        assert path.read_bytes() == changed.replace("\n", end).encode()
        (latest, *_) = steps = read_undo_log(state)
        assert [each.key for each in steps] == ["draft", "draft", "DEMO-90", "DEMO-9", "DEMO-3"]
        assert {each.kind for each in steps} == {Undoable.CHANGED_IN_APP}
        assert steps_of_same_change(state, latest) == steps
        with store.lock():
            for step in steps_of_same_change(state, latest):
                undo_step_and_keep_copy(store, state, step)
        assert read_undo_log(state) == ()

    now = tree(bench)
    assert {name: now[name] for name in before} == before
    assert {name for name in now if name not in before and ".ticketr" not in name} == set()
    assert dump(bench) == state_before


async def test_a_pull_without_news_leaves_the_undo_and_a_push_ends_it(bench: Bench) -> None:
    await bench.pull()
    before = tree(bench)["DEMO-9.md"]
    high = FieldSetting("Priority", "High")
    with opened(bench) as (store, state):
        carry_out(store, state, plan_file_edits(store, {place(store, "DEMO-9"): high}))
    await bench.pull()
    with opened(bench) as (store, state), store.lock():
        undo_last(store, state)
    assert tree(bench)["DEMO-9.md"] == before

    with opened(bench) as (store, state):
        carry_out(store, state, plan_file_edits(store, {place(store, "DEMO-9"): high}))
    assert (await bench.push()).updated == ("DEMO-9",)
    with opened(bench) as (store, state), store.lock(), pytest.raises(CannotUndo):
        undo_last(store, state)


@pytest.mark.parametrize("edited", ["DEMO-3", "DEMO-9"])
async def test_nothing_changes_if_a_file_was_edited_since_the_plan(
    bench: Bench, edited: str
) -> None:
    await bench.pull()
    with opened(bench) as (store, state):
        places = [place(store, key) for key in ("DEMO-3", "DEMO-9")]
        plan = plan_file_edits(store, dict.fromkeys(places, DONE))
        bench.retitles(edited, "Mine")
        before = tree(bench)

        with pytest.raises(CannotEdit) as caught:
            carry_out(store, state, plan)

        assert read_undo_log(state) == ()
    assert str(caught.value) == (
        f"{edited}.md was not changed: it was edited since the plan was made; "
        "look at the plan again"
    )
    assert tree(bench) == before


@pytest.mark.parametrize("head", [IssuePlace("hand.md", "DEMO-90"), IssuePlace("hand.md", "", 8)])
def test_a_sub_task_is_added_behind_those_of_its_ticket(
    store: Store, state: State, head: IssuePlace
) -> None:
    store.root.mkdir(exist_ok=True)
    (store.root / "hand.md").write_text(HAND_WRITTEN)

    with store.lock():
        add_sub_task(store, state, head, "Write the API")
        file = parse((store.root / "hand.md").read_text())
        at = 0 if head.key else 1
        assert [each.title for each in file.tickets[at].tasks] == ["Write the API"]
        undo_last(store, state)

    assert (store.root / "hand.md").read_text() == HAND_WRITTEN


async def test_an_added_draft_is_taken_back_only_as_it_was_written(bench: Bench) -> None:
    await bench.pull()
    with opened(bench) as (store, state), store.lock():
        first = add_drafts_in_new_file(store, state, [Ticket("Pay in time")])
        second = add_drafts_in_new_file(store, state, [Ticket("Pay in time")])
        path = bench.root / first
        text = path.read_text()
        assert (first, second) == ("pay-in-time.md", "pay-in-time-2.md")
        assert [each.kind for each in read_undo_log(state)] == [Undoable.ADDED] * 2
        path.write_text(text + "More.\n")

        step, aside = undo_last(store, state)
        with pytest.raises(CannotUndo, match="edited, pushed or removed since"):
            undo_last(store, state)
        assert path.read_text() == text + "More.\n"
        path.unlink()
        with pytest.raises(CannotUndo):
            undo_last(store, state)
        path.write_text(text)
        undo_last(store, state)

        assert (step.path, aside) == (second, ".ticketr/trash/draft.md")
        assert read_undo_log(state) == ()
        assert not path.exists()


def test_a_file_that_cannot_be_written_stops_no_other_file(store: Store, state: State) -> None:
    store.root.mkdir(exist_ok=True)
    for key in ("DEMO-1", "DEMO-2", "DEMO-3"):
        (store.root / f"{key}.md").write_text(render([Ticket("A title", key)]))
    change = FieldSetting("Labels", "x", ListAction.ADD)
    places = [IssuePlace(f"DEMO-{number}.md", f"DEMO-{number}") for number in (1, 2, 3)]
    plan = plan_file_edits(store, dict.fromkeys(places, change))

    with (
        frozen(store.root / "DEMO-1.md"),
        pytest.raises(FileFailed, match=r"cannot write .*DEMO-1\.md: Operation not permitted"),
    ):
        carry_out(store, state, plan)

    left = plan_file_edits(store, dict.fromkeys(places, change))
    assert [each.path for each in left.edits] == ["DEMO-1.md"]
