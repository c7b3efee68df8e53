"""A Jira site in memory: finding and changing its issues."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Unpack

from ticketr.sandbox.data.catalogue import BLANK, DEMO, DEMO_USER, FINISHED, MEDIUM, USERS
from ticketr.sandbox.data.changes import Counters, OnChange, SiteChange, discard_change
from ticketr.sandbox.data.index import SearchIndex
from ticketr.sandbox.data.issue import Issue
from ticketr.sandbox.data.kit import KIT, TEAM
from ticketr.sandbox.data.model import IssueType, Project, Status, User, to_millis
from ticketr.sandbox.data.parts import Link
from ticketr.sandbox.data.registry import Registry
from ticketr.sandbox.data.workflow import statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ticketr.sandbox.data.issue import IssueEdits, IssueValues
    from ticketr.sandbox.data.parts import Attachment, LinkType

#: The projects of every site.
PROJECTS: Final = (DEMO, BLANK)
#: The projects of a site with fields of every type.
ALL_PROJECTS: Final = (*PROJECTS, KIT, TEAM)
#: The attributes of an issue that no caller may set.
_COMPUTED: Final = frozenset(
    ("id", "number", "project", "status", "created", "updated", "resolved")
)


def utc_now() -> datetime:
    """Return the time by the computer's clock."""
    return datetime.now(UTC)


