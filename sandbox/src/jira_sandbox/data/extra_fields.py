"""The fields whose values an issue holds in `Issue.values`, as plain values that JSON can hold.

A kind says how a value is stored: text and documents as they are, a choice by the option's
ID, a user by the account ID, a group and a team by the ID, a time in milliseconds, a date as
text, several of them as a list, and a cascading choice as a list of one or two IDs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from jira_sandbox.data.kit import KIT, TEAM
from jira_sandbox.data.model import Option

#: The kind of the field that names the parent of an issue if that is an epic; it has no value
#: in `Issue.values`.
EPIC_LINK: Final = "epiclink"
BOTH_SCREENS: Final = frozenset(("create", "edit"))


@dataclass(frozen=True, slots=True)
class ExtraField:
    """A field.

    Attributes:
        id: The ID, such as ``customfield_10101``.
        name: The display name; not unique.
        kind: The kind of value.
        projects: The IDs of the projects whose issues have the field.
        options: The choices.
        screens: The screens with the field: ``create``, ``edit``, both or none.
        required_for: The names of the issue types that need a value at their creation.
        own_to: The ID of the team-managed project that the field belongs to.
    """

    id: str
    name: str
    kind: str
    projects: frozenset[int]
    options: tuple[Option, ...] = ()
    screens: frozenset[str] = BOTH_SCREENS
    required_for: frozenset[str] = frozenset()
    own_to: int | None = None

    @property
    def is_system(self) -> bool:
        """Whether Jira itself brings the field along."""
        return not self.id.startswith("customfield_")


def _options(first: int, *values: str) -> tuple[Option, ...]:
    return tuple(Option(first + number, value) for number, value in enumerate(values))


_REGIONS: Final = (
    Option(10160, "Europe", _options(10161, "Spain", "Ireland", "Norway")),
    Option(10170, "Asia", _options(10171, "India", "Japan")),
    Option(10180, "Antarctica"),
)
_KIT: Final = frozenset((KIT.id,))
_BOTH_PROJECTS: Final = frozenset((KIT.id, TEAM.id))


def _kit_field(
    number: int,
    name: str,
    kind: str,
    options: tuple[Option, ...] = (),
    screens: Iterable[str] = BOTH_SCREENS,
    required_for: Iterable[str] = (),
) -> ExtraField:
    return ExtraField(
        f"customfield_{number}",
        name,
        kind,
        _KIT,
        options,
        frozenset(screens),
        frozenset(required_for),
    )


def _team_field(number: int, name: str, kind: str, options: tuple[Option, ...] = ()) -> ExtraField:
    return ExtraField(
        f"customfield_{number}", name, kind, frozenset((TEAM.id,)), options, own_to=TEAM.id
    )


EXTRA_FIELDS: Final = (
    ExtraField("environment", "Environment", "textarea", _KIT),
    ExtraField("versions", "Affects versions", "multiversion", _BOTH_PROJECTS),
    ExtraField("security", "Security Level", "securitylevel", _KIT),
    ExtraField("customfield_10001", "Team", "team", _BOTH_PROJECTS),
    ExtraField("customfield_10014", "Epic Link", EPIC_LINK, _KIT),
    ExtraField("customfield_10015", "Start date", "datepicker", _BOTH_PROJECTS),
    ExtraField(
        "customfield_10021",
        "Flagged",
        "multicheckboxes",
        _BOTH_PROJECTS,
        _options(10019, "Impediment"),
    ),
    ExtraField("customfield_10028", "Story point estimate", "storypoints", frozenset((TEAM.id,))),
    _kit_field(10101, "Rollout Plan", "textarea"),
    _kit_field(10102, "Contract", "textfield", screens=["create"]),
    _kit_field(10103, "Budget", "float"),
    _kit_field(
        10104,
        "Channel",
        "select",
        _options(10120, "Shop", "Web", "Post: abroad"),
        required_for=["Bug"],
    ),
    _kit_field(10105, "Checks", "multicheckboxes", _options(10130, "Fire", "Water", "Power, gas")),
    _kit_field(10106, "Risk", "radiobuttons", _options(10140, "None known", "Some", "Grave")),
    _kit_field(
        10107, "Markets", "multiselect", _options(10150, "Home", "Export", "Home > Islands")
    ),
    _kit_field(10108, "Region", "cascadingselect", _REGIONS),
    _kit_field(10109, "Owner", "userpicker"),
    _kit_field(10110, "Approvers", "multiuserpicker"),
    _kit_field(10111, "Keeper", "grouppicker"),
    _kit_field(10112, "Informed", "multigrouppicker"),
    _kit_field(10113, "Opening Day", "datepicker"),
    _kit_field(10114, "Opening Time", "datetime"),
    _kit_field(10115, "Topics", "labels"),
    _kit_field(10116, "Found In", "version"),
    _kit_field(10117, "Ships In", "multiversion"),
    _kit_field(10118, "Home Project", "project"),
    _kit_field(10119, "Website", "url"),
    _kit_field(10120, "Lessons", "textarea", screens=["edit"]),
    _kit_field(10121, "Audit Code", "textfield", screens=[]),
    _kit_field(10122, "Issue color", "issuecolor"),
    _team_field(10201, "Summary for guests", "textfield"),
    _team_field(10202, "Programme", "textarea"),
    _team_field(10203, "Budget", "float"),
    _team_field(10204, "Room", "select", _options(10220, "Attic", "Cellar", "Garden")),
    _team_field(10205, "Needs", "multicheckboxes", _options(10230, "Chairs", "Wine", "Projector")),
    _team_field(10206, "Evening", "datepicker"),
    _team_field(10207, "Doors open", "datetime"),
    _team_field(10208, "Themes", "labels"),
    _team_field(10209, "Hosts", "people"),
    _team_field(10210, "Booking page", "url"),
)
BY_ID: Final = {field.id: field for field in EXTRA_FIELDS}
