"""``ticketr status`` and ``ticketr diff``: edits that Jira does not have; no request to Jira."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import click

from ticketr._errors import TicketrError
from ticketr.app import sync
from ticketr.app.cli import console, exits
from ticketr.app.cli.help import command
from ticketr.app.cli.options import CommonOptions, folder_json_options, keys_argument
from ticketr.app.tickets import key_order
from ticketr.cleaning import clean

#: The most tickets without a last sync that are listed; a new clone may hold thousands.
MAX_LISTED_NEVER_PULLED = 20

#: The message about a known ticket that is in no file.
GONE_FROM_FILES_MESSAGE = (
    "it is in no file any more; the next pull writes it again, as absence here deletes nothing in "
    "Jira"
)
#: The message about tickets without a last sync.
TICKET_NEVER_PULLED_MESSAGE = "never pulled into this folder; the next pull compares with Jira"
#: What to do about values in files that are older than the last pull.
OLDER_VALUES_IN_FILE_HINT = (
    "no push sends what is older than the last pull; to bring the files forward: ticketr pull; if "
    "you typed it yourself: ticketr resolve KEY --take mine, then push"
)
#: The colours of marks; the others are cyan.
_MARK_COLORS = {"edited": "yellow", "draft": "green"} | dict.fromkeys(
    ("conflict", "broken", "refused"), "red"
)


@dataclass(frozen=True, slots=True)
class EditedIssue:
    """An issue that was edited, or is older than the last pull.

    Attributes:
        key: Its key.
        path: Its file, relative to the workspace.
        parts: The names of its changed parts.
    """

    key: str
    path: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket or sub-task without a key.

    Attributes:
        title: Its title.
        path: Its file, relative to the workspace.
        parent: The key of the ticket in which it is a sub-task; None for none.
    """

    title: str
    path: str
    parent: str | None


@dataclass(frozen=True, slots=True)
class LocalEdits:
    """What was edited in a workspace since the last sync, and what cannot be compared.

    Attributes:
        keyed_issue_count_in_files: How many issues with keys the files hold.
        edited: What was edited, in the order of the keys.
        drafts: The drafts, in the order of the files.
        issues_with_older_values: What is older than the last pull; it was not edited.
        conflicts: The tickets that both sides have changed.
        creations_without_key_in_file: The requested issues that have no key in a file yet.
        never_pulled: Tickets and sub-tasks with keys that were never pulled into this workspace.
        error_by_broken_path: The errors of files, by their paths relative to the workspace.
        last_path_by_missing_key: The former file of each ticket that is in no file now, by key.
        losses: What a push would remove in Jira.
        markup_sent_as_text: What Jira would get as plain text.
        jira_would_refuse: What Jira would refuse.
    """

    keyed_issue_count_in_files: int
    edited: tuple[EditedIssue, ...]
    drafts: tuple[Draft, ...]
    issues_with_older_values: tuple[EditedIssue, ...]
    conflicts: tuple[sync.Conflict, ...]
    creations_without_key_in_file: tuple[sync.Creation, ...]
    never_pulled: tuple[sync.LocalTicket, ...]
    error_by_broken_path: Mapping[str, TicketrError]
    last_path_by_missing_key: Mapping[str, str]
    losses: tuple[sync.Loss, ...]
    markup_sent_as_text: tuple[sync.Note, ...]
    jira_would_refuse: tuple[sync.Note, ...]


@dataclass(frozen=True, slots=True)
class TicketVersions:
    """The versions of one ticket, as texts.

    Attributes:
        key: The ticket's key.
        path: The ticket's file, relative to the workspace.
        base: The version of the last sync; None if none is known.
        local: The version of the file; None if it was not edited.
        remote: Jira's version; None unless there is a conflict.
    """

    key: str
    path: str
    base: str | None
    local: str | None
    remote: str | None


@command(
    examples={
        "ticketr status": "List edits, drafts and conflicts.",
        "ticketr status --json": "List them for a script.",
    }
)
@keys_argument
@folder_json_options
def status(options: CommonOptions, *, keys: tuple[str, ...]) -> int:
    """Say what was edited here since the last sync: drafts, edits, conflicts. Sends no request.

    Without a KEY it lists everything; the KEY of a ticket stands for its sub-tasks, too.
    """
    store = options.open_store_requiring_owner_mark()
    with sync.read_state(store) as state:
        survey = sync.take_survey(store, state)
        sync.check_keys_and_paths(keys, survey, state)
        edits = _find_local_edits(survey, state, keys)
    if options.as_json:
        console.echo_json({"folder": str(store.root), **_as_json(edits)})
    else:
        lines = list(_marked_lines(edits))
        for mark, line in lines:
            console.echo_marked(f"{mark:<10}", line, color=_MARK_COLORS.get(mark, "cyan"))
        if not lines:
            console.echo(_empty_message(edits, keys))
        if counts := _counts_text(mark for mark, _ in lines):
            console.print_messages(counts)
        if any(mark == "older" for mark, _ in lines):
            console.print_messages(OLDER_VALUES_IN_FILE_HINT)
    return exits.FAILURE if edits.error_by_broken_path else exits.DONE


