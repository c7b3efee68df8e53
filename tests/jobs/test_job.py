from __future__ import annotations

import trio

from ticketr import JobErrorInfo, JobStatus
from ticketr.jobs._groups import strip_tracebacks


def test_statuses_are_lower_case_words() -> None:
    assert [str(status) for status in JobStatus] == [
        "pending",
        "running",
        "completed",
        "failed",
        "cancelled",
    ]


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
