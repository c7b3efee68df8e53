"""The forms of the first run: what was typed, and what the checks say of it. Pure.

A check is asked after a rest of typing, and when a field is left. A change makes the checks that
depend on it out of date; their numbers tell a late answer from the newest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from ticketr.app.tickets import fold
from ticketr.app.tui.effects import Call, call
from ticketr.app.tui.keymap import KeyAction
from ticketr.app.tui.services.setting_up import check_folder, check_login, check_site
from ticketr.app.tui.setup import (
    FolderAnswer,
    FolderKind,
    Login,
    LoginAnswer,
    Problem,
    ProjectChoice,
    SetupField,
    SiteAnswer,
)
from ticketr.app.tui.text_input import TextInput

#: What the key of the page for tokens does.
OPENS_PAGE = "opens the page that makes one"
#: Seconds of rest after which what was typed is checked.
TYPING_REST = 0.5


class Purpose(Enum):
    """What a form is for; its value is the title."""

    CONNECT = "Connect to Jira"
    FOLDER = "Open a folder"


_FIELDS = {
    Purpose.CONNECT: tuple(SetupField),
    Purpose.FOLDER: (SetupField.FOLDER,),
}
#: The fields that stand for a check, in the order in which the checks are asked.
_CHECKS = (SetupField.SITE, SetupField.TOKEN, SetupField.FOLDER)
#: The checks that a change of a field makes out of date.
_OUTDATED = {
    SetupField.SITE: (SetupField.SITE, SetupField.TOKEN),
    SetupField.EMAIL: (SetupField.TOKEN,),
    SetupField.TOKEN: (SetupField.TOKEN,),
    SetupField.PROJECT: (),
    SetupField.FOLDER: (SetupField.FOLDER,),
}
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


#: The note of a check that has not been answered yet.
CHECKING = FieldNote("·", "checking...")


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the first run.

    Attributes:
        purpose: What it is for.
        at: The index of the field with the focus; the one after the last field is the button.
        texts: What was typed; in no repr, since the token is among them.
        notes: What is beside the fields.
        site: The answer of the site whose address was typed; None until it has answered.
        login: The answer to the login that was typed; None until it was accepted.
        folder: What the folder that was typed is; None until it was looked at.
        due: The time at which what was typed is checked; infinity for never.
        to_ask: The checks that are out of date.
        running: The checks that have not been answered, by the field that stands for each.
        choice: The index of the selected project among those that match.
        is_folder_typed: Whether the user has typed the folder, so that none is suggested.
        is_token_shown: Whether the token is shown.
        is_entered: Whether Enter is to open the folder once it was looked at.
        is_again: Whether it is of a workspace that is there, so that only the token is asked for.
    """

    purpose: Purpose
    at: int = 0
    texts: Mapping[SetupField, TextInput] = field(default_factory=dict, repr=False)
    notes: Mapping[SetupField, FieldNote] = field(default_factory=dict)
    site: SiteAnswer | None = None
    login: LoginAnswer | None = None
    folder: FolderKind | None = None
    due: float = math.inf
    to_ask: frozenset[SetupField] = frozenset()
    running: Mapping[SetupField, Call] = field(default_factory=dict)
    choice: int = 0
    is_folder_typed: bool = False
    is_token_shown: bool = False
    is_entered: bool = False
    is_again: bool = False

    @property
    def fields(self) -> tuple[SetupField, ...]:
        """Its fields, in their order."""
        return _FIELDS[self.purpose]

    @property
    def focus(self) -> SetupField | None:
        """The field with the focus; None for the button."""
        return self.fields[self.at] if self.at < len(self.fields) else None

    def input(self, place: SetupField) -> TextInput:
        """Return the line of a field."""
        return self.texts.get(place, TextInput())

    def text(self, place: SetupField) -> str:
        """Return what was typed into a field, without blanks around it."""
        return self.input(place).text.strip()

    @property
    def projects(self) -> tuple[ProjectChoice, ...]:
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
        return replace(
            form.outdated(*_OUTDATED[place]).noted(place, None),
            due=now + TYPING_REST,
            is_folder_typed=is_folder_typed,
            choice=0,
            is_entered=False,
        )

    def filled(self, place: SetupField, line: TextInput) -> Form:
        """Return the form with a text in a field."""
        return replace(self, texts={**self.texts, place: line})

    def noted(self, place: SetupField, note: FieldNote | None) -> Form:
        """Return the form with a note beside a field, or without one."""
        notes = {field: old for field, old in self.notes.items() if field is not place}
        return replace(self, notes=notes if note is None else {**notes, place: note})

    def outdated(self, *checks: SetupField) -> Form:
        """Return the form with some checks out of date."""
        form = replace(self, to_ask=self.to_ask | set(checks))
        running = {place: request for place, request in self.running.items() if place not in checks}
        form = replace(form, running=running)
        for check in checks:
            form = form.noted(check, None)
        if SetupField.SITE in checks:
            form = replace(form, site=None)
        if SetupField.FOLDER in checks:
            form = replace(form, folder=None)
        if SetupField.TOKEN in checks:
            form = replace(form.noted(SetupField.PROJECT, None), login=None)
        return form

    def moved(self, to: int) -> tuple[Form, tuple[Call, ...]]:
        """Return the form with the focus on another field, and the checks of what was typed."""
        at = max(0, min(to, len(self.fields)))
        return replace(self, at=at, is_token_shown=False, choice=0).ask_checks()

    def ask_checks(self) -> tuple[Form, tuple[Call, ...]]:
        """Return the form with its checks asked, and the effects that ask them."""
        form = replace(self, due=math.inf)
        begun = {
            check: request
            for check in _CHECKS
            if check in self.to_ask and (request := self._ask(check))
        }
        for check in begun:
            form = form.noted(check, CHECKING)
        running = {**self.running, **begun}
        return replace(form, to_ask=self.to_ask - begun.keys(), running=running), (*begun.values(),)

    def stopped(self) -> Form:
        """Return the form after its checks were cancelled: they have to be asked again."""
        return self.outdated(*(check for check in _CHECKS if self.notes.get(check) == CHECKING))

    def _ask(self, check: SetupField) -> Call | None:
        """Return the effect of a check; None if it cannot be asked yet."""
        text = self.text(check)
        if check not in self.fields or not text:
            return None
        if check is SetupField.SITE:
            return call(check_site, text)
        if check is SetupField.FOLDER:
            return call(check_folder, text)
        # A token goes only to a site that has answered, and whose address is not being typed.
        site, email = self.site, self.text(SetupField.EMAIL)
        if site is None or not email:
            return None
        if self.focus is SetupField.SITE:
            return None
        return call(check_login, Login(site.site, email, text))

    def answered(self, request: Call, answer: Any) -> Form:
        """Return the form with the answer to a check that is running."""
        check = next(check for check, running in self.running.items() if running == request)
        running = {other: call for other, call in self.running.items() if other is not check}
        form = replace(self, running=running)
        match answer:
            case Problem():
                return form.noted(check, None).refused(answer, check)
            case SiteAnswer():
                return form.site_answered(answer)
            case LoginAnswer():
                return form.login_answered(answer)
            case _:
                return form.folder_answered(answer)

    def site_answered(self, answer: SiteAnswer) -> Form:
        """Return the form with a site that is a Jira."""
        note = FieldNote("✓", f"Jira Cloud answers, {answer.milliseconds} ms")
        return replace(self.noted(SetupField.SITE, note), site=answer)

    def login_answered(self, answer: LoginAnswer) -> Form:
        """Return the form with the account of a login, and its projects."""
        form = replace(self, login=answer, choice=0)
        form = form.noted(SetupField.EMAIL, None)
        form = form.noted(SetupField.TOKEN, FieldNote("✓", f"you are {answer.account}"))
        typed = self.text(SetupField.PROJECT)
        if len(answer.projects) == 1 and not typed:
            return form.chosen(answer.projects[0])
        choices = [project for project in answer.projects if project.key == typed.upper()]
        return (
            form.chosen(choices[0]) if choices else form.noted(SetupField.PROJECT, _count(answer))
        )

    def chosen(self, project: ProjectChoice) -> Form:
        """Return the form with a project chosen."""
        form = self.filled(SetupField.PROJECT, TextInput.of(project.key))
        return form.noted(SetupField.PROJECT, FieldNote("✓", project.name))

    def folder_answered(self, answer: FolderAnswer) -> Form:
        """Return the form with what a folder holds."""
        is_new = self.purpose is Purpose.CONNECT and not self.is_again
        words = _TO_CONNECT if is_new else _TO_OPEN
        mark, text = words[answer.kind]
        form = replace(self, folder=answer.kind)
        return form.noted(
            SetupField.FOLDER, FieldNote(mark, text.format(site=answer.site or "a site"))
        )

    def with_known(self, texts: Mapping[SetupField, str]) -> Form:
        """Return the form with what a workspace is connected to; its token is to be typed."""
        inputs = {place: TextInput.of(text) for place, text in texts.items()}
        form = replace(self, texts=inputs, is_folder_typed=True, is_again=True)
        return replace(form.outdated(*_CHECKS), at=self.fields.index(SetupField.TOKEN))

    def folder_suggested(self, folder: str) -> Form:
        """Return the form with a folder suggested, unless the user has typed one."""
        if self.is_folder_typed:
            return self
        form = self.filled(SetupField.FOLDER, TextInput.of(folder))
        return form.outdated(SetupField.FOLDER)

    def refused(self, problem: Problem, place: SetupField) -> Form:
        """Return the form with a problem beside its field.

        Args:
            problem: The problem.
            place: The field, if the problem names none of this form.
        """
        if problem.field in self.fields:
            place = problem.field
        return self.with_problem(place, problem.words)

    @property
    def can_connect(self) -> bool:
        """Whether the folder was looked at, exists, and is not a workspace yet."""
        return self.folder in {FolderKind.EMPTY, FolderKind.TICKETS, FolderKind.OTHER}

    def missing(self) -> SetupField | None:
        """Return the first empty field, or None."""
        return next(
            (setup_field for setup_field in self.fields if not self.text(setup_field)), None
        )

    def with_missing(self, place: SetupField) -> Form:
        """Return the form with the focus on an empty field, and what to do there beside it."""
        form = replace(self, at=self.fields.index(place))
        return form.with_problem(place, _MISSING[place])

    def with_problem(self, place: SetupField, words: str) -> Form:
        """Return the form with words beside a field that is wrong; a token's name the key of its page."""
        note = FieldNote("✗", words)
        if place is SetupField.TOKEN:
            note = replace(note, keys=(KeyAction.OPEN_PAGE,), does=OPENS_PAGE)
        return self.noted(place, note)


