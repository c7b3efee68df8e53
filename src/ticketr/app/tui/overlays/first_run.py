"""The first run: the ways to the first workspace, and the form of one. Pure.

A check is asked when a field is left. Its answer counts as long as the texts that were checked are
those in the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, final

from ticketr.app.tickets import fold
from ticketr.app.tui import messages, setup
from ticketr.app.tui.effects import ServiceCall, call
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay
from ticketr.app.tui.overlays.questions import LineInput
from ticketr.app.tui.panels.frame import cut_or_pad_rows, scroll_top, title_rule
from ticketr.app.tui.services import outside, setting_up
from ticketr.app.tui.services.setting_up import check_login, check_site, classify_folder
from ticketr.app.tui.setup import NewWorkspace, Problem, SetupField
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, tint_mark, wrap_line
from ticketr.app.tui.text_input import TextInput
from ticketr.text import clip, fit, width

_SETUP_FIELDS = tuple(SetupField)
#: The fields that stand for a check, in the order in which the checks are asked.
_FIELDS_IN_CHECK_ORDER = (SetupField.SITE, SetupField.TOKEN, SetupField.FOLDER)
_MISSING_MESSAGES = {
    SetupField.SITE: "type the address of your Jira site, like you.atlassian.net",
    SetupField.EMAIL: "type the mail address of your Atlassian account",
    SetupField.TOKEN: "paste an API token",
    SetupField.PROJECT: "choose a project",
    SetupField.FOLDER: "type a folder",
}


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the first run.

    Attributes:
        focus_index: The index of the field with the focus; one past the last field is the button.
        input_by_field: What was typed; in no repr, since the token is among them.
        answer_by_check: The answers to the checks; None for one that has not been answered yet.
        problem: What was wrong with a field when the form was taken; None once it was changed.
        project_match_index: The index of the selected project among those that match.
        is_folder_typed: Whether the user has typed the folder, so that none is suggested.
        is_token_shown: Whether the token is shown.
        asks_only_token: Whether it is of a workspace that is there, so that only the token is asked for.
    """

    focus_index: int = 0
    input_by_field: Mapping[SetupField, TextInput] = field(default_factory=dict, repr=False)
    answer_by_check: Mapping[ServiceCall, Any] = field(default_factory=dict)
    problem: setup.Problem | None = None
    project_match_index: int = 0
    is_folder_typed: bool = False
    is_token_shown: bool = False
    asks_only_token: bool = False

    @property
    def focused_field(self) -> SetupField | None:
        """The field with the focus; None for the button."""
        return _SETUP_FIELDS[self.focus_index] if self.focus_index < len(_SETUP_FIELDS) else None

    def input_of(self, place: SetupField) -> TextInput:
        """Return the line of a field."""
        return self.input_by_field.get(place, TextInput())

    def stripped_text_of(self, place: SetupField) -> str:
        """Return what was typed into a field, without blanks around it."""
        return self.input_of(place).text.strip()

    @property
    def projects_matching_typed(self) -> tuple[setup.ProjectChoice, ...]:
        """The projects to choose from: those that hold what was typed; none once one is chosen."""
        typed = self.stripped_text_of(SetupField.PROJECT)
        known = self.accepted_login.projects if self.accepted_login is not None else ()
        if any(typed == choice.key for choice in known):
            return ()
        wanted = fold(typed)
        return tuple(choice for choice in known if wanted in fold(f"{choice.key} {choice.name}"))

    def with_text_clearing_problem(self, place: SetupField, line: TextInput) -> Form:
        """Return the form with what the user typed into a field; another text clears the problem."""
        form = self.with_text(place, line)
        if line.text.strip() == self.stripped_text_of(place):
            return form
        is_folder_typed = bool(line.text) if place is SetupField.FOLDER else self.is_folder_typed
        return replace(form, is_folder_typed=is_folder_typed, project_match_index=0, problem=None)

    def with_text(self, place: SetupField, line: TextInput) -> Form:
        """Return the form with a text in a field."""
        return replace(self, input_by_field={**self.input_by_field, place: line})

    def with_focus_moved(self, by: int) -> Form:
        """Return the form with the focus so many fields further; it stays on a field or the button."""
        at = max(0, min(self.focus_index + by, len(_SETUP_FIELDS)))
        return replace(self, focus_index=at, is_token_shown=False, project_match_index=0)

    def check_request_if_possible(self, place: SetupField) -> ServiceCall | None:
        """Return the request that checks a field's text; None if the text cannot be checked yet."""
        text = self.stripped_text_of(place)
        if not text:
            return None
        match place:
            case SetupField.SITE:
                return call(check_site, text)
            case SetupField.FOLDER:
                return call(classify_folder, text)
            case SetupField.TOKEN:  # it goes only to a site that has answered
                site, email = self.cloud_site, self.stripped_text_of(SetupField.EMAIL)
                if not site or not email:
                    return None
                return call(check_login, setup.Login(site.site, email, text))
            case _:
                return None

    def _answer_for(self, place: SetupField) -> Any:
        """Return the answer to the check of a field's text; None if it has not come."""
        check = self.check_request_if_possible(place)
        return None if check is None else self.answer_by_check.get(check)

    @property
    def cloud_site(self) -> setup.CloudSite | None:
        """The answer of the site whose address is typed."""
        answer = self._answer_for(SetupField.SITE)
        return answer if isinstance(answer, setup.CloudSite) else None

    @property
    def accepted_login(self) -> setup.AcceptedLogin | None:
        """The answer to the login that is typed; None unless it was accepted."""
        answer = self._answer_for(SetupField.TOKEN)
        return answer if isinstance(answer, setup.AcceptedLogin) else None

    def ask_checks(self) -> tuple[Form, tuple[ServiceCall, ...]]:
        """Return the form with its checks asked, and the calls that ask them."""
        # No token goes to a site whose address is being typed.
        places = (
            _FIELDS_IN_CHECK_ORDER
            if self.focused_field is not SetupField.SITE
            else (SetupField.SITE, SetupField.FOLDER)
        )
        checks = [check for place in places if (check := self.check_request_if_possible(place))]
        new = [check for check in checks if check not in self.answer_by_check]
        functions = {check.function for check in new}
        kept = {
            check: answer
            for check, answer in self.answer_by_check.items()
            if answer is not None or check.function not in functions
        }
        return replace(self, answer_by_check={**kept, **dict.fromkeys(new)}), (*new,)

    def after_checks_cancelled(self) -> Form:
        """Return the form after its checks were cancelled: they have to be asked again."""
        answers = {
            check: answer for check, answer in self.answer_by_check.items() if answer is not None
        }
        return replace(self, answer_by_check=answers)

    def with_answer(self, request: ServiceCall, answer: Any) -> Form:
        """Return the form with the answer to a check that was asked."""
        form = replace(self, answer_by_check={**self.answer_by_check, request: answer})
        if not isinstance(answer, setup.AcceptedLogin):
            return form
        typed, projects = self.stripped_text_of(SetupField.PROJECT), answer.projects
        choices = [project for project in projects if project.key == typed.upper()]
        if len(projects) == 1 and not typed:
            choices = [*projects]
        form = replace(form, project_match_index=0)
        return form.with_project(choices[0]) if choices else form

    def with_project(self, project: setup.ProjectChoice) -> Form:
        """Return the form with a project chosen."""
        return self.with_text(SetupField.PROJECT, TextInput.of(project.key))

    def mark_and_note_for(self, place: SetupField, keymap: KeyMap) -> tuple[str, str]:
        """Return what is beside a field, its mark first; empty for nothing.

        A mark is ✓ for good, ✗ for wrong, ! for what is to be looked at, and · for neither.
        """
        does = "opens the page that makes one"
        page = keymap.hint(KeyAction.OPEN_PAGE, Context.FIRST_RUN, does, before="; ")
        if problem := self._problem_of(place):
            return "✗", problem + (page if place is SetupField.TOKEN else "")
        check = self.check_request_if_possible(place)
        if check is not None and self.answer_by_check.get(check, check) is None:
            return "·", "checking..."
        note = self._mark_and_answer_note(place)
        if note is None and place is self.focused_field:
            hints = {
                SetupField.TOKEN: f"it is stored outside the folder{page}",
                SetupField.PROJECT: "listed here after the login",
            }
            note = "·", hints.get(place, "")
        return note or ("", "")

    def _problem_of(self, place: SetupField) -> str:
        """Return what is wrong with a field; empty for nothing that is known."""
        answers = ((checked, self._answer_for(checked)) for checked in _FIELDS_IN_CHECK_ORDER)
        for checked, problem in ((None, self.problem), *answers):
            if isinstance(problem, Problem) and (problem.field or checked) is place:
                return problem.words
        return ""

    def _mark_and_answer_note(self, place: SetupField) -> tuple[str, str] | None:
        """Return what the answer to a check says beside a field, its mark first."""
        answer = self.accepted_login if place is SetupField.PROJECT else self._answer_for(place)
        match place, answer:
            case SetupField.PROJECT, setup.AcceptedLogin() as login:
                typed = self.stripped_text_of(SetupField.PROJECT)
                names = [project.name for project in login.projects if project.key == typed]
                return ("✓", names[0]) if names else _mark_and_projects_note(login)
            case _, setup.CloudSite(_, milliseconds):
                return "✓", f"Jira Cloud answers, {milliseconds} ms"
            case _, setup.AcceptedLogin(account):
                return "✓", f"you are {account}"
            case _, setup.FolderAnswer(setup.FolderKind.WORKSPACE, site):
                words = f"a workspace of {site or 'a site'}"
                return ("✓", words) if self.asks_only_token else ("!", f"{words} already")
            case _, setup.FolderAnswer(kind):
                return _MARK_AND_NOTE_BY_FOLDER_KIND[kind]
            case _:
                return None

    def with_suggested_folder_unless_typed(self, folder: str) -> Form:
        """Return the form with a suggested folder, unless the user has typed one."""
        if self.is_folder_typed:
            return self
        return self.with_text(SetupField.FOLDER, TextInput.of(folder))

    def with_focus_on_problem(self, problem: setup.Problem) -> Form:
        """Return the form with the focus on the field of a problem, which names one."""
        assert problem.field is not None
        return replace(self, problem=problem, focus_index=_SETUP_FIELDS.index(problem.field))


