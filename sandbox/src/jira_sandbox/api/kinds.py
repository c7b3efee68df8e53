"""The kinds of extra fields: their schemas, and how values are read and written as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api import values
from jira_sandbox.api.input_errors import InvalidValue
from jira_sandbox.api.records import timestamp
from jira_sandbox.api.values import ValueContext, entries, one_of
from jira_sandbox.data import kit
from jira_sandbox.data.extra_fields import EPIC_LINK

if TYPE_CHECKING:
    from jira_sandbox.api.part_records import PartRecords
    from jira_sandbox.api.records import JsonObject, Records
    from jira_sandbox.data.extra_fields import ExtraField
    from jira_sandbox.data.model import Option, User
    from jira_sandbox.data.site import Site

_COLORS: Final = frozenset(("purple", "blue", "green", "teal", "yellow", "orange", "grey"))
_PREFIX: Final = "com.atlassian.jira.plugin.system.customfieldtypes:"


@dataclass(frozen=True, slots=True)
class ValueWriter:
    """What the writing of values needs: the site, and the serializers of one interface."""

    site: Site
    records: Records
    parts: PartRecords


Reader = Callable[[ValueContext, "ExtraField", Any], Any]
Writer = Callable[[ValueWriter, "ExtraField", Any], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of field.

    Attributes:
        type: The type in the schema.
        read: Converts JSON to a plain value; None for an empty field.
        write: Converts a plain value, which is not None, to JSON.
        items: The type of an array's entries.
        custom: The name of Jira's implementation.
        is_list: Whether single entries can be added and removed.
    """

    type: str
    read: Reader
    write: Writer
    items: str | None = None
    custom: str = ""

    @property
    def is_list(self) -> bool:
        """Whether single entries can be added and removed."""
        return self.type == "array"


def _plain(read: Callable[[ValueContext, Any], Any]) -> Reader:
    """Return a reader that does not depend on the field."""
    return lambda context, _, value: read(context, value)


def _write_unchanged(_: ValueWriter, _field: ExtraField, value: Any) -> Any:
    return value


def _many(read: Reader) -> Reader:
    """Return a reader of a list, which drops duplicates; an empty list becomes None."""

    def read_all(context: ValueContext, field: ExtraField, value: Any) -> Any:
        found = (read(context, field, entry) for entry in entries(value))
        return list(dict.fromkeys(found)) or None

    return read_all


def _write_each(write: Writer) -> Writer:
    """Return a writer of a list, whose entries the given one writes."""
    return lambda writer, field, value: [write(writer, field, entry) for entry in value]


def _read_date(context: ValueContext, value: Any) -> str | None:
    date = values.read_date(context, value)
    return None if date is None else date.isoformat()


def _read_labels(context: ValueContext, value: Any) -> list[str] | None:
    return list(values.read_labels(context, value)) or None


def _read_url(context: ValueContext, value: Any) -> str | None:
    text = values.read_line(context, value)
    if text is not None and not re.match(r"[A-Za-z][\w+.-]*://\S", text):
        raise InvalidValue("The URL is not valid.")
    return text


def _read_color(context: ValueContext, value: Any) -> str | None:
    text = values.read_line(context, value)
    if text is not None and text.removeprefix("dark_") not in _COLORS:
        raise InvalidValue("The color is not valid.")
    return text


def _read_user(context: ValueContext, value: Any) -> str | None:
    user = values.read_user(context, value)
    return None if user is None else user.account_id


def _read_one_user(context: ValueContext, _: ExtraField, value: Any) -> str:
    account = _read_user(context, value)
    if account is None:
        raise InvalidValue("Specify a user by 'accountId'.")
    return account


def _write_user(writer: ValueWriter, _: ExtraField, account: str) -> JsonObject:
    return writer.records.user(_user(writer.site, account))


def _user(site: Site, account: str) -> User:
    return next(user for user in site.users if user.account_id == account)


def _read_option(context: ValueContext, field: ExtraField, value: Any) -> Any:
    return _choose(context, field.options, value).id


def _choose(context: ValueContext, options: tuple[Option, ...], value: Any) -> Option:
    option: Option = one_of(options, "Option {} is not valid", "value")(context, value)
    return option


def _write_option(writer: ValueWriter, field: ExtraField, number: int) -> JsonObject:
    option = next(option for option in field.options if option.id == number)
    return writer.records.option(option)


def _read_cascade(context: ValueContext, field: ExtraField, value: Any) -> list[int]:
    parent = _choose(context, field.options, value)
    below = value.get("child")
    if below is None:
        return [parent.id]
    return [parent.id, _choose(context, parent.children, below).id]


def _write_cascade(writer: ValueWriter, field: ExtraField, chosen: list[int]) -> JsonObject:
    parent = next(option for option in field.options if option.id == chosen[0])
    described = writer.records.option(parent)
    for child in parent.children:
        if child.id in chosen[1:]:
            described["child"] = writer.records.option(child)
    return described


def _read_group(_: ValueContext, _field: ExtraField, value: Any) -> str:
    given = value if isinstance(value, dict) else {}
    for group in kit.GROUPS:
        if given.get("groupId") == group.id or given.get("name") == group.name:
            return group.id
    name = given.get("groupId") or given.get("name")
    raise InvalidValue(f"Group '{str(name)[:100]}' does not exist.")


def _write_group(writer: ValueWriter, _: ExtraField, group_id: str) -> JsonObject:
    group = next(group for group in kit.GROUPS if group.id == group_id)
    return writer.records.group(group)