_TO_CONNECT = {
    FolderKind.NEW: ("✓", "new; ticketr.toml goes there, the token never"),
    FolderKind.EMPTY: ("✓", "empty; ticketr.toml goes there, the token never"),
    FolderKind.WORKSPACE: ("!", "a workspace of {site} already"),
    FolderKind.TICKETS: ("✓", "holds tickets; ticketr.toml goes there, the token never"),
    FolderKind.OTHER: ("!", "holds other files; ticketr.toml and the tickets go among them"),
}
_TO_OPEN = {
    FolderKind.NEW: ("✗", "there is no such folder"),
    FolderKind.EMPTY: ("✗", "empty; Enter connects it to Jira"),
    FolderKind.WORKSPACE: ("✓", "a workspace of {site}"),
    FolderKind.TICKETS: (
        "!",
        "holds tickets, but no ticketr.toml, which names their site; Enter connects it to Jira",
    ),
    FolderKind.OTHER: ("✗", "holds no tickets; Enter connects it to Jira"),
}


def _count(answer: LoginAnswer) -> FieldNote:
    if not answer.total:
        return FieldNote("!", "this account may see no project; type a key, or use another account")
    more = f" of {answer.total}" if answer.total > len(answer.projects) else ""
    count = len(answer.projects)
    words = f"{count}{more} projects; type some letters"
    return FieldNote("·", words, (KeyAction.UP, KeyAction.DOWN, KeyAction.ACCEPT), "choose")