#: The note of a folder; that of a workspace names its site.
_MARK_AND_NOTE_BY_FOLDER_KIND = {
    setup.FolderKind.MISSING: ("✓", "new; ticketr.toml goes there, the token never"),
    setup.FolderKind.EMPTY: ("✓", "empty; ticketr.toml goes there, the token never"),
    setup.FolderKind.OTHER: ("!", "holds files; ticketr.toml and the tickets go among them"),
}


def _mark_and_projects_note(answer: setup.AcceptedLogin) -> tuple[str, str]:
    if not answer.project_count:
        return "!", "this account may see no project; type a key, or use another account"
    more = f" of {answer.project_count}" if answer.project_count > len(answer.projects) else ""
    return "·", f"{len(answer.projects)}{more} projects; type some letters, then choose one"


#: The ways to the first workspace: what each is called, what it is, in more and in fewer words, and
#: its key. The first is the sandbox.
SETUP_WAYS = (
    (
        "Try it now",
        (
            "500 made-up tickets in a Jira on this machine; no account",
            "500 made-up tickets, no account",
        ),
        KeyAction.ACCEPT,
    ),
    (
        "Connect to Jira",
        ("site, mail, token, project: one minute", "site, mail, token, project"),
        KeyAction.CONNECT,
    ),
    ("Open a folder", ("that holds tickets already",), KeyAction.OPEN_FOLDER),
)


