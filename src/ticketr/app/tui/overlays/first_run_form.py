"""The form of the first run: what was typed, and what the checks say of it. Pure.

A check is asked after a rest of typing, and when a field is left. Its answer counts as long as the
texts that were checked are those in the form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ticketr.app.tickets import fold
from ticketr.app.tui import setup
from ticketr.app.tui.effects import Call, call
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.setting_up import check_folder, check_login, check_site
from ticketr.app.tui.setup import SetupField
from ticketr.app.tui.text_input import TextInput

#: What the key of the page for tokens does.
OPENS_PAGE = "opens the page that makes one"
#: Seconds of rest after which what was typed is checked.
TYPING_REST = 0.5


_FIELDS = tuple(SetupField)
#: The fields that stand for a check, in the order in which the checks are asked.
_CHECKS = (SetupField.SITE, SetupField.TOKEN, SetupField.FOLDER)
_MISSING = {
    SetupField.SITE: "type the address of your Jira site, like you.atlassian.net",
    SetupField.EMAIL: "type the mail address of your Atlassian account",
    SetupField.TOKEN: "paste an API token",
    SetupField.PROJECT: "choose a project",
    SetupField.FOLDER: "type a folder",
}


@dataclass(frozen=True, slots=True)
class FieldNote:
    """What is beside a field.

    Attributes:
        mark: ✓ good, ✗ wrong, ! to be looked at, · neither.
        words: The words, cleaned.
        keys: Keys to name after the words.
        does: What these keys do.
    """

    mark: str
    words: str
    keys: tuple[KeyAction, ...] = ()
    does: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the first run.

    Attributes:
        at: The index of the field with the focus; the one after the last field is the button.
        texts: What was typed; in no repr, since the token is among them.
        answers: The answers to the checks; None for one that has not been answered yet.
        problem: What was wrong with a field when the form was taken; None once it was changed.
        due: The time at which what was typed is checked; infinity for never.
        choice: The index of the selected project among those that match.
        is_folder_typed: Whether the user has typed the folder, so that none is suggested.
        is_token_shown: Whether the token is shown.
        is_again: Whether it is of a workspace that is there, so that only the token is asked for.
    """

    at: int = 0
    texts: Mapping[SetupField, TextInput] = field(default_factory=dict, repr=False)
    answers: Mapping[Call, Any] = field(default_factory=dict)
    problem: setup.Problem | None = None
    due: float = math.inf
    choice: int = 0
    is_folder_typed: bool = False
    is_token_shown: bool = False
    is_again: bool = False

    @property
    def focus(self) -> SetupField | None:
        """The field with the focus; None for the button."""
        return _FIELDS[self.at] if self.at < len(_FIELDS) else None

    def input(self, place: SetupField) -> TextInput:
        """Return the line of a field."""
        return self.texts.get(place, TextInput())

    def text(self, place: SetupField) -> str:
        """Return what was typed into a field, without blanks around it."""
        return self.input(place).text.strip()

    @property
    def projects(self) -> tuple[setup.ProjectChoice, ...]:
        """The projects to choose from: those that hold what was typed; none once one is chosen."""
        typed = self.text(SetupField.PROJECT)
        known = self.login.projects if self.login is not None else ()
        if any(typed == choice.key for choice in known):
            return ()
        wanted = fold(typed)
        return tuple(choice for choice in known if wanted in fold(f"{choice.key} {choice.name}"))

    def typed(self, place: SetupField, line: TextInput, now: float) -> Form:
        """Return the form with another text in a field, typed by the user."""
        form = self.filled(place, line)
        if line.text.strip() == self.text(place):
            return form
        is_folder_typed = bool(line.text) if place is SetupField.FOLDER else self.is_folder_typed
        due = now + TYPING_REST
        return replace(form, due=due, is_folder_typed=is_folder_typed, choice=0, problem=None)

    def filled(self, place: SetupField, line: TextInput) -> Form:
        """Return the form with a text in a field."""
        return replace(self, texts={**self.texts, place: line})

    def moved(self, to: int) -> tuple[Form, tuple[Call, ...]]:
        """Return the form with the focus on another field, and the checks of what was typed."""
        at = max(0, min(to, len(_FIELDS)))
        return replace(self, at=at, is_token_shown=False, choice=0).ask_checks()

    def check_of(self, place: SetupField) -> Call | None:
        """Return the check of what is typed; None if it cannot be asked yet, or there is none."""
        text = self.text(place)
        if not text:
            return None
        match place:
            case SetupField.SITE:
                return call(check_site, text)
            case SetupField.FOLDER:
                return call(check_folder, text)
            case SetupField.TOKEN:  # it goes only to a site that has answered
                site, email = self.site, self.text(SetupField.EMAIL)
                return (
                    call(check_login, setup.Login(site.site, email, text))
                    if site and email
                    else None
                )
            case _:
                return None

    def _answer(self, place: SetupField) -> Any:
        """Return the answer to the check of what is typed; None if there is none."""
        check = self.check_of(place)
        return None if check is None else self.answers.get(check)

    @property
    def site(self) -> setup.SiteAnswer | None:
        """The answer of the site whose address is typed."""
        answer = self._answer(SetupField.SITE)
        return answer if isinstance(answer, setup.SiteAnswer) else None

    @property
    def login(self) -> setup.LoginAnswer | None:
        """The answer to the login that is typed; None unless it was accepted."""
        answer = self._answer(SetupField.TOKEN)
        return answer if isinstance(answer, setup.LoginAnswer) else None

    def ask_checks(self) -> tuple[Form, tuple[Call, ...]]:
        """Return the form with its checks asked, and the calls that ask them."""
        # No token goes to a site whose address is being typed.
        places = (
            _CHECKS if self.focus is not SetupField.SITE else (SetupField.SITE, SetupField.FOLDER)
        )
        checks = [check for place in places if (check := self.check_of(place))]
        new = [check for check in checks if check not in self.answers]
        functions = {check.function for check in new}
        kept = {
            check: answer
            for check, answer in self.answers.items()
            if answer is not None or check.function not in functions
        }
        return replace(self, due=math.inf, answers={**kept, **dict.fromkeys(new)}), (*new,)

    def stopped(self) -> Form:
        """Return the form after its checks were cancelled: they have to be asked again."""
        answers = {check: answer for check, answer in self.answers.items() if answer is not None}
        return replace(self, answers=answers)

    def answered(self, request: Call, answer: Any) -> Form:
        """Return the form with the answer to a check that was asked."""
        form = replace(self, answers={**self.answers, request: answer})
        if not isinstance(answer, setup.LoginAnswer):
            return form
        typed, projects = self.text(SetupField.PROJECT), answer.projects
        choices = [project for project in projects if project.key == typed.upper()]
        if len(projects) == 1 and not typed:
            choices = [*projects]
        form = replace(form, choice=0)
        return form.chosen(choices[0]) if choices else form

    def chosen(self, project: setup.ProjectChoice) -> Form:
        """Return the form with a project chosen."""
        return self.filled(SetupField.PROJECT, TextInput.of(project.key))

    def note(self, place: SetupField) -> FieldNote | None:
        """Return what is beside a field."""
        if self.problem is not None and self.problem.field is place:
            return _problem_note(place, self.problem)
        for checked in _CHECKS:
            answer = self._answer(checked)
            if isinstance(answer, setup.Problem) and (answer.field or checked) is place:
                return _problem_note(place, answer)
        check = self.check_of(place)
        if check is not None and self.answers.get(check, check) is None:
            return FieldNote("·", "checking...")
        return self._answer_note(place) or self._hint(place)

    def _answer_note(self, place: SetupField) -> FieldNote | None:
        """Return what the answer to a check says beside a field."""
        typed = self.text(SetupField.PROJECT)
        match place, self.login if place is SetupField.PROJECT else self._answer(place):
            case SetupField.PROJECT, setup.LoginAnswer() as login:
                names = [project.name for project in login.projects if project.key == typed]
                return FieldNote("✓", names[0]) if names else _count(login)
            case _, setup.SiteAnswer(_, milliseconds):
                return FieldNote("✓", f"Jira Cloud answers, {milliseconds} ms")
            case _, setup.LoginAnswer(account):
                return FieldNote("✓", f"you are {account}")
            case _, setup.FolderAnswer(setup.FolderKind.WORKSPACE, site):
                words = f"a workspace of {site or 'a site'}"
                return (
                    FieldNote("✓", words) if self.is_again else FieldNote("!", f"{words} already")
                )
            case _, setup.FolderAnswer(kind):
                return FieldNote(*_FOLDER_NOTES[kind])
            case _:
                return None

    def _hint(self, place: SetupField) -> FieldNote | None:
        """Return what is beside a field with the focus that has not been checked."""
        if place is not self.focus:
            return None
        if place is SetupField.TOKEN:
            stored = "it is stored outside the folder"
            return FieldNote("·", stored, (KeyAction.OPEN_PAGE,), OPENS_PAGE)
        if place is SetupField.PROJECT:
            return FieldNote("·", "listed here after the login")
        return None

    def with_known(self, texts: Mapping[SetupField, str]) -> Form:
        """Return the form with what a workspace is connected to; its token is to be typed."""
        inputs = {place: TextInput.of(text) for place, text in texts.items()}
        at = _FIELDS.index(SetupField.TOKEN)
        return replace(self, texts=inputs, is_folder_typed=True, is_again=True, at=at)

    def with_folder(self, folder: str, *, is_typed: bool) -> Form:
        """Return the form with a folder, unless it is a suggestion and the user has typed one."""
        if self.is_folder_typed and not is_typed:
            return self
        form = self.filled(SetupField.FOLDER, TextInput.of(folder))
        return replace(form, is_folder_typed=is_typed)

    def refused(self, problem: setup.Problem) -> Form:
        """Return the form with the focus on the field of a problem, which names one."""
        assert problem.field is not None
        return replace(self, problem=problem, at=_FIELDS.index(problem.field))

    def missing(self) -> setup.Problem | None:
        """Return the first empty field, and what to do there; None if there is none."""
        empty = (place for place in _FIELDS if not self.text(place))
        return next((setup.Problem(_MISSING[place], place) for place in empty), None)


