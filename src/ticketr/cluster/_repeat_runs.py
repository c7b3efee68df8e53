"""The runs of repeats: which are due, and the jobs that they are. Workers submit them."""

from __future__ import annotations

import json
import logging
import uuid
from typing import TYPE_CHECKING, Any, Final, final

import trio

from ticketr.cluster._allowed import NotAllowed, check_module
from ticketr.cluster._keys import TaskName
from ticketr.cluster._repeat_state import KeptRepeat
from ticketr.cluster._repeat_times import next_step
from ticketr.cluster._store import FAILED, pairs
from ticketr.cluster._submission import NO_LIMIT
from ticketr.jobs._importable import LoadFailed, import_by_name
from ticketr.jobs._job import JobErrorInfo, OnConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from ticketr.cluster._signed import SignedCodec
    from ticketr.cluster._store import RecordStore

logger = logging.getLogger("ticketr.cluster")

REFUSED: Final = (b"running", b"taken")
"""The answers of ``repeat_step`` to a step that asked for a run and submitted none."""
FIELDS: Final = ("name", "tags", "priority", "level", "timeout")


def step_of_run(
    kept: KeptRepeat, codec: SignedCodec, next_due: float, *, missed: int
) -> tuple[object, ...]:
    """Return the arguments of ``repeat_step`` that submit the next run of a repeat.

    Raises:
        LoadFailed: The repeat is not signed with the queue's secret.
    """
    task = TaskName(f"{kept.id}#{kept.runs + 1}", uuid.uuid4().hex[:12])
    told = kept.told
    where = (OnConflict.WAIT.value, 1, "", told["key"], 0, NO_LIMIT, 0, 0, 0)
    fields = [part for name in FIELDS for part in (name, told[name])]
    fields += ["payload", codec.renamed("job", kept.task, task, told["payload"])]
    fields += ["retry", told["retry"] and codec.renamed("retry", kept.task, task, told["retry"])]
    step = (kept.id, kept.version, f"{next_due:.6f}", missed, 1)
    return (*step, task.job_id, task.nonce, *where, *fields)


@final
class RepeatRunner:
    """Submits the runs that are due, until the worker ends."""

    def __init__(
        self, store: RecordStore, codec: SignedCodec, modules: Collection[str] | None
    ) -> None:
        self._store = store
        self._codec = codec
        self._modules = modules
        self._is_due = trio.Event()
        self._left_to_others: set[str] = set()

    def wake(self) -> None:
        """Look for runs that are due."""
        self._is_due.set()

    async def run(self) -> None:
        """Submit runs until cancelled.

        A call that the server does not answer is repeated with the next ones.
        """
        while True:
            await self._is_due.wait()
            self._is_due = trio.Event()
            try:
                at, *due = await self._store.call("repeat_due")
                for told in due:
                    await self._submit_run_or_skip(KeptRepeat(pairs(told)), float(at))
            except FAILED as error:
                self._store.close_if_silent(error)

    async def _submit_run_or_skip(self, kept: KeptRepeat, now: float) -> None:
        """Submit the run that is due, unless one is running; end a repeat whose function fails."""
        try:
            every = self._every_of(kept)
        except (LoadFailed, NotAllowed) as error:  # another worker may know better
            if kept.id not in self._left_to_others:
                self._left_to_others.add(kept.id)
                logger.warning("repeat %r is left to other workers: %s", kept.id, error)
            return
        try:
            step = next_step(
                every,
                first=float(kept.told["first"]),
                due=kept.due,
                since=float(kept.told["since"]),
                now=now,
                is_running=kept.is_running,
            )
        except Exception as error:  # noqa: BLE001 - the user's function
            await self._store.call("repeat_end", kept.id, uuid.uuid4().hex)
            text = JobErrorInfo.of(error).traceback
            words = "repeat %r has ended, since every() gave no next time:\n%s"
            logger.error(words, kept.id, text)  # noqa: TRY400 - the text is clean
            return
        args: tuple[object, ...] = (kept.id, kept.version, f"{step.next_due:.6f}", step.missed, 0)
        if step.is_run:
            args = step_of_run(kept, self._codec, step.next_due, missed=step.missed)
        if await self._store.call("repeat_step", *args) == b"taken":
            logger.error("run %r was not submitted: a job has its ID", f"{kept.id}#{kept.runs + 1}")

    def _every_of(self, kept: KeptRepeat) -> float | Callable[[datetime], datetime]:
        """Return the seconds between two due times, or the user's function.

        Raises:
            LoadFailed: It is not signed with the queue's secret, or cannot be imported here.
            NotAllowed: Its module is not one that the worker was started for.
        """
        spec: dict[str, Any] = json.loads(
            self._codec.unpack_every(kept.task, kept.told["signed_every"])
        )
        if "seconds" in spec:
            return float(spec["seconds"])
        module = spec["function"].partition(":")[0]
        check_module(module, self._modules)
        every: Callable[[datetime], datetime] = import_by_name(spec["function"])
        return every
