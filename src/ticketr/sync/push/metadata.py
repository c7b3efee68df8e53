"""Asks a site what a push needs to know: types, fields, allowed values, people, sprints."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ticketr.jira import Allowed, AuthenticationFailed, Rejected
from ticketr.sync.compare.diff import CorePart
from ticketr.sync.compare.unsupported import unsupported
from ticketr.sync.push.requests import ProjectMetadata
from ticketr.sync.push.values import BadValue, FieldSpec, NameLookup, read_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ticketr.jira import CreateField, IssueType, User
    from ticketr.sync.compare.diff import Change
    from ticketr.sync.session import Session

#: Required fields that every new issue gets without a line of its own.
_GIVEN = frozenset({"project", "issuetype", "summary", "description", "parent", "reporter"})
#: Lines that need no form to be understood.
_PLAIN = frozenset({"Status", "Parent"})


@dataclass(frozen=True)
class MetadataQuery:
    """What is to be said to Jira, as far as forms go.

    Attributes:
        project: The project's key.
        type_id: The ID of the issue's type; None for a draft, whose type has a name at best.
        changes: What is to be said.
        subtask: Whether a draft is a task of a ticket.
    """

    project: str
    type_id: str | None
    changes: tuple[Change, ...]
    subtask: bool = False

    @property
    def needs_form(self) -> bool:
        """Whether the project's form has to be known."""
        return self.type_id is None or any(
            not isinstance(each.part, CorePart) and each.part not in _PLAIN for each in self.changes
        )

    @property
    def needs_statuses(self) -> bool:
        """Whether a status is named that no transition can be asked for yet."""
        named = {each.part for each in self.changes if each.new}
        return "Status" in named and (self.type_id is None or "Type" in named)


@dataclass
class Metadata:
    """What was learnt.

    Attributes:
        forms: What each project takes, by its key.
        directory: What names stand for.
    """

    forms: dict[str, ProjectMetadata] = field(default_factory=dict)
    directory: NameLookup = field(default_factory=NameLookup)

    def kinds(self, question: MetadataQuery) -> Mapping[str, FieldSpec]:
        """Give what is known of each field of an issue, by the name of its line."""
        form = self.forms.get(question.project)
        return form.kinds.get(question.type_id or "", {}) if form else {}


async def fetch_metadata(session: Session, questions: Iterable[MetadataQuery]) -> Metadata:
    """Learn what is needed to say some changes in Jira's terms.

    Args:
        session: The workspace and the site.
        questions: What is to be said.

    Raises:
        NotFound: There is no such project, or the account may not see it.
        JiraError: The site could not be asked.
    """
    asked = [each for each in questions if each.needs_form]
    knowledge = Metadata()
    for project in dict.fromkeys(each.project for each in asked):
        mine = [each for each in asked if each.project == project]
        knowledge.forms[project] = await _form(session, project, mine)
    knowledge.directory = NameLookup(
        await _people(session, asked, knowledge), await _sprints(session, asked), session.zone
    )
    return knowledge


async def _form(session: Session, project: str, questions: list[MetadataQuery]) -> ProjectMetadata:
    job = session.job
    types = await session.jira.issue_types(project)
    bare = ProjectMetadata(types, {}, job.story_type, job.subtask_type)
    wanted = {type_id for each in questions if (type_id := _type_of(bare, each)) is not None}
    possible = {each.id for each in types}
    kinds: dict[str, Mapping[str, FieldSpec]] = {}
    for type_id in sorted(wanted):
        # Of a type that nobody may create any more, the site's own list of fields has to do.
        form = await session.jira.create_fields(project, type_id) if type_id in possible else ()
        kinds[type_id] = _kinds(session, form, types)
    asked = any(each.needs_statuses for each in questions)
    return replace(bare, kinds=kinds, statuses=await _statuses(session, project) if asked else {})


async def _statuses(session: Session, project: str) -> Mapping[str, tuple[str, ...]]:
    """Ask for the statuses of a project; nothing is known where the site does not tell."""
    try:
        return await session.jira.statuses(project)
    except AuthenticationFailed:
        raise
    except Rejected:
        return {}


def _type_of(form: ProjectMetadata, question: MetadataQuery) -> str | None:
    """Tell the type of an issue; None for a draft whose type does not exist, which is told later."""
    if question.type_id is not None:
        return question.type_id
    named = (each.new for each in question.changes if each.part == "Type")
    try:
        return form.type_of(next(named, None), subtask=question.subtask).id
    except BadValue:
        return None


def _kinds(
    session: Session, form: Iterable[CreateField], types: Iterable[IssueType]
) -> dict[str, FieldSpec]:
    by_id = {each.id: each for each in form}
    site = {each.id: each for each in session.site_fields}
    kinds: dict[str, FieldSpec] = {}
    for name, field_id in session.columns.names:
        if name in _PLAIN:
            continue
        created = by_id.get(field_id)
        known = created or site.get(field_id)  # what is on no form can be known by its name alone
        allowed = created.allowed if created else ()
        if field_id == "issuetype":
            allowed = tuple(Allowed(each.id, each.name) for each in types if not each.subtask)
        kinds[name] = FieldSpec(
            id=field_id,
            name=name,
            type=known.schema_type if known else "",
            items=known.items if known else "",
            allowed=allowed,
            required=_is_missed(created),
        )
    for other in site.values():
        if other.name not in kinds and (why := unsupported(other)):
            required = _is_missed(by_id.get(other.id))
            kinds[other.name] = FieldSpec(
                other.id, other.name, other.schema_type, required=required, unsupported=why
            )
    for each in by_id.values():
        if _is_missed(each) and each.id not in {kind.id for kind in kinds.values()}:
            kinds[each.name] = FieldSpec(
                each.id, each.name, each.schema_type, each.items, each.allowed, required=True
            )
    return kinds


def _is_missed(field: CreateField | None) -> bool:
    """Tell whether an issue cannot be made without a line for this field."""
    if field is None or field.id in _GIVEN:
        return False
    return field.required and not field.has_default


async def _people(
    session: Session, questions: Iterable[MetadataQuery], knowledge: Metadata
) -> dict[str, tuple[User, ...]]:
    lines = {
        project: [each for kinds in form.kinds.values() for each in kinds.items()]
        for project, form in knowledge.forms.items()
    }
    single = {(at, name) for at in lines for name, kind in lines[at] if kind.type == "user"}
    several = {(at, name) for at in lines for name, kind in lines[at] if kind.items == "user"}
    names: dict[str, str] = {}
    for question in questions:
        for change in question.changes:
            line = (question.project, change.part)
            if line in single and change.new:
                names.setdefault(change.new, question.project)
            elif line in several:
                names.update(dict.fromkeys(_entries(change.new), question.project))
    return {
        name: await session.jira.assignable_users(project, name) for name, project in names.items()
    }


def _entries(text: str) -> list[str]:
    try:
        return read_list(text)
    except BadValue:  # which is told where the value is made
        return []


async def _sprints(session: Session, questions: Iterable[MetadataQuery]) -> dict[str, int]:
    """Find the IDs of sprints by their names: Jira's own interface has no list of them."""
    wanted = any(
        change.part == "Sprint" and change.new
        for question in questions
        for change in question.changes
    )
    field_id = dict(session.columns.names).get("Sprint")
    if not wanted or field_id is None:
        return {}
    return await session.in_thread(session.state.sprints, field_id)
