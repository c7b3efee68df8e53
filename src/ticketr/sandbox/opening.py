"""Open a site: load it from its file, or generate it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ticketr.sandbox.content.seed import make_issues
from ticketr.sandbox.data.catalogue import DEMO_USER
from ticketr.sandbox.data.changes import discard_change
from ticketr.sandbox.data.site import Site, utc_now
from ticketr.sandbox.errors import OtherSeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ticketr.sandbox.data.changes import Counters, OnChange
    from ticketr.sandbox.data.issue import Issue
    from ticketr.sandbox.data.model import User
    from ticketr.sandbox.data.storage import SiteFile

TICKETS: Final = 500
SEED: Final = 1


def open_site(
    file: SiteFile | None,
    *,
    tickets: int | None = None,
    seed: int | None = None,
    user: User = DEMO_USER,
    search_lag: float = 0.0,
    clock: Callable[[], datetime] = utc_now,
) -> Site:
    """Open a site.

    Args:
        file: The file that stores the site; an empty one gets a new site. None stores nothing.
        tickets: The number of issues in a new site.
        seed: The seed from which a new site is generated.
        user: The user who is signed in.
        search_lag: How many seconds search results lag behind the issues.
        clock: Returns the current time.

    Raises:
        OtherSeed: The site in the file was generated with another `tickets` or `seed`.
        DataFailed: The file cannot be read or written.
    """
    options = {
        "tickets": TICKETS if tickets is None else tickets,
        "seed": SEED if seed is None else seed,
    }
    issues: Iterable[Issue] = make_issues(**options)
    counters: Counters | None = None
    contents: dict[int, bytes] = {}
    on_change: OnChange = discard_change
    if file is not None:
        if file.has_site:
            _check_options(file, {"tickets": tickets, "seed": seed})
        else:
            file.create(issues, {name: str(number) for name, number in options.items()})
        issues, counters = file.load()
        contents = file.load_contents()
        on_change = file.save
    return Site(
        issues,
        user=user,
        clock=clock,
        search_lag=search_lag,
        counters=counters,
        contents=contents,
        on_change=on_change,
    )


def user_in(time_zone: str) -> User:
    """Return the demo user with another time zone.

    The zone's current UTC offset is used for every date.

    Raises:
        LookupError: The time zone database of this machine has no such zone.
    """
    try:
        offset = datetime.now(ZoneInfo(time_zone)).utcoffset()
    except (LookupError, ValueError, OSError) as error:  # a folder of zones is an OSError
        raise LookupError(time_zone) from error
    return replace(DEMO_USER, time_zone=time_zone, utc_offset=offset or timedelta(0))


def _check_options(file: SiteFile, options: dict[str, int | None]) -> None:
    for option, given in options.items():
        begun = file.read_fact(option)
        if given is not None and begun is not None and begun != str(given):
            raise OtherSeed(file.path, option, given, begun)
