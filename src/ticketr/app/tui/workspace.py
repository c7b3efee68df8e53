"""The state of one workspace in the app: its tickets, and how its list is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from ticketr.app.sync import Template
from ticketr.app.tickets import Filter, UserAndFieldNames, fold, parse_filter
from ticketr.app.tui.messages import FilesRead
from ticketr.app.tui.rows import ListRow, Rows, RowSortKey
from ticketr.app.tui.tree import RowFilter, VisibleRows, arrange

#: The filter that lets every issue through.
NO_FILTER = parse_filter("")
NO_ROWS = Rows()
#: Why no comment can be written.
COMMENTS_NOT_KEPT_MESSAGE = (
    "No comments here: write comments = true into ticketr.toml, start again, then pull"
)


@dataclass(frozen=True)
class WorkspaceView:
    """A workspace as the app shows it.

    Attributes:
        name: Its name.
        site: The address of its site, for people; empty if it has none.
        project: The key of its project; may be empty.
        rows: The rows of all its issues and broken files, in the order of their keys.
        edited_keys: The keys of issues that were edited here since the last sync.
        conflicts_by_key: What clashes in each ticket that both sides have changed, as ``DEMO-1: Title``,
            by the ticket's key.
        broken_file_errors: The cleaned error of each broken file.
        are_files_read: Whether all its files have been read.
        complete_pull_trio_time: When a pull has brought all that it found, by Trio's clock; None for never.
        opening_problem: Why it could not be opened, cleaned; empty if it was, or has not been tried.
        selected_row_key_order: The order of the selected row; None for the top one, until the user has chosen.
        top: The index of the first visible row that was on the screen at the last key.
        folded_ids: The IDs of tickets whose sub-tasks are hidden.
        chosen_ids: The IDs of issues that were chosen for one change of all.
        filter: The filter; one that lets everything through for none.
        sort: The name of the sort.
        search: What was searched last, as it was typed.
        keys_of_unseen_changes: The keys of issues that were changed in Jira since the user has looked at them.
        hidden_columns: The names of the columns that the user has hidden.
        query_by_alias: The names for queries, with their queries; not cleaned.
        keeps_comments: Whether its files hold comments; None until it is open.
        templates: The templates of drafts, or why one cannot be read, by their names.
    """

    name: str
    site: str = ""
    project: str = ""
    rows: Rows = field(default=NO_ROWS, repr=False)
    edited_keys: frozenset[str] = frozenset()
    conflicts_by_key: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broken_file_errors: tuple[str, ...] = ()
    are_files_read: bool = False
    complete_pull_trio_time: float | None = None
    opening_problem: str = ""
    selected_row_key_order: RowSortKey | None = None
    top: int = 0
    folded_ids: frozenset[str] = frozenset()
    chosen_ids: frozenset[str] = frozenset()
    filter: Filter = field(default=NO_FILTER)
    sort: str = "key"
    search: str = ""
    keys_of_unseen_changes: frozenset[str] = frozenset()
    hidden_columns: frozenset[str] = frozenset()
    query_by_alias: Mapping[str, str] = field(default_factory=dict)
    keeps_comments: bool | None = None
    filter_names: UserAndFieldNames = field(default=UserAndFieldNames(), repr=False)
    templates: Mapping[str, Template | str] = field(default_factory=dict)

    @cached_property
    def visible(self) -> VisibleRows:
        """The rows to show, in their order."""
        row_filter = None
        if self.filter.terms:
            row_filter = RowFilter(self.filter, self.edited_keys, frozenset(self.conflicts_by_key))
        return arrange(self.rows, self.folded_ids, self.sort, row_filter)

    @cached_property
    def selected_index(self) -> int:
        """The index of the selected row among the visible ones; 0 where there is none."""
        order = self.selected_row_key_order
        return 0 if order is None else self.visible.index_of_or_nearest(order)

    @property
    def filtered_position_and_count(self) -> tuple[int, int]:
        """The place of the selected row among those that the filter lets through, and their number."""
        if not self.filter.terms:
            return (self.selected_index + 1 if self.visible else 0), len(self.visible)
        return self.visible.filtered_position_and_count(self.selected_index)

    @property
    def selected_row(self) -> ListRow | None:
        """The selected row, or None if the list is empty."""
        return self.visible.rows[self.selected_index].row if self.visible else None

    @property
    def is_folder_gone(self) -> bool:
        """Whether its folder has gone since it was opened."""
        return self.are_files_read and bool(self.opening_problem)

    @property
    def change_marks_counts_and_names(self) -> tuple[tuple[str, int, str], ...]:
        """The mark, number and name of what differs from the last sync; those of which any are."""
        drafts = self.rows.draft_count
        entries = (
            ("*", len(self.edited_keys), "edited"),
            ("!", len(self.conflicts_by_key), "conflict" + "s" * (len(self.conflicts_by_key) != 1)),
            ("+", drafts, "draft" + "s" * (drafts != 1)),
            ("×", len(self.broken_file_errors), "broken"),
            ("•", len(self.keys_of_unseen_changes), "changed in Jira"),
        )
        return tuple(entry for entry in entries if entry[1])

    def sync_mark_of(self, row: ListRow) -> str:
        """Return the mark that says how an issue differs from the last sync, or a blank."""
        if row.is_broken:
            return "×"
        parts = self.conflicts_by_key.get(row.head_key, ())
        # Of a ticket all, of a sub-task those that clash in itself.
        if parts if not row.depth else any(part.startswith(f"{row.key}: ") for part in parts):
            return "!"
        if row.is_draft:
            return "+"
        return "*" if row.key in self.edited_keys else " "

    def with_files(self, read: FilesRead, now: float) -> WorkspaceView:
        """Return the view after all files were read, at this time."""
        pull_age = read.complete_pull_age_seconds
        return replace(
            self,
            rows=read.rows,
            edited_keys=read.edited_keys,
            conflicts_by_key=read.conflicts_by_key,
            broken_file_errors=read.broken_file_errors,
            are_files_read=True,
            opening_problem="",
            selected_row_key_order=self._key_order_to_select(read.rows),
            filter_names=read.filter_names,
            templates=read.templates,
            complete_pull_trio_time=None if pull_age is None else now - pull_age,
            keys_of_unseen_changes=self.keys_of_unseen_changes & {row.key for row in read.rows}
            if self.keys_of_unseen_changes
            else self.keys_of_unseen_changes,
            chosen_ids=self.chosen_ids and self.chosen_ids & {row.id for row in read.rows},
        )

    def _key_order_to_select(self, rows: Rows) -> RowSortKey | None:
        """Return what to select among new rows: the ticket that a selected draft has become."""
        draft = self.selected_row
        if self.selected_row_key_order is None or draft is None or not draft.is_draft:
            return self.selected_row_key_order
        if any(row.id == draft.id for row in rows):
            return self.selected_row_key_order
        title = draft.title_or_error
        created = [row.key_order for row in rows if row.key and row.title_or_error == title]
        return max(created, default=self.selected_row_key_order)

    def scrolled_to_selected(self, page: int) -> WorkspaceView:
        """Return the view scrolled as little as possible to show the selected row.

        Args:
            page: The number of rows of the list on the screen.
        """
        last_top = max(0, len(self.visible.rows) - page)
        top = min(max(self.top, self.selected_index - page + 1), self.selected_index, last_top)
        return self if top == self.top else replace(self, top=top)

    def select(self, index: int) -> WorkspaceView:
        """Return the view with another visible row selected."""
        if not self.visible:
            return self
        row = self.visible.rows[max(0, min(index, len(self.visible) - 1))].row
        return replace(self, selected_row_key_order=row.key_order)

    def find_visible_row_hits(self, words: str) -> tuple[int, ...]:
        """Return the indexes of the visible rows that hold these words in any of their texts."""
        return self.visible.find_words_in_filter_hits(fold(words).split())

    @cached_property
    def search_query_words(self) -> tuple[str, ...]:
        """The folded words of the search."""
        return tuple(fold(self.search).split())