def _offered_ways(state: AppState) -> tuple[tuple[str, tuple[str, ...], KeyAction], ...]:
    """Return the ways that are offered: without its packages, the sandbox is none."""
    return SETUP_WAYS if state.can_start_sandbox else SETUP_WAYS[1:]


#: From this width on, notes are beside their fields; from this height on, ways above a form.
WIDE, HIGH = 80, 20
VALUE_CELLS, LABEL_CELLS = 28, 9
#: The most cells for what a way is, so that its key is near.
MAX_WAY_FACTS_CELLS = 60
#: The most projects that are listed at once.
MAX_LISTED_PROJECTS = 6


def _wide_or_narrow_indent(screen_cells: int) -> str:
    return " " * (8 if screen_cells >= WIDE else 1)


def _lines_of_all_ways(selected: int, state: AppState, *, is_choosing: bool) -> Iterator[Line]:
    cells = state.width
    indent = _wide_or_narrow_indent(cells)
    words = "Your Jira tickets as Markdown files: grep them, edit them, push them back."
    yield ()
    yield from wrap_line((Span(words),), max(10, cells - 1), first=indent, rest=indent)
    yield ()
    for at, (name, facts, action) in enumerate(_offered_ways(state)):
        key = state.keymap.key_name(action, Context.START_MENU)
        is_selected = at == selected
        styles = ("bold",) if is_selected and is_choosing else ()
        room = max(0, min(MAX_WAY_FACTS_CELLS, cells - 2 * len(indent) - 2 - 18 - 6))
        bar = "▌ " if is_selected else "  "
        yield (
            Span(f"{indent}{bar}"),
            Span(fit(name, 18), styles),
            Span(fit(next((fact for fact in facts if width(fact) <= room), ""), room)),
            Span(f" {key}", ("bold",)),
        )
    yield ()


