"""The screens: which fields can be set, how values are read, and which are allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ticketr.sandbox.api import values
from ticketr.sandbox.api.values import ValueReader, list_of, nullable, one_of
from ticketr.sandbox.data import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticketr.sandbox.data.model import IssueType

NOT_ON_SCREEN: Final = "Field '{}' cannot be set. It is not on the appropriate screen, or unknown."


@dataclass(frozen=True, slots=True)
class WritableField:
    """A field that can be set.

    Attributes:
        field: The field's ID.
        attribute: The attribute of `Issue` that holds the value.
        read: Reads a value.
        allowed: The allowed values, if they are a short list.
        is_list: Whether single entries can be added and removed.
        default: The value of a new issue if none is given, for fields with a default.
    """

    field: str
    attribute: str
    read: ValueReader
    allowed: tuple[Any, ...] = ()
    is_list: bool = False
    default: Any = None

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that ``update`` supports."""
        return ("add", "set", "remove") if self.is_list else ("set",)


_COMPONENTS: Final = one_of(catalogue.COMPONENTS, "Component {} is not valid")
_VERSIONS: Final = one_of(catalogue.VERSIONS, "Version {} is not valid")
_PRIORITY: Final = one_of(catalogue.PRIORITIES, "The priority selected is invalid.")
_PLATFORM: Final = one_of(catalogue.PLATFORMS, "Option {} is not valid", "value")
_RESOLUTION: Final = one_of(catalogue.RESOLUTIONS, "The resolution selected is invalid.")

_WRITABLE: Final = (
    WritableField("summary", "summary", values.read_summary),
    WritableField("parent", "parent", values.read_parent),
    WritableField(
        "priority", "priority", _PRIORITY, catalogue.PRIORITIES, default=catalogue.MEDIUM
    ),
    WritableField("labels", "labels", values.read_labels, is_list=True),
    WritableField(
        "components", "components", list_of(_COMPONENTS), catalogue.COMPONENTS, is_list=True
    ),
    WritableField(
        "fixVersions", "fix_versions", list_of(_VERSIONS), catalogue.VERSIONS, is_list=True
    ),
    WritableField("assignee", "assignee", values.read_user),
    WritableField("reporter", "reporter", values.read_reporter),
    WritableField("duedate", "due", values.read_date),
    WritableField("description", "description", values.read_document),
    WritableField("customfield_10016", "story_points", values.read_number),
    WritableField("customfield_10020", "sprints", values.read_sprint),
    WritableField("customfield_10031", "platform", nullable(_PLATFORM), catalogue.PLATFORMS),
    WritableField("customfield_10032", "release_note", values.read_line),
    WritableField("customfield_10033", "reviewer", values.read_user),
    WritableField("customfield_10034", "ready", values.read_datetime),
)
#: Story points and sprints, which only standard issues have.
_PLANNED: Final = frozenset(("customfield_10016", "customfield_10020"))

TRANSITION_SCREEN: Final[Mapping[str, WritableField]] = {
    "resolution": WritableField(
        "resolution",
        "resolution",
        _RESOLUTION,
        catalogue.RESOLUTIONS,
        default=catalogue.RESOLUTIONS[0],
    ),
    "assignee": WritableField("assignee", "assignee", values.read_user),
}


def screen(kind: IssueType) -> dict[str, WritableField]:
    """Return the fields with which issues of a type can be created and edited, by ID."""
    return {
        writable.field: writable
        for writable in _WRITABLE
        if not (writable.field in _PLANNED and kind.level != 0)
        and not (writable.field == "parent" and kind.level > 0)
    }
