"""Keys on one ticket: they open, copy and change it, and add another one. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from ticketr.app.sync import IssuePlace, Template
from ticketr.app.tui.effects import call_in
from ticketr.app.tui.keymap import Context, KeyAction
from ticketr.app.tui.messages import DraftAdded
from ticketr.app.tui.overlays.questions import Choice, LineInput, Option
from ticketr.app.tui.rows import ListRow
from ticketr.app.tui.services import outside
from ticketr.app.tui.services.edits import add_comment_to_file, add_drafts_from_template, add_ticket
from ticketr.app.tui.sheet import IssueSheet, comment_heading
from ticketr.app.tui.state import AppState, Panel, Step, unhide_and_select_row
from ticketr.app.tui.text_input import TextInput, clean_lines
from ticketr.app.tui.workspace import COMMENTS_NOT_KEPT_MESSAGE, WorkspaceView
from ticketr.text import clean


def open_file_in_editor(state: AppState, _: float) -> Step | None:
    """Open the issue's file in the editor, at the line that is at the top of the open ticket."""
    row = state.selected_row
    if row is None:
        return None
    line = row.line or 1
    ticket = state.ticket
    if state.focus is Panel.DETAIL and ticket is not None and ticket.sheet is not None:
        sources = (ticket_line.source_line for ticket_line in ticket.wrapped_lines[ticket.top :])
        line = next((source for source in sources if source), line)
    return state, (call_in(state.workspace.name, outside.open_editor, row.path, line),)


def sheet_if_row_is_open(state: AppState, row: ListRow) -> IssueSheet | None:
    """Return the open ticket if it is that of a row; None until it has followed the cursor there."""
    ticket, wanted = state.ticket, (state.workspace.name, row.key_order)
    is_that = ticket is not None and (ticket.workspace, ticket.row_key_order) == wanted
    return ticket.sheet if ticket is not None and is_that else None


def ask_new_issue(state: AppState, _: float) -> Step:
    """Ask for the title of a new ticket or sub-task, then which of them it is to be.

    Where the workspace has templates, ask first whether one is to be filled in.
    """
    workspace = state.workspace
    titled = _new_issue_title_input(workspace.name, _ticket_row_of(workspace, state.selected_row))
    if not workspace.templates:
        return state.opened(titled), ()

    def on_choose(state: AppState, name: str) -> Step:
        template = workspace.templates.get(name)
        if not isinstance(template, Template):
            return state.opened(titled), ()
        return _ask_value_or_add_drafts(state, workspace.name, template, ())

    options = [Option("a ticket or a sub-task", "asks for its title", value="")]
    for name, template in workspace.templates.items():
        if isinstance(template, Template):
            options.append(Option(clean(name), clean(template.path), value=name))
        else:
            options.append(Option(clean(name), "cannot be read", refusal=template, value=name))
    return state.opened(Choice("Add", tuple(options), on_choose)), ()


def _ask_value_or_add_drafts(
    state: AppState, workspace: str, template: Template, values: tuple[str, ...]
) -> Step:
    """Ask for the next value of a template; once it has all, write its drafts."""
    if len(values) == len(template.placeholders):
        return state, (call_in(workspace, add_drafts_from_template, template, values),)

    def on_accept(state: AppState, text: str) -> Step:
        return _ask_value_or_add_drafts(state, workspace, template, (*values, clean(text).strip()))

    placeholder = template.placeholders[len(values)]
    examples = clean(placeholder.line_text)
    line = LineInput(f"{clean(placeholder.name)}:", on_accept, examples=examples)
    return state.opened(line), ()


def _new_issue_title_input(workspace: str, ticket: ListRow | None) -> LineInput:
    """Return the line for a title; the ticket may get the new one as a sub-task."""

    def on_accept(state: AppState, text: str) -> Step:
        title = clean(text).strip()
        if not title:
            return state.with_notice("A ticket needs a title; nothing was added"), ()

        def on_choose(state: AppState, value: str) -> Step:
            parent = place_of(ticket) if value == "sub-task" and ticket is not None else None
            typed = replace(line, input=TextInput.of(title))
            request = call_in(workspace, add_ticket, title, parent)
            return state, (replace(request, step_on_failure=typed.reopened),)

        if ticket is None:
            task = Option("a sub-task", refusal="Select a ticket first")
        else:
            words = f"a sub-task of {ticket.key or ticket.title_or_error}"
            task = Option(words, "in its file", value="sub-task")
        options = (Option("a ticket", "in a file of its own"), task)
        return state.opened(Choice(f"Add “{title}” as", options, on_choose)), ()

    line = LineInput("title:", on_accept)
    return line