def _read_version(context: ValueContext, _: ExtraField, value: Any) -> Any:
    versions = context.site.registry.versions(context.project)
    return one_of(versions, "Version {} is not valid")(context, value).id


def _write_version(writer: ValueWriter, _: ExtraField, number: int) -> JsonObject | None:
    version = writer.site.registry.version(number)
    return None if version is None else writer.records.version(version)


def _write_versions(writer: ValueWriter, field: ExtraField, numbers: list[int]) -> list[Any]:
    written = (_write_version(writer, field, number) for number in numbers)
    return [version for version in written if version is not None]


def _read_project(context: ValueContext, _: ExtraField, value: Any) -> int:
    given = value if isinstance(value, dict) else {}
    name = given.get("id") or given.get("key")
    project = context.site.project(str(name)) if isinstance(name, (str, int)) else None
    if project is None:
        raise InvalidValue("Specify a valid project ID or key")
    return project.id


def _write_project(writer: ValueWriter, _: ExtraField, number: int) -> JsonObject | None:
    project = writer.site.project(str(number))
    return None if project is None else writer.records.project(project)


def _read_level(context: ValueContext, _: ExtraField, value: Any) -> Any:
    return one_of(kit.SECURITY_LEVELS, "Security level {} is not valid")(context, value).id


def _write_level(writer: ValueWriter, _: ExtraField, number: int) -> JsonObject:
    level = next(level for level in kit.SECURITY_LEVELS if level.id == number)
    return writer.records.security_level(level)


def _read_team(_: ValueContext, _field: ExtraField, value: Any) -> str:
    for team in kit.TEAMS:
        if value == team.id:
            return team.id
    raise InvalidValue("Specify a team by its ID, a string.")


def _write_team(writer: ValueWriter, _: ExtraField, team_id: str) -> JsonObject:
    team = next(team for team in kit.TEAMS if team.id == team_id)
    return writer.records.team(team)


def _read_epic(context: ValueContext, _: ExtraField, value: Any) -> int | None:
    if not isinstance(value, str):
        raise InvalidValue("Specify an epic by its key.")
    return values.read_parent(context, {"key": value})


def _write_epic(writer: ValueWriter, _: ExtraField, number: int) -> str | None:
    parent = writer.site.get(number)
    return None if parent is None or parent.type.level != 1 else parent.key


def _optional(read: Reader) -> Reader:
    """Return a reader that also accepts null."""
    return lambda context, field, value: None if value is None else read(context, field, value)


_READ_USERS: Final = _many(_read_one_user)
_READ_NUMBER: Final = _plain(values.read_number)
KINDS: Final[Mapping[str, Kind]] = {
    "textfield": Kind("string", _plain(values.read_line), _write_unchanged),
    "textarea": Kind(
        "string",
        _plain(values.read_document),
        lambda writer, _, document: writer.parts.text(document),
    ),
    "url": Kind("string", _plain(_read_url), _write_unchanged),
    "issuecolor": Kind(
        "string",
        _plain(_read_color),
        _write_unchanged,
        custom="com.pyxis.greenhopper.jira:jsw-issue-color",
    ),
    "float": Kind("number", _READ_NUMBER, _write_unchanged),
    "storypoints": Kind(
        "number",
        _READ_NUMBER,
        _write_unchanged,
        custom="com.pyxis.greenhopper.jira:jsw-story-points",
    ),
    "datepicker": Kind("date", _plain(_read_date), _write_unchanged),
    "datetime": Kind(
        "datetime",
        _plain(values.read_datetime),
        lambda writer, _, millis: timestamp(millis, writer.site.user),
    ),
    "labels": Kind("array", _plain(_read_labels), _write_unchanged, "string"),
    "select": Kind("option", _optional(_read_option), _write_option),
    "radiobuttons": Kind("option", _optional(_read_option), _write_option),
    "multiselect": Kind("array", _many(_read_option), _write_each(_write_option), "option"),
    "multicheckboxes": Kind("array", _many(_read_option), _write_each(_write_option), "option"),
    "cascadingselect": Kind("option-with-child", _optional(_read_cascade), _write_cascade),
    "userpicker": Kind("user", _plain(_read_user), _write_user),
    "multiuserpicker": Kind("array", _READ_USERS, _write_each(_write_user), "user"),
    "people": Kind("array", _READ_USERS, _write_each(_write_user), "user"),
    "grouppicker": Kind("group", _optional(_read_group), _write_group),
    "multigrouppicker": Kind("array", _many(_read_group), _write_each(_write_group), "group"),
    "version": Kind("version", _optional(_read_version), _write_version),
    "multiversion": Kind("array", _many(_read_version), _write_versions, "version"),
    "project": Kind("project", _optional(_read_project), _write_project),
    "securitylevel": Kind("securitylevel", _optional(_read_level), _write_level),
    EPIC_LINK: Kind(
        "any",
        _optional(_read_epic),
        _write_epic,
        custom="com.pyxis.greenhopper.jira:gh-epic-link",
    ),
    "team": Kind("team", _optional(_read_team), _write_team, custom=f"{_PREFIX}atlassian-team"),
}


def custom_type(name: str) -> str:
    """Return the name of Jira's implementation of a kind of custom field."""
    return KINDS[name].custom or f"{_PREFIX}{name}"


def choices(field: ExtraField, context: ValueContext) -> tuple[Any, ...]:
    """Return the records between which a field can choose, if they are a short list."""
    registry = context.site.registry
    match field.kind:
        case "version" | "multiversion":
            return registry.versions(context.project)
        case "project":
            return context.site.projects
        case "securitylevel":
            return kit.SECURITY_LEVELS
        case _:
            return field.options