class Site:
    """A Jira site in memory.

    The methods that write do not validate their values; the REST interface does. Each call
    makes one `SiteChange`, increments `revision`, and raises the issue's ``updated`` by at least
    a millisecond, even if the clock stands still.

    Args:
        issues: The initial issues.
        projects: The projects.
        users: The users.
        user: The user who is signed in; replaces the user of the same account in ``users``.
        clock: Returns the current time, from which the site's dates and relative JQL dates come.
        search_lag: How many seconds searches and counts lag behind the issues.
        counters: The counters of a site that was stored.
        contents: The bytes of the attachments, by their IDs.
        registry: The components, versions and sprints of a site that was stored.
        on_change: Called with each `SiteChange` before it becomes visible; see `OnChange`.

    Attributes:
        former_keys: Renamed projects by their former keys.
        revision: The number of changes so far; a new value invalidates caches.
        counters: The last assigned ID and numbers.
        registry: The components, versions and sprints.
    """

    def __init__(
        self,
        issues: Iterable[Issue] = (),
        *,
        projects: Sequence[Project] = PROJECTS,
        users: Sequence[User] = USERS,
        user: User = DEMO_USER,
        clock: Callable[[], datetime] = utc_now,
        search_lag: float = 0.0,
        counters: Counters | None = None,
        contents: Mapping[int, bytes] | None = None,
        registry: Registry | None = None,
        on_change: OnChange = discard_change,
    ) -> None:
        if search_lag < 0:
            raise ValueError(f"searches cannot be {search_lag} seconds behind")
        self.projects = tuple(projects)
        self.former_keys: dict[str, Project] = {}
        self.users = _with_user(user, users)
        self.user = user
        self.now = clock
        self.revision = 0
        self.counters = counters or Counters()
        self._on_change = on_change
        self._issues: dict[int, Issue] = {}
        self._ids: dict[str, int] = {}
        self._former_ids: dict[str, int] = {}  # by the keys of issues before they were moved
        self._children: dict[int, list[int]] = {}
        self._contents = dict(contents or {})
        self.registry = registry or Registry()
        for issue in issues:
            self._store(issue)
            self.counters = self.counters.after(issue)
        self._index = SearchIndex(self._issues, round(search_lag * 1000), self.millis)

    def __len__(self) -> int:
        return len(self._issues)

    def __iter__(self) -> Iterator[Issue]:
        return iter(self._issues.values())

    def get(self, issue_id: int) -> Issue | None:
        """Find an issue by its ID."""
        return self._issues.get(issue_id)

    def find(self, id_or_key: str) -> Issue | None:
        """Find an issue by its ID or key; case is ignored, and former keys count, as in Jira."""
        if id_or_key.isascii() and id_or_key.isdigit() and len(id_or_key) < 19:
            return self._issues.get(int(id_or_key))
        key = id_or_key.upper()
        issue_id = self._ids.get(key, self._former_ids.get(key))
        return None if issue_id is None else self._issues.get(issue_id)

    def children(self, issue: Issue) -> list[Issue]:
        """Return the children of an issue in ascending order of their IDs."""
        return [self._issues[child] for child in sorted(self._children.get(issue.id, ()))]

    def project_by_any_key(self, id_or_key: str) -> Project | None:
        """Find a project by its ID, its key or a former key."""
        return self.project(id_or_key) or self.former_keys.get(id_or_key.upper())

    def project(self, id_or_key: str) -> Project | None:
        """Find a project by its ID or key."""
        for project in self.projects:
            if id_or_key.upper() == project.key or id_or_key == str(project.id):
                return project
        return None

    @property
    def search_revision(self) -> int:
        """The number of changes that have become visible to searches; it lags behind `revision`."""
        return self._index.revision()

    def searchable(self, current: Iterable[int] = ()) -> Mapping[int, Issue]:
        """Return the issues that are visible to a search, by ID.

        Args:
            current: IDs of issues to return in their present state.
        """
        return self._index.issues(current)

    def create(
        self,
        *,
        project: Project,
        type: IssueType,  # noqa: A002 - Jira's word
        summary: str,
        **values: Unpack[IssueValues],
    ) -> Issue:
        """Create an issue in the first status of the workflow."""
        _check(values)
        now = self.millis()
        given: IssueValues = {
            "priority": MEDIUM,
            "description": None,
            "reporter": self.user,
            "creator": self.user,
            **values,
        }
        issue = Issue(
            id=self.counters.last_id + 1,
            number=self.counters.numbers.get(project.key, 0) + 1,
            project=project,
            type=type,
            summary=summary,
            status=statuses(project)[0],
            created=now,
            updated=now,
            **given,
        )
        self.put(issue)
        return issue

    def edit(self, id_or_key: str, **values: Unpack[IssueEdits]) -> Issue:
        """Change attributes of an issue other than the status."""
        _check(values)
        before = self._existing(id_or_key)
        after = replace(before, **values, updated=self._update_time(before))
        self.put(after)
        return after

    def transition(self, id_or_key: str, status: Status, **values: Unpack[IssueEdits]) -> Issue:
        """Change the status of an issue; a status of the category Done resolves it."""
        _check(values)
        before = self._existing(id_or_key)
        now = self._update_time(before)
        done = status.category == FINISHED
        moved = now if status.category != before.status.category else before.moved
        given: IssueEdits = {"resolution": before.resolution if done else None, **values}
        after = replace(
            before,
            **given,
            status=status,
            resolved=(before.resolved or now) if done else None,
            moved=moved,
            updated=now,
        )
        self.put(after)
        return after

    def delete(self, id_or_key: str) -> tuple[Issue, ...]:
        """Delete an issue and its sub-tasks; other children lose their parent.

        Their links and attachments go with them.

        Returns:
            The deleted issues, the given one first.
        """
        issue = self._existing(id_or_key)
        deleted = (issue, *(child for child in self.children(issue) if child.type.subtask))
        removed = tuple(issue.id for issue in deleted)
        files = tuple(file.id for issue in deleted for file in issue.attachments)
        self._apply(
            SiteChange(
                self.counters,
                put=self._without(deleted),
                removed=removed,
                removed_contents=files,
            )
        )
        return deleted

    def _without(self, deleted: tuple[Issue, ...]) -> tuple[Issue, ...]:
        """Return the issues that refer to deleted ones, without these references."""
        gone = {issue.id for issue in deleted}
        referring = {child.id for issue in deleted for child in self.children(issue)}
        referring |= {link.other(issue.id) for issue in deleted for link in issue.links}
        return tuple(
            replace(
                issue,
                parent=None if issue.parent in gone else issue.parent,
                links=tuple(link for link in issue.links if link.other(issue.id) not in gone),
                updated=self._update_time(issue),
            )
            for issue in map(self._issues.__getitem__, sorted(referring - gone))
        )

    def next_part(self) -> int:
        """Return the ID for the next part of an issue."""
        return self.counters.last_part + 1

    def content(self, attachment: int) -> bytes:
        """Return the bytes of an attachment."""
        return self._contents[attachment]

    def attach(self, id_or_key: str, files: Iterable[tuple[Attachment, bytes]]) -> Issue:
        """Add attachments to an issue."""
        added = tuple(files)
        before = self._existing(id_or_key)
        after = replace(
            before,
            attachments=(*before.attachments, *(file for file, _ in added)),
            updated=self._update_time(before),
        )
        contents = {file.id: content for file, content in added}
        self._apply(SiteChange(self.counters.after(after), put=(after,), contents=contents))
        return after

    def detach(self, id_or_key: str, attachment: int) -> Issue:
        """Remove an attachment from an issue."""
        before = self._existing(id_or_key)
        after = replace(
            before,
            attachments=tuple(file for file in before.attachments if file.id != attachment),
            updated=self._update_time(before),
        )
        self._apply(SiteChange(self.counters, put=(after,), removed_contents=(attachment,)))
        return after

    def link(self, kind: LinkType, source: Issue, target: Issue) -> Link:
        """Link two issues; a link that is there already is returned as it is."""
        for known in source.links:
            if (known.kind, known.source, known.target) == (kind, source.id, target.id):
                return known
        link = Link(self.next_part(), kind, source.id, target.id)
        changed = tuple(
            replace(issue, links=(*issue.links, link), updated=self._update_time(issue))
            for issue in (source, target)
        )
        self._apply(SiteChange(self.counters.after(changed[0]), put=changed))
        return link

    def unlink(self, link: Link) -> None:
        """Remove a link from both of its issues."""
        changed = tuple(
            replace(
                issue,
                links=tuple(other for other in issue.links if other.id != link.id),
                updated=self._update_time(issue),
            )
            for issue in (self._issues[link.source], self._issues[link.target])
        )
        self._apply(SiteChange(self.counters, put=changed))

    def set_property(self, id_or_key: str, key: str, value: Any) -> Issue:
        """Set an entity property of an issue."""
        properties = self._existing(id_or_key).properties
        return self.edit(id_or_key, properties={**properties, key: value})

    def remove_property(self, id_or_key: str, key: str) -> Issue:
        """Remove an entity property of an issue."""
        properties = self._existing(id_or_key).properties
        rest = {name: value for name, value in properties.items() if name != key}
        return self.edit(id_or_key, properties=rest)

    def put(self, issue: Issue) -> None:
        """Add an issue, or replace the one with the same ID."""
        self._apply(SiteChange(self.counters.after(issue), put=(issue,)))

    def _apply(self, change: SiteChange) -> None:
        self._on_change(change)
        for issue in change.put:
            self._store(issue)
        for issue_id in change.removed:
            self._forget(self._issues.pop(issue_id))
        self.registry.apply(change.records, change.removed_records)
        self._contents.update(change.contents)
        for attachment in change.removed_contents:
            del self._contents[attachment]
        self.counters = change.counters
        self.revision += 1
        self._index.add(change)

    def _store(self, issue: Issue) -> None:
        before = self._issues.get(issue.id)
        if before is not None:
            self._forget(before)
            if before.key != issue.key:
                self._former_ids[before.key] = issue.id
        self._issues[issue.id] = issue
        self._ids[issue.key] = issue.id
        if issue.parent is not None:
            self._children.setdefault(issue.parent, []).append(issue.id)

    def _forget(self, issue: Issue) -> None:
        self._ids.pop(issue.key, None)
        if issue.parent is not None:
            self._children[issue.parent].remove(issue.id)

    def _existing(self, id_or_key: str) -> Issue:
        issue = self.find(id_or_key)
        if issue is None:
            raise LookupError(f"the site has no issue {id_or_key}")
        return issue

    def millis(self) -> int:
        """Return the time by the site's clock in milliseconds since the epoch."""
        return to_millis(self.now())

    def _update_time(self, before: Issue) -> int:
        """Return the time of a change, which is later than that of the previous change."""
        return max(self.millis(), before.updated + 1)


def _with_user(user: User, users: Sequence[User]) -> tuple[User, ...]:
    others = tuple(user if other.account_id == user.account_id else other for other in users)
    return others if user in others else (user, *others)


def _check(values: Mapping[str, Any]) -> None:
    if wrong := sorted(_COMPUTED & values.keys()):
        raise TypeError(f"the site computes these attributes: {', '.join(wrong)}")
