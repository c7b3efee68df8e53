"""Fetches the metadata that a push needs: types, fields, allowed values, people, sprints."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import trio

from ticketr.app.jira import AllowedValue, AuthenticationFailed, NotFound, Rejected, adf
from ticketr.app.sync.compare.diff import Change, TextPart, is_text
from ticketr.app.sync.compare.mapping import PARENT, holds_rich_text, line_name, unsupported
from ticketr.app.sync.compare.times import ESTIMATES, TIME_TRACKING
from ticketr.app.sync.concurrency import map_in_tasks
from ticketr.app.sync.errors import nearest
from ticketr.app.sync.push import values

if TYPE_CHECKING:
    from ticketr.app.jira import IssueType, ScreenField, User
    from ticketr.app.sync.session import Session


D = TypeVar("D")
T = TypeVar("T")

#: The fields of an issue type, by the names of their lines or sections.
_Specs: TypeAlias = "Mapping[str, values.FieldSpec]"


@dataclass(frozen=True, slots=True)
class ProjectMetadata:
    """The issue types of a project, with their fields and statuses.

    Attributes:
        types: The project's issue types.
        field_specs: The fields of each issue type, by type ID and by the name of the line.
        story_type: The type of a draft that names none.
        subtask_type: The type of a sub-task draft that names none.
        statuses: The names of the statuses of each issue type, by ID, if they were fetched.
        text_specs: The same as `field_specs` for rich-text fields, by the names of their sections.
    """

    types: tuple[IssueType, ...]
    field_specs: Mapping[str, Mapping[str, values.FieldSpec]]
    story_type: str = "Task"
    subtask_type: str = "Sub-task"
    statuses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    text_specs: Mapping[str, Mapping[str, values.FieldSpec]] = field(default_factory=dict)

    def wrong_status(self, type_id: str, status: str | None) -> tuple[str, ...]:
        """Return what is wrong with the status of an issue; nothing if its type is not known."""
        names = self.statuses.get(type_id, ())
        if not status or not names or status.casefold() in {name.casefold() for name in names}:
            return ()
        kind = next(
            (issue_type.name for issue_type in self.types if issue_type.id == type_id), "ticket"
        )
        return (
            f"Status: {values.in_quotes(status)} is not a status of a {kind}; {nearest(status, names)}",
        )

    def type_of(self, name: str | None, *, subtask: bool) -> IssueType:
        """Return the type of a new issue, from the text of its ``Type`` line if there is one.

        Raises:
            BadValue: The project has no such type.
        """
        fitting = [issue_type for issue_type in self.types if issue_type.subtask is subtask]
        wanted = name or (self.subtask_type if subtask else self.story_type)
        allowed = values.find_name(
            wanted, (AllowedValue(issue_type.id, issue_type.name) for issue_type in fitting)
        )
        if allowed is None and subtask and not name and fitting:
            return fitting[0]  # sites name their sub-task types freely
        if allowed is None:
            names = [issue_type.name for issue_type in fitting]
            what = "a sub-task type" if subtask else "an issue type"
            raise values.BadValue(
                f"{values.in_quotes(wanted)} is not {what} of this project: {nearest(wanted, names)}"
            )
        return next(issue_type for issue_type in fitting if issue_type.id == allowed.id)


#: Required fields of a new issue that have no line of their own in a file.
_LINELESS_FIELDS = frozenset(
    {"project", "issuetype", "summary", "description", "parent", "reporter"}
)
#: Lines that are converted without the metadata of the project.
_SIMPLE_LINES = frozenset({"Status", "Parent"})


def has_fields(changes: Iterable[Change]) -> bool:
    """Return whether some changes are of fields that a screen may have or lack."""
    parts = (change.part for change in changes)
    return any(isinstance(part, str | TextPart) and part not in _SIMPLE_LINES for part in parts)


@dataclass(frozen=True)
class MetadataQuery:
    """The changes of one issue for which metadata is needed.

    Attributes:
        project: The project's key.
        type_id: The ID of the issue's type; None for a draft, which may name its type.
        changes: The changes to send.
        subtask: Whether a draft is a sub-task.
    """

    project: str
    type_id: str | None
    changes: tuple[Change, ...]
    subtask: bool = False

    @property
    def needs_create_fields(self) -> bool:
        """Whether the fields of the project are needed."""
        return self.type_id is None or has_fields(self.changes)

    @property
    def needs_statuses(self) -> bool:
        """Whether the statuses of the project are needed: for a new type, no transitions exist yet."""
        named = {change.part for change in self.changes if change.new}
        return "Status" in named and (self.type_id is None or "Type" in named)


@dataclass(frozen=True)
class Metadata:
    """The metadata for one push.

    Attributes:
        projects: The types and fields of each project, by key.
        lookup: Finds people and sprints by name.
    """

    projects: Mapping[str, ProjectMetadata]
    lookup: values.NameLookup

    def specs(
        self, project: str, type_id: str
    ) -> tuple[Mapping[str, values.FieldSpec], Mapping[str, values.FieldSpec]]:
        """Return the fields of an issue type by the names of their lines, and its rich texts."""
        known = self.projects.get(project)
        if known is None:
            return {}, {}
        return known.field_specs.get(type_id, {}), known.text_specs.get(type_id, {})


async def answer_or(default: D, request: Awaitable[T]) -> T | D:
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


async def fetch_metadata(session: Session, queries: Iterable[MetadataQuery]) -> Metadata:
    """Fetch the metadata that some changes need.

    Raises:
        NotFound: A project does not exist, or the account may not see it.
        JiraError: A request failed.
    """
    queries = tuple(queries)
    field_queries = [query for query in queries if query.needs_create_fields]
    by_project: dict[str, list[MetadataQuery]] = {}
    for query in field_queries:
        by_project.setdefault(query.project, []).append(query)
    fetched = await map_in_tasks(partial(_fetch_project, session), by_project.values())
    projects = dict(zip(by_project, fetched, strict=True))
    people = await _find_people(session, field_queries, projects)
    lookup = values.NameLookup(
        people,
        await _sprints(session, field_queries),
        await _teams(session, field_queries, projects),
        session.user.time_zone,
        await _find_mentioned(session, queries),
        account=session.user.account_id,
    )
    return Metadata(projects, lookup)


async def _find_mentioned(
    session: Session, queries: Iterable[MetadataQuery]
) -> dict[str, tuple[User, ...]]:
    """Search for the people that texts mention; find none if the account may not search."""
    names = {
        person.name: None
        for query in queries
        for change in query.changes
        if is_text(change.part)
        for person in adf.named_people(change.new_shown)
    }
    try:
        people = await map_in_tasks(session.jira.find_users, names)
    except AuthenticationFailed:
        raise
    except Rejected:
        return dict.fromkeys(names, ())
    return dict(zip(names, people, strict=True))


async def fetch_link_directions(
    session: Session, queries: Iterable[MetadataQuery]
) -> dict[str, values.LinkDirection]:
    """Fetch what lines of links stand for, by their names, if any change may be such a line.

    Raises:
        JiraError: The request failed.
    """
    fields = {PARENT, *(name for name, _ in session.columns.names)}
    parts = (change.part for query in queries for change in query.changes)
    may_be_links = any(isinstance(part, str) and part not in fields for part in parts)
    if not (session.columns.links and may_be_links):
        return {}
    try:
        types = await session.jira.link_types()
    except NotFound:  # links are switched off on the site
        return {}
    directions: dict[str, values.LinkDirection] = {}
    for link_type in types:
        outward, inward = line_name(link_type.outward), line_name(link_type.inward)
        directions.setdefault(outward, values.LinkDirection(link_type.id, is_outward=True))
        directions.setdefault(inward, values.LinkDirection(link_type.id, is_outward=False))
    return {name: direction for name, direction in directions.items() if name not in fields}


async def _fetch_project(session: Session, queries: Sequence[MetadataQuery]) -> ProjectMetadata:
    """Fetch the metadata of one project."""
    job, project = session.job, queries[0].project
    types = await session.jira.issue_types(project)
    bare = ProjectMetadata(types, {}, job.story_type, job.subtask_type)
    wanted = {type_id for query in queries if (type_id := _type_of(bare, query)) is not None}
    possible = {issue_type.id for issue_type in types}

    async def fetch_specs(type_id: str) -> tuple[str, _Specs, _Specs]:
        # No issue of another type can be created, so that type has only the site's fields.
        form = await session.jira.create_fields(project, type_id) if type_id in possible else ()
        return type_id, _field_specs(session, form, types), _text_specs(session, form)

    specs = await map_in_tasks(fetch_specs, sorted(wanted))
    needs_statuses = any(query.needs_statuses for query in queries)
    return replace(
        bare,
        field_specs={type_id: fields for type_id, fields, _ in specs},
        statuses=await answer_or({}, session.jira.statuses(project)) if needs_statuses else {},
        text_specs={type_id: texts for type_id, _, texts in specs},
    )


def _type_of(form: ProjectMetadata, query: MetadataQuery) -> str | None:
    """Return the ID of an issue's type; None for a draft whose type does not exist."""
    if query.type_id is not None:
        return query.type_id
    named = (change.new for change in query.changes if change.part == "Type")
    try:
        return form.type_of(next(named, None), subtask=query.subtask).id
    except values.BadValue:
        return None


