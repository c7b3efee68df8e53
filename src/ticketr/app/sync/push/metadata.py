"""Fetches the metadata that a push needs: types, fields, allowed values, people, sprints."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import trio

from ticketr.app.jira import AllowedValue, AuthenticationFailed, NotFound, Rejected, adf
from ticketr.app.sync.compare.diff import Change, Part, RichTextPart, is_markdown
from ticketr.app.sync.compare.mapping import (
    PARENT_LINE_NAME,
    has_rich_text_section,
    link_line_name,
    why_file_cannot_hold,
)
from ticketr.app.sync.compare.times import ESTIMATE_KEY_BY_ID, TIME_TRACKING_FIELD
from ticketr.app.sync.concurrency import map_in_tasks
from ticketr.app.sync.errors import suggest_or_list
from ticketr.app.sync.push import values

if TYPE_CHECKING:
    from ticketr.app.jira import IssueType, ScreenField, User
    from ticketr.app.sync.session import Session


DefaultT = TypeVar("DefaultT")
AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True, slots=True)
class ProjectIssueTypes:
    """The issue types of a project, with their fields and statuses.

    Attributes:
        types: The project's issue types.
        specs_by_type_id: The fields of each issue type, by type ID and by their lines and sections.
        default_type: The type of a draft that names none.
        default_subtask_type: The type of a sub-task draft that names none.
        statuses_by_type_id: The names of the statuses of each issue type, by ID, if they were fetched.
    """

    types: tuple[IssueType, ...]
    specs_by_type_id: Mapping[str, Mapping[Part, values.FieldSpec]]
    default_type: str = "Task"
    default_subtask_type: str = "Sub-task"
    statuses_by_type_id: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def status_problems(self, type_id: str, status: str | None) -> tuple[str, ...]:
        """Return what is wrong with the status of an issue; nothing if its type is not known."""
        names = self.statuses_by_type_id.get(type_id, ())
        if not status or not names or status.casefold() in {name.casefold() for name in names}:
            return ()
        kind = next(
            (issue_type.name for issue_type in self.types if issue_type.id == type_id), "ticket"
        )
        return (
            f"Status: {values.short_quote(status)} is not a status of a {kind}; {suggest_or_list(status, names)}",
        )

    def type_of(self, name: str | None, *, subtask: bool) -> IssueType:
        """Return the type of a new issue, from the text of its ``Type`` line if there is one.

        Raises:
            BadValue: The project has no such type.
        """
        fitting = {kind.id: kind for kind in self.types if kind.subtask is subtask}
        wanted = name or (self.default_subtask_type if subtask else self.default_type)
        what = "a sub-task type" if subtask else "an issue type"
        try:
            allowed = (AllowedValue(kind.id, kind.name) for kind in fitting.values())
            return fitting[values.choose(wanted, allowed, f"is not {what} of this project").id]
        except values.BadValue:
            if subtask and not name and fitting:
                return next(iter(fitting.values()))  # sites name their sub-task types freely
            raise


#: Required fields of a new issue that have no line of their own in a file.
_FIELDS_NEVER_NEEDING_LINE = frozenset(
    {"project", "issuetype", "summary", "description", "parent", "reporter"}
)
#: Lines that are converted without the metadata of the project.
_FIELD_LINES_NEEDING_NO_METADATA = frozenset({"Status", "Parent"})


@dataclass(frozen=True)
class IssueChanges:
    """The changes of one issue for which metadata is needed.

    Attributes:
        project: The project's key.
        existing_type_id: The ID of the issue's type; None for a draft, which may name its type.
        changes: The changes to send.
        is_subtask_draft: Whether it is the draft of a sub-task.
    """

    project: str
    existing_type_id: str | None
    changes: tuple[Change, ...]
    is_subtask_draft: bool = False

    @property
    def needs_statuses(self) -> bool:
        """Whether the statuses of the project are needed: for a new type, no transitions exist yet."""
        named = {change.part for change in self.changes if change.new}
        return "Status" in named and (self.existing_type_id is None or "Type" in named)


@dataclass(frozen=True)
class FieldMetadata:
    """The metadata for some changes.

    Attributes:
        projects: The types and fields of each project, by key.
        lookup: Finds people, sprints, teams and links by name.
    """

    projects: Mapping[str, ProjectIssueTypes]
    lookup: values.NameLookup

    def specs(self, project: str, type_id: str) -> Mapping[Part, values.FieldSpec]:
        """Return the fields of an issue type, by their lines and sections."""
        known = self.projects.get(project)
        return known.specs_by_type_id.get(type_id, {}) if known is not None else {}


#: A change of a field, with the key of its issue's project.
_ProjectChangeAndSpec: TypeAlias = tuple[str, Change, values.FieldSpec]


async def answer_or_if_refused(
    default: DefaultT, request: Awaitable[AnswerT]
) -> AnswerT | DefaultT:
    """Return the answer to a request; a default if the site refuses it for another cause than the login.

    Raises:
        AuthenticationFailed: The site no longer takes the login, so all other requests would fail.
        JiraError: The request failed, and was not refused.
    """
    try:
        return await request
    except AuthenticationFailed:
        raise
    except Rejected:
        return default


async def fetch_metadata(session: Session, issues: Iterable[IssueChanges]) -> FieldMetadata:
    """Fetch the metadata that some changes need.

    Raises:
        NotFound: A project does not exist, or the account may not see it.
        JiraError: A request failed.
    """
    issues = tuple(issues)
    changes = [change for issue in issues for change in issue.changes]
    by_project: dict[str, list[IssueChanges]] = {}
    for issue in issues:
        parts = {change.part for change in issue.changes} - _FIELD_LINES_NEEDING_NO_METADATA
        has_fields = any(isinstance(part, str | RichTextPart) for part in parts)
        if issue.existing_type_id is None or has_fields:
            by_project.setdefault(issue.project, []).append(issue)
    projects: dict[str, ProjectIssueTypes] = {}
    if by_project:
        fetched = await map_in_tasks(partial(_fetch_project, session), by_project.values())
        projects = dict(zip(by_project, fetched, strict=True))
    edited = [
        (issue.project, change, spec)
        for issue in chain.from_iterable(by_project.values())
        for change in issue.changes
        for specs in projects[issue.project].specs_by_type_id.values()
        if (spec := specs.get(change.part)) is not None
    ]
    teams: dict[str, str] = {}
    sprints: dict[str, int] = {}
    # Jira's platform API lists neither, so both are those of pulled issues.
    for spec in {spec.id: spec for _, change, spec in edited if change.new}.values():
        if spec.type == "team":
            teams |= await session.in_thread(session.state.team_ids, spec.id)
        elif spec.line_name == "Sprint":
            sprints |= await session.in_thread(session.state.sprint_ids, spec.id)
    people = await _find_people(session, edited) if edited else {}
    texts = [change.new_with_newlines for change in changes if is_markdown(change.part)]
    mentioned = await _find_mentioned_users(session, texts) if texts else {}
    fields = {PARENT_LINE_NAME, *(name for name, _ in session.file_fields.line_names_and_ids)}
    links: dict[Part, values.LinkDirection] = {}
    may_be_links = any(
        isinstance(change.part, str) and change.part not in fields for change in changes
    )
    if session.file_fields.has_links and may_be_links:
        links = await _fetch_link_directions(session, fields)
    zone, own = session.user.time_zone, session.user.account_id
    lookup = values.NameLookup(people, sprints, teams, zone, mentioned, links, own_account_id=own)
    return FieldMetadata(projects, lookup)


async def _find_mentioned_users(
    session: Session, texts: Iterable[str]
) -> dict[str, tuple[User, ...]]:
    """Search for the people that texts mention; find none if the account may not search."""
    names = {person.name_or_email: None for text in texts for person in adf.named_people(text)}
    if not names:
        return {}
    people = await answer_or_if_refused(None, map_in_tasks(session.jira.top_matching_users, names))
    return dict.fromkeys(names, ()) if people is None else dict(zip(names, people, strict=True))


async def _fetch_link_directions(
    session: Session, taken_names: Collection[str]
) -> dict[Part, values.LinkDirection]:
    """Fetch what lines of links stand for, by their names.

    Args:
        session: The site.
        taken_names: The names of all other lines.

    Raises:
        JiraError: The request failed.
    """
    try:
        types = await session.jira.link_types()
    except NotFound:  # links are switched off on the site
        return {}
    directions: dict[Part, values.LinkDirection] = {}
    for link_type in types:
        outward, inward = link_line_name(link_type.outward), link_line_name(link_type.inward)
        directions.setdefault(outward, values.LinkDirection(link_type.id, is_outward=True))
        directions.setdefault(inward, values.LinkDirection(link_type.id, is_outward=False))
    return {name: direction for name, direction in directions.items() if name not in taken_names}


async def _fetch_project(session: Session, issues: Sequence[IssueChanges]) -> ProjectIssueTypes:
    """Fetch the metadata of one project."""
    job, project = session.job, issues[0].project
    types = await session.jira.creatable_issue_types(project)
    metadata = ProjectIssueTypes(types, {}, job.default_draft_type, job.default_subtask_type)
    wanted = {issue.existing_type_id for issue in issues if issue.existing_type_id is not None}
    for issue in issues:
        if issue.existing_type_id is None:
            named = (change.new for change in issue.changes if change.part == "Type")
            with suppress(values.BadValue):  # the conversion of the draft reports it
                wanted.add(metadata.type_of(next(named, None), subtask=issue.is_subtask_draft).id)
    possible = {issue_type.id for issue_type in types}

    async def fetch_specs(type_id: str) -> tuple[str, dict[Part, values.FieldSpec]]:
        # No issue of another type can be created, so that type has only the site's fields.
        form = await session.jira.fields_for_create(project, type_id) if type_id in possible else ()
        return type_id, _field_specs(session, {field.id: field for field in form}, types)

    specs = await map_in_tasks(fetch_specs, sorted(wanted))
    needs_statuses = any(issue.needs_statuses for issue in issues)
    statuses = (
        await answer_or_if_refused({}, session.jira.status_names_by_type_id(project))
        if needs_statuses
        else {}
    )
    return replace(metadata, specs_by_type_id=dict(specs), statuses_by_type_id=statuses)


def _field_specs(
    session: Session, screen: Mapping[str, ScreenField], types: Iterable[IssueType]
) -> dict[Part, values.FieldSpec]:
    """Return the fields of an issue type, by their lines and sections.

    Args:
        session: The site's fields, and those that files keep.
        screen: The fields of the type's create screen, by ID; empty if it has none.
        types: The issue types of the project.
    """
    specs = _specs_of_line_fields(session, screen, types)
    for name, field_id in session.file_fields.section_names_and_ids:
        need = _needs_line_in_draft(screen.get(field_id))
        specs[RichTextPart(name)] = values.FieldSpec(field_id, name, "string", needed_in_draft=need)
    kept = {spec.id for spec in specs.values()}
    for other in session.site_fields:
        part: Part = RichTextPart(other.name) if has_rich_text_section(other) else other.name
        if isinstance(part, RichTextPart):
            why = f'this workspace does not keep it; add "{other.name}" to fields in ticketr.toml'
        else:
            why = why_file_cannot_hold(other) or ""
        if why and part not in specs and other.id not in kept:
            need = _needs_line_in_draft(screen.get(other.id))
            specs[part] = values.FieldSpec(
                other.id, other.name, other.schema_type, needed_in_draft=need, why_unsupported=why
            )
    known = {spec.id for spec in specs.values()}
    for form_field in screen.values():
        if _needs_line_in_draft(form_field) and form_field.id not in known:
            specs[form_field.name] = values.FieldSpec(
                form_field.id,
                form_field.name,
                form_field.schema_type,
                form_field.item_type,
                form_field.allowed_values,
                needed_in_draft=True,
            )
    return specs


def _specs_of_line_fields(
    session: Session, screen: Mapping[str, ScreenField], types: Iterable[IssueType]
) -> dict[Part, values.FieldSpec]:
    """Return the fields that lines hold; see `_field_specs`."""
    site = {field.id: field for field in session.site_fields}
    specs: dict[Part, values.FieldSpec] = {}
    for name, field_id in session.file_fields.line_names_and_ids:
        if name in _FIELD_LINES_NEEDING_NO_METADATA:
            continue
        created = screen.get(field_id)
        screen_id = TIME_TRACKING_FIELD if field_id in ESTIMATE_KEY_BY_ID else field_id
        known = created or site.get(field_id)  # a field that cannot be set at creation
        allowed = created.allowed_values if created else ()
        if field_id == "issuetype":
            allowed = tuple(
                AllowedValue(issue_type.id, issue_type.name)
                for issue_type in types
                if not issue_type.subtask
            )
        specs[name] = values.FieldSpec(
            id=field_id,
            line_name=name,
            type=known.schema_type if known else "",
            item_type=known.item_type if known else "",
            allowed_if_known=allowed,
            needed_in_draft=_needs_line_in_draft(created),
            is_on_create_screen=not screen or field_id == "issuetype" or screen_id in screen,
            custom_type=known.custom_type if known else "",
        )
    return specs


def _needs_line_in_draft(field: ScreenField | None) -> bool:
    """Tell whether a new issue needs a line for this field."""
    if field is None or field.id in _FIELDS_NEVER_NEEDING_LINE:
        return False
    return field.required and not field.has_default


async def _find_people(
    session: Session, edited: Iterable[_ProjectChangeAndSpec]
) -> dict[str, tuple[User, ...]]:
    """Search for the people that the lines of fields name."""
    names: dict[str, str] = {}
    for project, change, spec in edited:
        if spec.type == "user" and change.new:
            names.setdefault(change.new, project)
        elif spec.item_type == "user":
            with suppress(values.BadValue):  # the conversion of the value reports it
                names.update(dict.fromkeys(values.read_list(change.new), project))

    async def find(name: str) -> tuple[User, ...]:
        """Search for a name, its first word or first letter; an error offers the latter."""
        if values.is_me(name):
            await trio.lowlevel.checkpoint()
            return (session.user,)
        people: tuple[User, ...] = ()
        for query in dict.fromkeys((name, name.partition(" ")[0], name[:1])):
            people = people or await session.jira.top_assignable_users(names[name], query)
        return people

    return dict(zip(names, await map_in_tasks(find, names), strict=True))
