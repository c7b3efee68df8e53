"""A conflict, a diff and a question before an undo: what they show, and what their keys do."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from fakes.states import BASE, LOCAL, REMOTE, after, app_state, conflict_view, plain, pressed

from ticketr.app.sync import ConflictView, choose
from ticketr.app.sync.compare.conflict_parts import find_parts
from ticketr.app.sync.compare.diff import Versions
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.overlays.base import ENTER_IGNORED_SECONDS
from ticketr.app.tui.overlays.conflict import MAX_PARTS_IN_OUTCOME, ConflictScreen
from ticketr.app.tui.overlays.pages import Diff
from ticketr.app.tui.rows import Rows
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.asking import ask_conflict_author
from ticketr.app.tui.services.edits import ask_to_undo, read_conflict, resolve, undo
from ticketr.app.tui.services.outside import open_editor
from ticketr.app.tui.sheet import EditedPart, sheet_of
from ticketr.app.tui.state import AppState, OpenTicket
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.terminal import Key, Resize

VIEW = conflict_view()
TITLE, PRIORITY = (part.id for part in VIEW.parts)

UNDO = messages.YesNoAsked("Take back", "what was written goes", (call_in("work", undo, ()),))


def read_of(view: ConflictView) -> messages.CallEnded:
    return messages.CallEnded(call_in("work", read_conflict, "DEMO-9"), view)


def opened(at: float = 10.0) -> AppState:
    read = messages.FilesRead(
        "work", app_state(LOCAL).workspace.rows, conflicts_by_key={"DEMO-9": ("DEMO-9: Title",)}
    )
    state = pressed(after(app_state(LOCAL), read), "c")
    return update(state, read_of(VIEW), at)[0]


@pytest.mark.parametrize(
    ("author", "updated", "jiras"),
    [
        (None, "2026-11-26T12:41:00.000+0200", "Jira's, 2026-11-26 10:41"),
        (
            "Priya \x1b[1mRaman",
            "2026-11-26T10:41:00.000+0000",
            "Jira's by Priya Raman, 2026-11-26 10:41",
        ),
        ("Priya Raman", "", ""),
    ],
)
def test_the_conflict_says_when_each_side_was_changed_and_by_whom_if_jira_has_said(
    author: str | None, updated: str, jiras: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    view = replace(VIEW, last_changed_by=author, updated=updated)
    state = after(replace(opened(), width=130), read_of(view))

    row = plain(draw_screen(state, 20.0, Theme())[1])

    begin = " Both sides have changed these since the last sync, 2026-11-26 10:29."
    assert row == f"{begin}{jiras:>{130 - len(begin) - 1}} "
    narrow = plain(draw_screen(replace(state, width=70), 20.0, Theme())[1])
    assert narrow.rstrip() == begin


def choices(state: AppState) -> dict[str, object]:
    top = state.overlays[-1]
    assert isinstance(top, ConflictScreen)
    return dict(top.choice_by_part_id)


def test_c_reads_the_conflict_and_changes_nothing() -> None:
    read = messages.FilesRead(
        "work", app_state(LOCAL).workspace.rows, conflicts_by_key={"DEMO-9": ("DEMO-9: Title",)}
    )
    state, asked = update(after(app_state(LOCAL), read), Key("c"), 1.0)

    assert state.overlays == (ConflictScreen("work", "DEMO-9"),)
    assert asked == (call_in("work", read_conflict, "DEMO-9"),)


def test_enter_settles_a_conflict_of_which_the_file_took_its_side_back() -> None:
    versions = Versions(BASE, BASE, REMOTE)
    parts, merged = find_parts(versions)
    view = replace(VIEW, versions=versions, parts=parts, one_sided_changes=merged)
    state = update(opened(), read_of(view), 10.0)[0]
    text = " ".join(" ".join(plain(row).split()) for row in draw_screen(state, 20.0, Theme()))
    assert "Nothing is left to choose" in text
    assert "DEMO-9.md: Title: Rebuild the index → Rebuild at once" in text
    for key in ("h", "j", "KEY_END", "e"):
        assert pressed(state, key).overlays == state.overlays
    state, asked = update(state, Key("KEY_ENTER"), 20.0)
    assert (state.overlays, asked) == ((), (call_in("work", resolve, choose(view, {})),))


def test_a_ticket_without_a_conflict_says_so() -> None:
    state, asked = update(app_state(LOCAL), Key("c"), 1.0)
    assert (state.notice, asked) == (
        "This ticket has no conflict that is known here; P asks Jira",
        (),
    )


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (("KEY_LEFT",), {TITLE: "mine"}),
        (("KEY_RIGHT",), {TITLE: "jira"}),
        (("j", "l"), {PRIORITY: "jira"}),
        (("A",), {TITLE: "mine", PRIORITY: "mine"}),
        (("B", "h"), {TITLE: "mine", PRIORITY: "jira"}),
        (("m",), {}),
    ],
)
def test_keys_choose_for_the_selected_part(keys: tuple[str, ...], chosen: dict[str, str]) -> None:
    assert choices(pressed(opened(), *keys, now=11.0)) == chosen


def test_enter_carries_out_what_was_chosen() -> None:
    state = pressed(opened(), "h", "j", "l", now=11.0)
    state, asked = update(state, Key("KEY_ENTER"), 20.0)

    resolution = choose(VIEW, {TITLE: "mine", PRIORITY: "jira"})
    assert (state.overlays, asked) == ((), (call_in("work", resolve, resolution),))


def test_enter_settles_nothing_while_something_is_left_to_choose() -> None:
    state, asked = update(pressed(opened(), "h", now=11.0), Key("KEY_ENTER"), 20.0)

    assert (state.notice, asked) == ("1 left to choose: Priority", ())
    top = state.overlays[-1]
    assert isinstance(top, ConflictScreen)
    assert top.part_index == 1


def test_an_enter_that_was_typed_ahead_settles_nothing() -> None:
    state = opened()
    for key in ("A", "KEY_ENTER"):
        state, asked = update(state, Key(key), 10.0 + ENTER_IGNORED_SECONDS / 2)
        assert asked == ()


def test_a_conflict_that_was_read_again_keeps_the_choices_and_has_to_be_looked_at() -> None:
    state, asked = update(
        pressed(opened(), "A", now=11.0), messages.FilesRead("work", Rows()), 30.0
    )
    assert asked == (call_in("work", read_conflict, "DEMO-9"),)

    state, _ = update(state, read_of(VIEW), 30.0)
    assert choices(state) == {TITLE: "mine", PRIORITY: "mine"}


def test_the_conflict_shows_both_sides_word_by_word_and_what_enter_will_do() -> None:
    rows = [
        plain(row).rstrip() for row in draw_screen(pressed(opened(), "h", now=11.0), 12.0, Theme())
    ]

    assert rows[4].split("  ")[0].startswith("▌ Title")
    assert "● Rebuild faster" in rows[4]
    assert "○ Rebuild at once" in rows[4]
    assert rows[9] == "   yours      Rebuild [-the index-]{+faster+}"
    assert rows[10] == "   Jira's     Rebuild [-the index-]{+at once+}"
    assert rows[13] == "   Labels           Jira's  a → b"
    assert rows[16] == "   ! nothing yet: 1 left to choose: Priority"
    assert rows[18] == "   Jira: nothing yet: Title with the next push"


def test_on_a_narrow_screen_both_sides_are_shown_without_the_last_sync() -> None:
    narrow = replace(opened(), width=60, height=12)
    rows = [plain(row).rstrip() for row in draw_screen(narrow, 12.0, Theme())]
    assert rows[2].split() == ["yours", "Jira's"]
    assert rows[3] == "▌ Title            ? Rebuild faster     ? Rebuild at once"
    rows = [plain(row).rstrip() for row in draw_screen(replace(narrow, width=45), 12.0, Theme())]
    assert rows[3] == "▌ Title            ? Rebuild …  ? Rebuild a…"


def test_long_texts_are_cut_in_what_enter_will_do() -> None:
    versions = Versions(
        BASE, replace(LOCAL, title="Rebuild " * 9), replace(REMOTE, title="At once " * 9)
    )
    parts, merged = find_parts(versions)
    view = replace(VIEW, parts=parts, one_sided_changes=merged, versions=versions)
    state = after(replace(opened(), width=130), read_of(view))
    rows = "\n".join(plain(row) for row in draw_screen(pressed(state, "B"), 20.0, Theme()))
    cut = f"Title: {('Rebuild ' * 9)[:31]}… → {('At once ' * 9)[:31]}…; Priority"
    assert cut in rows


def test_a_text_of_one_line_can_be_edited_by_hand() -> None:
    state = pressed(opened(), "e", *"er", "KEY_ENTER", now=11.0)
    rows = "\n".join(plain(row) for row in draw_screen(state, 12.0, Theme()))
    assert "Title: Rebuild faster → Rebuild fasterer" in rows


def test_jira_is_asked_once_who_changed_its_side_and_the_screen_does_not_wait() -> None:
    known = replace(VIEW, last_changed_issue_key="DEMO-10", updated="2026-11-26T12:41:00.000+0200")
    asks = call_in("work", ask_conflict_author, "DEMO-10", known.updated)
    read = read_of(known)
    before = replace(pressed(opened(), "KEY_ESCAPE", "c"), width=130)

    state, asked = update(before, read, 10.0)
    assert asks in asked
    assert "Jira's, 2026" in plain(draw_screen(state, 20.0, Theme())[1])
    author = "Priya \x1b[1mRaman", "2026-11-26T12:40:00.000+0200"
    told = messages.CallEnded(asks, author)
    state = after(state, told)
    assert "Jira's by Priya Raman, 2026-11-26 " in plain(draw_screen(state, 20.0, Theme())[1])

    # The same version is not asked for again, and keeps its author; another one is asked for.
    again = replace(known, title="Edited here")
    state, asked = update(state, read_of(again), 30.0)
    assert asks not in asked
    assert "by Priya Raman" in plain(draw_screen(state, 40.0, Theme())[1])
    newer = replace(known, updated="2026-11-26T13:00:00.000+0200")
    state, asked = update(state, read_of(newer), 50.0)
    assert call_in("work", ask_conflict_author, "DEMO-10", newer.updated) in asked
    state = after(state, told)  # which is late
    assert "by Priya" not in plain(draw_screen(state, 60.0, Theme())[1])


def test_an_answer_about_a_conflict_that_is_not_read_yet_changes_nothing() -> None:
    state = pressed(opened(), "KEY_ESCAPE", "c")
    asks = call_in("work", ask_conflict_author, VIEW.last_changed_issue_key, VIEW.updated)
    assert after(state, messages.CallEnded(asks, ("Priya", VIEW.updated))) == state


def test_what_stands_below_the_parts_of_a_conflict_is_reached_on_a_low_screen() -> None:
    state = update(opened(), Resize(50, 10), 11.0)[0]

    def shown(state: AppState) -> list[str]:
        return [plain(row).rstrip() for row in draw_screen(state, 12.0, Theme())][1:-2]

    def selected(state: AppState) -> str:
        return next(row for row in shown(state) if row.startswith("▌"))

    whole = [plain(row).rstrip() for row in draw_screen(replace(state, height=60), 12.0, Theme())]
    last = next(row for row in reversed(whole[:-4]) if row)
    assert last not in shown(state)

    state = pressed(state, "KEY_PGDOWN")
    paged = shown(state)
    assert paged != shown(opened())
    assert not any(row.startswith("▌") for row in paged)
    assert selected(pressed(state, "KEY_PGUP")).startswith("▌ Title")
    assert selected(pressed(state, "KEY_DOWN")).startswith("▌ Priority")

    state = pressed(state, "G")
    assert shown(state)[-1] == last
    assert shown(pressed(state, "KEY_DOWN")) == shown(state)
    assert shown(pressed(state, "KEY_UP"))[1:] == shown(state)[:-1]
    assert selected(pressed(state, "g")).startswith("▌ Title")

    state = pressed(opened(), "KEY_DOWN")
    state = update(state, Resize(50, 10), 12.0)[0]
    scrolled = pressed(state, "KEY_DOWN")
    assert shown(scrolled)[:-1] == shown(state)[1:]
    assert shown(pressed(scrolled, "KEY_UP")) == shown(state)
    assert selected(pressed(scrolled, "KEY_UP", "KEY_UP")).startswith("▌ Title")


TICKET = Ticket("Rebuild faster", "DEMO-9")
EDITS = (
    EditedPart("Title", "Rebuild the index", "Rebuild faster"),
    EditedPart("Priority", "High", "Low"),
)


def with_open_ticket(*edits: EditedPart) -> AppState:
    state = app_state(TICKET)
    row = state.selected_row
    assert row is not None
    ticket = OpenTicket("work", row.key_order, sheet_of(TICKET, "DEMO-9.md", edits))
    return replace(state, ticket=ticket)


def test_d_shows_each_change_word_by_word() -> None:
    rows = [
        plain(row).rstrip()
        for row in draw_screen(pressed(with_open_ticket(*EDITS), "d"), 1.0, Theme())
    ]
    assert rows[1].startswith("─ Title ")
    assert rows[2] == "   Rebuild [-the index-]{+faster+}"
    assert (rows[3], rows[4][:12]) == ("", "─ Priority ─")
    assert rows[5] == "   [-High-]{+Low+}"


def test_d_keeps_the_lines_of_a_text() -> None:
    edit = EditedPart(
        "Description", "Steps\n\n1. Open\n2. Close", "Steps\n\n1. Open\n2. Wait\n3. Close"
    )
    rows = [
        plain(row).rstrip()
        for row in draw_screen(pressed(with_open_ticket(edit), "d"), 1.0, Theme())
    ]
    assert rows[2:7] == ["   Steps", "", "   1. Open", "   2. {+Wait", "   3. +}Close"]


def test_d_on_a_ticket_without_edits_says_so() -> None:
    state = pressed(with_open_ticket(), "d")
    assert (state.overlays, state.notice) == (
        (),
        "Nothing to compare: it is as at the last sync",
    )


def test_d_right_after_a_move_does_not_show_the_ticket_before() -> None:
    state = with_open_ticket(*EDITS)
    other = app_state(TICKET, replace(TICKET, key="DEMO-10"))
    state = pressed(replace(other, ticket=state.ticket), "j", "d")
    assert (state.overlays, state.notice) == ((), "DEMO-10 is still being read")
    home = replace(with_open_ticket(*EDITS).workspace, name="home")  # a ticket of the same file
    state = with_open_ticket(*EDITS)
    state = pressed(replace(state, workspaces=(*state.workspaces, home), workspace_index=1), "d")
    assert (state.overlays, state.notice) == ((), "DEMO-9 is still being read")


def test_e_in_a_diff_edits_the_file() -> None:
    _, asked = update(pressed(with_open_ticket(*EDITS), "d"), Key("e"), 9.0)
    assert asked == (call_in("work", open_editor, "DEMO-9.md", 1),)


def test_u_asks_before_it_takes_anything_back() -> None:
    state, asked = update(app_state(TICKET), Key("u"), 1.0)
    assert asked == (call_in("work", ask_to_undo),)

    state, _ = update(state, UNDO, 2.0)
    early, asked = update(state, Key("KEY_ENTER"), 2.0 + ENTER_IGNORED_SECONDS / 2)
    assert (early.overlays, asked) == (state.overlays, ())

    state, asked = update(state, Key("KEY_ENTER"), 2.0 + ENTER_IGNORED_SECONDS)
    assert (state.overlays, asked) == ((), (call_in("work", undo, ()),))


def test_escape_leaves_everything_as_it_is() -> None:
    state = after(app_state(TICKET), UNDO)
    state, asked = update(state, Key("KEY_ESCAPE"), 9.0)
    assert (state.overlays, asked) == ((), ())


def test_a_diff_below_the_help_shows_the_ticket_as_it_was_read_again() -> None:
    state = pressed(with_open_ticket(*EDITS), "d", "?")
    assert state.ticket is not None
    newer = sheet_of(TICKET, "DEMO-9.md", EDITS[:1])

    again = after(state, messages.DetailRead("work", state.ticket.row_key_order, newer))

    (diff, shown_help) = again.overlays
    assert diff == Diff("work", newer)
    assert shown_help == state.overlays[1]
    # The files were read as the window got the focus: the diff stays.
    assert after(again, messages.FilesRead("work", state.workspace.rows)).overlays == again.overlays


def test_a_diff_of_nothing_closes_itself_alone() -> None:
    state = pressed(with_open_ticket(*EDITS), "d", "?")
    assert state.ticket is not None

    same = sheet_of(TICKET, "DEMO-9.md")
    again = after(state, messages.DetailRead("work", state.ticket.row_key_order, same))

    assert again.overlays == state.overlays[1:]


def test_another_ticket_does_not_change_a_diff() -> None:
    state = pressed(with_open_ticket(*EDITS), "d")
    assert state.ticket is not None
    other = sheet_of(Ticket("Other", "DEMO-8"), "DEMO-8.md")

    for sheet in (other, None):
        read = messages.DetailRead("work", state.ticket.row_key_order, sheet)
        assert after(state, read).overlays == state.overlays


def test_a_question_that_comes_late_does_not_open_over_a_typed_line() -> None:
    state = pressed(app_state(TICKET), "/", "x")
    late = after(state, UNDO)
    assert late.overlays == state.overlays


REBUILD = Ticket("Rebuild the index", "DEMO-9")


def conflict(count: int) -> AppState:
    """Return a state that shows a conflict of so many parts."""
    base, mine, jiras = (
        replace(
            REBUILD,
            description="\n".join(f"{side} {at}\nsame {at}" for at in range(count)),
        )
        for side in ("was", "mine", "theirs")
    )
    versions = Versions(base, mine, jiras)
    parts, merged = find_parts(versions)
    view = replace(conflict_view(), parts=parts, one_sided_changes=merged, versions=versions)
    assert len(parts) == count
    state = replace(app_state(REBUILD), overlays=(ConflictScreen("work", "DEMO-9"),))
    return after(state, read_of(view))


def test_a_conflict_of_many_parts_names_some_of_them_in_what_enter_will_do() -> None:
    state = replace(conflict(50), height=120)

    words = " ".join(" ".join(plain(row) for row in draw_screen(state, 50.0, Theme())).split())

    assert "50 left to choose: " in words
    assert f" and {50 - MAX_PARTS_IN_OUTCOME} more " in words


def test_c_off_a_conflict_goes_to_the_next_one() -> None:
    others = [Ticket(key, key) for key in ("DEMO-1", "DEMO-2", "DEMO-3")]
    state = app_state(*others)
    clashes = {"DEMO-1": ("DEMO-1: Title",), "DEMO-3": ("DEMO-3: Title",)}
    read = messages.FilesRead("work", state.workspace.rows, conflicts_by_key=clashes)
    state = pressed(after(state, read), "j")

    state, asked = update(state, Key("c"), 9.0)
    assert state.overlays == (ConflictScreen("work", "DEMO-3"),)
    assert asked == (call_in("work", read_conflict, "DEMO-3"),)
    assert state.selected_row is not None
    assert state.selected_row.key == "DEMO-3"

    clashes.pop("DEMO-3")
    read = messages.FilesRead("work", state.workspace.rows, conflicts_by_key=clashes)
    state = pressed(after(replace(state, overlays=()), read), "c")
    assert state.overlays == (ConflictScreen("work", "DEMO-1"),)