def _field_specs(
    session: Session, form: Iterable[ScreenField], types: Iterable[IssueType]
) -> dict[str, values.FieldSpec]:
    by_id = {field.id: field for field in form}
    site = {field.id: field for field in session.site_fields}
    rich = {field.id for field in session.site_fields if holds_rich_text(field)}
    field_specs: dict[str, values.FieldSpec] = {}
    for name, field_id in session.columns.names:
        if name in _SIMPLE_LINES:
            continue
        created = by_id.get(field_id)
        screen_id = TIME_TRACKING if field_id in ESTIMATES else field_id
        known = created or site.get(field_id)  # a field that cannot be set at creation
        allowed = created.allowed if created else ()
        if field_id == "issuetype":
            allowed = tuple(
                AllowedValue(issue_type.id, issue_type.name)
                for issue_type in types
                if not issue_type.subtask
            )
        field_specs[name] = values.FieldSpec(
            id=field_id,
            name=name,
            type=known.schema_type if known else "",
            items=known.items if known else "",
            allowed=allowed,
            required=_is_missed(created),
            on_create=not by_id or field_id == "issuetype" or screen_id in by_id,
            custom_type=known.custom_type if known else "",
        )
    for other in site.values():
        if other.name not in field_specs and (why := unsupported(other)):
            required = _is_missed(by_id.get(other.id))
            field_specs[other.name] = values.FieldSpec(
                other.id, other.name, other.schema_type, required=required, unsupported=why
            )
    known_ids = {*rich, *(kind.id for kind in field_specs.values())}
    for screen_field in by_id.values():
        if _is_missed(screen_field) and screen_field.id not in known_ids:
            field_specs[screen_field.name] = values.FieldSpec(
                screen_field.id,
                screen_field.name,
                screen_field.schema_type,
                screen_field.items,
                screen_field.allowed,
                required=True,
            )
    return field_specs


