"""The plan of a push, the palette, and what holds of every overlay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.app_screens import SCREENS, main_state
from fakes.states import after, app_state, plain, pressed
from rows import for_each

from ticketr.app.config import SavedListView
from ticketr.app.sync import Code, Loss, Note, PlanEntry, PushPlan, PushResult
from ticketr.app.sync.compare.diff import Change, CorePart
from ticketr.app.sync.notes import conflict_reason
from ticketr.app.tickets import Ticket
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call, call_in
from ticketr.app.tui.keymap import TYPING_CONTEXTS, Context, KeyMap
from ticketr.app.tui.main.palette import MAX_PALETTE_OPTIONS, Palette
from ticketr.app.tui.overlays.base import ENTER_IGNORED_SECONDS
from ticketr.app.tui.overlays.pages import help_lines
from ticketr.app.tui.overlays.plan import CHECKING_MESSAGE, Plan
from ticketr.app.tui.overlays.review import FileEdits, padded_ticket_name
from ticketr.app.tui.rows import Rows
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.files import remember_list_view
from ticketr.app.tui.services.jobs import dry_run_push, read_plan, start_job
from ticketr.app.tui.services.outside import open_editor, redraw, request_leave
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.text_input import TextInput
from ticketr.app.tui.update import update
from ticketr.terminal import Key, Paste, sgr

EDIT = PlanEntry("DEMO-9", "Rebuild", "DEMO-9.md", 1, (Change("Priority", "High", "Low"),))
DRAFT = PlanEntry("", "Pay", "new.md", 3, (Change("Title", "", "Pay"),))
PLAN = PushPlan((DRAFT, EDIT))


def plan_read(
    plan: PushPlan | None,
    kind: JobKind = JobKind.PUSH,
    *,
    keys: tuple[str, ...] = (),
    problem: str = "",
) -> messages.CallEnded:
    return messages.CallEnded(call_in("work", read_plan, kind, keys), plan, problem)


READ = plan_read(PLAN)


def opened(at: float = 10.0) -> AppState:
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p")
    return update(state, READ, at)[0]


def test_p_asks_for_a_plan_and_starts_nothing() -> None:
    state, asked = update(app_state(), Key("p"), 1.0)

    assert state.overlays == (Plan("work", JobKind.PUSH),)
    assert asked == (call_in("work", read_plan, JobKind.PUSH, ()),)


def test_the_plan_says_what_it_would_write() -> None:
    state, (check,) = update(pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p"), READ, 10.0)
    state = after(state, messages.CallEnded(check, PushResult()))
    rows = [plain(row).rstrip() for row in draw_screen(state, 11.0, Theme())]

    assert rows[0].endswith("nothing is written until Enter")
    assert rows[1] == " Enter creates 1 and changes 1 of your tickets in Jira"
    assert rows[4].startswith("▌ + draft     Pay")
    assert rows[7].startswith("  * DEMO-9    Rebuild")
    assert rows[8] == "              Priority: High → Low"


@pytest.mark.parametrize(
    ("kind", "entries", "left_out", "words"),
    [
        (JobKind.PUSH, (EDIT,), (), "Enter changes 1 of your tickets in Jira"),
        (JobKind.PUSH, (DRAFT,), (), "Enter creates 1 of your tickets in Jira"),
        (JobKind.PUSH, (EDIT,), (" ",), "Nothing to push: every entry is left out"),
        (
            JobKind.PUSH,
            (),
            (),
            "Nothing to push: nothing was edited here since the last sync",
        ),
        (JobKind.SYNC, (), (), "Enter pulls what is new in Jira, no more"),
        (
            JobKind.SYNC,
            (EDIT,),
            (),
            "Enter pulls what is new in Jira, then changes 1 of your tickets in Jira",
        ),
    ],
)
def test_the_summary_names_only_what_would_be_done(
    kind: JobKind, entries: tuple[PlanEntry, ...], left_out: tuple[str, ...], words: str
) -> None:
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p" if kind is JobKind.PUSH else "s")
    read = plan_read(PushPlan(entries), kind)
    state = pressed(update(state, read, 10.0)[0], *left_out)

    assert plain(draw_screen(state, 11.0, Theme())[1]).strip() == words


def test_a_plan_of_what_is_left_alone_does_not_say_that_nothing_was_edited() -> None:
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p")
    left = Note("DEMO-9", "DEMO-9.md", "it is in conflict", Code.CONFLICT, "Rebuild", 1)
    state, _ = update(state, plan_read(PushPlan((), (left,))), 10.0)
    words = "Nothing can be pushed: what was edited here is left alone"
    assert plain(draw_screen(state, 11.0, Theme())[1]).strip() == words


def test_a_status_several_transitions_away_is_shown_with_its_way() -> None:
    parts = (Change("Status", "To Do", "Done"), Change("Priority", "Low", "High"))
    entry = PlanEntry("DEMO-9", "Rebuild", "DEMO-9.md", 1, parts, statuses_between=("In Progress",))
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p")
    state, _ = update(state, plan_read(PushPlan((entry,))), 10.0)

    words = "Status: To Do > In Progress > Done (2 transitions); Priority: Low → High"
    assert words in "\n".join(plain(each) for each in draw_screen(state, 11.0, Theme()))


def test_enter_carries_out_the_plan_that_was_shown() -> None:
    state, asked = update(opened(), Key("KEY_ENTER"), 10.0 + ENTER_IGNORED_SECONDS)

    assert state.overlays == ()
    request = JobRequest(
        JobKind.PUSH, options={"accept_loss": frozenset(), "confirmed": PushPlan((DRAFT, EDIT))}
    )
    assert asked == (call_in("work", start_job, request),)


@pytest.mark.parametrize("when", [10.0, 10.0 + ENTER_IGNORED_SECONDS * 0.9])
def test_an_enter_that_was_typed_ahead_does_not(when: float) -> None:
    state, asked = update(opened(), Key("KEY_ENTER"), when)

    assert asked == ()
    assert state.overlays
    assert state.notice == "Read the plan first; then Enter carries it out"


def test_an_entry_that_was_left_out_is_not_confirmed() -> None:
    state = pressed(opened(), " ", now=11.0)
    _, asked = update(state, Key("KEY_ENTER"), 12.0)

    request = JobRequest(
        JobKind.PUSH, options={"accept_loss": frozenset(), "confirmed": PushPlan((EDIT,))}
    )
    assert asked == (call_in("work", start_job, request),)


def test_a_left_out_entry_stays_left_out_when_it_moves_in_its_file() -> None:
    state = pressed(opened(), "j", " ", now=11.0)
    old = Change("Priority", "Medium", "Low")  # Jira has changed, too, as a quiet pull found
    moved = replace(EDIT, title_line=7, changes=(old,))
    state, _ = update(state, plan_read(PushPlan((DRAFT, moved))), 20.0)

    assert "left out" in shown(state)[8]
    assert shown(state)[7].startswith("▌ · DEMO-9")
    assert shown(state)[1] == " Enter creates 1 of your tickets in Jira"


def test_a_plan_that_changes_has_to_be_looked_at_again() -> None:
    state, asked = update(opened(), messages.FilesRead("work", Rows()), 20.0)
    assert asked == (call_in("work", read_plan, JobKind.PUSH, ()),)

    state, _ = update(state, plan_read(PushPlan((EDIT,))), 20.0)
    _, asked = update(state, Key("KEY_ENTER"), 20.1)

    assert asked == ()


def test_nothing_to_push_starts_nothing_but_a_sync_still_pulls() -> None:
    for kind in (JobKind.PUSH, JobKind.SYNC):
        state = pressed(app_state(), "p" if kind is JobKind.PUSH else "s")
        state = after(state, plan_read(PushPlan(), kind))
        _, asked = update(state, Key("KEY_ENTER"), 20.0)
        request = JobRequest(kind, options={"accept_loss": frozenset(), "confirmed": PushPlan()})
        started = (call_in("work", start_job, request),)
        assert asked == (started if kind is JobKind.SYNC else ())


def test_a_plan_that_cannot_be_made_closes_and_says_why() -> None:
    state = pressed(app_state(), "p")
    state = after(state, plan_read(None, problem="the state cannot be read"))

    assert (state.overlays, state.notice) == ((), "the state cannot be read")


@pytest.mark.parametrize(("is_link", "title"), [(True, "removed"), (False, "lost")])
def test_a_link_is_removed_and_not_lost(is_link: bool, title: str) -> None:
    loss = Loss("DEMO-9", "DEMO-9.md", "the link “Blocks DEMO-2”", is_link=is_link)
    read = plan_read(PushPlan((EDIT,), losses=(loss,)))
    state = after(pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p"), read)

    shown = "\n".join(plain(each) for each in draw_screen(state, 11.0, Theme()))
    assert f"Would be {title} in Jira" in shown


def test_a_loss_that_was_not_shown_is_not_accepted() -> None:
    first, second = (Loss("DEMO-9", "DEMO-9.md", what) for what in ("a panel", "a mention"))
    one = plan_read(PushPlan((EDIT,), losses=(first,)))
    both = plan_read(PushPlan((EDIT,), losses=(first, second)))
    state = after(pressed(app_state(), "p"), one)
    state = pressed(state, "!", now=5.0)

    _, asked = update(state, Key("KEY_ENTER"), 9.0)
    (start,) = asked
    assert start.function is start_job
    assert start.args[1].options["accept_loss"] == {first}

    _, asked = update(update(state, both, 9.0)[0], Key("KEY_ENTER"), 12.0)
    (start,) = asked
    assert start.function is start_job
    assert start.args[1].options["accept_loss"] == frozenset()


def test_the_plan_of_other_tickets_is_not_shown() -> None:
    late = plan_read(PLAN, keys=("DEMO-9",))

    state = after(pressed(app_state(), "p"), late)

    assert state.overlays == (Plan("work", JobKind.PUSH),)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("DEMO-1", "DEMO-1    "),
        ("notes12.md", "notes12.md "),
        ("SHOP-1234567", "SHOP-1234567 "),
        ("x" * 30, "x" * 19 + "… "),
        ("陈" * 5, "陈" * 5 + " "),
    ],
)
def test_a_space_is_between_a_name_and_what_follows(name: str, shown: str) -> None:
    assert padded_ticket_name(name) == shown


@pytest.mark.parametrize(
    ("kind", "hints"), [(JobKind.PUSH, ""), (JobKind.SYNC, "Enter carry out  ")]
)
def test_the_action_bar_offers_nothing_for_entries_that_are_not_there(
    kind: JobKind, hints: str
) -> None:
    state = pressed(app_state(), "p" if kind is JobKind.PUSH else "s")
    state = update(state, plan_read(PushPlan(), kind), 10.0)[0]

    assert plain(draw_screen(state, 11.0, Theme())[-2]).strip() == f"{hints}Esc back  ? all"


def test_the_plan_names_what_jira_gets_as_plain_text() -> None:
    literals = (
        Note("DEMO-9", "DEMO-9.md", "Description: DEMO-9.md:4: “@Mia” goes", Code.LITERAL),
        Note("", "new.md", "Description: new.md:3: “:x:” goes", Code.LITERAL, "Pay"),
    )
    read = plan_read(PushPlan((DRAFT, EDIT), markup_sent_as_text=literals))
    state = update(pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p"), read, 10.0)[0]

    rows = [plain(row).rstrip() for row in draw_screen(state, 11.0, Theme())]

    at = next(at for at, row in enumerate(rows) if "Will not arrive as written" in row)
    assert rows[at + 1 : at + 3] == [
        " ! DEMO-9: Description: DEMO-9.md:4: “@Mia” goes",
        ' ! draft "Pay": Description: new.md:3: “:x:” goes',
    ]


@pytest.mark.parametrize(
    ("downs", "selected"),
    [(0, "* DEMO-9"), (1, "! DEMO-9: too long"), (2, "! a table"), (4, "! DEMO-20")],
)
def test_what_is_selected_stays_so_when_jira_answers(downs: int, selected: str) -> None:
    plan = PushPlan(
        (EDIT,),
        (Note("DEMO-20", "DEMO-20.md", "never pulled", Code.NEVER_PULLED),),
        (Loss("DEMO-9", "DEMO-9.md", "a table"),),
        (Note("DEMO-9", "DEMO-9.md", "goes as text", Code.LITERAL),),
        (Note("DEMO-9", "DEMO-9.md", "too long", Code.BAD_VALUE),),
    )
    result = PushResult(
        failed=(Note("DEMO-8", "DEMO-8.md", "no such person", Code.BAD_VALUE),),
        warnings=(Note("DEMO-9", "DEMO-9.md", "mentions nobody", Code.LITERAL),),
    )
    state, asked = update(pressed(app_state(), "p"), plan_read(plan), 1.0)
    assert asked == (call_in("work", dry_run_push, (), frozenset(plan.losses)),)

    state = after(pressed(state, *["KEY_DOWN"] * downs), messages.CallEnded(asked[0], result))

    rows = [plain(row) for row in draw_screen(state, 11.0, Theme())]
    assert any("mentions nobody" in row for row in rows)
    (row,) = (row for row in rows if row.startswith("▌"))
    assert row[1:].strip().startswith(selected)


def test_what_jira_answers_about_an_older_plan_is_not_taken_for_the_newer_one() -> None:
    state, (older,) = update(pressed(app_state(), "p"), plan_read(PushPlan((EDIT,))), 1.0)
    state, (newer,) = update(state, plan_read(PushPlan((DRAFT, EDIT))), 2.0)
    assert older == newer
    warned = PushResult(warnings=(Note("DEMO-9", "DEMO-9.md", "is late", Code.LITERAL),))

    state = after(state, messages.CallEnded(older, warned))
    shown = "\n".join(plain(row) for row in draw_screen(state, 3.0, Theme()))
    assert "is late" not in shown
    assert CHECKING_MESSAGE in shown

    state = after(state, messages.CallEnded(newer, PushResult()))
    assert CHECKING_MESSAGE not in plain(draw_screen(state, 3.0, Theme())[0])


def test_what_stands_below_the_entries_is_reached_and_opened() -> None:
    left = tuple(
        Note(f"DEMO-{at}", f"DEMO-{at}.md", "never pulled", Code.NEVER_PULLED, "T", at)
        for at in range(20, 60)
    )
    broken = Note("", "b.md", "cannot read /srv/team/work/b.md: no UTF-8", Code.BROKEN, "", None)
    clash = Note("DEMO-7", "d.md", conflict_reason("DEMO-7", "Title"), Code.CONFLICT, "T", 1)
    merge = Note("", "c.md", "c.md:6:1: this file holds a git conflict", Code.BROKEN, "", 6)
    loss = Loss("DEMO-9", "DEMO-9.md", "a table")
    plan = PushPlan((EDIT,), (*left, clash, broken, merge), losses=(loss,))
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9"), width=50), "p")
    state = update(state, plan_read(plan), 10.0)[0]

    state = pressed(state, "KEY_DOWN")
    rows = [plain(row).rstrip() for row in draw_screen(state, 11.0, Theme())]
    assert "▌! a table in DEMO-9.md, so it is not sent; !" in rows
    assert "Space" not in rows[-2]
    assert "e edit" not in rows[-2]
    assert pressed(state, " ").notice.startswith("Space does nothing here")

    state = pressed(state, "KEY_DOWN")
    assert "▌ ! DEMO-20   never pulled (DEMO-20.md:20)" in "\n".join(
        plain(row) for row in draw_screen(state, 11.0, Theme())
    )
    state = pressed(state, "G")
    rows = [plain(row).rstrip() for row in draw_screen(state, 11.0, Theme())]
    assert rows[-9:-3] == [
        "  ! DEMO-7    it is in conflict with Jira",
        "              (Title); c on the list resolves",
        "              it (d.md:1)",
        "  ! b.md      cannot read …/b.md: no UTF-8",
        "▌ ! c.md      this file holds a git conflict",
        "              (c.md:6)",
    ]
    assert update(state, Key("e"), 12.0)[1] == (call_in("work", open_editor, "c.md", 6),)
    above = pressed(state, "KEY_UP")
    assert update(above, Key("e"), 14.0)[1] == (call_in("work", open_editor, "b.md", 1),)
    shorter = plan_read(PushPlan((EDIT,)))
    assert "▌ * DEMO-9" in "".join(
        plain(row) for row in draw_screen(update(state, shorter, 15.0)[0], 15.0, Theme())
    )


def test_edits_of_tickets_that_were_not_chosen_are_counted_and_not_listed() -> None:
    left = tuple(
        Note(f"DEMO-{at}", "a.md", "it was not named", Code.NOT_NAMED_BY_USER, "T", at)
        for at in (1, 2)
    )
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9")), "p")
    for entries, words in (
        ((EDIT,), "Enter changes 1 of your tickets in Jira"),
        ((), "Nothing to push: none of the chosen tickets was edited"),
    ):
        read = plan_read(PushPlan(entries, left))
        rows = [
            plain(row).rstrip() for row in draw_screen(update(state, read, 10.0)[0], 11.0, Theme())
        ]
        assert rows[1].strip() == words
        title = next(at for at, row in enumerate(rows) if "Left alone  2" in row)
        assert rows[title + 1] == " · 2 more edited, but not chosen here"
        assert rows[title + 2] == ""


TICKETS = (
    Ticket("Search", "DEMO-1", fields={"Status": "Done", "Assignee": "Priya Raman"}),
    Ticket("Café", "DEMO-2", fields={"Status": "In Progress", "Assignee": "Priya Raman"}),
)


def typed(text: str, *keys: str) -> AppState:
    return pressed(app_state(*TICKETS), ":", *text, *keys)


def ran(text: str) -> tuple[AppState, tuple[ServiceCall, ...]]:
    return update(typed(text), Key("KEY_ENTER"), 99.0)


def test_a_command_is_found_by_its_words_and_run() -> None:
    state, asked = ran("pull from")
    assert (state.overlays, asked) == (
        (),
        (call_in("work", start_job, JobRequest(JobKind.PULL)),),
    )


def test_a_push_from_the_palette_shows_its_plan_first() -> None:
    state, asked = ran("push demo-1")
    assert state.overlays == (Plan("work", JobKind.PUSH, ("DEMO-1",)),)
    assert asked == (call_in("work", read_plan, JobKind.PUSH, ("DEMO-1",)),)


def test_a_ticket_is_found_by_its_title_without_accents() -> None:
    state, _ = ran("#cafe")
    assert state.selected_row is not None
    assert state.selected_row.key == "DEMO-2"


@pytest.mark.parametrize(
    ("text", "wanted"), [("@pri", 'assignee="Priya Raman"'), ("=prog", 'status="In Progress"')]
)
def test_a_person_or_a_status_becomes_a_filter(text: str, wanted: str) -> None:
    tickets = "2 tickets" if text == "@pri" else "1 ticket "
    assert any(tickets in row for row in draw_screen(typed(text), 1.0, Theme()))
    state, asked = ran(text)
    assert state.workspace.filter.text == wanted
    assert asked == (call_in("work", remember_list_view, SavedListView(wanted, "key")),)


def test_the_keys_in_the_palette_are_text() -> None:
    for key in "qpP?:":
        state, asked = update(typed(""), Key(key), 99.0)
        assert asked == ()
        top = state.overlays[-1]
        assert isinstance(top, Palette)
        assert top.input.text == key


def test_pasted_lines_run_nothing() -> None:
    state, asked = update(typed(""), Paste("pull\npush\n"), 99.0)
    assert asked == ()
    top = state.overlays[-1]
    assert isinstance(top, Palette)
    assert top.input.text == "pull push "


def test_tab_completes_and_escape_closes() -> None:
    state = typed("~", "KEY_TAB")
    top = state.overlays[-1]
    assert isinstance(top, Palette)
    assert top.input.text == "~work"
    second = typed("filter", "KEY_DOWN", "KEY_TAB").overlays[-1]
    assert isinstance(second, Palette)
    assert (second.input.text, second.option_index) == ("filter: unpushed", 0)
    assert after(state, Key("KEY_ESCAPE")).overlays == ()


def test_the_palette_lies_over_the_main_screen() -> None:
    rows = [plain(row) for row in draw_screen(typed("push"), 1.0, Theme())]
    box = [row for row in rows if "│ > push▏" in row]
    assert len(box) == 1
    assert {len(row) for row in rows} == {100}


def test_a_ticket_that_begins_with_the_words_comes_first_and_draft_is_a_name() -> None:
    tickets = (
        Ticket("About DEMO-11", "DEMO-1"),
        Ticket("One", "DEMO-11"),
        Ticket("Mine"),
        *(Ticket("Spare", f"DEMO-{number}") for number in range(100, 180)),
    )

    def found(text: str) -> list[str]:
        palette = Palette(lambda *_: None, input=TextInput.of(text))
        return [option.label for option in palette.matching_options(app_state(*tickets))]

    spare = [f"DEMO-{number}  Spare" for number in range(110, 120)]
    assert found("#demo-11") == ["DEMO-11  One", *spare, "DEMO-1  About DEMO-11"]
    assert found("#draft mine") == ["draft  Mine"]
    assert found("#mine one") == []
    assert len(found("#")) == len(found("#spare")) == MAX_PALETTE_OPTIONS


def test_a_command_is_found_by_the_name_of_its_action_too() -> None:
    def first(text: str) -> str:
        palette = Palette(lambda *_: None, input=TextInput.of(text))
        return palette.matching_options(app_state(Ticket("One", "DEMO-1")))[0].label

    assert first("quit") == first("q") == "leave"
    assert first("reload") == "read the files again"
    assert first("push") == "show what a push would write"


def test_leaving_help_and_drawing_again_are_commands() -> None:
    _, asked = update(typed("quit"), Key("KEY_ENTER"), 99.0)
    assert asked == (call(request_leave),)
    _, asked = update(typed("redraw"), Key("KEY_ENTER"), 99.0)
    assert asked == (call(redraw),)
    assert pressed(typed("help"), "KEY_ENTER").context is Context.HELP


@pytest.mark.parametrize("height", [10, 20, 30])
def test_page_keys_leave_no_command_out(height: int) -> None:
    state = pressed(app_state(*TICKETS, height=height), ":")
    top = state.overlays[-1]
    assert isinstance(top, Palette)
    words = [option.label[:20] for option in top.matching_options(state)]
    pages = [draw_screen(state, 1.0, Theme())]
    for _ in words:
        state = pressed(state, "KEY_PGDOWN")
        pages.append(draw_screen(state, 1.0, Theme()))

    shown = "\n".join(row for page in pages for row in page)
    assert [text for text in words if text not in shown] == []


OVERLAYS = [name for name in SCREENS if SCREENS[name](main_state(100, 30)).overlays]


@for_each("name", OVERLAYS)
def test_escape_closes_it(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))

    assert pressed(state, "KEY_ESCAPE", now=99.0).overlays == state.overlays[:-1]


@for_each("name", OVERLAYS)
def test_f1_shows_its_keys_and_escape_comes_back(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))
    if name == "help":  # the key closes it
        assert pressed(state, "KEY_F1", now=99.0).overlays == state.overlays[:-1]
        return
    opened = pressed(state, "KEY_F1", now=99.0)

    assert len(opened.overlays) == len(state.overlays) + 1
    assert pressed(opened, "KEY_ESCAPE", now=199.0).overlays == state.overlays


@for_each("name", OVERLAYS)
def test_q_closes_it_and_does_not_leave_the_app(name: str) -> None:
    state = SCREENS[name](main_state(100, 30))
    if state.context in TYPING_CONTEXTS:
        return
    closed, asked = update(state, Key("q"), 99.0)

    assert closed.overlays == state.overlays[:-1]
    assert not any(each.function is request_leave for each in asked)
    assert update(state, Key("KEY_F10"), 99.0)[1] == (call(request_leave),)


def test_the_help_names_only_the_keys_that_have_the_action_there() -> None:
    def lines(place: Context) -> list[str]:
        return [" ".join(line.split()) for line in help_lines(KeyMap(), place, 80)]

    assert "q F10 Ctrl+C leave" in lines(Context.TICKETS)
    assert {"q back, as Esc", "F10 Ctrl+C leave"} <= {*lines(Context.JOBS)}
    assert "F10 Ctrl+C leave" in lines(Context.INPUT)


LONG = PlanEntry(
    "DEMO-10",
    "Ten",
    "DEMO-10.md",
    1,
    (
        Change("Priority", "High", "Low"),
        Change(
            CorePart.DESCRIPTION,
            "".join(f"line {number}\n" for number in range(40)),
            "".join(f"line {number}{' new' * (number in {3, 30})}\n" for number in range(40)),
        ),
    ),
)


def planned(*entries: PlanEntry, height: int = 30) -> AppState:
    state = pressed(app_state(Ticket("Rebuild", "DEMO-9"), height=height), "p")
    read = plan_read(PushPlan(entries))
    return update(state, read, 10.0)[0]


def shown(state: AppState) -> list[str]:
    return [plain(row).rstrip() for row in draw_screen(state, 11.0, Theme())]


def test_the_places_of_entries_end_in_one_column() -> None:
    cut = replace(LONG, title="Ten " * 40)
    rows = [row for row in shown(planned(DRAFT, EDIT, cut)) if row[2:3] in {"*", "+"}]
    assert len(rows) == 3
    assert len({len(row) for row in rows}) == 1


def test_texts_are_shown_as_a_diff_where_there_is_room() -> None:
    assert shown(planned(LONG))[5:17] == [
        "              Priority: High → Low",
        "              Description (+2 -2 lines)",
        "                  line 2",
        "                - line 3",
        "                + line 3 new",
        "                  line 4",
        "                …",
        "                  line 29",
        "                - line 30",
        "                + line 30 new",
        "                  line 31",
        "",
    ]


def test_removed_lines_are_red_and_new_ones_green() -> None:
    text = "\n".join(draw_screen(planned(LONG), 11.0, Theme(sgr)))
    assert f"{sgr('-', 'red')} line 3" in text
    assert f"{sgr('+', 'green')} line 3 new" in text


def test_where_there_is_no_room_a_key_shows_and_hides_them() -> None:
    state = planned(LONG, height=14)
    folded = shown(state)
    assert folded[5] == "              Priority: High → Low; Description (+2 -2 lines)"
    assert "→ unfold" in folded[-2]

    unfolded = pressed(state, "KEY_RIGHT")
    assert "                - line 3" in shown(unfolded)
    assert "← fold" in shown(unfolded)[-2]
    assert "unfold" not in shown(unfolded)[-2]
    assert shown(unfolded)[1].startswith("▌ * DEMO-10")  # its begin: there is no room for all of it
    assert shown(pressed(unfolded, "KEY_LEFT")) == folded


def test_what_was_shown_stays_when_the_plan_is_made_again() -> None:
    state = pressed(planned(LONG, height=14), "KEY_RIGHT")
    read = plan_read(PushPlan((LONG, EDIT)))
    assert "                - line 3" in shown(update(state, read, 12.0)[0])


def test_an_entry_on_one_line_has_nothing_more_to_show() -> None:
    state = planned(EDIT)
    assert "unfold" not in shown(state)[-2]
    assert pressed(state, "KEY_RIGHT").notice == "All that is changed is shown"


def test_d_shows_a_change_whole_and_esc_goes_back() -> None:
    state = planned(DRAFT, EDIT, LONG)
    assert shown(pressed(state, "d"))[0].startswith(" ticketr  Diff · draft Pay")
    whole = pressed(state, "j", "j", "d")
    assert shown(whole)[0].startswith(" ticketr  Diff · DEMO-10 Ten")
    assert "line 3{+ new+}" in " ".join(shown(whole))
    assert isinstance(pressed(whole, "KEY_ESCAPE").overlays[-1], Plan)


def test_long_texts_are_not_compared_before_they_are_asked_for() -> None:
    many = PlanEntry("DEMO-1", "One", "DEMO-1.md", 1, (Change("Notes", "", "text\n" * 2_000),))
    assert shown(planned(many))[5] == "              Notes (2000 lines)"


def test_a_left_out_entry_shows_no_texts() -> None:
    assert "left out" in shown(pressed(planned(LONG), " "))[5]
    assert "line 3" not in "\n".join(shown(pressed(planned(LONG), " ")))


def test_other_reviews_have_nothing_to_unfold() -> None:
    state = app_state(Ticket("One", "DEMO-1")).opened(FileEdits("work", ()))
    assert pressed(state, "KEY_RIGHT").notice == "→ does nothing here; ? lists the keys"
    assert "unfold" not in shown(state)[-2]
