"""Mutants of the checks and conversions of arguments."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

ODD = "test_unexpected_values.py::test_an_unexpected_value_is_refused_with_a_message_or_taken"
REFUSED = "test_function.py::test_what_cannot_be_a_job_is_refused_at_the_call"

MUTANTS: Final = [
    # Values
    Mutant(
        "a bool is a number",
        "_values.py",
        "if kind is bool or not isinstance(value, Real):",
        "if not isinstance(value, Real):",
        ODD,
    ),
    Mutant(
        "a Decimal is a number",
        "_values.py",
        "if kind is bool or not isinstance(value, Real):",
        "if kind is bool:",
        ODD,
    ),
    Mutant(
        "nan is a number",
        "_values.py",
        "return number if number == number else None",
        "return number",
        ODD,
    ),
    Mutant(
        "a number of a subclass is kept",
        "_values.py",
        "            value = float(value)\n",
        "",
        ODD,
    ),
    Mutant(
        "a whole number of a subclass is kept",
        "_values.py",
        'else operator.index(cast("int", value))',
        'else cast("int", value)',
        ODD,
    ),
    Mutant(
        "a string of a subclass is kept",
        "_values.py",
        "    return str.__str__(text)\n",
        "    return text\n",
        ODD,
    ),
    Mutant(
        "an infinite delay is taken",
        "_values.py",
        "and not (limit and seconds == math.inf):",
        "and seconds != math.inf:",
        ODD,
    ),
    Mutant(
        "a whole number may be of any size",
        "_values.py",
        "    if not least <= value <= most:\n",
        "    if not least <= value:\n",
        "test_priority.py::test_an_invalid_priority_is_refused " + ODD,
    ),
    Mutant(
        "a value whose repr raises breaks the error message",
        "_values.py",
        "        return exact_str(repr(value))\n    except Exception:",
        "        return exact_str(repr(value))\n    except TypeError:",
        ODD,
    ),
    Mutant(
        "a message whose str raises fails the report",
        "_values.py",
        "        return exact_str(str(value))\n    except Exception:",
        "        return exact_str(str(value))\n    except TypeError:",
        ODD,
    ),
    Mutant(
        "a retry that is not a Retry is taken",
        "_options.py",
        "if type(retry) is not Retry:",
        "if False:",
        ODD,
    ),
    Mutant(
        "tags that are not strings are taken",
        "_options.py",
        'frozenset(checked_text("a tag", tag) for tag in tags)',
        "frozenset(tags)",
        ODD,
    ),
    Mutant(
        "an unknown option is ignored",
        "_options.py",
        "            raise TypeError(_unknown_option_message(option))\n",
        "            continue\n",
        "test_function.py::test_an_option_that_does_not_exist_is_named",
    ),
    Mutant(
        "a RetryLater of another class waits for ever",
        "_retry.py",
        'checked_seconds("the delay of RetryLater", only[0].delay)',
        "only[0].delay",
        "test_misbehaving_errors.py::test_an_invalid_delay_fails_the_job",
    ),
    # Jobs
    Mutant(
        "a class is called for a job",
        "_function.py",
        "if issubclass(kind, type):",
        "if False:",
        REFUSED,
    ),
    Mutant(
        "a coroutine that was refused is never closed",
        "_adapters.py",
        "        given.close()\n",
        "        pass\n",
        "test_function.py::test_a_coroutine_is_closed_and_refused",
    ),
    Mutant(
        "a coroutine that has begun is closed",
        "_adapters.py",
        "if inspect.getcoroutinestate(given) == inspect.CORO_CREATED:",
        "if True:",
        "test_function.py::test_a_coroutine_that_has_begun_is_left_alone",
    ),
    Mutant(
        "an async generator function is called",
        "_function.py",
        "if flags & CO_ASYNC_GENERATOR:",
        "if False:",
        REFUSED,
    ),
    Mutant(
        "a function that is not async is called",
        "_function.py",
        "if not is_async and not is_blocking and is_named and not inspect.iscoroutinefunction(core):",
        "if False:",
        REFUSED,
    ),
    Mutant(
        "arguments that do not fit are noticed only in the job",
        "_function.py",
        "if not _takes(function, positional, names):",
        "if False:",
        REFUSED,
    ),
    Mutant(
        "a job that returns no awaitable fails with Python's message",
        "_function.py",
        "if not inspect.isawaitable(returned):",
        "if False:",
        "test_function.py::test_a_job_that_returns_no_awaitable_fails_with_a_clear_error",
    ),
    Mutant(
        "no hint at plain() is given",
        "_function.py",
        "if wants_no_context else",
        "if False else",
        REFUSED,
    ),
    Mutant(
        "plain() is recommended where it does not help",
        "_function.py",
        "adapter is None and _takes(function, positional - 1, names)",
        "adapter is None",
        REFUSED,
    ),
    Mutant(
        "an argument of the function is called an unknown option and no more",
        "_options.py",
        "exact_str(option) if str.isidentifier(option) else",
        "exact_str(option) if False else",
        "test_function.py::test_an_option_that_does_not_exist_is_named",
    ),
    Mutant(
        "the name of an option is printed as it is",
        "_options.py",
        "exact_str(option) if str.isidentifier(option) else",
        "exact_str(option) if True else",
        "test_function.py::test_an_option_that_does_not_exist_is_named",
    ),
    Mutant(
        "a block is entered outside Trio",
        "_open.py",
        "if not trio.lowlevel.in_trio_task():",
        "if False:",
        "test_open.py::test_a_queue_under_asyncio_needs_trio"
        " test_open.py::test_a_task_of_asyncio_beside_a_guest_run_needs_trio",
    ),
    Mutant(
        "within is a time on Trio's clock",
        "_options.py",
        "return trio.current_time() + seconds if",
        "return seconds if",
        "test_delays_and_pauses.py::test_within_counts_from_the_submit",
    ),
    Mutant(
        "within and start_by are taken together",
        "_options.py",
        "            if field in fields:\n",
        "            if False:\n",
        "test_delays_and_pauses.py::test_within_and_start_by_do_not_go_together",
    ),
    # Handles
    Mutant(
        "a handle of another queue is taken",
        "_handle.py",
        "return self._record if core is self._core else None",
        "return self._record",
        "test_function.py::test_a_handle_is_taken_where_an_id_is",
    ),
    Mutant(
        "a handle means the job that has its ID now",
        "_lookup.py",
        "return job.record_in(core)",
        "return core.records.get(job.id) if job.record_in(core) else None",
        "test_function.py::test_a_handle_means_its_own_job_even_if_another_has_the_id_now",
    ),
    # Adapters
    Mutant(
        "the context of an adapted function counts as an argument",
        "_function.py",
        "            positional -= 1\n",
        "",
        "test_adapters.py::test_arguments_that_do_not_fit_are_refused_at_the_submit",
    ),
    Mutant(
        "a thread is abandoned unasked",
        "_adapters.py",
        "            abandon_on_cancel=self.abandon_on_cancel,",
        "            abandon_on_cancel=True,",
        "test_adapters.py::test_a_cancelled_thread_is_waited_for_unless_it_asks",
    ),
    Mutant(
        "a thread that may be abandoned is waited for",
        "_adapters.py",
        "            abandon_on_cancel=self.abandon_on_cancel,",
        "            abandon_on_cancel=False,",
        "test_adapters.py::test_a_thread_that_may_be_abandoned_holds_up_no_cancel",
    ),
    Mutant(
        "the limiter is left out",
        "_adapters.py",
        "            limiter=self.limiter,",
        "            limiter=None,",
        "test_adapters.py::test_a_limiter_bounds_the_threads",
    ),
]