def _text_specs(session: Session, form: Iterable[ScreenField]) -> dict[str, values.FieldSpec]:
    by_id = {field.id: field for field in form}
    specs = {
        name: values.FieldSpec(field_id, name, "string", required=_is_missed(by_id.get(field_id)))
        for name, field_id in session.columns.texts
    }
    kept = {spec.id for spec in specs.values()}
    for site_field in session.site_fields:
        if (
            holds_rich_text(site_field)
            and site_field.id not in kept
            and site_field.name not in specs
        ):
            required = _is_missed(by_id.get(site_field.id))
            reason = f'this workspace does not keep it; add "{site_field.name}" to fields in ticketr.toml'
            specs[site_field.name] = values.FieldSpec(
                site_field.id, site_field.name, "string", required=required, unsupported=reason
            )
    return specs


def _is_missed(field: ScreenField | None) -> bool:
    """Tell whether a new issue needs a line for this field."""
    if field is None or field.id in _LINELESS_FIELDS:
        return False
    return field.required and not field.has_default


async def _find_people(
    session: Session, queries: Iterable[MetadataQuery], projects: Mapping[str, ProjectMetadata]
) -> dict[str, tuple[User, ...]]:
    """Search for the people that the lines of fields name."""
    lines = {
        project: [
            item for field_specs in metadata.field_specs.values() for item in field_specs.items()
        ]
        for project, metadata in projects.items()
    }
    single = {(at, name) for at in lines for name, kind in lines[at] if kind.type == "user"}
    several = {(at, name) for at in lines for name, kind in lines[at] if kind.items == "user"}
    names: dict[str, str] = {}
    for query in queries:
        for change in query.changes:
            line = (query.project, change.part)
            if line in single and change.new:
                names.setdefault(change.new, query.project)
            elif line in several:
                names.update(dict.fromkeys(_entries_or_none(change.new), query.project))

    async def find(name: str) -> tuple[User, ...]:
        if values.is_me(name):
            await trio.lowlevel.checkpoint()
            return (session.user,)
        return await _people_called(session, name, names[name])

    return dict(zip(names, await map_in_tasks(find, names), strict=True))


async def _people_called(session: Session, name: str, project: str) -> tuple[User, ...]:
    """Search for the people with a name, its first word or first letter; an error offers the latter."""
    people: tuple[User, ...] = ()
    for query in dict.fromkeys((name, name.partition(" ")[0], name[:1])):
        people = people or await session.jira.assignable_users(project, query)
    return people


def _entries_or_none(text: str) -> list[str]:
    try:
        return values.read_list(text)
    except values.BadValue:  # the conversion of the value reports it
        return []


async def _sprints(session: Session, queries: Iterable[MetadataQuery]) -> dict[str, int]:
    """Return the IDs of sprints by name, from pulled issues; Jira's platform API cannot list them."""
    wanted = any(
        change.part == "Sprint" and change.new for query in queries for change in query.changes
    )
    field_id = dict(session.columns.names).get("Sprint")
    if not wanted or field_id is None:
        return {}
    return await session.in_thread(session.state.sprints, field_id)


async def _teams(
    session: Session, queries: Iterable[MetadataQuery], projects: Mapping[str, ProjectMetadata]
) -> dict[str, str]:
    """Return the IDs of teams by name, from pulled issues."""
    changed = {change.name for query in queries for change in query.changes if change.new}
    texts: dict[str, str] = {}
    for project in projects.values():
        for specs in project.field_specs.values():
            for name, spec in specs.items():
                if spec.type == "team" and name in changed:
                    texts |= await session.in_thread(session.state.teams, spec.id)
    return texts
