"""A Jira site in memory: finding and changing its issues."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Unpack

from ticketr.sandbox.data.catalogue import BLANK, DEMO, DEMO_USER, FINISHED, MEDIUM, TO_DO, USERS
from ticketr.sandbox.data.changes import Counters, OnChange, SiteChange, discard_change
from ticketr.sandbox.data.index import SearchIndex
from ticketr.sandbox.data.model import Issue, IssueType, Project, Status, User, to_millis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ticketr.sandbox.data.model import IssueEdits, IssueValues

#: The attributes of an issue that no caller may set.
_COMPUTED: Final = frozenset(
    ("id", "number", "project", "status", "created", "updated", "resolved")
)


def utc_now() -> datetime:
    """Return the time by the computer's clock."""
    return datetime.now(UTC)


class Site:
    """A Jira site in memory.

    The methods that write (`create`, `edit`, `transition`, `delete`, `set_property`,
    `remove_property` and `put`) do not validate their values; the REST interface does. Each
    call makes one `SiteChange`, increments `revision`, and raises the issue's ``updated`` by at
    least a millisecond, even if the clock stands still.

    Args:
        issues: The initial issues.
        projects: The projects.
        users: The users.
        user: The user who is signed in; replaces the user of the same account in ``users``.
        clock: Returns the current time, from which the site's dates and relative JQL dates come.
        search_lag: How many seconds searches and counts lag behind the issues.
        counters: The counters of a site that was stored.
        on_change: Called with each `SiteChange` before it becomes visible; see `OnChange`.

    Attributes:
        former_keys: Renamed projects by their former keys.
        revision: The number of changes so far; a new value invalidates caches.
        counters: The last assigned ID and numbers.
    """

    def __init__(
        self,
        issues: Iterable[Issue] = (),
        *,
        projects: Sequence[Project] = (DEMO, BLANK),
        users: Sequence[User] = USERS,
        user: User = DEMO_USER,
        clock: Callable[[], datetime] = utc_now,
        search_lag: float = 0.0,
        counters: Counters | None = None,
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
        for issue in issues:
            self._store(issue)
            self.counters = self.counters.after(issue)
        self._index = SearchIndex(self._issues, round(search_lag * 1000), self._millis)

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
        now = self._millis()
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
            status=TO_DO,
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

        Returns:
            The deleted issues, the given one first.
        """
        issue = self._existing(id_or_key)
        children = self.children(issue)
        deleted = (issue, *(child for child in children if child.type.subtask))
        orphans = tuple(
            replace(child, parent=None, updated=self._update_time(child))
            for child in children
            if not child.type.subtask
        )
        removed = tuple(issue.id for issue in deleted)
        self._apply(SiteChange(self.counters, put=orphans, removed=removed))
        return deleted

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
            self._unlink(self._issues.pop(issue_id))
        self.counters = change.counters
        self.revision += 1
        self._index.add(change)

    def _store(self, issue: Issue) -> None:
        before = self._issues.get(issue.id)
        if before is not None:
            self._unlink(before)
            if before.key != issue.key:
                self._former_ids[before.key] = issue.id
        self._issues[issue.id] = issue
        self._ids[issue.key] = issue.id
        if issue.parent is not None:
            self._children.setdefault(issue.parent, []).append(issue.id)

    def _unlink(self, issue: Issue) -> None:
        self._ids.pop(issue.key, None)
        if issue.parent is not None:
            self._children[issue.parent].remove(issue.id)

    def _existing(self, id_or_key: str) -> Issue:
        issue = self.find(id_or_key)
        if issue is None:
            raise LookupError(f"the site has no issue {id_or_key}")
        return issue

    def _millis(self) -> int:
        return to_millis(self.now())

    def _update_time(self, before: Issue) -> int:
        """Return the time of a change, which is later than that of the previous change."""
        return max(self._millis(), before.updated + 1)


def _with_user(user: User, users: Sequence[User]) -> tuple[User, ...]:
    others = tuple(user if other.account_id == user.account_id else other for other in users)
    return others if user in others else (user, *others)


def _check(values: Mapping[str, Any]) -> None:
    if wrong := sorted(_COMPUTED & values.keys()):
        raise TypeError(f"the site computes these attributes: {', '.join(wrong)}")
