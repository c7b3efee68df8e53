"""Which of a site's fields a file holds, as lines or as sections, and which it cannot. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr.app.config.fields import MappedField, WantedField
from ticketr.app.sync.compare.times import ESTIMATES
from ticketr.app.sync.errors import UnknownField, UnsupportedField

if TYPE_CHECKING:
    from ticketr.app.jira.models import Field

#: What is written under ``## Fields``, in this order: the line's name and Jira's field.
STANDARD_FIELDS = (
    ("Type", "issuetype"),
    ("Status", "status"),
    ("Priority", "priority"),
    ("Assignee", "assignee"),
    ("Reporter", "reporter"),
    ("Labels", "labels"),
    ("Components", "components"),
    ("Fix Version", "fixVersions"),
)
#: Custom fields that are written where a site has them, found by their names.
CUSTOM_FIELDS = ("Sprint", "Story Points", "Story point estimate")

#: The line that names the parent of an issue that is not a sub-task.
PARENT = "Parent"
#: Lines whose names the settings cannot change.
_FIXED, _SPRINT = ("Type", "Status"), "Sprint"
#: Fields that are never lines: they have their own section of a file, or none.
NEVER_LINES = frozenset({"summary", "description", "parent", "subtasks", "issuekey", "comment"})

_COMMENTS_SECTION = (("## Comments", "comment"),)
_LINKS_MARK = (("# Links", "issuelinks"),)
_ATTACHMENTS_SECTION = (("# Attachments", "attachment"),)
_SECTION = "## Field: "

#: Why no line can hold a field.
_HOLDS_TIME = "it holds tracked time"
_HOLDS_ASSETS = "it holds objects of Assets"
_HOLDS_MORE = "it holds more of each entry than a line can"

#: By the field's ID.
_IDS = {
    **dict.fromkeys(
        (
            "aggregateprogress",
            "aggregatetimeestimate",
            "aggregatetimeoriginalestimate",
            "aggregatetimespent",
            "progress",
            "timespent",
            "timetracking",
            "workratio",
        ),
        _HOLDS_TIME,
    ),
}
#: By the kind of its value, or of its members.
_TYPES = {
    "timetracking": _HOLDS_TIME,
    "progress": _HOLDS_TIME,
    "worklog": _HOLDS_TIME,
    "cmdb-object-field": _HOLDS_ASSETS,
    "attachment": _HOLDS_MORE,
    "comments-page": _HOLDS_MORE,
    "issuelinks": _HOLDS_MORE,
    "votes": _HOLDS_MORE,
    "watches": _HOLDS_MORE,
}
#: By what the name of the kind of a custom field holds; Atlassian's apps name them.
_CUSTOM = {
    ":rm-teams-": "it holds a team of Advanced Roadmaps",
    ".cmdb:": _HOLDS_ASSETS,
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which of a site's fields are written to files.

    Attributes:
        names: Pairs of the name in the file and Jira's field ID, in the order of writing.
        comments: Whether files hold comments.
        links: Whether files hold lines of links to other issues.
        attachments: Whether files list attachments.
        texts: The same pairs as `names` for rich-text fields, which have sections of their own.
    """

    names: tuple[tuple[str, str], ...]
    comments: bool = False
    links: bool = False
    attachments: bool = False
    texts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        fields: Collection[Field],
        more: Iterable[WantedField] = (),
        *,
        comments: bool = False,
        links: bool = False,
        attachments: bool = False,
    ) -> Columns:
        """Choose the columns for a site from its own list of fields.

        Args:
            fields: Every field that the site has.
            more: Further fields that files are to hold, perhaps under names from the settings.
            comments: Whether files are to hold comments.
            links: Whether files are to hold lines of links.
            attachments: Whether files are to list attachments.

        Raises:
            UnknownField: The site has no such field, or the field has another place in a file.
            UnsupportedField: A file cannot hold one of them.
        """
        reasons = {field.id: why for field in fields if (why := unsupported(field))}
        rich = {field.id for field in fields if holds_rich_text(field)}
        ids: dict[str, str] = {}
        every: dict[str, str] = {}
        site: dict[str, str] = {}
        for field in fields:
            name = field.name.strip()  # as a file's line will have it
            if name == PARENT or field.id in NEVER_LINES:
                continue
            every.setdefault(name, field.id)
            site[field.id] = name
            if field.custom and name in CUSTOM_FIELDS:
                ids.setdefault(name, field.id)
        names = [*STANDARD_FIELDS, *((name, ids[name]) for name in CUSTOM_FIELDS if name in ids)]
        texts: list[tuple[str, str]] = []
        for wanted_field in more:
            if not isinstance(wanted_field, str):
                if why := reasons.get(wanted_field.id):
                    raise UnsupportedField(wanted_field.name, why, wanted_field.place)
                if wanted_field.id in rich:
                    texts = _under_own_name(texts, wanted_field, site)
                else:
                    names = _under_own_name(names, wanted_field, site)
                continue
            name = wanted_field.strip()
            if name in dict(names):
                continue
            if name not in every:
                raise UnknownField(name, tuple(every))
            if why := reasons.get(every[name]):
                raise UnsupportedField(name, why)
            chosen = texts if every[name] in rich else names
            # A field has one place: what Jira calls "Issue Type" is "Type" here.
            if every[name] not in dict(chosen).values():
                chosen.append((name, every[name]))
        return cls(tuple(names), comments, links, attachments, tuple(texts))

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """The pairs of the fields that are lines, and of those with sections of their own."""
        return (*self.names, *self.texts)

    @property
    def requested(self) -> tuple[str, ...]:
        """The field IDs to ask Jira for."""
        always = ("summary", "description", "updated", "parent", "subtasks")
        ids = [field_id for _, field_id in self.stored]
        # To send one estimate, a push needs the other one.
        more = ESTIMATES if not ESTIMATES.keys().isdisjoint(ids) else ()
        return tuple(dict.fromkeys((*always, *ids, *more)))

    @property
    def stored(self) -> tuple[tuple[str, str], ...]:
        """What files hold.

        A pull compares it with that of the last pull, to find a change.
        """
        more = (*(_COMMENTS_SECTION if self.comments else ()), *(_LINKS_MARK if self.links else ()))
        more += _ATTACHMENTS_SECTION if self.attachments else ()
        return (
            *self.names,
            *more,
            *((f"{_SECTION}{name}", field_id) for name, field_id in self.texts),
        )


