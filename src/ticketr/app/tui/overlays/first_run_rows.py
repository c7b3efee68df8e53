"""Draws the first run. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.overlays.first_run_form import OPENS_PAGE, FieldNote, Form, Purpose
from ticketr.app.tui.panels.frame import scroll_top, title_rule
from ticketr.app.tui.setup import ProjectChoice, SetupField
from ticketr.app.tui.styled import Line, Span, wrap_line
from ticketr.app.tui.theme import Theme, mark
from ticketr.text import clip, fit, width

if TYPE_CHECKING:
    from ticketr.app.tui.state import AppState

#: The ways to the first workspace: the form of each; None for the sandbox.
WAYS = (None, Purpose.CONNECT, Purpose.FOLDER)
#: What each way is called, what it is, in more and in fewer words, and its key.
_WAY_WORDS = (
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
_LABELS = {
    SetupField.SITE: "Site",
    SetupField.EMAIL: "Mail",
    SetupField.TOKEN: "Token",
    SetupField.PROJECT: "Project",
    SetupField.FOLDER: "Folder",
}
_BUTTONS = {
    Purpose.CONNECT: ("Check and pull", "nothing is written to Jira by a pull"),
    Purpose.FOLDER: ("Open and pull", "nothing is written to Jira by a pull"),
}
#: From this width on, notes are beside their fields; from this height on, ways above a form.
WIDE, HIGH = 80, 20
VALUE_CELLS, LABEL_CELLS = 28, 9
#: The most cells for what a way is, so that its key is near.
FACTS_CELLS = 60
#: The most projects that are listed at once.
LISTED = 6


def first_run_rows(
    way: int, form: Form | None, busy: str, problem: str, state: AppState, theme: Theme
) -> tuple[list[str], int]:
    """Return all rows, and the index of the one that has to be on the screen.

    Args:
        way: The index of the selected way.
        form: The form that is open; None while a way is chosen.
        busy: What is being done; empty for nothing.
        problem: Why that failed, if no field is the cause.
        state: The state.
        theme: Colours and characters.
    """
    cells = state.width
    lines: list[Line] = []
    if form is None or state.body >= HIGH:
        lines += _ways(way, cells, state.keymap, is_choosing=form is None)
    selected = way + 3
    rows = [theme.row(line, cells) for line in lines]
    if form is not None:
        title = form.purpose.value
        rows += [title_rule(title, "", cells, theme, is_focused=True), theme.row((), cells)]
        for place in form.fields:
            if place is form.focus:
                selected = len(rows)
            rows += [theme.row(line, cells) for line in _field(form, place, state.keymap, cells)]
        selected = len(rows) + 1 if form.focus is None else selected
        rows += [theme.row((), cells), theme.row(_button(form, cells), cells)]
    for line in _outcome(busy, problem, cells):
        selected = max(selected, len(rows)) if busy else selected
        rows.append(theme.row(line, cells))
    return rows, selected


def _indent(cells: int) -> str:
    return " " * (8 if cells >= WIDE else 1)


def _ways(way: int, cells: int, keymap: KeyMap, *, is_choosing: bool) -> Iterator[Line]:
    indent = _indent(cells)
    words = "Your Jira tickets as Markdown files: grep them, edit them, push them back."
    yield ()
    yield from wrap_line((Span(words),), max(10, cells - 1), first=indent, rest=indent)
    yield ()
    for at, (name, facts, action) in enumerate(_WAY_WORDS):
        key = keymap.key(action, Context.WAYS)
        is_selected = at == way
        styles = ("bold",) if is_selected and is_choosing else ()
        room = max(0, min(FACTS_CELLS, cells - 2 * len(indent) - 2 - 18 - 6))
        bar = "▌ " if is_selected else "  "
        yield (
            Span(f"{indent}{bar}"),
            Span(fit(name, 18), styles),
            Span(fit(next((fact for fact in facts if width(fact) <= room), ""), room)),
            Span(f" {key}", ("bold",)),
        )
    yield ()


def _field(form: Form, place: SetupField, keymap: KeyMap, cells: int) -> Iterator[Line]:
    """Yield the lines of a field: its text, its note, and projects to choose from."""
    is_focused = place is form.focus
    bar = "▌" if is_focused else " "
    label = fit(_LABELS[place], LABEL_CELLS)
    start: Line = (
        Span(f"{_indent(cells)}{bar} "),
        Span(label, ("bold",) if is_focused else ("dim",)),
    )
    used = sum(width(span.text) for span in start)
    room = VALUE_CELLS if cells >= WIDE else max(4, cells - used - 1)
    value = Span(fit(_value(form, place, room, is_focused=is_focused), room))
    note = _note(form, place)
    if note is None:
        yield (*start, value)
    else:
        shown = (mark(note.mark), Span(f" {_note_words(note, keymap)}"))
        beside = cells >= WIDE
        column = used + room + 1 if beside else used
        wrapped = wrap_line(shown, max(12, cells - column - 1), rest="  ")
        yield (*start, value, Span(" "), *(wrapped.pop(0) if beside else ()))
        yield from ((Span(" " * column), *line) for line in wrapped)
    if place is SetupField.PROJECT and is_focused:
        yield from _projects(form.projects, form.choice, used, cells)


def _value(form: Form, place: SetupField, room: int, *, is_focused: bool) -> str:
    line = form.input(place)
    is_hidden = place is SetupField.TOKEN and not form.is_token_shown
    if is_focused:
        return line.shown(room, hide=is_hidden)
    text = "•" * len(line.text) if is_hidden else line.text
    return clip(text, room)


def _note(form: Form, place: SetupField) -> FieldNote | None:
    note = form.notes.get(place)
    if note is not None or place is not form.focus:
        return note
    if place is SetupField.TOKEN:
        stored = "it is stored outside the folder"
        return FieldNote("·", stored, (KeyAction.OPEN_PAGE,), OPENS_PAGE)
    if place is SetupField.PROJECT and form.login is None:
        return FieldNote("·", "listed here after the login")
    return None


def _note_words(note: FieldNote, keymap: KeyMap) -> str:
    """Return the words of a note with the user's own keys."""
    keys = [keymap.key(key, Context.FIRST_RUN) for key in note.keys]
    hint = f"; {' '.join(filter(None, keys))} {note.does}" if any(keys) else ""
    return f"{note.words}{hint}"