def _field_lines(form: Form, place: SetupField, keymap: KeyMap, cells: int) -> Iterator[Line]:
    """Yield the lines of a field: its text, its note, and projects to choose from."""
    is_focused = place is form.focused_field
    bar = "▌" if is_focused else " "
    label = fit(place.value.capitalize(), LABEL_CELLS)
    start: Line = (
        Span(f"{_wide_or_narrow_indent(cells)}{bar} "),
        Span(label, ("bold",) if is_focused else ("dim",)),
    )
    used = sum(width(span.text) for span in start)
    room = VALUE_CELLS if cells >= WIDE else max(4, cells - used - 1)
    value = Span(fit(_draw_value(form, place, room, is_focused=is_focused), room))
    sign, words = form.mark_and_note_for(place, keymap)
    if not words:
        yield (*start, value)
    else:
        shown = (tint_mark(sign), Span(f" {words}"))
        beside = cells >= WIDE
        column = used + room + 1 if beside else used
        wrapped = wrap_line(shown, max(12, cells - column - 1), rest="  ")
        yield (*start, value, Span(" "), *(wrapped.pop(0) if beside else ()))
        yield from ((Span(" " * column), *line) for line in wrapped)
    if place is SetupField.PROJECT and is_focused:
        yield from _project_lines(form, used, cells)


def _draw_value(form: Form, place: SetupField, room: int, *, is_focused: bool) -> str:
    line = form.input_of(place)
    is_hidden = place is SetupField.TOKEN and not form.is_token_shown
    if is_focused:
        return line.visible_part(room, hide=is_hidden)
    text = "•" * len(line.text) if is_hidden else line.text
    return clip(text, room)


def _project_lines(form: Form, used_cells: int, cells: int) -> Iterator[Line]:
    projects, choice = form.projects_matching_typed, form.project_match_index
    top = scroll_top(0, choice, MAX_LISTED_PROJECTS, len(projects))
    for at in range(top, min(top + MAX_LISTED_PROJECTS, len(projects))):
        project = projects[at]
        bar = "▌" if at == choice else " "
        text = f"{' ' * max(0, used_cells - 2)}{bar} {fit(project.key, 10)} {project.name}"
        yield (Span(clip(text, cells), ("bold",) if at == choice else ()),)


#: The page on which people make API tokens for Jira Cloud.
TOKEN_PAGE_URL = "https://id.atlassian.com/manage-profile/security/api-tokens"  # noqa: S105 - a page
STARTING_SANDBOX_MESSAGE = "Starting a Jira with made-up tickets on this machine"
ADDING_WORKSPACE_MESSAGE = "Checking the login, then adding the workspace"
OPENING_FOLDER_MESSAGE = "Opening the folder"


EMPTY_FORM = Form()


