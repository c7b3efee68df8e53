"""The components, versions, sprints and bulk operations of a site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from jira_sandbox.data import catalogue, kit
from jira_sandbox.data.model import Component, Sprint, Version
from jira_sandbox.data.task import Task

if TYPE_CHECKING:
    from jira_sandbox.data.issue import Issue
    from jira_sandbox.data.model import Project

Record = Component | Version | Sprint | Task
#: Those that issues hold.
Held = Component | Version | Sprint
#: The kinds of records, by the names under which they are stored.
KINDS: Final[Mapping[str, type[Record]]] = {
    "component": Component,
    "version": Version,
    "sprint": Sprint,
    "task": Task,
}
#: The name of each kind.
NAMES: Final = {kind: name for name, kind in KINDS.items()}
#: A kind's name and an ID.
RecordKey = tuple[str, int]

_INITIAL_RECORDS: Final[tuple[Record, ...]] = (
    *catalogue.COMPONENTS,
    *kit.TEAM_COMPONENTS,
    *catalogue.VERSIONS,
    *kit.TEAM_VERSIONS,
    *catalogue.SPRINTS,
)


def key_of(record: Record) -> RecordKey:
    """Return the kind's name and the ID of a record."""
    return NAMES[type(record)], record.id


class Registry:
    """The records of one site; it begins with those that every site has.

    Args:
        changed: The records that were added or changed; None for one that was removed.
    """

    def __init__(self, changed: Mapping[RecordKey, Record | None] | None = None) -> None:
        self._records: dict[RecordKey, Record] = {
            key_of(record): record for record in _INITIAL_RECORDS
        }
        for key, record in (changed or {}).items():
            if record is None:
                self._records.pop(key, None)
            else:
                self._records[key] = record

    def get(self, kind: str, record_id: int) -> Record | None:
        """Find a record."""
        return self._records.get((kind, record_id))

    def version(self, version_id: int) -> Version | None:
        """Find a version."""
        found = self.get("version", version_id)
        return found if isinstance(found, Version) else None

    def sprint(self, sprint_id: int) -> Sprint | None:
        """Find a sprint."""
        found = self.get("sprint", sprint_id)
        return found if isinstance(found, Sprint) else None

    def components(self, project: Project | None = None) -> tuple[Component, ...]:
        """Return the components of a project, or all of them."""
        every = (each for each in self._records.values() if isinstance(each, Component))
        return tuple(each for each in every if project is None or _belongs(each, project))

    def versions(self, project: Project | None = None) -> tuple[Version, ...]:
        """Return the versions of a project, or all of them."""
        every = (each for each in self._records.values() if isinstance(each, Version))
        return tuple(each for each in every if project is None or _belongs(each, project))

    def sprints(self, board: int | None = None) -> tuple[Sprint, ...]:
        """Return the sprints of a board, or all of them."""
        every = (each for each in self._records.values() if isinstance(each, Sprint))
        return tuple(each for each in every if board is None or each.board == board)

    def tasks(self) -> tuple[Task, ...]:
        """Return the bulk operations."""
        return tuple(each for each in self._records.values() if isinstance(each, Task))

    def last_id(self) -> int:
        """Return the highest ID."""
        return max((record_id for _, record_id in self._records), default=0)

    def apply(self, put: Iterable[Record], removed: Iterable[RecordKey]) -> None:
        """Add or replace records, and remove others."""
        for record in put:
            self._records[key_of(record)] = record
        for key in removed:
            self._records.pop(key, None)


def _belongs(record: Component | Version, project: Project) -> bool:
    return record.project_id == project.id or (
        record.project_id is None and not project.team_managed
    )


_ISSUE_ATTRIBUTES: Final = {Component: "components", Version: "fix_versions", Sprint: "sprints"}


def replace_record(
    issues: Iterable[Issue],
    old: Held,
    new: Held | None = None,
    *,
    keep: bool = True,
) -> Iterator[Issue]:
    """Return the issues that hold a record, with another one in its place.

    Args:
        issues: The issues to look at.
        old: The record; one with the same ID counts.
        new: The record to put in its place; None for none.
        keep: Whether to put `old` itself in the place of a former state of it.
    """
    attribute, instead = _ISSUE_ATTRIBUTES[type(old)], old if keep else new
    for issue in issues:
        held = getattr(issue, attribute)
        if not any(each.id == old.id for each in held):
            continue
        others = (instead if each.id == old.id else each for each in held)
        kept = tuple(dict.fromkeys(each for each in others if each is not None))
        changed: Any = {attribute: kept}
        yield replace(issue, **changed)
