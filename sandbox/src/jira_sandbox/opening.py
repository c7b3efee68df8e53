"""Open a site: load it from its file, or generate it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from jira_sandbox.content.extra import CONTENTS, make_extra_issues
from jira_sandbox.content.seed import make_issues, make_site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.site import ALL_PROJECTS, PROJECTS, Site, utc_now
from jira_sandbox.errors import OtherSeed

if TYPE_CHECKING:
    from jira_sandbox.data.model import User
    from jira_sandbox.data.storage import SiteFile

TICKETS: Final = 500
SEED: Final = 1
#: The name of the option in a site's file.
_ALL_FIELDS: Final = "all_fields"


def open_site(
    file: SiteFile | None,
    *,
    tickets: int | None = None,
    seed: int | None = None,
    all_fields: bool = False,
    user: User = DEMO_USER,
    search_lag: float = 0.0,
    clock: Callable[[], datetime] = utc_now,
) -> Site:
    """Open a site.

    Args:
        file: The file that stores the site; an empty one gets a new site. None stores nothing.
        tickets: The number of issues in a new site.
        seed: The seed from which a new site is generated.
        all_fields: Whether a new site also has the projects whose issues have fields of every
            type.
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
    if file is None:
        return make_site(
            tickets=options["tickets"],
            seed=options["seed"],
            all_fields=all_fields,
            user=user,
            clock=clock,
            search_lag=search_lag,
        )
    if file.has_site:
        _check_options(file, {"tickets": tickets, "seed": seed})
    else:
        facts = {name: str(number) for name, number in options.items()}
        extra = make_extra_issues() if all_fields else ()
        file.create(
            (*extra, *make_issues(**options)),
            {**facts, _ALL_FIELDS: str(int(all_fields))},
            CONTENTS if all_fields else {},
        )
    stored = file.load()
    return Site(
        stored.issues,
        projects=ALL_PROJECTS if file.read_fact(_ALL_FIELDS) == "1" else PROJECTS,
        user=user,
        clock=clock,
        search_lag=search_lag,
        counters=stored.counters,
        contents=stored.contents,
        registry=stored.registry,
        on_change=file.save,
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
