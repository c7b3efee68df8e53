"""What is reviewed before it is done: the base of all plans, and those of many tickets. Pure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Sequence, Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeAlias, TypeVar, final

from ticketr.app import sync
from ticketr.app.tui import messages
from ticketr.app.tui.effects import JobKind, JobRequest, ServiceCall, call_in
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.messages import Message
from ticketr.app.tui.overlays.base import Overlay, is_enter_too_soon, moved_index
from ticketr.app.tui.overlays.questions import LineInput
from ticketr.app.tui.panels.frame import cut_or_pad_rows, space_headings, title_rule
from ticketr.app.tui.services import edits, jobs
from ticketr.app.tui.services.outside import open_editor
from ticketr.app.tui.state import AppState, Step
from ticketr.app.tui.styled import Line, Span, Theme, tint_mark, wrap_line
from ticketr.text import clean, clip, fit, width

PlanT = TypeVar("PlanT")

#: Shorter names are padded to this width; those of more than twice of it are cut.
MIN_NAME_CELLS = 10
#: What the first row says of a plan.
WRITES_ON_ENTER_MESSAGE = "nothing is written until Enter"
#: The indent of what would change, below the title of an item.
DETAIL_INDENT = " " * 14


#: What can be selected in a review.
SelectableItem: TypeAlias = sync.PlanEntry | sync.FileEdit | sync.BulkIssue | sync.Note | sync.Loss
ItemT = TypeVar("ItemT", bound=SelectableItem)
#: The items that can be left out.
_OPTIONAL_ITEM_CLASSES = (sync.PlanEntry, sync.FileEdit, sync.BulkIssue)
#: The items with a place in a file.
_ITEM_CLASSES_WITH_FILE = (sync.PlanEntry, sync.FileEdit, sync.Note)


def identity_of(item: SelectableItem) -> Hashable:
    """Return what tells an item from others, which stays the same when it moves in its file."""
    match item:
        case sync.PlanEntry():
            return item.fingerprint
        case sync.FileEdit(key=key) if key:
            return key, item.field, item.value_after
        case _:
            return item


class Section(NamedTuple):
    """A part of a review.

    Attributes:
        items: Its items.
        draw_item: Gives the lines of an item; the first cell of the first one is for the mark of the
            selected item.
        title: Its title; empty for none.
        trailing_lines: Lines below them that are no item.
        has_strong_title: Whether its title stands out.
    """

    items: Sequence[SelectableItem]
    draw_item: Callable[[Any], Sequence[Line]]
    title: str = ""
    trailing_lines: Sequence[Line] = ()
    has_strong_title: bool = True


@dataclass(frozen=True, slots=True)
class Review(Overlay, Generic[PlanT]):
    """What would be changed, before anything is: Space leaves an item out, Enter carries it out.

    Attributes:
        workspace: The name of the workspace.
        plan: The plan; None until it has been made.
        shown_at: The time at which the plan came; infinity before.
        item_index: The index of the selected item.
        left_out_identities: The identities of the items that were left out; see `identity_of`.
    """

    context: ClassVar[Context] = Context.PLAN
    waiting_text: ClassVar[str] = "Reading the files..."
    title: ClassVar[str]

    workspace: str
    _: KW_ONLY
    plan: PlanT | None = None
    shown_at: float = float("inf")
    item_index: int = 0
    left_out_identities: frozenset[Hashable] = frozenset()

    @abstractmethod
    def what_enter_does(self, plan: PlanT) -> str:
        """Return what Enter does."""

    @abstractmethod
    def make_sections(
        self, plan: PlanT, keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterable[Section]:
        """Return the parts."""

    @abstractmethod
    def on_enter(self, state: AppState, plan: PlanT) -> Step:
        """Return the step of an Enter that does not come too soon."""

    def items(self, state: AppState) -> list[SelectableItem]:
        """Return all items, in the order in which they are shown."""
        if self.plan is None:
            return []
        sections = self.make_sections(self.plan, state.keymap, state.width, Theme())
        return [item for section in sections for item in section.items]

    def selected_item(self, state: AppState) -> SelectableItem | None:
        """Return the selected item; None if there is none."""
        items = self.items(state)
        return items[self.item_index] if self.item_index < len(items) else None

    def on_action(self, state: AppState, action: KeyAction, now: float) -> Step | None:
        """Move, leave an item out, edit its file, or carry the plan out."""
        if self.plan is None:
            return None
        item = self.selected_item(state)
        match action:
            case KeyAction.ACCEPT:
                if is_enter_too_soon(state, self.shown_at, now):
                    return state.with_notice("Read the plan first; then Enter carries it out"), ()
                return self.on_enter(state, self.plan)
            case KeyAction.SELECT if isinstance(item, _OPTIONAL_ITEM_CLASSES):
                left_out = self.left_out_identities ^ {identity_of(item)}
                return state.top_replaced(replace(self, left_out_identities=left_out)), ()
            case KeyAction.EDIT if isinstance(item, _ITEM_CLASSES_WITH_FILE):
                line = item.line if isinstance(item, sync.Note) else item.title_line
                return state, (call_in(self.workspace, open_editor, item.path, line or 1),)
            case _:
                last = max(0, len(self.items(state)) - 1)
                at = moved_index(action, self.item_index, max(1, state.layout.body_rows - 4), last)
                return (
                    None if at is None else (state.top_replaced(replace(self, item_index=at)), ())
                )

    def unavailable_actions(self, state: AppState) -> AbstractSet[KeyAction]:
        """Return the actions without an effect on the selected item."""
        idle = {KeyAction.UNFOLD, KeyAction.FOLD, KeyAction.DIFF}
        item = self.selected_item(state)
        if not isinstance(item, _OPTIONAL_ITEM_CLASSES):
            idle.add(KeyAction.SELECT)
        if not isinstance(item, _ITEM_CLASSES_WITH_FILE):
            idle.add(KeyAction.EDIT)
        return idle

    @property
    def plan_request(self) -> ServiceCall | None:
        """The request for the plan; None for a plan that is there from the beginning."""
        return None

    def on_message(self, state: AppState, message: Message, now: float) -> Step | None:
        """Take the plan; make it again when the files were read again."""
        match message:
            case messages.CallEnded(self.plan_request, plan, "") if plan != self.plan:
                changed = replace(self, plan=plan, shown_at=now)
                return state.overlay_replaced(self, self.with_same_selected(state, changed)), ()
            case messages.CallEnded(self.plan_request, _, ""):
                return state, ()
            case messages.CallEnded(self.plan_request, _, problem):
                return state.without_overlay(self).with_notice(problem, is_bad=True), ()
            case messages.FilesRead(self.workspace) if self.plan_request is not None:
                return state, (self.plan_request,)
            case _:
                return None

    def with_same_selected(self, state: AppState, changed: Self) -> Self:
        """Return a changed review in which the same item is selected, if it is still there."""
        item, identities = self.selected_item(state), [*map(identity_of, changed.items(state))]
        if item is not None and identity_of(item) in identities:
            return replace(changed, item_index=identities.index(identity_of(item)))
        return replace(changed, item_index=max(0, min(self.item_index, len(identities) - 1)))

    def without_left_out(self, items: Iterable[ItemT]) -> tuple[ItemT, ...]:
        """Return the items that were not left out."""
        return tuple(item for item in items if identity_of(item) not in self.left_out_identities)

    def header_left_and_right(self, state: AppState) -> tuple[str, str]:
        """Return the left and right side of the first row."""
        return f"{self.title} {self.workspace}", WRITES_ON_ENTER_MESSAGE

    def draw_body(self, state: AppState, below: list[str], now: float, theme: Theme) -> list[str]:
        """Return the rows of the body."""
        cells, height = state.width, state.layout.body_rows
        if self.plan is None:
            waiting = (Span(f" {self.waiting_text}"),)
            return cut_or_pad_rows([theme.row(waiting, cells)], height, cells)
        rows, headings, items = self.rows_headings_and_item_ranges(state, self.plan, theme)
        item = items[self.item_index] if items else range(1)
        rows, begin = space_headings(rows, headings, item.start, height, " " * cells)
        # All of the item, but its begin if there is no room for all of it.
        top = min(max(0, begin + len(item) - height), begin)
        return cut_or_pad_rows(rows[top:], height, cells)

    def rows_headings_and_item_ranges(
        self, state: AppState, plan: PlanT, theme: Theme
    ) -> tuple[list[str], list[int], list[range]]:
        """Return all rows, the indexes of the headings, and those of each item."""
        cells = state.width
        summary = (Span(self.what_enter_does(plan), ("bold",)),)
        rows = [theme.row(line, cells) for line in wrap_line(summary, cells, first=" ", rest=" ")]
        headings: list[int] = []
        items: list[range] = []
        for section in self.make_sections(plan, state.keymap, cells, theme):
            if section.title:
                headings.append(len(rows))
                strong = section.has_strong_title
                rows.append(title_rule(section.title, "", cells, theme, is_focused=strong))
            for item in section.items:
                first, *more = section.draw_item(item)
                is_selected = len(items) == self.item_index
                items.append(range(len(rows), len(rows) + 1 + len(more)))
                line = (Span("▌" + first[0].text[1:]), *first[1:]) if is_selected else first
                rows.append(theme.row(line, cells, *(("reverse",) if is_selected else ())))
                rows += [theme.row(line, cells) for line in more]
            rows += [theme.row(line, cells) for line in section.trailing_lines]
        return rows, headings, items


def padded_ticket_name(name: str) -> str:
    """Return the name of a ticket or file, cut or padded, with a space before what follows."""
    shown = clip(clean(name), 2 * MIN_NAME_CELLS)
    return shown + " " * max(1, MIN_NAME_CELLS - width(shown))


def item_lines(
    change: sync.PlanEntry | sync.FileEdit,
    sign: str,
    pieces: Sequence[str],
    keymap: KeyMap,
    cells: int,
    *,
    is_left_out: bool,
) -> list[Line]:
    """Return the lines of one change.

    Args:
        change: The issue, and where it is.
        sign: The mark of what becomes of it.
        pieces: What would change, cleaned.
        keymap: The keys, for how to take it in again.
        cells: The width of the screen.
        is_left_out: Whether it was left out.
    """
    name = padded_ticket_name(change.key or "draft")
    where, title = f"{clean(change.path)}:{change.title_line}", clean(change.title)
    room = cells - 4 - width(name) - width(where) - 2
    title = clip(title, max(4, room - 1))
    title += " " * max(1, room - width(title))
    head = (Span("  "), tint_mark("·" if is_left_out else sign), Span(f" {name}{title}{where}"))
    if is_left_out:
        again = keymap.hint(KeyAction.SELECT, Context.PLAN, "takes it in again", before="; ")
        return [head, (Span(f"     left out{again}", ("dim",)),)]
    if not pieces:
        return [head]
    words = (Span("; ".join(pieces)),)
    return [head, *wrap_line(words, max(8, cells - 1), first=DETAIL_INDENT, rest=DETAIL_INDENT)]


@final
@dataclass(frozen=True, slots=True)
class FileEdits(Review[sync.FileEditPlan]):
    """The plan of a change of fields in several files.

    Attributes:
        changes: What is to be changed where.
    """

    title: ClassVar[str] = "Change tickets of"

    changes: edits.IssueFieldPairs

    @property
    def plan_request(self) -> ServiceCall:
        """The request for the plan."""
        return call_in(self.workspace, edits.plan_edits, self.changes)

    def on_enter(self, state: AppState, plan: sync.FileEditPlan) -> Step:
        """Change the files."""
        kept = self._kept_plan(plan)
        if not kept.edits:
            return state.with_notice("Nothing to change; Esc goes back"), ()

        def on_success(state: AppState, _: object) -> Step:
            return state.with_workspace_changes(self.workspace, chosen_ids=frozenset()), ()

        request = call_in(self.workspace, edits.carry_out_edits, kept)
        return state.top_closed(), (replace(request, step_on_success=on_success),)

    def _kept_plan(self, plan: sync.FileEditPlan) -> sync.FileEditPlan:
        return plan.without_edits(
            {edit for edit in plan.edits if identity_of(edit) in self.left_out_identities}
        )

    def what_enter_does(self, plan: sync.FileEditPlan) -> str:
        """Return what Enter does."""
        same = len({place for place, _ in self.changes}) - plan.issue_count
        rest = f"; {same} say so already" if same else ""
        if not plan.edits:
            return f"Nothing to change{rest}"
        kept = self._kept_plan(plan)
        files = len(kept.digests_by_path)
        words = f"Enter changes {sync.count_tickets(kept.issue_count)}"
        return f"{words} in {files} file{'s' * (files != 1)}; nothing goes to Jira{rest}"

    def make_sections(
        self, plan: sync.FileEditPlan, keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterable[Section]:
        """Return the edits in one part."""

        def lines(edit: sync.FileEdit) -> list[Line]:
            before, after = clean(edit.value_before) or "none", clean(edit.value_after) or "none"
            words = f"{clean(edit.field)}: {before} → {after}"
            is_left_out = identity_of(edit) in self.left_out_identities
            return item_lines(edit, "*", [words], keymap, cells, is_left_out=is_left_out)

        return (Section(plan.edits, lines),)


@final
@dataclass(frozen=True, slots=True)
class Deletion(Review[tuple[sync.BulkIssue, ...]]):
    """The issues that are to be deleted in Jira, as Jira has them."""

    title: ClassVar[str] = "Delete in Jira"

    def on_enter(self, state: AppState, plan: tuple[sync.BulkIssue, ...]) -> Step:
        """Ask for the number of issues, then start the job, which cannot be undone."""
        kept = self.without_left_out(plan)
        if not kept:
            return state.with_notice("Nothing to delete; Esc goes back"), ()
        change = sync.BulkChange(delete=True)
        request = JobRequest(JobKind.BULK, options={"issues": kept, "change": change})
        start = call_in(self.workspace, jobs.start_job, request)
        return state.opened(_delete_count_input(len(kept) + _other_subtask_count(kept), start)), ()

    def make_sections(
        self, plan: tuple[sync.BulkIssue, ...], keymap: KeyMap, cells: int, theme: Theme
    ) -> Iterable[Section]:
        """Return the issues in one part."""
        keys = max(width(issue.key) for issue in plan)
        statuses = max(width(clean(issue.status)) for issue in plan)

        def lines(issue: sync.BulkIssue) -> list[Line]:
            sign = "-" if identity_of(issue) in self.left_out_identities else "*"
            more = (
                f"  with {_subtask_count_text(len(issue.subtask_ids))}" if issue.subtask_ids else ""
            )
            key, status = fit(issue.key, keys), fit(clean(issue.status), statuses)
            return [(Span(f"  {sign} {key}  {status}  {clean(issue.title)}{more}"),)]

        return (Section(plan, lines),)

    def what_enter_does(self, plan: tuple[sync.BulkIssue, ...]) -> str:
        """Return what Enter does."""
        kept = self.without_left_out(plan)
        if not kept:
            return "Nothing to delete: every ticket is left out"
        below = _other_subtask_count(kept)
        more = f" and {_subtask_count_text(below)} of theirs" if below else ""
        words = f"Enter deletes {sync.count_tickets(len(kept))} in Jira{more}"
        return f"{words}. This cannot be undone; the number is asked first"


def _delete_count_input(count: int, start: ServiceCall) -> LineInput:
    """Return the line in which the number of issues is typed, for what cannot be undone."""

    def on_accept(state: AppState, text: str) -> Step:
        if text.strip() == str(count):
            return state.top_closed(), (start,)
        return state.with_notice(f"Nothing was deleted: that is not {count}", is_bad=True), ()

    return LineInput(f"type {count} to delete {sync.count_tickets(count)} for ever:", on_accept)


def _other_subtask_count(issues: tuple[sync.BulkIssue, ...]) -> int:
    """Return the number of sub-tasks that are deleted with issues, besides them."""
    ids = {issue.id for issue in issues}
    return len({subtask for issue in issues for subtask in issue.subtask_ids} - ids)


def _subtask_count_text(count: int) -> str:
    return f"{count} sub-task{'s' * (count != 1)}"