def _problem_note(place: SetupField, problem: setup.Problem) -> FieldNote:
    """Return a problem beside its field; a token's names the key of the page that makes one."""
    if place is SetupField.TOKEN:
        return FieldNote("✗", problem.words, (KeyAction.OPEN_PAGE,), OPENS_PAGE)
    return FieldNote("✗", problem.words)


#: The note of a folder; that of a workspace names its site.
_FOLDER_NOTES = {
    setup.FolderKind.NEW: ("✓", "new; ticketr.toml goes there, the token never"),
    setup.FolderKind.EMPTY: ("✓", "empty; ticketr.toml goes there, the token never"),
    setup.FolderKind.TICKETS: ("✓", "holds tickets; ticketr.toml goes there, the token never"),
    setup.FolderKind.OTHER: ("!", "holds other files; ticketr.toml and the tickets go among them"),
}


def _count(answer: setup.LoginAnswer) -> FieldNote:
    if not answer.total:
        return FieldNote("!", "this account may see no project; type a key, or use another account")
    more = f" of {answer.total}" if answer.total > len(answer.projects) else ""
    count = len(answer.projects)
    words = f"{count}{more} projects; type some letters"
    return FieldNote("·", words, (KeyAction.UP, KeyAction.DOWN, KeyAction.ACCEPT), "choose")