@command(
    examples={
        "ticketr diff": "Show every edit.",
        "ticketr diff DEMO-9": "Show those of one ticket.",
    }
)
@keys_argument
@folder_json_options
def diff(options: CommonOptions, *, keys: tuple[str, ...]) -> int:
    """Show edits line by line, from the last sync to the files; of a conflict, Jira's changes too.

    Without a KEY it shows every edited ticket. Sends no request.
    """
    store = options.open_store_requiring_owner_mark()
    with sync.read_state(store) as state:
        survey = sync.take_survey(store, state)
        sync.check_keys_and_paths(keys, survey, state)
        versions = _find_base_local_and_jira_versions(survey, state, keys)
        own = {_key_of_parent_or_self(state, key) for key in keys}
        missing = survey.last_paths_by_missing_key(state)
        missing = {key: path for key, path in missing.items() if not keys or key in own}
        broken = survey.broken_files_of(keys or None, state)
    if options.as_json:
        tickets = [asdict(version) for version in versions]
        data = {
            "tickets": tickets,
            "broken": _broken_as_json(broken),
            "missing": _missing_as_json(missing),
        }
        console.echo_json({"folder": str(store.root), **data})
    else:
        for version in versions:
            _print_diff_of_each_side(version)
        console.print_messages(
            *(
                str(note)
                for change in survey.local_changes
                if not keys or change.local.ticket.key in own
                for _, note in change.notes_on_older_values()
            )
        )
        console.print_messages(
            *(f"{key} ({path}): {GONE_FROM_FILES_MESSAGE}" for key, path in missing.items())
        )
        console.print_messages(*map(str, broken.values()))
    return exits.FAILURE if broken else exits.DONE


def _find_local_edits(
    survey: sync.LocalSurvey, state: sync.State, keys: Collection[str]
) -> LocalEdits:
    """Return what is in a survey, of all tickets or of some keys."""
    creations = state.creations.read_in_no_file()
    unfinished_ids = sync.unfinished_creations_by_draft_object_id(creations, survey.local_changes)
    edited, older, drafts = _find_edited_older_and_drafts(survey, keys, unfinished_ids)
    new_here: list[sync.LocalTicket] = []
    for change in survey.local_changes:
        for task in change.local.ticket.tasks:
            is_meant = not keys or not {task.key, change.local.ticket.key}.isdisjoint(keys)
            if task.key is not None and task.key in change.added_task_keys and is_meant:
                if state.head_id_of(task.key):  # it was in another ticket at the last sync
                    edited.append(EditedIssue(task.key, change.local.path, ("Parent",)))
                else:
                    new_here.append(replace(change.local, ticket=task))
    edited_keys = {ticket.key for ticket in edited}
    tickets = {_key_of_parent_or_self(state, key) for key in keys}
    missing = survey.last_paths_by_missing_key(state)

    def is_named(key: str | None) -> bool:
        return not keys or key in tickets

    def notes(find: Callable[[sync.TicketChanges], Iterable[sync.Note]]) -> tuple[sync.Note, ...]:
        return tuple(
            note
            for local in survey.local_changes
            for note in find(local)
            if (note.key in edited_keys if note.key else is_named(local.local.ticket.key))
        )

    return LocalEdits(
        keyed_issue_count_in_files=len(survey.locations),
        edited=tuple(edited),
        drafts=tuple(drafts),
        issues_with_older_values=tuple(older),
        conflicts=tuple(conflict for conflict in state.conflicts.all() if is_named(conflict.key)),
        creations_without_key_in_file=tuple(one for one in creations if is_named(one.parent)),
        never_pulled=(
            *(
                ticket
                for ticket in survey.never_pulled
                if not keys or not set(keys).isdisjoint(ticket.ticket.keys())
            ),
            *new_here,
        ),
        error_by_broken_path=survey.broken_files_of(keys or None, state),
        last_path_by_missing_key={
            key: missing[key] for key in sorted(missing, key=key_order) if is_named(key)
        },
        losses=tuple(loss for loss in survey.find_losses(state) if loss.key in edited_keys),
        markup_sent_as_text=notes(sync.find_literal_text),
        jira_would_refuse=notes(sync.find_too_long_titles),
    )


