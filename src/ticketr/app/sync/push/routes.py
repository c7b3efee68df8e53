"""Finds the transitions to new statuses before the first write of a push.

Jira tells which transitions an issue can take now, but not where others lead from there. So where no
single transition leads to a status, another issue of the same project is looked for in each status on
the way, and asked for its transitions. Its type is the same, or has the same statuses.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import trio

from ticketr.app.jira import AuthenticationFailed, JiraError, Rejected, Transition
from ticketr.app.sync.concurrency import run_in_tasks
from ticketr.app.sync.edits.push_plan import find_path, unknown_statuses
from ticketr.app.sync.push.transitions import NoTransition, no_transition, transition_to

if TYPE_CHECKING:
    from ticketr.app.sync.push.writes import IssueEdit
    from ticketr.app.sync.session import Session

#: The transitions of issues in each status of a workflow, by the status in small letters.
_Edges: TypeAlias = "dict[str, tuple[Transition, ...]]"

#: The transitions to an issue's new status in their order, or why there are none.
FoundRoute: TypeAlias = "tuple[Transition, ...] | NoTransition | JiraError"


class RouteFinder:
    """Finds the transitions of one push; what it learns of a workflow it asks for once.

    Args:
        session: The workspace and the site.
        off_screen: The fields of each edit that only a transition can set, by the issue's key.
    """

    def __init__(self, session: Session, off_screen: Mapping[str, Collection[str]]) -> None:
        self._session = session
        self._off_screen = off_screen
        self._workflows: dict[tuple[str, str], _Edges] = {}
        self._statuses: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._learning = trio.Lock()  # what one task learns spares the others the same requests

    async def find(self, edits: Iterable[IssueEdit]) -> Mapping[str, FoundRoute]:
        """Find the transitions of each edit, several at once, by the issues' keys.

        Raises:
            AuthenticationFailed: The site no longer takes the login.
        """
        waiting = deque(edits)
        transitions: dict[str, FoundRoute] = {}

        async def find_some() -> None:
            while waiting:
                edit = waiting.popleft()
                try:
                    transitions[edit.key] = await self.route(edit)
                except AuthenticationFailed:  # every other request would fail too
                    raise
                except (JiraError, NoTransition) as error:
                    transitions[edit.key] = error

        if not waiting:
            return transitions
        self._session.progress.say("Asking which statuses can be reached...")
        await run_in_tasks(find_some)
        return transitions

    async def route(self, edit: IssueEdit) -> tuple[Transition, ...]:
        """Return the transitions to an edit's status.

        Raises:
            NoTransition: None are known.
            JiraError: A request failed.
        """
        status = edit.payload.status
        assert status is not None
        fields = self._off_screen.get(edit.key, ())
        transitions = await self._session.jira.transitions(edit.key, with_fields=bool(fields))
        try:
            return (transition_to(status, transitions, fields),)
        except NoTransition:
            async with self._learning:
                return await self._long_route(edit, status, transitions)

    async def _long_route(
        self, edit: IssueEdit, status: str, transitions: tuple[Transition, ...]
    ) -> tuple[Transition, ...]:
        """Return the shortest known way of several transitions; learn what is not known."""
        workflow = self._workflows.setdefault((edit.project, edit.type_id), {})
        # The transitions of this issue count, not those of another one in the same status.
        edges = {**workflow, edit.status.casefold(): transitions}
        while not (path := find_path(_next_statuses(edges), edit.status, status)):
            unknown = unknown_statuses(_next_statuses(edges), edit.status)
            if not unknown:
                raise no_transition(status, transitions)
            for text in unknown:
                learnt = await self._transitions_from(edit, text)
                edges[text.casefold()] = workflow[text.casefold()] = learnt
        await self._keep_workflow(edit, edges)
        fields = self._off_screen.get(edit.key, ())
        starts = (edit.status, *path)
        return tuple(
            transition_to(to, edges[start.casefold()], fields)
            for start, to in zip(starts, path, strict=False)
        )

    async def _transitions_from(self, edit: IssueEdit, status: str) -> tuple[Transition, ...]:
        """Ask another issue in a status for its transitions; return none if there is no such one."""
        jira = self._session.jira
        try:
            types = await self._alike_types(edit)
            key = await jira.key_in_status(edit.project, types, status)
            return await jira.transitions(key, with_fields=True) if key is not None else ()
        except AuthenticationFailed:
            raise
        except Rejected:
            return ()

    async def _alike_types(self, edit: IssueEdit) -> list[str]:
        """Return the type of an edit's issue, and the types with the same statuses."""
        if edit.project not in self._statuses:
            try:
                self._statuses[edit.project] = await self._session.jira.statuses(edit.project)
            except AuthenticationFailed:
                raise
            except Rejected:
                self._statuses[edit.project] = {}
        known = self._statuses[edit.project]
        own = set(known.get(edit.type_id, ()))
        others = (text for text in known if own and set(known[text]) == own)
        return list(dict.fromkeys((edit.type_id, *others)))

    async def _keep_workflow(self, edit: IssueEdit, edges: _Edges) -> None:
        """Store what is known of the workflow, so that the next plan can show the way."""
        known = {status: list(to) for status, to in _next_statuses(edges).items() if to}
        record = self._session.state.site_record
        async with self._session.disk:
            await self._session.in_thread(record.keep_workflow, edit.project, edit.type_id, known)


def _next_statuses(edges: _Edges) -> dict[str, list[str]]:
    return {
        status: [transition.to for transition in transitions if transition.to]
        for status, transitions in edges.items()
    }
