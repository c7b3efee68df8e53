"""Mutants of repeats and their due times."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    # Due times
    Mutant(
        "due times of an interval drift",
        "_due_times.py",
        "        self._number = number\n        return number - last - 1\n",
        "        self._first_at, self._number = self._time(number) - self._every, 1\n"
        "        return number - last - 1\n",
        "test_due_times.py::test_due_times_of_an_interval_do_not_drift",
    ),
    Mutant(
        "a due time that is now is skipped",
        "_due_times.py",
        "        while self._time(number) < now:  # the division was rounded\n"
        "            number += 1\n"
        "        while number > last + 1 and self._time(number - 1) >= now:\n",
        "        while self._time(number) <= now:\n"
        "            number += 1\n"
        "        while number > last + 1 and self._time(number - 1) > now:\n",
        "test_repeat.py::test_runs_do_not_overlap_and_missed_ones_are_counted",
    ),
    Mutant(
        "a function of the due time may stand still",
        "_due_times.py",
        "    if following <= due:\n",
        "    if following < due:\n",
        "test_due_times.py::test_function_gives_a_later_time_with_a_zone",
    ),
    Mutant(
        "a datetime without a time zone is taken",
        "_due_times.py",
        "    if value.utcoffset() is None:\n",
        "    if False:\n",
        "test_due_times.py::test_function_gives_a_later_time_with_a_zone",
    ),
    Mutant(
        "a function of the due time is called without an end",
        "_due_times.py",
        "        while due_at < now and steps < MAX_STEPS:\n",
        "        while due_at < now:\n",
        "test_due_times.py::test_calendar_skips_some_due_times_at_a_time",
    ),
    Mutant(
        "an interval of no time is taken",
        "_due_times.py",
        '_bounded("every", every, MIN_SECONDS)',
        '_bounded("every", every, 0.0)',
        "test_due_times.py::test_interval_is_a_time",
    ),
    Mutant(
        "due times of a calendar ignore that the wall clock was set",
        "_due_times.py",
        "            due, due_at = following, following.timestamp() - offset\n",
        "            due, due_at = following, self.due_at + (following - self._due).total_seconds()\n",
        "test_due_times.py::test_calendar_follows_a_wall_clock_that_was_set",
    ),
    # Runs
    Mutant(
        "runs of a repeat overlap",
        "_repeat.py",
        "        repeat.is_running = True  # a key's own code may use the repeat\n",
        "        repeat.is_running = False\n",
        "test_repeat.py::test_run_now_keeps_the_due_times",
    ),
    Mutant(
        "a run waits for room",
        "_core.py",
        "        self.enter(record, above=True)\n",
        "        self.enter(record)\n",
        "test_repeat.py::test_run_enters_above_max_pending",
    ),
    Mutant(
        "a run that is submitted wakes no worker",
        "_core.py",
        "        self.enter(record, above=True)\n        self.dispatcher.wake()\n",
        "        self.enter(record, above=True)\n",
        "test_repeat.py::test_run_starts_on_a_free_worker_beside_other_jobs",
    ),
    Mutant(
        "the timer task does not wait for the runs of repeats",
        "_queue_tasks.py",
        "        core.repeats.next_time(),\n",
        "",
        "test_repeat.py::test_repeats_do_not_disturb_each_other",
    ),
    Mutant(
        "a run ends its repeat",
        "_core.py",
        "            self.repeats.run_ended(record)\n",
        "            pass\n",
        "test_repeat.py::test_failed_run_does_not_end_the_repeat",
    ),
    Mutant(
        "runs share the context variables",
        "_record.py",
        "JobRecord(function, args, context.copy(), self",
        "JobRecord(function, args, context, self",
        "test_repeat.py::test_run_sees_the_context_variables_of_the_call",
    ),
    Mutant(
        "missed runs are not counted",
        "_repeat.py",
        "        self.missed += skipped if is_counted else 0\n",
        "",
        "test_repeat.py::test_runs_do_not_overlap_and_missed_ones_are_counted",
    ),
    Mutant(
        "a due time that passed without a run is not counted",
        "_repeat.py",
        "        skipped = times.advance(now, offset) + (not self.is_due_used)\n",
        "        skipped = times.advance(now, offset)\n",
        "test_repeat.py::test_run_now_keeps_the_due_times",
    ),
    Mutant(
        "a due time that has not come is skipped",
        "_repeat.py",
        "        if times is None or not (self.is_due_used or times.due_at < now):\n",
        "        if times is None:\n",
        "test_repeat.py::test_short_pause_skips_nothing",
    ),
    Mutant(
        "a repeat runs again at the same due time",
        "_repeat.py",
        "        repeat.is_due_used = True\n",
        "",
        "test_repeat.py::test_first_run_is_at_once_by_default "
        "test_repeat.py::test_runs_are_due_at_first_plus_n_times_every",
    ),
    Mutant(
        "a repeat that is behind runs at once",
        "_repeat.py",
        "        self.is_behind = times.due_at < now\n",
        "",
        "test_repeat.py::test_many_missed_due_times_are_skipped_in_one_instant",
    ),
    Mutant(
        "a run that is not submitted stops its repeat",
        "_repeat.py",
        "                repeat.missed += 1\n                self.go_on(repeat)\n",
        "                repeat.missed += 1\n",
        "test_repeat.py::test_run_whose_id_is_taken_is_missed_and_logged",
    ),
    Mutant(
        "run_now stops a repeat whose run is not submitted",
        "_repeat_handle.py",
        "            if not repeat.is_running:\n                self._repeats.go_on(repeat)\n",
        "            pass\n",
        "test_repeat.py::test_refused_run_now_keeps_the_next_run",
    ),
    Mutant(
        "a repeat whose first run is refused goes on",
        "_repeat.py",
        "            self._remove(repeat)\n            raise\n",
        "            raise\n",
        "test_repeat.py::test_refused_first_run_leaves_no_repeat",
    ),
    # Steering and the end
    Mutant(
        "a pause counts what it skips",
        "_repeat.py",
        "        else:\n            self.go_on(repeat, is_counted=False)\n",
        "        else:\n            self.go_on(repeat)\n",
        "test_repeat.py::test_pause_skips_runs_without_counting_them",
    ),
    Mutant(
        "a pause lets the next run through",
        "_repeat.py",
        " and not self.is_running and not self.is_paused\n",
        " and not self.is_running\n",
        "test_repeat.py::test_pause_during_a_run_holds_after_it",
    ),
    Mutant(
        "a cancelled repeat still runs",
        "_repeat.py",
        "            self.unschedule(repeat)\n            self._remove(repeat)\n",
        "            self.unschedule(repeat)\n",
        "test_repeat.py::test_cancel_between_runs_ends_the_repeat",
    ),
    Mutant(
        "the function of a due time may end its worker",
        "_repeat.py",
        "        except BaseException as error:  # noqa: ASYNC103, BLE001 - the user's function\n",
        "        except ZeroDivisionError as error:\n",
        "test_repeat.py::test_function_that_gives_no_later_time_ends_the_repeat",
    ),
    Mutant(
        "the function of a due time cannot exit the program",
        "_repeat.py",
        "            self._queue.interrupt(error)\n",
        "            pass\n",
        "test_repeat.py::test_function_that_exits_ends_the_program",
    ),
    Mutant(
        "repeats go on while the block is being left",
        "_shutdown.py",
        "    core.repeats.end_all()\n",
        "",
        "test_repeat.py::test_no_run_begins_while_the_block_is_being_left",
    ),
    Mutant(
        "a repeat begins while the block is being left",
        "_repeat.py",
        "        if self._queue.phase.draining:\n            raise QueueClosed\n",
        "",
        "test_repeat.py::test_job_cannot_repeat_while_the_block_is_being_left",
    ),
    Mutant(
        "a repeat that has ended keeps its function",
        "_repeat.py",
        "        repeat.due_times = repeat.template = None\n",
        "        repeat.due_times = None\n",
        "test_repeat.py::test_ended_repeat_drops_its_function",
    ),
    Mutant(
        "two repeats have one ID",
        "_repeat.py",
        "            if not self._live[repeat_id].is_restored:\n                raise DuplicateJob(repeat_id, None)\n",
        "",
        "test_repeat.py::test_id_of_another_repeat_is_refused",
    ),
    Mutant(
        "an option that makes no sense for a run is taken",
        "_options.py",
        "    for option in NOT_OF_REPEATS.keys() & options.keys():\n",
        "    for option in ():\n",
        "test_repeat.py::test_option_that_makes_no_sense_is_refused",
    ),
    Mutant(
        "the handle of a repeat works in any thread",
        "_repeat.py",
        "        self._owner_thread.check()\n",
        "",
        "test_repeat.py::test_handle_belongs_to_the_run_of_its_queue",
    ),
    Mutant(
        "a repeat that will submit a job is not a hope for a job that waits for it",
        "_wait_targets.py",
        "        if queue.waits.opened_by is None or queue.repeats.next_time() < math.inf:\n",
        "        if queue.waits.opened_by is None:\n",
        "test_repeat.py::test_job_may_wait_for_the_runs_of_a_repeat_in_a_queue_of_its_own",
    ),
    Mutant(
        "the end of a repeat is not seen by a job that waits for its runs",
        "_repeat.py",
        "            self._scheduled.discard(repeat)\n            self._request_deadlock_check()\n",
        "            self._scheduled.discard(repeat)\n",
        "test_repeat.py::test_end_of_a_repeat_shows_a_deadlock",
    ),
    Mutant(
        "wall-clock time stands still on a virtual clock",
        "_wall_clock.py",
        "        if self._is_fixed:\n            return self._offset\n",
        "",
        "test_repeat.py::test_function_gives_each_due_time",
    ),
]