def _find_edited_older_and_drafts(
    survey: sync.LocalSurvey, keys: Collection[str], unfinished_ids: Collection[int]
) -> tuple[list[EditedIssue], list[EditedIssue], list[Draft]]:
    """Return what was edited, what is older than the last pull, and the drafts.

    Args:
        survey: The comparison of the files with the last sync.
        keys: The keys that were named; all tickets if there are none.
        unfinished_ids: The `id` of each draft whose creation is not finished; they are left out.
    """
    edited: list[EditedIssue] = []
    older: list[EditedIssue] = []
    drafts: list[Draft] = []
    for change in survey.local_changes:
        ticket, path = change.local.ticket, change.local.path
        is_named = not keys or ticket.key in keys
        for tickets, edits in ((edited, change.edits), (older, change.older_values_in_file)):
            for key, changes in edits.items():
                if is_named or key in keys:
                    tickets.append(EditedIssue(key, path, tuple(edit.name for edit in changes)))
        if is_named:
            begun = (*((ticket,) if change.head_id is None else ()), *change.new_tasks)
            drafts += (
                Draft(one.title, path, ticket.key) for one in begun if id(one) not in unfinished_ids
            )
    edited.sort(key=lambda ticket: key_order(ticket.key))
    older.sort(key=lambda ticket: key_order(ticket.key))
    return edited, older, drafts


def _key_of_parent_or_self(state: sync.State, key: str) -> str:
    """Return the key of a sub-task's ticket; any other key as it is."""
    head = state.head_id_of(key)
    issues = state.issues_of(head) if head else ()
    return next((issue.key for issue in issues if issue.id == head), key)


def _empty_message(edits: LocalEdits, keys: tuple[str, ...]) -> str:
    if keys:
        return f"nothing to push of {', '.join(keys)}"
    count = edits.keyed_issue_count_in_files
    if not count:
        return "there is no ticket here; ticketr pull brings those of Jira, ticketr new begins one"
    tickets = "1 ticket is" if count == 1 else f"{count} tickets are"
    return f"nothing to push; {tickets} unchanged since the last sync"


def _as_json(edits: LocalEdits) -> dict[str, object]:
    return {
        "tickets": edits.keyed_issue_count_in_files,
        "edited": [asdict(ticket) for ticket in edits.edited],
        "older": [asdict(ticket) for ticket in edits.issues_with_older_values],
        "drafts": [asdict(draft) for draft in edits.drafts],
        "conflicts": conflicts_as_json(edits.conflicts),
        "unsettled": [
            {"title": creation.title, "path": creation.path}
            for creation in edits.creations_without_key_in_file
        ],
        "unknown": [
            {"key": ticket.ticket.key, "path": ticket.path} for ticket in edits.never_pulled
        ],
        "broken": _broken_as_json(edits.error_by_broken_path),
        "missing": _missing_as_json(edits.last_path_by_missing_key),
        "losses": [asdict(loss) for loss in edits.losses],
        "literals": [asdict(note) for note in edits.markup_sent_as_text],
        "refused": [asdict(note) for note in edits.jira_would_refuse],
    }


def _broken_as_json(broken: Mapping[str, TicketrError]) -> list[dict[str, str]]:
    return [{"path": path, "reason": str(error)} for path, error in broken.items()]


def _missing_as_json(missing: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "path": path} for key, path in missing.items()]


def conflicts_as_json(conflicts: Iterable[sync.Conflict]) -> list[dict[str, object]]:
    """Return conflicts as JSON objects."""
    return [
        {"key": conflict.key, "path": conflict.path, "parts": list(conflict.clashes)}
        for conflict in conflicts
    ]


def conflict_line(conflict: sync.Conflict) -> str:
    """Return a conflict's ticket and its parts, without repeating the ticket's own key."""
    return f"{conflict.key} ({conflict.path}): {conflict.clashes_for_display}"