@final
@dataclass(frozen=True, slots=True)
class FirstRun(Overlay):
    """The first run.

    Attributes:
        way_index: The index of the selected way.
        is_form_open: Whether the form is open; else a way is chosen.
        kept_form: The form, with what was typed into it.
        busy_text: What is being done; empty for nothing. Only Esc has an effect then.
        general_problem: Why that failed, if no field is the cause.
    """

    way_index: int = 0
    is_form_open: bool = False
    kept_form: Form = EMPTY_FORM
    busy_text: str = ""
    general_problem: str = ""

    @property
    def context(self) -> Context:
        """The place whose keys have a meaning."""
        return Context.START_MENU if self.form is None or self.busy_text else Context.FIRST_RUN

    @property
    def form(self) -> Form | None:
        """The form that is open, or None."""
        return self.kept_form if self.is_form_open else None

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, choose a way, edit a field, or carry it out."""
        if self.busy_text:
            if action is not KeyAction.ESCAPE:
                return None
            idle = replace(self, busy_text="", kept_form=self.kept_form.after_checks_cancelled())
            state = state.overlay_replaced(self, idle).with_notice("Cancelled; nothing was added")
            return state, (call(setting_up.cancel_setup),)
        if self.form is None:
            return self._on_way_action(state, action)
        return self._on_form_action(state, self.form, action)

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect: while it is busy, all but Esc and the help."""
        if self.busy_text:
            return frozenset(KeyAction) - {KeyAction.ESCAPE, KeyAction.HELP}
        idle = set[KeyAction]()
        if self.form is None and not state.workspaces:
            idle.add(KeyAction.ESCAPE)
        return idle

    def on_text(self, state: AppState, text: str, now: float) -> Step | None:
        """Insert text at the cursor of the field with the focus."""
        form = self.form
        if form is None or form.focused_field is None:
            return None
        typed = form.input_of(form.focused_field).with_typed(text)
        changed = form.with_text_clearing_problem(form.focused_field, typed)
        return self._with_form(state, changed, general_problem=""), ()

    def _on_way_action(self, state: AppState, action: KeyAction) -> Step | None:
        match action:
            case KeyAction.ESCAPE if not state.workspaces:
                leave = state.keymap.hint(KeyAction.QUIT, Context.START_MENU, "leaves", before="; ")
                return state.with_notice(f"There is nothing to go back to{leave}"), ()
            case KeyAction.UP | KeyAction.DOWN:
                by = 1 if action is KeyAction.DOWN else -1
                way = max(0, min(self.way_index + by, len(_offered_ways(state)) - 1))
                return state.overlay_replaced(self, replace(self, way_index=way)), ()
            case KeyAction.CONNECT | KeyAction.OPEN_FOLDER:
                actions = [way_action for *_, way_action in _offered_ways(state)]
                return self._choose_way(state, actions.index(action))
            case KeyAction.ACCEPT:
                return self._choose_way(state, self.way_index)
            case _:
                return None

    def _choose_way(self, state: AppState, way: int) -> Step:
        *_, action = _offered_ways(state)[way]
        changed = replace(self, way_index=way, general_problem="")
        if action is KeyAction.CONNECT:
            return self._ask_checks(
                state, self.kept_form, way_index=way, is_form_open=True, general_problem=""
            )
        if action is KeyAction.OPEN_FOLDER:
            return state.overlay_replaced(self, changed).opened(changed.folder_input()), ()
        changed = replace(changed, busy_text=STARTING_SANDBOX_MESSAGE)
        return state.overlay_replaced(self, changed), (call(setting_up.run_and_show_sandbox),)

    def folder_input(self, text: str = "", problem: str = "") -> LineInput:
        """Return the line for the folder of a workspace of this machine."""

        def on_accept(state: AppState, text: str) -> Step | str:
            if not text.strip():
                return "Type a folder"
            request = call(setting_up.open_folder, text.strip())
            changed = replace(self, busy_text=OPENING_FOLDER_MESSAGE)
            return state.overlay_replaced(self, changed), (request,)

        typed = TextInput.of(text)
        return LineInput("folder:", on_accept, input=typed, examples="~/work", problem=problem)

    def _on_form_action(self, state: AppState, form: Form, action: KeyAction) -> Step | None:
        match action:
            case KeyAction.ESCAPE:
                left = replace(self, is_form_open=False, kept_form=form.after_checks_cancelled())
                if form.asks_only_token:
                    state = state.without_overlay(self)
                else:
                    state = state.overlay_replaced(self, left)
                return state, (call(setting_up.cancel_setup),)
            case KeyAction.ACCEPT:
                return self._take_field_or_add_workspace(state, form)
            case KeyAction.UP | KeyAction.DOWN if form.focused_field is SetupField.PROJECT:
                return self._select_project(state, form, 1 if action is KeyAction.DOWN else -1)
            case KeyAction.NEXT_PANEL | KeyAction.DOWN:
                return self._ask_checks(state, form.with_focus_moved(1), general_problem="")
            case KeyAction.PREVIOUS_PANEL | KeyAction.UP:
                return self._ask_checks(state, form.with_focus_moved(-1), general_problem="")
            case KeyAction.CHECK:
                return self._ask_checks(state, replace(form, answer_by_check={}))
            case KeyAction.SHOW_TOKEN:
                shown = replace(form, is_token_shown=not form.is_token_shown)
                return self._with_form(state, shown), ()
            case KeyAction.OPEN_PAGE:
                return state, (call(outside.open_pages, TOKEN_PAGE_URL),)
            case _ if form.focused_field is None:
                return None
            case _:
                edited = form.input_of(form.focused_field).edited(action)
                if edited is None:
                    return None
                changed = form.with_text_clearing_problem(form.focused_field, edited)
                return self._with_form(state, changed, general_problem=""), ()

    def _select_project(self, state: AppState, form: Form, by: int) -> Step:
        """Select another project; past the first or the last one is the next field."""
        choice = form.project_match_index + by
        if 0 <= choice < len(form.projects_matching_typed):
            return self._with_form(state, replace(form, project_match_index=choice)), ()
        return self._ask_checks(state, form.with_focus_moved(by), general_problem="")

    def _take_field_or_add_workspace(self, state: AppState, form: Form) -> Step:
        """Take what is typed and go on; on the button, carry it out."""
        focused, projects = form.focused_field, form.projects_matching_typed
        if focused is None or (form.asks_only_token and focused is SetupField.TOKEN):
            return self._add_workspace(state, form)
        if focused is SetupField.PROJECT and projects:
            form = form.with_project(projects[min(form.project_match_index, len(projects) - 1)])
            state, effects = self._ask_checks(state, form.with_focus_moved(1))
            return state, (*effects, *_calls_to_suggest_folder(form))
        return self._ask_checks(state, form.with_focus_moved(1), general_problem="")

    def _add_workspace(self, state: AppState, form: Form) -> Step:
        empty = next((place for place in _SETUP_FIELDS if not form.stripped_text_of(place)), None)
        if empty is not None:
            missing = Problem(_MISSING_MESSAGES[empty], empty)
            return self._with_form(state, form.with_focus_on_problem(missing)), ()
        answer = form.cloud_site
        wanted = NewWorkspace(
            site=answer.site if answer is not None else form.stripped_text_of(SetupField.SITE),
            email=form.stripped_text_of(SetupField.EMAIL),
            token=form.stripped_text_of(SetupField.TOKEN),
            project=form.stripped_text_of(SetupField.PROJECT),
            folder=Path(form.stripped_text_of(SetupField.FOLDER)),
        )
        changed = replace(self, busy_text=ADDING_WORKSPACE_MESSAGE, general_problem="")
        request = call(setting_up.add_and_show_workspace, wanted)
        return state.overlay_replaced(self, changed), (request,)

    def _with_form(self, state: AppState, form: Form, **changes: Any) -> AppState:
        return state.overlay_replaced(self, replace(self, kept_form=form, **changes))

    def _ask_checks(self, state: AppState, form: Form, **changes: Any) -> Step:
        """Show a form, and ask the checks that it needs."""
        form, effects = form.ask_checks()
        return self._with_form(state, form, **changes), effects

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the answers of checks, and close when it is done."""
        form = self.form
        match message:
            case messages.WorkspaceOpened(is_asked_for=True):
                return state.without_overlay(self), (call(setting_up.cancel_setup),)
            case messages.CallEnded(ServiceCall(setting_up.open_folder, args), _, problem):
                return self._open_form_or_ask_folder_again(state, args[0], problem)
            case messages.CallEnded(request, Problem() as problem) if request.function in (
                setting_up.add_and_show_workspace,
                setting_up.run_and_show_sandbox,
            ):
                return self._show_problem(state, problem), ()
            case messages.CallEnded(ServiceCall(setting_up.suggest_folder), folder) if form:
                form = form.with_suggested_folder_unless_typed(folder)
                return self._ask_checks(state, form)
            case messages.CallEnded(request, answer) if form and request in form.answer_by_check:
                form = form.with_answer(request, answer)
                state, effects = self._ask_checks(state, form)
                if request.function is not classify_folder:
                    effects += _calls_to_suggest_folder(form)
                return state, effects
            case _:
                return None

    def _open_form_or_ask_folder_again(self, state: AppState, folder: str, problem: str) -> Step:
        """Open the form for a folder that is no workspace yet, or show the problem with it."""
        if problem:
            idle = replace(self, busy_text="")
            return state.overlay_replaced(self, idle).opened(idle.folder_input(folder, problem)), ()
        form = self.kept_form.with_text(SetupField.FOLDER, TextInput.of(folder))
        form = replace(form, is_folder_typed=True)
        state = state.with_notice("This folder has no ticketr.toml; connect it to Jira")
        return self._ask_checks(state, form, busy_text="", is_form_open=True)

    def _show_problem(self, state: AppState, problem: Problem) -> AppState:
        """Put a problem beside its field, and the focus there."""
        form = self.form
        if form is None or problem.field is None:
            changed = replace(self, busy_text="", general_problem=problem.words)
            return state.overlay_replaced(self, changed).with_notice(problem.words, is_bad=True)
        state = self._with_form(state, form.with_focus_on_problem(problem), busy_text="")
        return state.with_notice(f"{problem.field.value}: {problem.words}", is_bad=True)

    def header_left_and_right(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        if self.form is not None and self.form.asks_only_token:
            return "", "a new token"
        return "", "a new workspace" if state.workspaces else "first run"

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        height, cells, form = state.layout.body_rows, state.width, self.form
        rows: list[Line | str] = []
        if form is None or (height >= HIGH and not form.asks_only_token):
            rows += _lines_of_all_ways(self.way_index, state, is_choosing=form is None)
        selected = self.way_index + 3
        if form is not None:
            rows += [title_rule("Connect to Jira", "", cells, theme, is_focused=True), ()]
            for place in SetupField:
                if place is form.focused_field:
                    selected = len(rows)
                rows += _field_lines(form, place, state.keymap, cells)
            is_focused = form.focused_field is None
            selected = len(rows) + 1 if is_focused else selected
            bar = Span(f"{_wide_or_narrow_indent(cells)}{'▌' if is_focused else ' '} ")
            button = Span("[ Check and pull ]", ("reverse",) if is_focused else ())
            rows += [(), (bar, button, Span("   nothing is written to Jira by a pull"))]
        if self.busy_text or self.general_problem:
            line: Line = (Span(f"{self.busy_text}... Esc cancels"),)
            if not self.busy_text:
                line = (tint_mark("✗"), Span(f" {self.general_problem}"))
            indent = f"{_wide_or_narrow_indent(cells)}  "
            rows += [(), *wrap_line(line, max(10, cells - 1), first=indent, rest=indent)]
            selected = len(rows) - 1 if self.busy_text else selected
        top = max(0, min(selected + 2 - height, len(rows) - height))
        shown = [row if isinstance(row, str) else theme.row(row, cells) for row in rows[top:]]
        return cut_or_pad_rows(shown, height, cells)


def open_new_token_form(state: AppState, texts: Mapping[SetupField, str]) -> Step:
    """Open the form in which the user types a new token; the other texts are known."""
    inputs = {place: TextInput.of(text) for place, text in texts.items()}
    at = _SETUP_FIELDS.index(SetupField.TOKEN)
    known = Form(at, inputs, is_folder_typed=True, asks_only_token=True)
    form, effects = known.ask_checks()
    return state.opened(FirstRun(is_form_open=True, kept_form=form)), effects


def _calls_to_suggest_folder(form: Form) -> tuple[ServiceCall, ...]:
    """Return the effect that finds a folder for a site that has answered."""
    answer, project = form.cloud_site, form.stripped_text_of(SetupField.PROJECT)
    if answer is None or form.is_folder_typed:
        return ()
    return (call(setting_up.suggest_folder, answer.site, project),)
