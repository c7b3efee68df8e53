"""Which of a site's fields a line of a file cannot hold yet, and why. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ticketr.jira.models import Field

_RICH_TEXT = "it holds rich text"
_TEAM = "it holds a team"
_TIME = "it holds tracked time"
_ASSETS = "it holds objects of Assets"
_TWO_STEPS = "it holds a choice and a second one below it"
_LISTS = "it holds more of each entry than a line can"

#: By the field's ID.
_IDS = {
    "environment": _RICH_TEXT,
    **dict.fromkeys(
        (
            "aggregateprogress",
            "aggregatetimeestimate",
            "aggregatetimeoriginalestimate",
            "aggregatetimespent",
            "progress",
            "timeestimate",
            "timeoriginalestimate",
            "timespent",
            "timetracking",
            "workratio",
        ),
        _TIME,
    ),
}
#: By the kind of its value, or of its members.
_TYPES = {
    "team": _TEAM,
    "timetracking": _TIME,
    "progress": _TIME,
    "worklog": _TIME,
    "option-with-child": _TWO_STEPS,
    "cmdb-object-field": _ASSETS,
    "attachment": _LISTS,
    "comments-page": _LISTS,
    "issuelinks": _LISTS,
    "votes": _LISTS,
    "watches": _LISTS,
}
#: By what the name of the kind of a custom field holds; Atlassian's apps name them.
_CUSTOM = {
    ":textarea": _RICH_TEXT,
    "-team": _TEAM,
    ".cmdb:": _ASSETS,
    ":cascadingselect": _TWO_STEPS,
}


def unsupported(field: Field) -> str | None:
    """Tell why a line of a file cannot hold a field; None if it can.

    Args:
        field: The field, as the site describes it.
    """
    by_kind = (_TYPES.get(field.schema_type), _TYPES.get(field.items))
    by_custom = (why for part, why in _CUSTOM.items() if part in field.custom_type)
    return next(filter(None, (_IDS.get(field.id), *by_kind, *by_custom)), None)