def _marked_lines(edits: LocalEdits) -> Iterator[tuple[str, str]]:
    """Yield the mark and the rest of each line: one for each ticket, and one for its losses."""
    in_conflict = {conflict.key for conflict in edits.conflicts}
    for mark, tickets in (("edited", edits.edited), ("older", edits.issues_with_older_values)):
        for ticket in tickets:
            if ticket.key not in in_conflict:
                yield mark, f"{ticket.key} ({ticket.path}): {', '.join(ticket.parts)}"
    for draft in edits.drafts:
        yield "draft", f"{draft.title} ({draft.path})"
    for conflict in edits.conflicts:
        yield "conflict", conflict_line(conflict)
    for creation in edits.creations_without_key_in_file:
        what = "the next push finds out if it exists"
        yield "uncertain", f"{creation.title} ({creation.path}): {what}"
    unknown = [(ticket.ticket.key or "", ticket.path) for ticket in edits.never_pulled]
    yield from _lines_or_count("unknown", unknown, TICKET_NEVER_PULLED_MESSAGE, in_conflict)
    for error in edits.error_by_broken_path.values():
        yield "broken", str(error)
    for line in loss_lines(edits.losses):
        yield "loss", f"{line}; it needs --accept-loss"
    for mark, notes in (("refused", edits.jira_would_refuse), ("text", edits.markup_sent_as_text)):
        for note in notes:
            yield mark, str(note)
    yield from _lines_or_count(
        "missing", edits.last_path_by_missing_key.items(), GONE_FROM_FILES_MESSAGE, in_conflict
    )


def _lines_or_count(
    mark: str, places: Iterable[tuple[str, str]], what: str, listed_elsewhere: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield a line for each of some tickets that are not listed elsewhere, or one for many."""
    tickets = [(key, path) for key, path in places if key not in listed_elsewhere]
    if len(tickets) > MAX_LISTED_NEVER_PULLED:
        yield mark, f"{len(tickets)} tickets: {what}"
        return
    for key, path in tickets:
        yield mark, f"{key} ({path}): {what}"


def _counts_text(marks: Iterable[str]) -> str:
    """Return how many edits, drafts, conflicts and broken files are listed; empty for none."""
    count = Counter(marks)
    words = {
        "edited": "edited",
        "draft": "draft" if count["draft"] == 1 else "drafts",
        "older": "older",
        "conflict": "in conflict",
        "broken": "broken",
    }
    return ", ".join(f"{count[mark]} {word}" for mark, word in words.items() if count[mark])


def _find_base_local_and_jira_versions(
    survey: sync.LocalSurvey, state: sync.State, keys: Sequence[str]
) -> list[TicketVersions]:
    here = {
        local_change.local.ticket.key: local_change.local
        for local_change in survey.local_changes
        if local_change.local.ticket.key
    }
    conflicts = {conflict.key: conflict for conflict in state.conflicts.all()}
    versions: list[TicketVersions] = []
    for key in dict.fromkeys(
        _key_of_parent_or_self(state, key) for key in (keys or [*here, *conflicts])
    ):
        known = state.base_by_head_key(key)
        local, conflict = here.get(key), conflicts.get(key)
        if known is None and conflict is None:
            raise click.UsageError(f"{key} was never pulled into this folder")
        base = known[1] if known else None
        path = local.path if local else base.path if base else conflict.path if conflict else ""
        if local is None and base is None and conflict is not None:
            local = next(
                (ticket for ticket in survey.never_pulled if ticket.ticket.key == key), None
            )
        versions.append(
            TicketVersions(
                key,
                path,
                base.jira_text if base else None,
                local.comparable_text if local else None,
                conflict.remote_text if conflict else None,
            )
        )
    return versions


def _print_diff_of_each_side(ticket: TicketVersions) -> None:
    """Print what each side has changed; without a last sync, the difference of the sides."""
    key, last = ticket.key, f"{ticket.key} at the last sync"
    if ticket.base is None:
        _print_line_diff(ticket.local or "", ticket.remote or "", ticket.path, f"{key} in Jira")
        return
    if ticket.local is not None:
        _print_line_diff(ticket.base, ticket.local, last, ticket.path)
    if ticket.remote is not None:
        _print_line_diff(ticket.base, ticket.remote, last, f"{key} in Jira")


def _print_line_diff(old: str, new: str, old_name: str, new_name: str) -> None:
    lines = difflib.unified_diff(
        old.rstrip("\n").split("\n"),
        new.rstrip("\n").split("\n"),
        clean(old_name),
        clean(new_name),
        lineterm="",
    )
    colors = {"+": "green", "-": "red", "@": "cyan"} if console.is_color_allowed_by_env() else {}
    for line in lines:
        console.echo(line, color=colors.get(line[:1]))


def loss_lines(lost: Iterable[sync.Loss]) -> list[str]:
    """Return what a push would lose, a line for each issue, and one for the links it removes."""
    by_issue: dict[tuple[str, str, str], list[str]] = {}
    for loss in lost:
        verb = "remove" if loss.is_link else "lose"
        by_issue.setdefault((loss.key, loss.path, verb), []).append(
            f"{loss.piece_of_part} (line {loss.line})" if loss.line else loss.piece_of_part
        )
    return [
        f"{key} ({path}): a push would {verb} {', '.join(what)} in Jira"
        for (key, path, verb), what in by_issue.items()
    ]
