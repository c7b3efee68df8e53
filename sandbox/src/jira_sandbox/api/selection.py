"""The fields of a site, and the selection of fields by a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jira_sandbox.api.fields import EXTRA_DEFINITIONS, ISSUE_FIELDS, LISTED_ONLY
from jira_sandbox.data.extra_fields import BY_ID as EXTRA

if TYPE_CHECKING:
    from jira_sandbox.api.fields import FieldDefinition
    from jira_sandbox.data.model import Project


@dataclass(frozen=True, slots=True)
class Selection:
    """The fields that a request selects.

    Attributes:
        definitions: The fields in the order of responses.
        id_only: Whether the request selects nothing but the issue's ID.
        whole: Whether all comments are wanted, not only the first ones.
    """

    definitions: tuple[FieldDefinition, ...]
    id_only: bool = False
    whole: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The IDs of the fields."""
        return tuple(field.id for field in self.definitions)

    def names(self) -> dict[str, str]:
        """Return the display name of each field."""
        return {field.id: field.name for field in self.definitions}

    def schemas(self) -> dict[str, dict[str, Any]]:
        """Return the schema of each field."""
        return {field.id: field.schema or {"type": "any"} for field in self.definitions}


class FieldCatalogue:
    """The fields of a site.

    Args:
        projects: The site's projects; a field that belongs to none of them is left out.

    Attributes:
        definitions: The fields in the order of responses.
    """

    def __init__(self, projects: Iterable[Project]) -> None:
        known = {project.id for project in projects}
        self.definitions = (
            *ISSUE_FIELDS,
            *(field for field in EXTRA_DEFINITIONS if EXTRA[field.id].projects & known),
        )

    def as_json(self) -> list[dict[str, Any]]:
        """Return what lists all fields."""
        return [field.as_json() for field in (*LISTED_ONLY, *self.definitions)]

    def select(self, asked: Iterable[str], *, default: str, whole: bool = False) -> Selection:
        """Resolve the fields that a request selects; unknown names are ignored, as in Jira.

        Args:
            asked: IDs, ``*all`` or ``*navigable``; with a leading minus, fields to leave out.
                Each may be a comma-separated list.
            default: The selection if nothing, or only fields to leave out, is given.
            whole: See `Selection`.
        """
        words = [word for part in asked for word in part.replace(",", " ").split()]
        wanted = {word for word in words if not word.startswith("-")}
        unwanted = {word[1:] for word in words if word.startswith("-")}
        if not wanted:
            wanted = {"*navigable" if unwanted and default == "id" else default}
        chosen = tuple(
            field
            for field in self.definitions
            if field.id not in unwanted
            and (
                field.id in wanted
                or "*all" in wanted
                or ("*navigable" in wanted and field.navigable)
            )
        )
        return Selection(chosen, id_only=wanted == {"id"}, whole=whole)


def has_field(project: Project, field: str) -> bool:
    """Return whether the issues of a project have a field."""
    extra = EXTRA.get(field)
    if extra is not None:
        return extra.is_system or project.id in extra.projects
    return not (project.team_managed and field in COMPANY_FIELDS)


#: Custom fields that team-managed projects do not have.
COMPANY_FIELDS = frozenset(
    (
        "customfield_10016",
        "customfield_10031",
        "customfield_10032",
        "customfield_10033",
        "customfield_10034",
    )
)
