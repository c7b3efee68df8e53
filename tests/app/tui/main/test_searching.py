"""The filter and the search: what Jira is asked, what is shown, what is found in a text."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial

import pytest
from fakes.states import after, app_state, detail_read, plain, pressed
from rows import for_each

from ticketr.app.config import SavedListView
from ticketr.app.tickets import Ticket, UserAndFieldNames
from ticketr.app.tickets.filter import FieldTerm
from ticketr.app.tui import messages
from ticketr.app.tui.effects import ServiceCall, call, call_in
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.first_run import FirstRun
from ticketr.app.tui.overlays.questions import Loading
from ticketr.app.tui.panels.frame import line_index_of_each_match, with_marked_ranges
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.asking import ask_match_count_and_local_keys, stop_asking
from ticketr.app.tui.services.files import remember_list_view
from ticketr.app.tui.sheet import DetailLine, sheet_of
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Span, Theme
from ticketr.app.tui.update import update
from ticketr.app.tui.workspace import WorkspaceView
from ticketr.terminal import Key, Resize, sgr

TICKETS = tuple(Ticket(f"Number {at}", f"DEMO-{at}") for at in (1, 2, 3))
JQL = "sprint in openSprints()"


def typed(text: str, state: AppState | None = None) -> AppState:
    return pressed(state or app_state(*TICKETS), "f", "KEY_CTRL_U", *text)


def asked(text: str = f"jql: {JQL}") -> AppState:
    state, effect = update(typed(text), Key("KEY_ENTER"), 99.0)
    assert effect == (call_in("work", ask_match_count_and_local_keys, JQL),)
    assert [type(overlay) for overlay in state.overlays] == [Loading]
    return state


def keys(state: AppState) -> list[str]:
    return [each.row.key for each in state.workspace.visible.rows]


def found(*keys: str, count: int | None = None, problem: str = "") -> messages.CallEnded:
    answer = (count or len(keys), frozenset(keys))
    return messages.CallEnded(call_in("work", ask_match_count_and_local_keys, JQL), answer, problem)


def test_while_a_query_is_typed_all_tickets_are_shown_and_the_answer_filters_them() -> None:
    state = typed(f"jql: {JQL}")
    assert (keys(state), state.notice) == (["DEMO-1", "DEMO-2", "DEMO-3"], "Enter asks Jira")
    state = asked(f"  JQL:{JQL} ")
    assert any(
        "Asking Jira which tickets match" in plain(row) for row in draw_screen(state, 1.0, Theme())
    )
    assert plain(draw_screen(state, 1.0, Theme())[-2]).split() == ["Esc", "back", "F1", "all"]
    early, effect = update(state, Key("KEY_ENTER"), 100.0)
    assert (early.notice, effect) == ("Jira has not answered yet; Esc goes back", ())

    state = after(state, found("DEMO-2", "DEMO-3"))

    assert (keys(state), state.overlays) == (["DEMO-2", "DEMO-3"], ())
    assert state.notice == "Jira has found 2"
    assert state.workspace.filter.text == f"jql: {JQL}"


def test_what_was_not_pulled_is_counted() -> None:
    state = after(asked(), found("DEMO-2", count=5))
    assert (keys(state), state.notice) == (["DEMO-2"], "Jira has found 5, 4 of them not pulled")
    state = after(asked(), found(count=0))
    assert (keys(state), state.notice) == ([], "Jira has found 0")


def test_another_filter_replaces_it_and_esc_brings_it_back() -> None:
    state = after(asked(), found("DEMO-2"))
    assert keys(pressed(typed("3", state), "KEY_ESCAPE")) == ["DEMO-2"]
    state = pressed(typed("3", state), "KEY_ENTER")
    assert keys(state) == ["DEMO-3"]


def test_it_is_not_remembered_as_its_answer_would_not_be() -> None:
    state = pressed(after(asked(), found("DEMO-2")), "S", "KEY_DOWN")
    state, effect = update(state, Key("KEY_ENTER"), 99.0)
    assert effect == (call_in("work", remember_list_view, SavedListView("", "title")),)
    assert keys(state) == ["DEMO-2"]


def test_esc_stops_asking_and_a_late_answer_changes_nothing() -> None:
    state, effect = update(asked(), Key("KEY_ESCAPE"), 100.0)
    assert (state.overlays, effect) == ((), (call(stop_asking, "work"),))
    assert keys(after(state, found("DEMO-2"))) == ["DEMO-1", "DEMO-2", "DEMO-3"]
    other = messages.CallEnded(
        call_in("work", ask_match_count_and_local_keys, "project = X"), (1, frozenset({"DEMO-2"}))
    )
    state = asked()
    assert after(state, other).overlays == state.overlays


def test_without_an_answer_the_tickets_stay_and_it_is_said_why() -> None:
    state = after(asked(), found(problem="it does not know openSprints"))
    assert keys(state) == ["DEMO-1", "DEMO-2", "DEMO-3"]
    assert any(
        "Not filtered: it does not know openSprints" in row
        for row in draw_screen(state, 99.0, Theme())
    )


def title_and_line(state: AppState) -> tuple[str, str]:
    rows = [plain(row) for row in draw_screen(state, 99.0, Theme())]
    return next(row for row in rows if "2 Tickets" in row), rows[-2]


def test_a_narrow_list_says_that_it_is_filtered() -> None:
    state = pressed(app_state(*TICKETS, width=42, height=12), " ")
    narrow = typed("number number 2", state)
    title, line = title_and_line(narrow)
    assert title.endswith(" 1/1 · only number number 2 ─")
    assert line.split() == ["filter:", "number", "number", "2▏", "1", "of", "3"]

    wide = update(narrow, Resize(58, 12), 99.0)[0]
    assert title_and_line(wide)[0].endswith(" 1/1 · only number number 2 · 1 chosen ─")

    longer = title_and_line(typed("number number number 2", state))[0]
    assert longer.endswith(" 1/1 · only number number … ─")


@pytest.mark.parametrize("text", ["jql:", "jql:  "])
def test_a_query_has_to_follow(text: str) -> None:
    state = pressed(typed(text), "KEY_ENTER")
    assert state.context is Context.INPUT
    assert any("A query of Jira follows jql:" in row for row in draw_screen(state, 99.0, Theme()))


@for_each(
    ("words", "command"),
    [
        ("assign", "assign to a person"),
        ("label", "add or remove a label"),
        ("transition", "choose another status"),
        ("refresh", "read the files again"),
        ("attach", "attach a file"),
        ("worklog", "log work"),
        ("token", "log in to this Jira again"),
        ("login", "connect to Jira"),
        ("connect", "connect to Jira"),
    ],
)
def test_the_palette_finds_commands_by_the_words_that_people_type(words: str, command: str) -> None:
    state = pressed(app_state(Ticket("One", "DEMO-1")), ":", *words)
    rows = [plain(row) for row in draw_screen(state, 1.0, Theme())]
    assert any(command in row for row in rows)
    if command == "connect to Jira":
        assert isinstance(pressed(state, "KEY_ENTER").overlays[-1], FirstRun)


def test_the_palette_lists_the_names_of_queries_and_asks_for_one() -> None:
    opened = messages.WorkspaceOpened(
        "work",
        "jira.example",
        "DEMO",
        query_by_alias={"mine": "assignee = currentUser()\x07", "b": "x"},
    )
    state = pressed(after(app_state(*TICKETS), opened), ":", *"filter @")
    rows = [plain(row) for row in draw_screen(state, 1.0, Theme())]
    found = [row.split("│")[1].strip("▌ ") for row in rows if "filter: @" in row]
    assert [each.split() for each in found] == [
        ["filter:", "@b", "x"],
        ["filter:", "@mine", "assignee", "=", "currentUser()\ufffd"],
    ]

    state, effect = update(pressed(state, "KEY_DOWN"), Key("KEY_ENTER"), 99.0)

    assert effect == (call_in("work", ask_match_count_and_local_keys, "@mine"),)
    assert [type(overlay) for overlay in state.overlays] == [Loading]
    refused = messages.CallEnded(
        call_in("work", ask_match_count_and_local_keys, "@mine"), problem="no such name"
    )
    rows = draw_screen(after(state, refused), 1.0, Theme())
    assert any("Not filtered: no such name" in row for row in rows)


def entered(text: str, state: AppState | None = None) -> tuple[AppState, tuple[ServiceCall, ...]]:
    return update(typed(text, state), Key("KEY_ENTER"), 99.0)


def test_a_query_without_an_answer_is_there_again_with_the_error() -> None:
    state = after(asked(), found(problem="cannot reach jira.example"))
    rows = [plain(row).rstrip() for row in draw_screen(state, 99.0, Theme())]
    assert rows[-2].startswith(f" filter: jql: {JQL}▏")
    assert rows[-4] == " Not filtered: cannot reach jira.example"
    again = update(state, Key("KEY_ENTER"), 100.0)[1]
    assert again == (call_in("work", ask_match_count_and_local_keys, JQL),)


def test_an_answer_to_a_workspace_that_is_left_is_said_with_the_query() -> None:
    state = replace(asked(), workspaces=(WorkspaceView("shop"), *asked().workspaces))
    state = after(state, found(problem="no"))
    assert state.notice == f"Not filtered: no: jql: {JQL}"


def test_what_is_no_filter_stays_in_the_line() -> None:
    state, effect = entered('"a two')

    assert (effect, state.context) == ((), Context.INPUT)
    narrow = update(state, Resize(40, 8), 99.0)[0]
    rows = [plain(row) for row in draw_screen(narrow, 99.0, Theme())]
    assert "this quote is not closed" in " ".join("".join(rows[1:-2]).split())
    assert rows[-2].startswith(' filter: "a two▏')


def test_a_filter_knows_the_user_and_the_fields_of_the_workspace() -> None:
    state = app_state(*TICKETS)
    names = UserAndFieldNames("Amara Okafor", frozenset({"Status", "Assignee"}))
    state, _ = update(
        state, messages.FilesRead("work", state.workspace.rows, filter_names=names), 1.0
    )

    refused, effect = entered("staus=done", state)
    assert (effect, refused.context) == ((), Context.INPUT)
    rows = [plain(row) for row in draw_screen(refused, 99.0, Theme())]
    assert "did you mean Status?" in " ".join(rows)
    mine, _ = entered("@me", state)
    assert mine.workspace.filter.terms == (
        FieldTerm("assignee", "amara okafor", is_whole_value=True),
    )


def test_a_ticket_above_a_hit_is_dim_and_neither_counted_nor_chosen() -> None:
    tasks = tuple(Ticket(f"Part {at}", f"DEMO-{at}") for at in (5, 6))
    state = typed("part", app_state(*TICKETS, Ticket("Number 4", "DEMO-4", tasks=tasks)))
    assert state.notice == "2 of 6"
    state = pressed(state, "KEY_ENTER")

    assert keys(state) == ["DEMO-4", "DEMO-5", "DEMO-6"]
    assert (
        state.selected_row is not None and state.selected_row.key,
        state.workspace.filtered_position_and_count,
    ) == ("DEMO-4", (0, 2))
    refused = pressed(state, " ")
    assert refused.workspace.chosen_ids == frozenset()
    words = "DEMO-4 is not what the filter looks for; it is above a sub-task that is"
    assert refused.notice == words
    below = pressed(state, "KEY_DOWN", " ")
    assert (set(below.workspace.chosen_ids), below.workspace.filtered_position_and_count) == (
        {"DEMO-5"},
        (2, 2),
    )
    title, _ = title_and_line(below)
    assert "2/2 · only part" in title
    below = pressed(below, "/", *"demo", "KEY_ENTER")
    (line,) = [row for row in draw_screen(below, 99.0, COLORS) if "Number 4" in row]
    assert ("\x1b[2m" in line, "\x1b[7m" in line) == (True, False)  # a search does not stop there
    assert [pressed(below, *"n" * times).notice for times in (1, 2)] == ["1 of 2", "2 of 2"]
    assert pressed(below, "/", *"number 4").notice == "nothing found"


def test_tab_lists_the_names_of_queries() -> None:
    opened = messages.WorkspaceOpened(
        "work", "jira.example", "DEMO", query_by_alias={"mine": "a = b"}
    )
    state = after(app_state(*TICKETS), opened)
    state = pressed(typed("number 3", state), "KEY_TAB")
    rows = [plain(row) for row in draw_screen(state, 1.0, Theme())]
    assert [row for row in rows if "@mine" in row and "a = b" in row]

    assert keys(pressed(state, "KEY_ESCAPE")) == ["DEMO-1", "DEMO-2", "DEMO-3"]
    _, effect = update(state, Key("KEY_ENTER"), 99.0)
    assert effect == (call_in("work", ask_match_count_and_local_keys, "@mine"),)


def test_tab_without_a_name_says_how_a_query_gets_one() -> None:
    state = pressed(typed("a"), "KEY_TAB")
    assert state.notice == "No query has a name yet; ticketr alias names one"


TEXT = "\n\n".join(f"Paragraph {at} is short." for at in range(40))
TICKET = Ticket("A title", "DEMO-1", f"{TEXT}\n\nThe Café is the only one.")
COLORS = Theme(partial(sgr, colors=True), has_links=False)


def opened(ticket: Ticket = TICKET, *, width: int = 60, height: int = 20) -> AppState:
    """Return the ticket at full width, above another one in the list."""
    state = app_state(ticket, Ticket("Paragraph of another", "DEMO-2"), width=width, height=height)
    state, _ = update(state, messages.FilesRead("work", state.workspace.rows), 1.0)
    assert state.ticket is not None
    state = pressed(state, "3")
    return after(state, detail_read(state, sheet_of(ticket, "DEMO-1.md")))


def lines(*texts: str) -> list[DetailLine]:
    return [DetailLine((Span(text),)) for text in texts]


def marked(state: AppState) -> list[str]:
    rows = draw_screen(state, 9.0, COLORS)
    return [plain(row).strip() for row in rows if re.search(r"\x1b\[(\d+;)*7[;m]", row)]


def top(state: AppState) -> int:
    assert state.ticket is not None
    return state.ticket.top


def test_the_text_of_the_open_ticket_is_searched_and_not_the_list() -> None:
    state = pressed(opened(), "/", *"paragraph 3")

    assert state.workspace.search == ""
    assert state.notice == "1 of 11"
    assert "Paragraph 3 is short." in marked(state)
    assert "/ paragraph 3" in plain(draw_screen(state, 9.0, Theme())[-2])


def test_a_match_that_goes_on_in_the_next_line_is_marked_where_it_begins() -> None:
    state = pressed(opened(Ticket("T", "DEMO-1", f"{'x' * 48} one two three")), "/", *"One  two th")

    (row,) = (row for row in draw_screen(state, 9.0, COLORS) if "one" in row)
    assert "\x1b[7;1mone two\x1b" in row
    assert "three" not in row


def test_n_goes_to_the_next_match_and_from_the_last_to_the_first() -> None:
    state = pressed(opened(), "/", *"paragraph 3", "KEY_ENTER")
    notices = []
    for key in ("n", "N", "N", "n"):
        state = pressed(state, key)
        notices.append(state.notice)

    assert notices == ["2 of 11", "1 of 11", "11 of 11", "1 of 11"]


def test_a_match_off_the_screen_is_scrolled_to_the_top_and_one_on_it_is_not() -> None:
    state = pressed(opened(), "/", *"paragraph 20", "KEY_ENTER")
    assert plain(draw_screen(state, 9.0, Theme())[2]).strip() == "Paragraph 20 is short."

    before = top(state)
    state = pressed(opened(), "/", *"paragraph 2", "KEY_ENTER", "n", "n")
    assert (state.notice, top(state)) == ("3 of 11", before)
    state = pressed(state, *"nnnnnnn")
    assert (state.notice, top(state)) == ("10 of 11", before + 16)


def test_after_scrolling_n_goes_on_from_what_is_on_the_screen() -> None:
    state = pressed(opened(), "/", *"paragraph", "KEY_ENTER", "G")
    assert plain(draw_screen(state, 9.0, Theme())[2]).strip() == "Paragraph 33 is short."
    assert pressed(state, "n").notice == "34 of 40"
    assert pressed(state, "N").notice == "33 of 40"
    state = pressed(opened(), "/", *"paragraph 1", "KEY_ENTER", "G")
    assert pressed(state, "n").notice == "1 of 11"
    assert pressed(state, "N").notice == "11 of 11"


def test_escape_ends_the_search_then_goes_back() -> None:
    state = pressed(opened(), "/", *"short", "KEY_ENTER")
    assert len(marked(state)) > 3

    state = pressed(state, "KEY_ESCAPE")
    assert (marked(state), state.focus, state.ticket and state.ticket.search) == (
        [],
        opened().focus,
        "",
    )
    assert pressed(state, "n").notice == "Nothing was searched yet; / searches"
    assert pressed(state, "KEY_ESCAPE").focus is not state.focus


def test_escape_while_typing_goes_back_to_where_it_began() -> None:
    state = pressed(opened(), "j", "j")
    before = top(state)
    state = pressed(state, "/", *"paragraph 30")
    assert top(state) != before

    ticket = pressed(state, "KEY_ESCAPE").ticket
    assert ticket is not None
    assert (ticket.top, ticket.search) == (before, "")


def test_what_is_not_found_says_so() -> None:
    state = pressed(opened(), "/", *"zebra")
    assert state.notice == "nothing found"
    assert pressed(state, "KEY_ENTER", "n").notice == "nothing found for “zebra”"


def test_the_list_is_searched_where_it_has_the_focus() -> None:
    state = pressed(opened(), "2", "/", *"another")
    assert state.workspace.search == "another"
    assert state.selected_row is not None
    assert state.selected_row.key == "DEMO-2"


def test_case_and_accents_do_not_matter() -> None:
    assert pressed(opened(), "/", *"cafe is").notice == "1 of 1"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("strasse", [0]),
        ("one  two", [1]),
        ("e", [0, 0, 1, 3]),
        ("", []),
        ("  ", []),
        (".", []),
    ],
)
def test_matches_are_found_in_their_lines(words: str, found: list[int]) -> None:
    assert list(line_index_of_each_match(lines("Die Straße", "one", "  two", "é"), words)) == found


def test_marks_keep_the_styles_below_them() -> None:
    line = (Span("ab", ("bold",)), Span("cd"))
    assert with_marked_ranges(line, [(1, 3)], "reverse") == (
        Span("a", ("bold",)),
        Span("b", ("bold", "reverse")),
        Span("c", ("reverse",)),
        Span("d"),
    )


COLORS = Theme(partial(sgr, colors=True))


def test_each_hit_of_a_search_in_the_list_is_marked_there_and_in_the_open_ticket() -> None:
    tickets = (
        Ticket("Pay in Café Alpha", "DEMO-1", "Nothing"),
        Ticket("Cafe", "DEMO-2", "The alpha of a CAFÉ"),
        Ticket("Beta", "DEMO-3", "A cafe in its text, alpha"),
        Ticket("Alpha alone", "DEMO-4"),
    )
    state = app_state(*tickets)
    sheet = sheet_of(tickets[1], "DEMO-2.md")
    state = pressed(state, "/", *"cafe alpha", "KEY_ENTER", "j")
    state = after(replace(state, follow_selection_at=0.0), messages.FollowSelectionDue())
    state = after(state, detail_read(state, sheet))

    rows = draw_screen(state, 1.0, COLORS)
    assert "\x1b[7mCafé\x1b" in rows[2]
    assert "\x1b[7mAlpha\x1b" in rows[2]
    assert "\x1b[1;4mCafe\x1b" in rows[3].replace("7;", "").replace(";7", "")  # selected
    assert "\x1b[1m" in rows[4]  # the words are in its text alone
    assert "\x1b[" not in rows[5].split("│")[0].removesuffix("\x1b[2m")  # no hit
    right = "\n".join(row.split("│")[1] for row in rows[2:] if "│" in row)
    assert "\x1b[7malpha\x1b" in right
    assert "\x1b[7mCAFÉ\x1b" in right

    assert "Esc back" in plain(rows[-2])
    state = pressed(state, "KEY_ESCAPE")
    assert not any("\x1b[7mCafé" in row for row in draw_screen(state, 1.0, COLORS))
    assert pressed(state, "n").notice == "Nothing was searched yet; / searches"
