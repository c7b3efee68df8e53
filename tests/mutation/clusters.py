"""Mutants of the queue of a cluster: what makes its promises true in a server and its workers."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

ATTEMPT: Final = "lua/3_attempt.lua"
SUBMIT: Final = "lua/2_submit.lua"
GATES: Final = "lua/2_gates.lua"
WORKERS: Final = "lua/4_workers.lua"
RECORD: Final = "test_record_functions.py::"
REPEATS: Final = "test_repeats.py::"


def _mutant(name: str, file: str, old: str, new: str, tests: str) -> Mutant:
    return Mutant(name, file, old, new, tests, room="cluster")


MUTANTS: Final = [
    # Who may run a job
    _mutant(
        "a worker that is taken for dead begins jobs",
        ATTEMPT,
        "  if not call('ZSCORE', P .. 'workers', worker) then\n",
        "  if false then\n",
        RECORD + "test_a_worker_that_is_taken_for_dead_begins_nothing",
    ),
    _mutant(
        "a running job that is delivered again runs twice",
        ATTEMPT,
        "  if job.nonce ~= nonce or job.status ~= 'pending' then\n",
        "  if job.nonce ~= nonce then\n",
        RECORD + "test_another_delivery_of_a_running_job_is_dropped",
    ),
    _mutant(
        "a begin whose answer was lost is refused",
        ATTEMPT,
        "  if job.nonce == nonce and job.status == 'running' and job.token == token then\n",
        "  if false then\n",
        RECORD + "test_a_repeated_begin_gets_the_same_answer",
    ),
    _mutant(
        "what an old attempt says counts",
        ATTEMPT,
        "  return job.status == 'running' and job.token == token\n",
        "  return job.status == 'running'\n",
        RECORD + "test_a_report_of_an_old_attempt_is_refused",
    ),
    _mutant(
        "a job ends twice",
        ATTEMPT,
        "  return job.status == 'running' and job.token == token\n",
        "  return job.token == token\n",
        RECORD + "test_a_repeated_finish_changes_nothing",
    ),
    _mutant(
        "a value belongs to any submit",
        "_signed.py",
        r'f"{kind}\0{task}\0".encode() + data',
        "data",
        "test_signed.py::test_a_job_that_is_not_signed_for_its_submit_is_refused",
    ),
    _mutant(
        "a job that anybody has written runs",
        "_signed.py",
        "        if not hmac.compare_digest(signature, self._signature(kind, task, packed)):\n",
        "        if not signature:\n",
        "test_signed.py::test_a_job_that_is_not_signed_for_its_submit_is_refused",
    ),
    _mutant(
        "a process with another secret opens the queue",
        "_secret.py",
        'if kept is None or not hmac.compare_digest(kept.decode(errors="replace"), own):',
        "if kept is None:",
        "test_connection.py::test_another_secret_is_noticed_at_once",
    ),
    # Leases
    _mutant(
        "a worker that is taken for dead goes on",
        WORKERS,
        "  elseif not call('ZSCORE', P .. 'workers', worker) then\n",
        "  elseif false then\n",
        RECORD + "test_a_worker_that_is_taken_for_dead_begins_nothing",
    ),
    _mutant(
        "a silent worker keeps its jobs",
        WORKERS,
        "    bury(worker, at, true)\n",
        "",
        RECORD + "test_the_jobs_of_a_dead_worker_are_given_to_others",
    ),
    _mutant(
        "a job that was asked to stop runs again elsewhere",
        WORKERS,
        "  if job.cancel == '1' then\n",
        "  if false then\n",
        RECORD + "test_the_jobs_of_a_dead_worker_are_given_to_others",
    ),
    _mutant(
        "a job kills workers for ever",
        WORKERS,
        "  elseif lost >= MOST_LOSSES then\n",
        "  elseif false then\n",
        RECORD + "test_a_job_whose_workers_die_is_given_up",
    ),
    _mutant(
        "a worker that ends counts as one that died",
        WORKERS,
        "'lost', is_death and 1 or 0)",
        "'lost', 1)",
        RECORD + "test_a_worker_that_departs_counts_as_no_death",
    ),
    _mutant(
        "what a dead worker had fetched is lost",
        WORKERS,
        "    hand_on(worker, level, {})\n",
        "",
        RECORD + "test_a_message_that_a_dead_worker_has_fetched_is_delivered_again",
    ),
    _mutant(
        "a worker that is cut off runs its jobs on",
        "_life.py",
        "                stop_at = asked + 0.75 * lease\n",
        "                stop_at = asked + 75 * lease\n",
        "test_lines.py::test_a_worker_that_is_cut_off_stops_its_jobs_before_others_start_them",
    ),
    # Older data
    _mutant(
        "a job that has ended since the copy of the data runs for ever",
        WORKERS,
        "    if not held[get(id, 'entry')] then take_over(id, at, false) end\n",
        "",
        RECORD + "test_a_job_that_its_worker_does_not_hold_is_delivered_again",
    ),
    _mutant(
        "a job that runs since the copy of the data is delivered after half of the lease",
        WORKERS,
        "      held[entry] = nil\n",
        "",
        RECORD + "test_a_message_of_an_attempt_that_is_not_known_is_delivered_again",
    ),
    _mutant(
        "two attempts at a job run at once in a worker",
        "_sessions.py",
        "                await self._end_earlier(attempt)\n",
        "",
        "test_older_data.py::test_an_attempt_that_the_server_has_forgotten_ends_before_the_next",
    ),
    _mutant(
        "an attempt that the server has forgotten runs on",
        "_sessions.py",
        "                attempt.give_back()\n",
        "                pass\n",
        "test_older_data.py::test_what_has_happened_since_happens_again",
    ),
    _mutant(
        "what was told before the copy of the data hides what happens after it",
        "_record.py",
        "        is_old = revision <= self.revision and not is_whole_record\n",
        "        is_old = revision <= self.revision\n",
        "test_older_data.py::test_what_has_happened_since_happens_again",
    ),
    # A record that another program has overwritten
    _mutant(
        "an overwritten record stops all that is due",
        "lua/1_record.lua",
        "  if not is_overwritten(id) then error(answer) end\n",
        "  error(answer)\n",
        "test_overwritten.py::test_a_worker_names_an_overwritten_record_and_goes_on",
    ),
    _mutant(
        "an overwritten record ends the worker",
        "_sessions.py",
        "        except ClusterUnavailable:",
        "        except ZeroDivisionError:",
        "test_overwritten.py::test_a_worker_names_an_overwritten_record_and_goes_on",
    ),
    # Keys
    _mutant(
        "a delivered job begins although another one has its key",
        ATTEMPT,
        "    if holder and holder ~= id then\n",
        "    if false then\n",
        RECORD + "test_one_job_has_a_key_however_they_are_delivered",
    ),
    _mutant(
        "a job whose key is taken is delivered",
        "lua/1_record.lua",
        "  local is_taken = key ~= '' and holder_of(key)\n",
        "  local is_taken = false\n",
        RECORD + "test_one_job_has_a_key_however_they_are_delivered",
    ),
    _mutant(
        "the end of a job keeps its key",
        "lua/1_record.lua",
        "  if call('GET', P .. 'key:' .. key) == id then hand_key_on(key) end\n",
        "",
        RECORD + "test_one_job_has_a_key_however_they_are_delivered",
    ),
    # Submits and cancels
    _mutant(
        "a submit whose answer was lost enters twice",
        SUBMIT,
        "  if get(id, 'nonce') == nonce then\n",
        "  if false then\n",
        RECORD + "test_a_repeated_enter_changes_nothing",
    ),
    _mutant(
        "a submit enters that was withdrawn",
        SUBMIT,
        "  if call('EXISTS', P .. 'withdrawn:' .. nonce) == 1 then return {'withdrawn'} end\n",
        "",
        RECORD + "test_a_withdrawn_submit_does_not_enter_any_more",
    ),
    _mutant(
        "a cancel whose answer was lost gets another one",
        SUBMIT,
        "  if token ~= '' and job.cancel_token == token then return job.answer end\n",
        "",
        RECORD + "test_a_repeated_cancel_repeats_its_answer",
    ),
    _mutant(
        "each cancel is the first",
        SUBMIT,
        "  if job.cancel == '1' then return 'already requested' end\n",
        "",
        RECORD + "test_a_repeated_cancel_repeats_its_answer",
    ),
    _mutant(
        "a job runs again that was cancelled before its worker knew",
        ATTEMPT,
        "  if get(id, 'cancel') == '1' then\n",
        "  if false then\n",
        RECORD + "test_a_cancel_before_a_put_back_ends_the_job",
    ),
    _mutant(
        "a cancel is lost that is faster than the answer to begin",
        "_attempt.py",
        "        if self.cancel_requested or self.is_given_back:\n",
        "        if self.is_given_back:\n",
        "test_attempt.py::test_an_attempt_stops_whenever_it_is_told_to",
    ),
    # Repeats, pauses, rates
    _mutant(
        "two workers make a run each",
        "lua/8_repeats.lua",
        " or call('HGET', key, 'version') ~= a[2] then return 'late' end",
        " then return 'late' end",
        REPEATS + "test_one_of_two_workers_makes_a_run",
    ),
    _mutant(
        "the runs of a repeat overlap",
        "lua/8_repeats.lua",
        "  if a[5] == '1' and is_live_run(id, runs, run or '') then return 'running' end\n",
        "",
        REPEATS + "test_runs_do_not_overlap_and_missed_ones_are_counted",
    ),
    _mutant(
        "a paused repeat is due",
        "lua/8_repeats.lua",
        "kept[1] == '1' and 'inf' or kept[2]",
        "kept[2]",
        REPEATS + "test_due_times_in_a_pause_are_not_missed",
    ),
    _mutant(
        "an attempt takes no start of a rate",
        GATES,
        "    if interval then keep_bucket(what, interval, burst, math.max(full_at, at) + interval) end\n",
        "",
        "test_gates.py::test_a_rate_holds_for_all_workers_together",
    ),
    _mutant(
        "a job that was delivered begins in a pause",
        ATTEMPT,
        "  if is_gated(id, job.key, level, entry) then\n",
        "  if false then\n",
        "test_gates.py::test_a_rate_holds_for_all_workers_together",
    ),
    # Memory
    _mutant(
        "a server without memory keeps no lease",
        "lua/1_record.lua",
        "    flags = is_growing and {} or {'allow-oom'},\n",
        "    flags = {},\n",
        "test_memory.py::test_a_worker_keeps_its_lease_and_stops_its_job_when_told_to",
    ),
    _mutant(
        "a server without memory takes jobs",
        "lua/7_many.lua",
        "    if has_memory or not grows[name] then\n",
        "    if true then\n",
        "test_batches.py::test_without_memory_only_the_calls_fail_that_need_some",
    ),
    _mutant(
        "a worker reads no messages of a server without memory",
        "_engine.py",
        "            return await self.redis.xreadgroup(GROUP, self.id, self._streams, count=count)\n",
        "            raise\n",
        "test_engine.py::test_fault_14_without_memory_the_function_that_reads_is_refused",
    ),
]