def _projects(
    projects: tuple[ProjectChoice, ...], choice: int, used: int, cells: int
) -> Iterator[Line]:
    top = scroll_top(0, choice, LISTED, len(projects))
    for at in range(top, min(top + LISTED, len(projects))):
        project = projects[at]
        bar = "▌" if at == choice else " "
        text = f"{' ' * max(0, used - 2)}{bar} {fit(project.key, 10)} {project.name}"
        yield (Span(clip(text, cells), ("bold",) if at == choice else ()),)


def _button(form: Form, cells: int) -> Line:
    name, facts = _BUTTONS[form.purpose]
    is_focused = form.focus is None
    bar = "▌" if is_focused else " "
    styles = ("reverse",) if is_focused else ()
    return (Span(f"{_indent(cells)}{bar} "), Span(f"[ {name} ]", styles), Span(f"   {facts}"))


def _outcome(busy: str, problem: str, cells: int) -> Iterator[Line]:
    indent = f"{_indent(cells)}  "
    if busy:
        yield ()
        line: Line = (Span(f"{busy}... Esc cancels"),)
        yield from wrap_line(line, max(10, cells - 1), first=indent, rest=indent)
    elif problem:
        yield ()
        line = (mark("✗"), Span(f" {problem}"))
        yield from wrap_line(line, max(10, cells - 1), first=indent, rest=f"{indent}  ")
