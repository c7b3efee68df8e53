"""The first run: its keys, what is checked when, and the whole app on a setup that follows a script."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import trio
from fakes.apps import DEMO, LOGIN, SHOP, SITE, FakeSetup, as_setup, running_app
from fakes.states import after, app_state, plain
from trio.testing import MockClock

from ticketr.app.tui import messages
from ticketr.app.tui.effects import ServiceCall, call, call_in
from ticketr.app.tui.keymap import Context
from ticketr.app.tui.overlays.first_run import TOKEN_PAGE_URL, FirstRun, Form
from ticketr.app.tui.screen import draw_screen
from ticketr.app.tui.services.files import read_files
from ticketr.app.tui.services.jobs import start_job
from ticketr.app.tui.services.outside import open_pages, request_leave
from ticketr.app.tui.services.setting_up import (
    add_and_show_workspace,
    cancel_setup,
    check_login,
    check_site,
    classify_folder,
    open_folder,
    read_login_form_values,
    run_and_show_sandbox,
    suggest_folder,
)
from ticketr.app.tui.setup import (
    AcceptedLogin,
    CloudSite,
    FolderAnswer,
    FolderKind,
    Login,
    NewWorkspace,
    Problem,
    Setup,
    SetupField,
)
from ticketr.app.tui.state import AppState
from ticketr.app.tui.styled import Theme
from ticketr.app.tui.update import update
from ticketr.terminal import Event, Key, Mouse, MouseAction, Paste, Resize

CANARY = "canary-7391"
START = AppState(100, 30, overlays=(FirstRun(),))
NEW = FolderAnswer(FolderKind.MISSING)


def do(state: AppState, *keys: str, now: float = 5.0) -> tuple[AppState, tuple[ServiceCall, ...]]:
    """Press keys at once; return the state and all effects."""
    asked: tuple[ServiceCall, ...] = ()
    for key in keys:
        state, more = update(state, Key(key), now)
        asked += more
    return state, asked


def pressed(state: AppState, *keys: str, now: float = 5.0) -> AppState:
    return do(state, *keys, now=now)[0]


def told(
    state: AppState, message: messages.Message | Event
) -> tuple[AppState, tuple[ServiceCall, ...]]:
    return update(state, message, 6.0)


def overlay(state: AppState) -> FirstRun:
    (found,) = state.overlays
    assert isinstance(found, FirstRun)
    return found


def form(state: AppState) -> Form:
    found = overlay(state).form
    assert found is not None
    return found


def rows(state: AppState) -> list[str]:
    return [plain(row).rstrip() for row in draw_screen(state, 6.0, Theme())]


def answered(state: AppState, check: SetupField, answer: object) -> messages.Message:
    asked = form(state).check_request_if_possible(check)
    assert asked is not None
    assert asked in form(state).answer_by_check
    return messages.CallEnded(asked, answer)


def site_answer(state: AppState, answer: CloudSite | Problem = SITE) -> messages.Message:
    return answered(state, SetupField.SITE, answer)


def login_answer(state: AppState, answer: AcceptedLogin | Problem = LOGIN) -> messages.Message:
    return answered(state, SetupField.TOKEN, answer)


def folder_answer(state: AppState, answer: FolderAnswer | Problem) -> messages.Message:
    return answered(state, SetupField.FOLDER, answer)


def failed(problem: Problem) -> messages.Message:
    return messages.CallEnded(call(run_and_show_sandbox), problem)


def suggested(folder: str) -> messages.Message:
    return messages.CallEnded(call(suggest_folder, SITE.site, ""), folder)


def line(state: AppState, label: str) -> str:
    return next(row for row in rows(state) if row.strip(" ▌").startswith(f"{label} "))


def connecting(*keys: str) -> AppState:
    """Return a state with the form, in which the site has answered."""
    state = pressed(START, "c", *"h.example", "KEY_TAB")
    return pressed(after(state, site_answer(state)), *keys)


def logged_in(login: AcceptedLogin = LOGIN) -> AppState:
    """Return a state with the form, in which the login was accepted; the project has the focus."""
    state = connecting(*"p@h.example", "KEY_TAB", *CANARY, "KEY_TAB")
    return after(state, login_answer(state, login))


@pytest.mark.parametrize("cells", [100, 80, 60, 40])
def test_no_word_about_a_way_is_cut(cells: int) -> None:
    rows = [
        plain(row).rstrip()
        for row in draw_screen(AppState(cells, 20, overlays=(FirstRun(),)), 5.0, Theme())
    ]
    ways = [row for row in rows if row.endswith((" Enter", " c", " o"))]
    assert len(ways) == 3
    assert not any("…" in row for row in ways)
    assert ("500 made-up tickets" in ways[0], "token" in ways[1]) == (cells > 40,) * 2


def test_without_the_sandbox_it_offers_two_ways() -> None:
    start = replace(START, can_start_sandbox=False)

    shown = rows(start)
    state, _ = do(start, "KEY_DOWN", "KEY_DOWN", "KEY_ENTER")

    assert [row.split()[:2] for row in shown[4:6]] == [["▌", "Connect"], ["Open", "a"]]
    assert not any("made-up" in row for row in shown)
    assert rows(state)[-2].startswith(" folder:")
    assert form(pressed(start, "c")).focused_field is SetupField.SITE


def test_it_offers_three_ways_and_enter_takes_the_first() -> None:
    shown = rows(START)
    assert shown[0].endswith("first run")
    assert [row.split()[:2] for row in shown[4:7]] == [
        ["▌", "Try"],
        ["Connect", "to"],
        ["Open", "a"],
    ]

    state, asked = do(START, "KEY_ENTER")

    assert asked == (call(run_and_show_sandbox),)
    assert "Starting a Jira with made-up tickets on this machine... Esc cancels" in "".join(
        rows(state)
    )


@pytest.mark.parametrize("keys", [("c",), ("KEY_DOWN", "KEY_ENTER")])
def test_a_letter_or_the_arrows_open_the_form(keys: tuple[str, ...]) -> None:
    state = pressed(START, *keys)
    assert form(state).focused_field is SetupField.SITE
    assert "Ctrl+T show token" in rows(state)[-2]


@pytest.mark.parametrize(
    "keys",
    [("o",), ("KEY_DOWN", "KEY_DOWN", "KEY_DOWN", "KEY_UP", "KEY_DOWN", "KEY_ENTER")],
)
def test_a_letter_or_the_arrows_ask_for_a_folder(keys: tuple[str, ...]) -> None:
    state = pressed(START, *keys)
    assert rows(state)[-2].startswith(" folder:")
    assert any("Open a folder" in row for row in rows(state))
    assert pressed(state, "KEY_ESCAPE").overlays[-1] == replace(FirstRun(), way_index=2)


def test_without_a_workspace_escape_leaves_the_first_run_open() -> None:
    state = pressed(START, "KEY_ESCAPE")

    assert state.overlays == START.overlays
    assert state.notice == "There is nothing to go back to; q leaves"
    assert do(START, "q")[1] == (call(request_leave),)


def test_with_a_workspace_it_adds_another_one_and_escape_closes_it() -> None:
    state = pressed(app_state(), "1", "a")

    assert state.overlays == (FirstRun(),)
    assert rows(state)[0].endswith("a new workspace")
    assert pressed(state, "KEY_ESCAPE").overlays == ()


def test_a_key_asks_for_a_new_token_and_for_nothing_else() -> None:
    state, asked = do(app_state(), "C")
    (asks,) = asked
    assert asks == call_in("work", read_login_form_values)
    texts = {
        SetupField.SITE: "https://harbour.example",
        SetupField.EMAIL: "a@harbour.example",
        SetupField.PROJECT: "DEMO",
        SetupField.FOLDER: "~/work",
    }

    state, asked = told(state, messages.CallEnded(asks, texts))

    assert asked == (
        call(check_site, "https://harbour.example"),
        call(classify_folder, "~/work"),
    )
    assert form(state).focused_field is SetupField.TOKEN
    assert rows(state)[0].endswith("a new token")
    assert not any("Try it now" in row for row in rows(state))  # the ways to a first workspace
    assert do(state, "KEY_ENTER")[1] == ()  # no token was typed
    known = FolderAnswer(FolderKind.WORKSPACE, "harbour.example")
    state, _ = told(state, folder_answer(state, known))
    assert "✓ a workspace of harbour.example" in line(state, "Folder")
    _, asked = do(state, *CANARY, "KEY_ENTER")
    wanted = NewWorkspace(
        "https://harbour.example", "a@harbour.example", CANARY, "DEMO", Path("~/work")
    )
    assert asked[-1] == call(add_and_show_workspace, wanted)
    problem = Problem("the token has expired; type another one", SetupField.TOKEN)
    refused = after(state, failed(problem))
    assert "another one; Ctrl+O opens the page" in " ".join(" ".join(rows(refused)).split())
    state, asked = do(refused, "KEY_ESCAPE")  # back to the list, not to the ways of the first run
    assert (state.overlays, asked) == ((), (call(cancel_setup),))


def test_while_it_is_busy_only_escape_has_an_effect_and_cancels() -> None:
    state = pressed(START, "KEY_ENTER")
    assert state.context is Context.START_MENU

    assert rows(state)[-2].split() == ["Esc", "back", "?", "all"]
    assert "Esc" not in rows(START)[-2]
    other, asked = do(state, "c")
    assert (overlay(other).busy_text, asked) == (overlay(state).busy_text, ())
    state, asked = do(state, "KEY_ESCAPE")

    assert asked == (call(cancel_setup),)
    assert (overlay(state).busy_text, state.notice) == ("", "Cancelled; nothing was added")


def test_leaving_a_field_checks_it_at_once_and_once() -> None:
    state, asked = do(START, "c", *"h.example", "KEY_TAB")
    assert [each.function for each in asked] == [check_site]
    assert "· checking..." in line(state, "Site")

    assert do(state, "KEY_BTAB", "KEY_TAB")[1] == ()


def test_a_late_answer_about_another_address_changes_nothing() -> None:
    state = pressed(START, "c", "x", "KEY_TAB", "KEY_BTAB", "y", "KEY_TAB")

    late = messages.CallEnded(call(check_site, "x"), Problem("late", SetupField.SITE))
    state = after(state, late)
    assert "late" not in "\n".join(rows(state))
    state = after(state, site_answer(state))

    assert "✓ Jira Cloud" in line(state, "Site")


def test_a_site_other_than_cloud_is_told_and_gets_no_login() -> None:
    state = pressed(START, "c", "x", "KEY_TAB")
    words = "https://x is Jira Data Center; ticketr works with Jira Cloud only"
    state = after(state, site_answer(state, Problem(words, SetupField.SITE)))

    state, asked = do(state, "m", "KEY_TAB", *CANARY, "KEY_TAB")

    assert "✗ https://x is Jira Data Center; ticketr" in line(state, "Site")
    assert not [each for each in asked if each.function is check_login]


def test_a_login_is_tried_once_site_mail_and_token_are_there() -> None:
    state, asked = do(connecting(), *"p@h.example", "KEY_TAB", *CANARY)
    assert asked == ()

    state, asked = do(state, "KEY_TAB")

    login = Login(SITE.site, "p@h.example", CANARY)
    assert asked == (call(check_login, login),)


def test_no_token_goes_to_a_site_whose_address_is_being_typed() -> None:
    state = logged_in()
    state = pressed(state, "KEY_BTAB", "KEY_BTAB", "KEY_BTAB", "x")
    state, asked = do(state, "KEY_F5")
    assert [each.function for each in asked] == [check_site]

    other = CloudSite("https://other.example", 1)
    state, asked = told(state, site_answer(state, other))
    assert not [each for each in asked if each.function is check_login]

    _, asked = do(state, "KEY_TAB")
    (login,) = (each for each in asked if each.function is check_login)
    assert login.args[0].site == "https://other.example"


def test_the_token_is_dots_but_while_ctrl_t_shows_it() -> None:
    state = connecting("KEY_TAB", *CANARY)
    assert CANARY not in "\n".join(rows(state))
    assert "•" * len(CANARY) in line(state, "Token")

    state = pressed(state, "KEY_CTRL_T")
    assert CANARY in line(state, "Token")
    assert CANARY not in "\n".join(rows(pressed(state, "KEY_CTRL_T")))

    assert CANARY not in "\n".join(rows(pressed(state, "KEY_TAB")))


def test_the_token_is_in_no_repr_log_or_notice() -> None:
    state = logged_in()
    typed = Paste(CANARY)
    state = after(state, typed)
    state, login = do(pressed(state, "KEY_CTRL_U", *"DEMO"), "KEY_F5")
    state, added = do(after(state, suggested("~/h")), "KEY_TAB", "KEY_TAB", "KEY_ENTER")

    assert [each.function for each in added][-1] is add_and_show_workspace
    line = form(state).input_of(SetupField.TOKEN)
    for each in (state, overlay(state), form(state), line, login, added, typed):
        assert CANARY not in repr(each)
    assert CANARY not in state.notice


def test_ctrl_o_opens_the_page_that_makes_tokens() -> None:
    assert do(connecting(), "KEY_CTRL_O")[1] == (call(open_pages, TOKEN_PAGE_URL),)


def test_problems_stand_beside_the_field_they_name() -> None:
    state = connecting(*"p@h.example", "KEY_TAB", *CANARY, "KEY_TAB")

    mail = Problem("no such account", SetupField.EMAIL)
    assert "✗ no such account" in line(after(state, login_answer(state, mail)), "Mail")
    none = Problem("something else")
    assert "✗ something else" in line(after(state, login_answer(state, none)), "Token")


def test_projects_are_a_list_to_choose_from_after_the_login() -> None:
    state = logged_in()
    shown = rows(state)
    at = next(number for number, row in enumerate(shown) if "▌ DEMO" in row)
    assert shown[at : at + 2] == [
        "                 ▌ DEMO       Harbour Books",
        "                   SHOP       The shop",
    ]

    state, asked = do(state, "KEY_DOWN", "KEY_ENTER")

    assert form(state).stripped_text_of(SetupField.PROJECT) == "SHOP"
    assert "✓ The shop" in line(state, "Project")
    assert form(state).focused_field is SetupField.FOLDER
    assert asked == (call(suggest_folder, SITE.site, "SHOP"),)


def test_letters_narrow_the_projects_and_arrows_at_their_ends_go_on() -> None:
    state = pressed(logged_in(), *"books")
    assert form(state).projects_matching_typed == (DEMO,)
    assert form(pressed(state, "KEY_DOWN")).focused_field is SetupField.FOLDER
    assert form(pressed(state, "KEY_UP")).focused_field is SetupField.TOKEN

    state = pressed(state, "KEY_CTRL_U", *"zz", "KEY_ENTER")
    assert form(state).focused_field is SetupField.FOLDER
    assert form(state).stripped_text_of(SetupField.PROJECT) == "zz"


def test_once_a_project_is_chosen_the_arrows_go_through_the_fields() -> None:
    state = pressed(logged_in(), "KEY_ENTER", "KEY_UP")
    assert form(state).focused_field is SetupField.PROJECT

    assert form(pressed(state, "KEY_DOWN")).focused_field is SetupField.FOLDER
    assert form(pressed(state, "KEY_BACKSPACE")).projects_matching_typed == (DEMO,)


def test_the_only_project_is_chosen_and_one_that_was_typed_before_is_kept() -> None:
    state = logged_in(AcceptedLogin("P", (SHOP,), 1))
    assert form(state).stripped_text_of(SetupField.PROJECT) == "SHOP"

    state = connecting("KEY_DOWN", "KEY_DOWN", *"demo", "KEY_UP", "KEY_UP", "m", "KEY_TAB", "t")
    state = pressed(state, "KEY_TAB")
    state = after(state, login_answer(state))
    assert form(state).stripped_text_of(SetupField.PROJECT) == "DEMO"


def test_a_folder_is_suggested_until_one_is_typed() -> None:
    state = pressed(START, "c", "x", "KEY_TAB")
    state, asked = told(state, site_answer(state))
    assert asked == (call(suggest_folder, SITE.site, ""),)

    state, asked = told(state, suggested("~/harbour"))
    assert asked == (call(classify_folder, "~/harbour"),)
    state = after(state, folder_answer(state, NEW))
    assert "✓ new; ticketr.toml goes there, the token" in line(state, "Folder")

    state = pressed(state, "KEY_DOWN", "KEY_DOWN", "KEY_DOWN", "2")
    assert form(after(state, suggested("~/x"))).stripped_text_of(SetupField.FOLDER) == "~/harbour2"


def test_check_and_pull_names_what_is_missing_and_goes_there() -> None:
    state, asked = do(logged_in(), "KEY_TAB", "KEY_TAB", "KEY_ENTER")

    assert asked == ()
    assert form(state).focused_field is SetupField.PROJECT
    assert "✗ choose a project" in line(state, "Project")


def complete() -> AppState:
    state = pressed(after(logged_in(), suggested("~/harbour")), "KEY_ENTER")
    return pressed(state, "KEY_ENTER")


def test_check_and_pull_adds_the_workspace() -> None:
    assert form(complete()).focused_field is None

    state, asked = do(complete(), "KEY_ENTER")

    wanted = NewWorkspace(SITE.site, "p@h.example", CANARY, "DEMO", Path("~/harbour"))
    assert asked == (call(add_and_show_workspace, wanted),)
    assert "Checking the login, then adding the workspace... Esc cancels" in "\n".join(rows(state))


def test_what_refused_it_stands_beside_its_field_which_gets_the_focus() -> None:
    state = pressed(complete(), "KEY_ENTER")

    problem = Problem("it belongs to another site", SetupField.FOLDER)
    refused = after(state, failed(problem))
    assert form(refused).focused_field is SetupField.FOLDER
    assert "✗ it belongs to another site" in line(refused, "Folder")
    assert refused.notice == "folder: it belongs to another site"

    full = after(state, failed(Problem("the disk is full")))
    assert "          ✗ the disk is full" in rows(full)
    assert (overlay(full).busy_text, full.is_notice_bad) == ("", True)
    assert "          ✗ the disk is full" not in rows(pressed(full, "KEY_UP"))


def test_a_workspace_that_was_added_is_shown_pulled_and_told() -> None:
    state = pressed(complete(), "KEY_ENTER")
    added = messages.WorkspaceOpened(
        "harbour",
        "harbour.example",
        "DEMO",
        is_asked_for=True,
        notice="the token is in your keyring",
    )

    state, asked = told(state, added)

    assert state.overlays == ()
    assert state.workspace.name == "harbour"
    assert [each.function for each in asked] == [
        read_files,
        start_job,
        cancel_setup,
    ]
    assert state.notice == "the token is in your keyring"


def test_escape_leaves_the_form_cancels_its_checks_and_keeps_what_was_typed() -> None:
    state, asked = do(START, "c", *"h.example", "KEY_TAB", "KEY_ESCAPE")
    assert asked[-1] == call(cancel_setup)
    assert overlay(state).form is None
    assert after(state, messages.CallEnded(call(check_site, "h.example"), SITE)) == state

    state, asked = do(state, "c")

    assert "h.example" in line(state, "Site")
    assert asked == (call(check_site, "h.example"),)


def test_the_wheel_goes_through_the_fields_and_asks_what_leaving_them_asks() -> None:
    state = pressed(START, "c", *"h.example")

    state, asked = told(state, Mouse(MouseAction.WHEEL_DOWN, 1, 9))

    assert asked == (call(check_site, "h.example"),)
    assert form(state).focused_field is SetupField.PROJECT


def test_f5_checks_everything_again() -> None:
    state = after(logged_in(), suggested("~/h"))

    state, asked = do(state, "KEY_F5")
    assert [each.function for each in asked] == [check_site, classify_folder]
    _, asked = told(state, site_answer(state))

    assert check_login in [each.function for each in asked]


def opening(folder: str) -> tuple[AppState, ServiceCall]:
    """Return a state in which a folder is being opened, and the request."""
    state, (asked,) = do(START, "o", *folder, "KEY_ENTER")
    return state, asked


def test_enter_opens_a_folder_and_a_problem_gives_the_line_back() -> None:
    state, asked = opening(" x ")
    assert asked == replace(call(open_folder, "x"))
    assert "Opening the folder... Esc cancels" in "\n".join(rows(state))

    again = after(state, messages.CallEnded(asked, problem="there is no such folder"))
    assert rows(again)[-2].startswith(" folder: x")
    assert "there is no such folder" in "\n".join(rows(again))
    assert do(again, "KEY_ENTER")[1] == (asked,)


def test_a_folder_that_is_no_workspace_is_connected_to_jira() -> None:
    state, asked = opening("x")
    answer = FolderAnswer(FolderKind.OTHER)
    connecting, more = told(state, messages.CallEnded(asked, answer))

    assert connecting.notice == "This folder has no ticketr.toml; connect it to Jira"
    assert more == (call(classify_folder, "x"),)
    noted = after(connecting, folder_answer(connecting, answer))
    assert "! holds files; ticketr.toml and the tickets go" in line(noted, "Folder")
    connecting = pressed(connecting, "s", "KEY_TAB")
    assert form(after(connecting, suggested("~/h"))).stripped_text_of(SetupField.FOLDER) == "x"


def test_enter_without_a_folder_says_what_to_type() -> None:
    state, asked = do(START, "o", "KEY_ENTER")

    assert (asked, "Type a folder" in "\n".join(rows(state))) == ((), True)


@pytest.mark.parametrize("height", [30, 16, 8])
def test_the_field_with_the_focus_is_on_the_screen(height: int) -> None:
    state = after(logged_in(), Resize(100, height))
    for key in ("KEY_TAB", "KEY_TAB", "KEY_BTAB", "KEY_BTAB", "KEY_BTAB", "KEY_BTAB", "KEY_BTAB"):
        state = pressed(state, key)
        focus = form(state).focused_field
        label = "[ Check" if focus is None else focus.value.capitalize().replace("Email", "Mail")
        assert any(f"▌ {label}" in row for row in rows(state)), (key, rows(state))


def setup(root: Path) -> tuple[FakeSetup, Setup]:
    fake = FakeSetup(root / "harbour")
    return fake, as_setup(fake)


async def test_the_sandbox_is_started_shown_pulled_and_ends_after_the_jobs(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER")
        assert "Starting a Jira with made-up tickets" in run.screen.text
        await trio.sleep(1.5)

        assert "demo" in run.screen.rows[0]
        assert [each.name for each in run.queue.jobs()] == ["Pull demo"]
        assert fake.noted == ["sandbox"]
        await run.press("q")
        with trio.fail_after(0.5):
            await run.left.wait()
        assert fake.noted == ["sandbox"]

    assert fake.noted == ["sandbox", "sandbox ended"]
    assert all(each.status.is_terminal for each in run.queue.jobs())


async def test_escape_stops_the_start_of_the_sandbox_and_it_can_be_started_again(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER", "KEY_ESCAPE")
        await trio.sleep(2)
        assert fake.noted == ["sandbox", "sandbox cancelled"]
        assert list(run.queue.jobs()) == []

        await run.press("KEY_ENTER")
        await trio.sleep(2)
        assert "demo" in run.screen.rows[0]


async def test_a_newer_check_cancels_the_older_one_of_its_field(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("c")
        await run.type("h")
        await run.press("KEY_TAB")
        await trio.sleep(0.3)
        await run.press("KEY_BTAB")
        await run.type("a")
        await run.press("KEY_TAB")
        await trio.sleep(0.3)

        assert fake.noted == ["site h", "site ha", "site h cancelled"]
        await trio.sleep(1)
        assert "✓ Jira Cloud answers, 120 ms" in run.screen.text


async def test_the_whole_form_leads_to_a_workspace_that_is_pulled(
    tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    fake, given = setup(tmp_path)
    caplog.set_level(0)
    async with running_app(setup=given) as run:
        await run.press("c")
        await run.type("harbour.example")
        await run.press("KEY_TAB")
        await run.type("priya@harbour.example")
        await run.press("KEY_TAB")
        await trio.sleep(1)
        await run.type(CANARY)
        await run.press("KEY_TAB")
        await trio.sleep(1.5)
        assert "✓ you are Priya Raman" in run.screen.text
        await run.press("KEY_ENTER", "KEY_TAB")
        await trio.sleep(1.5)
        assert "~/harbourdemo" in run.screen.text

        await run.press("KEY_ENTER")
        await trio.sleep(2)

        login = f"login https://harbour.example priya@harbour.example {CANARY}"
        assert login in fake.noted
        assert fake.noted[-1] == f"add https://harbour.example DEMO ~/harbourdemo {CANARY}"
        assert "harbour" in run.screen.rows[0]
        assert [each.name for each in run.queue.jobs()] == ["Pull harbour"]
        assert "the token is in your keyring" in run.screen.text
        frames = "".join(row for _, frame in run.screen.frames for row in frame)
        assert CANARY not in frames + caplog.text + repr(run.app.state)


async def test_escape_while_a_workspace_is_added_cancels_the_adding(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    fake.folder = FolderAnswer(FolderKind.WORKSPACE)
    async with running_app(setup=given) as run:
        await run.press("o")
        await run.type("/x")
        await run.press("KEY_ENTER")
        await trio.sleep(1)
        await run.press("KEY_ESCAPE")
        await trio.sleep(2)

        assert fake.noted[:3] == ["folder /x", "open /x", "open /x cancelled"]
        assert "Cancelled; nothing was added" in "\n".join(run.screen.rows)
        assert run.app.state.workspaces == ()


async def test_a_second_workspace_is_added_beside_the_first(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    fake, given = setup(tmp_path)
    async with running_app(setup=given) as run:
        await run.press("KEY_ENTER")
        await trio.sleep(1.5)
        fake.root = tmp_path / "second"
        await run.press("1", "a", "KEY_ENTER")
        await trio.sleep(1.5)

        assert [each.name for each in run.app.state.workspaces] == ["demo", "demo-2"]
        assert "demo-2" in run.screen.rows[0]


def test_moving_the_cursor_checks_nothing_again() -> None:
    state = pressed(connecting(), "KEY_BTAB")

    state, asked = do(state, "KEY_LEFT", "KEY_HOME", "KEY_TAB")

    assert asked == ()
    assert "✓ Jira Cloud answers, 120 ms" in line(state, "Site")
