"""The models that the golden frames of the status line show."""

from __future__ import annotations

from fakes.job_snapshots import failed, snapshot

from ticketr import JobSnapshot, JobStatus
from ticketr.statusline import StatusModel

NOW = 12.0
HOSTILE = (
    "a\x1b[2Jb\x1b]0;own\x07c\nd\te\u202egnp.exe \u5de5\u5355 "
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 e\u0301 \x9b31mred"
)


def pull(
    current: float, message: str = "Pulling tickets", *, cancel_requested: bool = False
) -> JobSnapshot:
    return snapshot(current=current, total=120, message=message, cancel_requested=cancel_requested)


def pulling(message: str = "Pulling tickets") -> StatusModel:
    """Return a model of a pull with a constant rate; 54 of 120 are done."""
    model = StatusModel()
    for second in range(int(NOW) + 1):
        model = model.see(pull(54 * second / NOW, message), float(second))
    return model


def others() -> list[JobSnapshot]:
    """Return the model with two more running jobs."""
    return [snapshot("2", name="Push", started=1.0), snapshot("3", name="Push", started=2.0)]


def see(model: StatusModel, *snapshots: JobSnapshot) -> StatusModel:
    for each in snapshots:
        model = model.see(each, NOW)
    return model


def states() -> dict[str, StatusModel]:
    """Return the models by name."""
    looking = snapshot(message="Querying project DEMO...")
    ended = {
        "completed": snapshot(
            status=JobStatus.COMPLETED, message="Pull complete: 120 tickets", finished=NOW
        ),
        "failed": failed(message="Pull failed: no such thing"),
        "failed without a word": failed(message="Pulling tickets"),
        "cancelled": snapshot(
            status=JobStatus.CANCELLED, message="Cancelled: 54/120 tickets pulled", finished=NOW
        ),
        "cancelled while pending": snapshot(status=JobStatus.CANCELLED, started=None, finished=NOW),
    }
    return {
        "no job": StatusModel(),
        "one job": pulling(),
        "one job, just begun": see(StatusModel(), pull(0)),
        "one job, all but done": see(StatusModel(), pull(119.9)),
        "one job, all done": see(StatusModel(), pull(120)),
        "one job, cancelling": see(pulling(), pull(54, cancel_requested=True)),
        "three jobs": see(pulling(), *others()),
        "three jobs, one has failed": see(pulling(), *others(), failed("4")),
        "unknown total": see(StatusModel(), looking),
        "unknown total, some done": see(
            StatusModel(), snapshot(message="Querying project DEMO...", current=45)
        ),
        "no word yet": see(StatusModel(), snapshot()),
        "hostile message": pulling(HOSTILE),
        "long message": pulling(
            "Fetching what nobody has ever asked for, and then some more of it"
        ),
        **{name: see(pulling(), each) for name, each in ended.items()},
        "the last of three": see(
            pulling(), *others(), failed("2"), failed("3"), ended["completed"]
        ),
    }