def ask_comment(state: AppState, _: float) -> Step | None:
    """Ask for a comment on the issue; the next push sends it."""
    row, workspace = state.selected_row, state.workspace
    if row is None or row.is_broken:
        return None
    if workspace.keeps_comments is False:  # said before the user types one
        return state.with_notice(COMMENTS_NOT_KEPT_MESSAGE), ()
    return state.opened(_comment_input(workspace.name, place_of(row))), ()


def choose_comment_to_reply_to_or_edit(state: AppState, _: float) -> Step | None:
    """Choose a comment of the open ticket: a reply begins with its author; one's own is edited."""
    row, workspace = state.selected_row, state.workspace
    if row is None:
        return None
    sheet = sheet_if_row_is_open(state, row)
    if sheet is None:
        return state.with_notice(f"{row.id} is still being read"), ()
    comments = {str(text.text_line): text for text in reversed(sheet.issue.comments)}
    if not comments:
        write = state.keymap.hint(KeyAction.COMMENT, Context.MAIN, "writes one", before="; ")
        return state.with_notice(f"This ticket has no comment here{write}"), ()

    def on_choose(state: AppState, line: str) -> Step:
        author = comments[line].author
        if author in {"", workspace.filter_names.app_user_name}:
            return state, (call_in(workspace.name, outside.open_editor, row.path, int(line)),)
        return state.opened(_comment_input(workspace.name, place_of(row), f"@{author} ")), ()

    options = tuple(
        Option(
            clean(text.text.partition("\n")[0]), comment_heading(text) or "not sent yet", value=line
        )
        for line, text in comments.items()
    )
    return state.opened(Choice("Reply to, or edit", options, on_choose)), ()


def _comment_input(workspace: str, place: IssuePlace, text: str = "") -> LineInput:
    """Return the line for a comment; Ctrl+O writes it in the editor."""

    def on_accept(state: AppState, text: str) -> Step:
        written = clean_lines(text).strip()
        if not written:
            return state.with_notice("A comment needs a text; nothing was added"), ()
        return state, (call_in(workspace, add_comment_to_file, place, written),)

    def on_open_editor(state: AppState, text: str) -> Step:
        return state, (call_in(workspace, outside.add_comment_from_editor, place, text),)

    typed = TextInput.of(text, keeps_pasted_lines=True)
    return LineInput("comment:", on_accept, input=typed, on_open_editor=on_open_editor)


def select_added(state: AppState, added: DraftAdded) -> AppState:
    """Select a draft that was just added; remove a filter that hides it."""
    workspace = state.workspace_or_empty(added.workspace)
    title = clean(added.title)
    rows = [
        row
        for row in workspace.rows
        if row.is_draft and row.path == added.path and row.title_or_error == title
    ]
    if not rows or state.workspace.name != workspace.name:
        return state
    return unhide_and_select_row(state, rows[-1])


def place_of(row: ListRow) -> IssuePlace:
    """Return where the issue of a row is."""
    return IssuePlace(row.path, row.key, 0 if row.key else row.line)


def _ticket_row_of(workspace: WorkspaceView, row: ListRow | None) -> ListRow | None:
    """Return the row of the ticket of a row, which may be that of a sub-task."""
    if row is None or row.is_broken:
        return None
    return next(
        (other for other in workspace.rows if other.key_order == (*row.key_order[:3], 0)), None
    )


def counts_of_values(
    rows: Iterable[ListRow], field: str, *, is_list: bool = False
) -> dict[str, int]:
    """Return the values of a field with how many tickets have each, the most frequent first.

    Args:
        rows: The rows of the tickets.
        field: The field's name, as files write it.
        is_list: Whether the field holds several values.
    """
    counts: Counter[str] = Counter()
    for row in rows:
        text = row.candidate.fields.get(field, "").strip()
        counts.update([value.strip() for value in text.split(",")] if is_list else [text])
    del counts[""]
    return dict(counts.most_common())
