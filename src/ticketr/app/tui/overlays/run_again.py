"""An ended job, of this run or an earlier one, and how it is run again. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ticketr import FinishedJob
from ticketr.app.sync import tagged_tickets
from ticketr.app.tickets import is_key
from ticketr.app.tui import effects
from ticketr.app.tui.job_request import JobKind, JobRequest
from ticketr.app.tui.jobs_state import kind_of, workspace_of
from ticketr.app.tui.keymap import Context, KeyAction, KeyMap
from ticketr.app.tui.overlays.plan import Plan

if TYPE_CHECKING:
    from ticketr import JobSnapshot
    from ticketr.app.tui.state import AppState
    from ticketr.app.tui.step import Step

#: The end of the name of a job of many tickets, which names only the first ones.
_MORE = re.compile(r" and (\d+) more$")
#: What the name of a job of the command line says of a query, in place of a project.
_QUERY = "by query"


@dataclass(frozen=True, slots=True)
class EndedJob:
    """What is known of an ended job.

    Attributes:
        name: Its name, such as ``Pull harbour`` or ``Push DEMO-2, DEMO-9``; not cleaned.
        workspace: The name of its workspace; empty if the app does not have that.
        kind: Its kind; None for one that no key starts.
        error: The message of its error, not cleaned; empty unless it failed.
        tagged: The tickets to which it was limited, by its tags; empty if these name none.
    """

    name: str
    workspace: str
    kind: JobKind | None
    error: str
    tagged: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: AppState, job: JobSnapshot | FinishedJob) -> EndedJob:
        """Return what is known of a job that has ended."""
        if isinstance(job, FinishedJob):
            workspace = state.jobs.workspaces.get(job.key or "", "")
            kind, error = job.name.partition(" ")[0].lower(), job.error_message
        else:
            workspace, kind = workspace_of(job), kind_of(job)
            error = job.error.message if job.error is not None else None
        known_kind = next((job_kind for job_kind in JobKind if job_kind.value == kind), None)
        is_here = state.named(workspace) is not None
        tagged = tagged_tickets(job.tags)
        return cls(job.name, workspace if is_here else "", known_kind, error or "", tagged)

    @property
    def subject(self) -> str:
        """What it was about, by its name: all of a workspace, or some tickets."""
        return self.name.partition(" ")[2]

    @property
    def keys(self) -> tuple[str, ...]:
        """The tickets to which it was limited, as far as they are known; empty for all."""
        if self.tagged:
            return self.tagged
        return () if self.subject == self.workspace else self._named_tickets

    @property
    def unknown(self) -> int:
        """How many more tickets it was limited to, which are not known.

        Tags of very many tickets are not all kept, and older versions kept none.
        """
        more = _MORE.search(self.subject)
        if more is None or not self._named_tickets:
            return 0
        return len(self._named_tickets) + int(more[1]) - len(self.keys)

    @property
    def _named_tickets(self) -> tuple[str, ...]:
        """The tickets that its name gives; empty if it names something else."""
        keys = tuple(_MORE.sub("", self.subject).split(", "))
        return keys if all(map(is_key, keys)) else ()


def refusal(job: EndedJob, keymap: KeyMap) -> str:
    """Return why a job is not run again; empty if it can be."""
    if not job.workspace:
        return "The workspace of this job is not among those of the app"
    if job.kind in {None, JobKind.BULK}:
        choose = keymap.hint(KeyAction.CHANGE, Context.MAIN, "asks again", before="; ")
        return f"A change in Jira is not run again unseen{choose}"
    if job.unknown:
        known = len(job.keys)
        count = f"{known} of the {known + job.unknown} tickets of this job are known"
        return f"Only {count}: {job.subject}"
    if job.kind is JobKind.PULL and job.subject == _QUERY != job.workspace:
        pull = keymap.hint(KeyAction.PULL, Context.MAIN, "pulls the workspace", before="; ")
        return f"The query that this job pulled by is not known any more{pull}"
    return ""


def run_again(state: AppState, job: EndedJob) -> Step:
    """Pull again, or open a new plan of what was pushed or synced; or say why not."""
    words = refusal(job, state.keymap)
    if words or job.kind is None:
        return state.noticed(words), ()
    if job.kind is JobKind.PULL:
        return state, (effects.StartJob(job.workspace, JobRequest(JobKind.PULL, keys=job.keys)),)
    plan = Plan(job.kind, job.workspace, job.keys)
    return state.opened(plan), (effects.ReadPlan(job.workspace, job.kind, job.keys),)
