"""Serialize issues, with a cache of JSON text.

Responses repeat the same users, statuses and whole issues. So a `View` caches the text of
each field of each issue and joins these texts. The cache is cleared when the site changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.api.kinds import KINDS, ValueWriter
from jira_sandbox.api.part_records import PartRecords
from jira_sandbox.api.records import Records, timestamp
from jira_sandbox.api.selection import has_field
from jira_sandbox.api.time_tracking import progress, time_tracking, work_ratio
from jira_sandbox.api.wiki_markup import to_wiki
from jira_sandbox.data.catalogue import RESOLUTIONS
from jira_sandbox.data.extra_fields import BY_ID as EXTRA, EPIC_LINK

if TYPE_CHECKING:
    from jira_sandbox.api.selection import Selection
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Project, User
    from jira_sandbox.data.parts import Link
    from jira_sandbox.data.site import Site

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
#: Serialize a value to compact JSON, as Jira does.
to_json: Final[Callable[[Any], str]] = _ENCODER.encode

_EXPAND: Final = "operations,versionedRepresentations,editmeta,changelog,renderedFields"
_MOST_SELECTED: Final = 64
#: The most comments, and the most worklogs, inside an issue; `Selection.whole` lifts the first.
MOST_INLINE: Final = 20
_RANK_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


class View:
    """The JSON of a site's issues in one version of the interface.

    Args:
        site: The site.
        base: The base address of links, without a trailing slash.
        version: ``"3"`` for descriptions in ADF, ``"2"`` for wiki markup.
    """

    def __init__(self, site: Site, base: str, version: str) -> None:
        self.records = Records(base, version)
        self.parts = PartRecords(self.records, site.user)
        self.viewer = site.user
        self.site = site
        self._version = version
        self._revision = site.revision
        self._texts: dict[int, tuple[Issue, dict[str, str]]] = {}
        self._shared: dict[object, str] = {}
        self._selected: dict[tuple[Project, Selection], tuple[str, ...]] = {}
        self._writer = ValueWriter(site, self.records, self.parts)

    def issue(self, issue: Issue, selection: Selection, extra: str = "") -> str:
        """Return an issue as JSON; ``extra`` is JSON text with a leading comma to append."""
        if selection.id_only:
            return f'{{"id":"{issue.id}"{extra}}}'
        head = (
            f'{{"expand":"{_EXPAND}","id":"{issue.id}",'
            f'"self":{to_json(f"{self.records.api}/issue/{issue.id}")},"key":"{issue.key}"'
        )
        if not selection.fields:
            return f"{head}{extra}}}"
        return f'{head},"fields":{{{self._fields_text(issue, selection)}}}{extra}}}'

    def link(self, issue: Issue) -> dict[str, str]:
        """Describe an issue as in the response to its creation."""
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": f"{self.records.api}/issue/{issue.id}",
        }

    def _fields_text(self, issue: Issue, selection: Selection) -> str:
        if self._revision != self.site.revision:
            self._texts.clear()
            self._revision = self.site.revision
        kept, texts = self._texts.get(issue.id, (None, {}))
        if kept is not issue:  # a lagging search returns older versions
            texts = {}
            self._texts[issue.id] = (issue, texts)
        fields = self._names(issue.project, selection)
        for field in fields:
            if field not in texts:
                texts[field] = f'"{field.lstrip("*")}":{self._value(issue, field)}'
        return ",".join(map(texts.__getitem__, fields))

    def _names(self, project: Project, selection: Selection) -> tuple[str, ...]:
        """Return the keys of `_FIELDS` for a selection, as far as the project has the fields."""
        names = self._selected.get((project, selection))
        if names is None:
            if len(self._selected) >= _MOST_SELECTED:
                self._selected.clear()
            names = self._selected[project, selection] = tuple(
                "*comment" if field == "comment" and selection.whole else field
                for field in selection.fields
                if has_field(project, field)
            )
        return names

    def _value(self, issue: Issue, field: str) -> str:
        extra = EXTRA.get(field)
        if extra is None:
            return _FIELDS[field](self, issue)
        plain = issue.parent if extra.kind == EPIC_LINK else issue.values.get(field)
        if plain is None:
            return "[]" if field == "versions" else "null"
        return to_json(KINDS[extra.kind].write(self._writer, extra, plain))

    def _record(self, make: Callable[[Any], Any], record: Any) -> str:
        """Return the JSON of a record that many issues share."""
        if record is None:
            return "null"
        key = (type(record), record)
        text = self._shared.get(key)
        if text is None:
            text = self._shared[key] = to_json(make(record))
        return text

    def _records(self, make: Callable[[Any], Any], records: tuple[Any, ...]) -> str:
        return f"[{','.join(self._record(make, record) for record in records)}]"

    def _user(self, user: User | None) -> str:
        return self._record(self.records.user, user)

    def _time(self, millis: int | None) -> str:
        return "null" if millis is None else f'"{timestamp(millis, self.site.user)}"'

    def _resolution(self, issue: Issue) -> str:
        if issue.resolved is None:
            return "null"
        return self._record(self.records.resolution, issue.resolution or RESOLUTIONS[0])

    def _description(self, issue: Issue) -> str:
        if issue.description is None:
            return "null"
        return to_json(issue.description if self._version == "3" else to_wiki(issue.description))

    def _link(self, issue: Issue) -> str:
        """Return the short JSON of an issue inside its parent or sub-task."""
        return (
            f'{{"id":"{issue.id}","key":"{issue.key}",'
            f'"self":{to_json(f"{self.records.api}/issue/{issue.id}")},"fields":{{'
            f'"summary":{to_json(issue.summary)},'
            f'"status":{self._record(self.records.status, issue.status)},'
            f'"priority":{self._record(self.records.priority, issue.priority)},'
            f'"issuetype":{self._record(self.records.issue_type, issue.type)}}}}}'
        )

    def _parent(self, issue: Issue) -> str:
        parent = None if issue.parent is None else self.site.get(issue.parent)
        return "null" if parent is None else self._link(parent)

    def _subtasks(self, issue: Issue) -> str:
        children = (child for child in self.site.children(issue) if child.type.subtask)
        return f"[{','.join(map(self._link, children))}]"

    def _votes(self, issue: Issue) -> str:
        link = to_json(f"{self.records.api}/issue/{issue.key}/votes")
        voted = to_json(self.site.user in issue.voters)
        return f'{{"self":{link},"votes":{len(issue.voters)},"hasVoted":{voted}}}'

    def _watches(self, issue: Issue) -> str:
        link = to_json(f"{self.records.api}/issue/{issue.key}/watchers")
        watching = to_json(self.site.user in issue.watching)
        count = len(issue.watching)
        return f'{{"self":{link},"watchCount":{count},"isWatching":{watching}}}'

    def _comments(self, issue: Issue, most: int | None = None) -> str:
        listed = issue.comments[:most]
        return to_json(
            {
                "comments": [self.parts.comment(issue, comment) for comment in listed],
                "self": f"{self.records.api}/issue/{issue.id}/comment",
                "maxResults": len(listed),
                "total": len(issue.comments),
                "startAt": 0,
            }
        )

    def _worklog(self, issue: Issue) -> str:
        listed = issue.worklogs[:MOST_INLINE]
        return to_json(
            {
                "startAt": 0,
                "maxResults": MOST_INLINE,
                "total": len(issue.worklogs),
                "worklogs": [self.parts.worklog(issue, worklog) for worklog in listed],
            }
        )

    def _attachments(self, issue: Issue) -> str:
        return to_json([self.parts.attachment(file) for file in issue.attachments])

    def _links(self, issue: Issue) -> str:
        return f"[{','.join(self._issue_link(issue, link) for link in issue.links)}]"

    def _issue_link(self, issue: Issue, link: Link) -> str:
        """Return a link as JSON, as one of its two issues shows it."""
        end = "outwardIssue" if link.source == issue.id else "inwardIssue"
        return f'{{{self._link_head(link)},"{end}":{self._linked(link.other(issue.id))}}}'

    def link_in_full(self, link: Link) -> str:
        """Return a link with both of its issues as JSON."""
        return (
            f'{{{self._link_head(link)},"inwardIssue":{self._linked(link.source)},'
            f'"outwardIssue":{self._linked(link.target)}}}'
        )

    def _link_head(self, link: Link) -> str:
        address = to_json(f"{self.records.api}/issueLink/{link.id}")
        return (
            f'"id":"{link.id}","self":{address},'
            f'"type":{self._record(self.parts.link_type, link.kind)}'
        )

    def _linked(self, issue_id: int) -> str:
        issue = self.site.get(issue_id)
        assert issue is not None
        return self._link(issue)

    def _rank(self, issue: Issue) -> str:
        digits, number = "", int(issue.place)
        while len(digits) < 6:
            number, digit = divmod(number, 36)
            digits = _RANK_DIGITS[digit] + digits
        return f'"0|i{digits[-5:]}:{_fraction(issue.place % 1)}"'


def _fraction(number: float) -> str:
    """Return a part of one as the digits after the colon of a rank."""
    digits = ""
    while number:
        digit, number = divmod(number * 36, 1)
        digits += _RANK_DIGITS[int(digit)]
    return digits


_FIELDS: Final[dict[str, Callable[[View, Issue], str]]] = {
    "lastViewed": lambda *_: "null",
    "summary": lambda _, issue: to_json(issue.summary),
    "issuetype": lambda self, issue: self._record(self.records.issue_type, issue.type),
    "project": lambda self, issue: self._record(self.records.project, issue.project),
    "parent": lambda self, issue: self._parent(issue),
    "status": lambda self, issue: self._record(self.records.status, issue.status),
    "statuscategorychangedate": lambda self, issue: self._time(
        issue.moved or issue.resolved or issue.created
    ),
    "resolution": lambda self, issue: self._resolution(issue),
    "resolutiondate": lambda self, issue: self._time(issue.resolved),
    "priority": lambda self, issue: self._record(self.records.priority, issue.priority),
    "labels": lambda _, issue: to_json(issue.labels),
    "components": lambda self, issue: self._records(self.records.component, issue.components),
    "fixVersions": lambda self, issue: self._records(self.records.version, issue.fix_versions),
    "assignee": lambda self, issue: self._user(issue.assignee),
    "reporter": lambda self, issue: self._user(issue.reporter),
    "creator": lambda self, issue: self._user(issue.creator or issue.reporter),
    "created": lambda self, issue: self._time(issue.created),
    "updated": lambda self, issue: self._time(issue.updated),
    "duedate": lambda _, issue: to_json(issue.due and issue.due.isoformat()),
    "description": lambda self, issue: self._description(issue),
    "subtasks": lambda self, issue: self._subtasks(issue),
    "votes": lambda self, issue: self._votes(issue),
    "watches": lambda self, issue: self._watches(issue),
    "issuelinks": lambda self, issue: self._links(issue),
    "attachment": lambda self, issue: self._attachments(issue),
    "comment": lambda self, issue: self._comments(issue, MOST_INLINE),
    "*comment": lambda self, issue: self._comments(issue),
    "worklog": lambda self, issue: self._worklog(issue),
    "timetracking": lambda _, issue: to_json(time_tracking(issue)),
    "timeestimate": lambda _, issue: to_json(issue.remaining_estimate),
    "timeoriginalestimate": lambda _, issue: to_json(issue.original_estimate),
    "timespent": lambda _, issue: to_json(issue.seconds_spent),
    "workratio": lambda _, issue: str(work_ratio(issue)),
    "progress": lambda _, issue: to_json(progress(issue)),
    "customfield_10016": lambda _, issue: to_json(issue.story_points),
    "customfield_10019": lambda self, issue: self._rank(issue),
    "customfield_10020": lambda self, issue: (
        self._records(self.records.sprint, issue.sprints) if issue.sprints else "null"
    ),
    "customfield_10031": lambda self, issue: self._record(self.records.option, issue.platform),
    "customfield_10032": lambda _, issue: to_json(issue.release_note),
    "customfield_10033": lambda self, issue: self._user(issue.reviewer),
    "customfield_10034": lambda self, issue: self._time(issue.ready),
}