def _under_own_name(
    names: list[tuple[str, str]], field: MappedField, site: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the columns with one more, which replaces those with its name or its field."""
    if field.name == PARENT or field.id not in {*site, *dict(names).values()}:
        own = next((field_id for field_id, name in site.items() if name == field.name), None)
        raise UnknownField(field.name, tuple(site.values()), field.place, own)
    taken = [pair for pair in names if field.name == pair[0] or field.id == pair[1]]
    if any(name in _FIXED or (name, field_id) == (_SPRINT, field.id) for name, field_id in taken):
        return names  # a push knows these lines by their names
    at = names.index(taken[0]) if taken else len(names)
    rest = [pair for pair in names[at:] if pair not in taken]
    return [*names[:at], (field.name, field.id), *rest]


def texts_in(stored: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return `Columns.texts` from the value of `Columns.stored`."""
    return tuple(
        (name.removeprefix(_SECTION), field_id)
        for name, field_id in stored
        if name.startswith(_SECTION)
    )


def holds_rich_text(field: Field) -> bool:
    """Return whether a field other than the description holds rich text."""
    return field.id == "environment" or ":textarea" in field.custom_type


def unsupported(field: Field) -> str | None:
    """Tell why a file cannot hold a field; None if it can."""
    by_kind = (_TYPES.get(field.schema_type), _TYPES.get(field.items))
    by_custom = (why for part, why in _CUSTOM.items() if part in field.custom_type)
    return next(filter(None, (_IDS.get(field.id), *by_kind, *by_custom)), None)
