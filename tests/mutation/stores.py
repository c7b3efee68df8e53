"""Mutants of jobs that outlive the process."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

STORE: Final = "test_store.py::"
FILE: Final = "test_store_file.py::"
REPEATS: Final = "test_store_repeats.py::"

MUTANTS: Final = [
    # What can be sent
    Mutant(
        "another function of the same name is sent",
        "_importable.py",
        "    if not _is_same(found, thing):\n",
        "    if False:\n",
        "test_importable.py::test_what_no_name_stands_for_is_refused",
    ),
    Mutant(
        "an object of a subclass is sent as JSON",
        "_codecs.py",
        "    if type(value) is str:\n",
        "    if isinstance(value, str):\n",
        "test_sendable.py::test_json_refuses_what_would_not_come_back",
    ),
    Mutant(
        "a pickle that cannot be read is sent",
        "_codecs.py",
        "    pickle.loads(data)  # noqa: S301 - the value has just been written\n",
        "",
        "test_sendable.py::test_pickle_refuses_what_does_not_come_back",
    ),
    Mutant(
        "a pickle that only this program can read is sent",
        "_codecs.py",
        "obj.__module__ == MAIN:",
        "False:",
        "test_sendable.py::test_pickle_refuses_what_only_this_program_has",
    ),
    Mutant(
        "a dataclass that changes its fields is sent",
        "_sendable.py",
        "        _check_comes_back(job, spec)\n",
        "        pass\n",
        "test_sendable.py::test_json_refuses_what_would_not_come_back",
    ),
    # Submits and starts
    Mutant(
        "a submit returns before its job is written",
        "_store_submit.py",
        "        await store.wait_written(entered)\n",
        "        pass\n",
        STORE + "test_a_submit_returns_when_the_job_is_in_the_file",
    ),
    Mutant(
        "a job is called before its start is written",
        "_store_submit.py",
        "        await self._store.wait_all_written()\n",
        "",
        FILE + "test_a_job_is_not_called_before_its_start_is_in_the_file",
    ),
    Mutant(
        "a job whose submit failed is run",
        "_store_writer.py",
        "                self._cancel(record)\n",
        "                pass\n",
        FILE + "test_a_disk_that_fails_fails_the_submits_and_no_books",
    ),
    Mutant(
        "a job whose submit failed is written later",
        "_store_writer.py",
        "            self._gathering.forget(number)\n",
        "",
        FILE + "test_a_disk_that_fails_fails_the_submits_and_no_books",
    ),
    Mutant(
        "what could not be written is forgotten",
        "_store_writer.py",
        "        self._gathering.add_older(batch)\n",
        "",
        FILE + "test_what_could_not_be_written_is_written_later",
    ),
    Mutant(
        "nobody writes for a submit once the writer has ended",
        "_store_writer.py",
        "            if self._has_stopped:",
        "            if False:",
        FILE + "test_a_submit_after_the_end_of_the_writer_is_written",
    ),
    Mutant(
        "two threads use the file at once",
        "_store_writer.py",
        "        while self._writing is not None:  # by a submit, since the task has ended\n            await self._writing.is_over.wait()\n",
        "",
        FILE + "test_a_submit_after_the_end_of_the_writer_is_written",
    ),
    Mutant(
        "submit_nowait takes a job that is not on disk",
        "_queue.py",
        "        if self._core.store is not None:\n            raise RuntimeError(",
        "        if False:\n            raise RuntimeError(",
        STORE + "test_submit_nowait_is_refused",
    ),
    # Ends
    Mutant(
        "a job that the end of its queue stops is gone",
        "_store_writer.py",
        "        return extras.cancel_cause is CancelCause.SHUTDOWN",
        "        return False",
        STORE + "test_what_a_shutdown_cancels_is_run_by_the_next_opening",
    ),
    Mutant(
        "the job of a cancelled run stays",
        "_store_writer.py",
        "            return not extras.cancel_requested",
        "            return True",
        STORE + "test_the_job_of_a_cancelled_run_is_gone",
    ),
    Mutant(
        "a job that can never start stays",
        "_store_writer.py",
        "return bool(lost) and all(job in self._kept for job in lost)",
        "return bool(lost)",
        STORE + "test_what_a_user_cancels_is_gone",
    ),
    Mutant(
        "an interrupted attempt counts",
        "_store_rows.py",
        "uncounted=values.uncounted + 1)",
        "uncounted=values.uncounted)",
        STORE + "test_an_interrupted_attempt_is_no_kill",
    ),
    # The file
    Mutant(
        "two queues have one file",
        "_store_file.py",
        "        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "",
        FILE + "test_a_second_queue_is_refused_with_the_process",
    ),
    Mutant(
        "a refused opening keeps the file",
        "_store_writer.py",
        "            await self._close()  # noqa: ASYNC102 - it is shielded and bounded\n            raise\n        self._next",
        "            raise\n        self._next",
        FILE + "test_a_refused_opening_leaves_the_file_free",
    ),
    Mutant(
        "a file that was replaced is written",
        "_store_file.py",
        "            self._check_identity()\n",
        "",
        FILE + "test_a_file_that_is_gone_fails_the_submit",
    ),
    Mutant(
        "a damaged file is used",
        "_store_file.py",
        '        if found != "ok":',
        "        if False:",
        FILE + "test_a_damaged_page_is_found",
    ),
    Mutant(
        "a pickle of others is read",
        "_store_file.py",
        "        if self._is_trusted_only and",
        "        if False and",
        FILE + "test_a_pickle_that_others_can_write_is_refused",
    ),
    Mutant(
        "new jobs are not flushed to the disk",
        "_store_file.py",
        "'FULL' if changes.new else 'NORMAL'",
        "'NORMAL'",
        FILE + "test_new_jobs_are_flushed_to_the_disk",
    ),
    Mutant(
        "all ended jobs stay in the file",
        "_store_file.py",
        "        if ended - dropped > self._max_ended * 17 / 16:",
        "        if False:",
        STORE + "test_as_many_ended_jobs_stay_as_the_queue_keeps",
    ),
    Mutant(
        "a kill is not counted",
        "_store_file.py",
        "kills = kills + 1",
        "kills = kills",
        STORE + "test_a_job_that_is_killed_too_often_fails",
    ),
    # Openings
    Mutant(
        "a job is started again without end",
        "_store_opening.py",
        "        if row.kills >= self._writer.max_kills or has_no_attempt:",
        "        if has_no_attempt:",
        STORE + "test_the_number_of_kills_is_an_option",
    ),
    Mutant(
        "a job that may be started once is started twice",
        "_store_opening.py",
        "        if row.kills >= self._writer.max_kills or has_no_attempt:",
        "        if row.kills >= self._writer.max_kills:",
        STORE + "test_a_job_that_is_killed_too_often_fails",
    ),
    Mutant(
        "a job starts although the one before it stays in the file",
        "_store_opening.py",
        "        if any(number in self.left_out for number in predecessors):",
        "        if False:",
        STORE + "test_a_job_that_cannot_be_imported_stays_in_the_file",
    ),
    Mutant(
        "a damaged row breaks the queue",
        "_store_rows.py",
        "    if not is_sound:\n",
        "    if False:\n",
        STORE + "test_a_damaged_job_stays_in_the_file",
    ),
    Mutant(
        "a link to a store has a lock of its own",
        "_store_file.py",
        "Path(os.path.realpath(self._path))",
        "self._path",
        FILE + "test_a_link_to_a_store_is_the_same_store",
    ),
    Mutant(
        "a job that was due waits for a clock that was set back",
        "_store_opening.py",
        "now = max(self._now, row.submitted_at - offset)",
        "now = self._now",
        STORE + "test_a_clock_that_was_set_back_holds_up_no_job",
    ),
    Mutant(
        "a repeat waits for a clock that was set back",
        "_store_repeats.py",
        "max(math.floor((due_at - now) / seconds) - 1, 0)",
        "0",
        REPEATS + "test_a_clock_that_was_set_back_holds_up_no_repeat",
    ),
    Mutant(
        "an ID is given out twice",
        "_store_opening.py",
        "        registry.continue_ids(contents.next_number)\n",
        "",
        STORE + "test_as_many_ended_jobs_stay_as_the_queue_keeps",
    ),
    # Repeats
    Mutant(
        "the end of the queue ends its repeats for good",
        "_repeat.py",
        "        self.observer = None\n        for",
        "        for",
        REPEATS + "test_a_repeat_goes_on_by_itself",
    ),
    Mutant(
        "a repeat that is taken over begins again",
        "_repeat.py",
        "        if repeat.every != stored:",
        "        if True:",
        REPEATS + "test_a_call_with_its_id_takes_it_over",
    ),
]
