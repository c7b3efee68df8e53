"""A Jira site in memory: changing its issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Unpack

from jira_sandbox.data.catalogue import FINISHED, MEDIUM
from jira_sandbox.data.changes import SiteChange
from jira_sandbox.data.history import changes
from jira_sandbox.data.issue import Issue
from jira_sandbox.data.parts import History, Link
from jira_sandbox.data.registry import key_of, replace_record
from jira_sandbox.data.store import ALL_PROJECTS, PROJECTS, SiteStore, utc_now
from jira_sandbox.data.workflow import statuses

if TYPE_CHECKING:
    from jira_sandbox.data.issue import IssueEdits, IssueValues
    from jira_sandbox.data.model import IssueType, Project, Status
    from jira_sandbox.data.parts import Attachment, LinkType
    from jira_sandbox.data.registry import Held
    from jira_sandbox.data.task import Task

__all__ = ["ALL_PROJECTS", "PROJECTS", "Site", "utc_now"]

#: The attributes of an issue that no caller may set.
_COMPUTED: Final = frozenset(
    ("id", "number", "project", "status", "created", "updated", "resolved")
)


class Site(SiteStore):
    """A Jira site in memory.

    The methods that write do not validate their values; the REST interface does. Each call
    makes one `SiteChange`, increments `revision`, and raises the issue's ``updated`` by at least
    a millisecond, even if the clock stands still.
    """

    def create(
        self,
        *,
        project: Project,
        type: IssueType,  # noqa: A002 - Jira's word
        summary: str,
        **values: Unpack[IssueValues],
    ) -> Issue:
        """Create an issue in the first status of the workflow."""
        _refuse_computed(values)
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
        _refuse_computed(values)
        after = self._changed(self.existing(id_or_key), **values)
        self.put(after)
        return after

    def transition(self, id_or_key: str, status: Status, **values: Unpack[IssueEdits]) -> Issue:
        """Change the status of an issue; a status of the category Done resolves it."""
        _refuse_computed(values)
        before = self.existing(id_or_key)
        now = self.update_time(before)
        done = status.category == FINISHED
        moved = now if status.category != before.status.category else before.moved
        given: IssueEdits = {"resolution": before.resolution if done else None, **values}
        after = self._changed(
            before,
            **given,
            status=status,
            resolved=(before.resolved or now) if done else None,
            moved=moved,
        )
        self.put(after)
        return after

    def move(self, id_or_key: str, project: Project, kind: IssueType, **values: Any) -> Issue:
        """Move an issue to another project, where it gets a new key; the old one stays valid."""
        before = self.existing(id_or_key)
        number = self.counters.numbers.get(project.key, 0) + 1
        known = {each.id for each in statuses(project)}
        status = before.status if before.status.id in known else statuses(project)[0]
        after = self._changed(
            before, project=project, type=kind, number=number, status=status, **values
        )
        self.put(after)
        return after

    def delete(self, id_or_key: str) -> tuple[Issue, ...]:
        """Delete an issue and its sub-tasks; other children lose their parent.

        Their links and attachments go with them.

        Returns:
            The deleted issues, the given one first.
        """
        issue = self.existing(id_or_key)
        deleted = (issue, *(child for child in self.children(issue) if child.type.subtask))
        removed = tuple(issue.id for issue in deleted)
        files = tuple(file.id for issue in deleted for file in issue.attachments)
        self.apply(
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
            self._changed(
                issue,
                parent=None if issue.parent in gone else issue.parent,
                links=tuple(link for link in issue.links if link.other(issue.id) not in gone),
            )
            for issue in map(self.by_id.__getitem__, sorted(referring - gone))
        )

    def attach(self, id_or_key: str, files: Iterable[tuple[Attachment, bytes]]) -> Issue:
        """Add attachments to an issue."""
        added = tuple(files)
        before = self.existing(id_or_key)
        attachments = (*before.attachments, *(file for file, _ in added))
        after = self._changed(before, attachments=attachments)
        contents = {file.id: content for file, content in added}
        self.apply(SiteChange(self.counters.after(after), put=(after,), contents=contents))
        return after

    def detach(self, id_or_key: str, attachment: int) -> Issue:
        """Remove an attachment from an issue."""
        before = self.existing(id_or_key)
        others = tuple(file for file in before.attachments if file.id != attachment)
        after = self._changed(before, attachments=others)
        self.apply(SiteChange(self.counters, put=(after,), removed_contents=(attachment,)))
        return after

    def link(self, kind: LinkType, source: Issue, target: Issue) -> Link:
        """Link two issues; a link that is there already is returned as it is."""
        for known in source.links:
            if (known.kind, known.source, known.target) == (kind, source.id, target.id):
                return known
        link = Link(self.next_part(), kind, source.id, target.id)
        changed = tuple(
            self._changed(issue, links=(*issue.links, link)) for issue in (source, target)
        )
        self.apply(SiteChange(self.counters.after(changed[0]), put=changed))
        return link

    def unlink(self, link: Link) -> None:
        """Remove a link from both of its issues."""
        changed = tuple(
            self._changed(issue, links=tuple(other for other in issue.links if other.id != link.id))
            for issue in (self.by_id[link.source], self.by_id[link.target])
        )
        self.apply(SiteChange(self.counters, put=changed))

    def put_task(self, task: Task) -> None:
        """Add a bulk operation, or replace it."""
        self.apply(SiteChange(self.counters.after_part(task.id), records=(task,)))

    def put_record(self, record: Held) -> None:
        """Add a component, a version or a sprint, or replace it, in the issues, too."""
        self.apply(
            SiteChange(
                self.counters.after_part(record.id),
                put=tuple(replace_record(self, record)),
                records=(record,),
            )
        )

    def remove_record(self, record: Held, instead: Held | None = None) -> None:
        """Remove a component, a version or a sprint, and put another in its place in issues."""
        self.apply(
            SiteChange(
                self.counters,
                put=tuple(replace_record(self, record, instead, keep=False)),
                removed_records=(key_of(record),),
            )
        )

    def touch(self, issue: Issue, **values: Any) -> Issue:
        """Change attributes of an issue without a trace: not its time, nor its history."""
        after = replace(issue, **values)
        self.put(after)
        return after

    def _changed(self, before: Issue, **values: Any) -> Issue:
        """Return an issue with other attributes, a later time, and what changed in its history."""
        after = replace(before, **values, updated=self.update_time(before))
        items = changes(before, after, self._key_of)
        if not items:
            return after
        # Apart from the counter for parts, so that the IDs of comments do not depend on edits.
        number = before.id * 1000 + len(before.history) + 1
        return replace(
            after,
            history=(*before.history, History(number, self.user, after.updated, items)),
        )

    def _key_of(self, issue_id: int) -> str:
        issue = self.by_id.get(issue_id)
        return str(issue_id) if issue is None else issue.key

    def set_property(self, id_or_key: str, key: str, value: Any) -> Issue:
        """Set an entity property of an issue."""
        properties = self.existing(id_or_key).properties
        return self.edit(id_or_key, properties={**properties, key: value})

    def remove_property(self, id_or_key: str, key: str) -> Issue:
        """Remove an entity property of an issue."""
        properties = self.existing(id_or_key).properties
        rest = {name: value for name, value in properties.items() if name != key}
        return self.edit(id_or_key, properties=rest)

    def put(self, issue: Issue) -> None:
        """Add an issue, or replace the one with the same ID."""
        self.apply(SiteChange(self.counters.after(issue), put=(issue,)))


def _refuse_computed(values: Mapping[str, Any]) -> None:
    if wrong := sorted(_COMPUTED & values.keys()):
        raise TypeError(f"the site computes these attributes: {', '.join(wrong)}")
