from __future__ import annotations

import trio

from ticketr import JobErrorInfo, JobStatus
from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._groups import leaves, strip_tracebacks


async def work(context: object) -> None:
    """Do nothing."""


def test_statuses_are_lower_case_words() -> None:
    assert [str(status) for status in JobStatus] == [
        "pending",
        "running",
        "completed",
        "failed",
        "cancelled",
    ]


def test_an_error_is_described_as_text() -> None:
    try:
        raise ValueError("no good")  # noqa: TRY301
    except ValueError as error:
        info = JobErrorInfo.of(error)

    assert (info.type, info.message) == ("ValueError", "no good")
    assert info.traceback.startswith("Traceback (most recent call last):")
    assert info.traceback.endswith("ValueError: no good\n")


def test_an_error_that_cannot_be_printed_is_described_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("hush")

    info = JobErrorInfo.of(Mute())

    assert (info.type, info.message) == ("Mute", "<no message: RuntimeError while printing it>")
    assert info.traceback.endswith("Mute: <exception str() failed>\n")


async def cancelled() -> trio.Cancelled:
    """Return a real one; its constructor is not public."""
    saved: list[trio.Cancelled] = []
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            saved.append(error)
            raise
    return saved[0]


async def test_an_error_is_parted_into_cancelled_and_the_rest() -> None:
    cancel, error = await cancelled(), ValueError()

    assert split_cancelled(cancel) == (cancel, None)
    assert split_cancelled(error) == (None, error)
    both = split_cancelled(BaseExceptionGroup("", [cancel, error]))
    assert [list(leaves(part)) for part in both] == [[cancel], [error]]


def test_tracebacks_are_stripped_along_every_link() -> None:
    def raised(error: Exception, cause: Exception | None = None) -> Exception:
        try:
            raise error from cause  # noqa: TRY301
        except Exception as caught:  # noqa: BLE001
            return caught

    cause, context, member = raised(ValueError()), raised(KeyError()), raised(OSError())
    error = raised(ExceptionGroup("", [member]), cause)
    member.__context__ = context
    context.__context__ = error  # a circle

    strip_tracebacks(error)

    assert [e.__traceback__ for e in (error, cause, context, member)] == [None] * 4
