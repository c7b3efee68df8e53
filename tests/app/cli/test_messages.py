"""Test what a user reads after a failure: the cause, what it is about, and the next step."""

from __future__ import annotations

from functools import partial

import pytest
from fakes.jira_app import Answer, Asked, RuledApp
from fakes.users import User
from fakes.wire import Wire
from planned_faults import PlannedFaults

from jira_sandbox import Fault, FaultKind, create_app

API = "/rest/api/3/"


def answering(someone: User, **answers: Answer) -> None:
    """Answer ``myself`` as a site does; all else as the endpoint's answer says."""

    def rule(asked: Asked) -> Answer:
        name = asked.path.rpartition("/")[2]
        known = Answer({"accountId": "1", "displayName": "Mia"}) if name == "myself" else None
        return answers.get(name) or known or Answer({"version": "1", "deploymentType": "Cloud"})

    someone.connect = lambda: RuledApp(rule).transport()


REFUSED: tuple[tuple[Answer, str], ...] = (
    (
        Answer(status=403, headers={"x-seraph-loginreason": "AUTHENTICATION_DENIED"}),
        (
            "refused the login (403): there were too many wrong logins; log in to Jira in a browser "
            "and answer the captcha, then try again"
        ),
    ),
    (Answer(status=404), "does not have it (404): is this the address of a Jira site?"),
    (
        Answer(status=429, headers={"retry-after": "999999999999"}),
        "gets too many requests (429): wait and try again",
    ),
    (
        Answer(status=429, headers={"retry-after": "5400"}),
        "gets too many requests (429): wait and try again in 90 minutes",
    ),
    (
        Answer({"errorMessages": ["The issue is locked."]}, status=409),
        (
            "refused the request (409: The issue is locked.): another person or program changes it at "
            "the moment, or has locked it; try again"
        ),
    ),
    (
        Answer(status=402),
        (
            "refused the request (402): the site's plan has ended or it is suspended; ask who runs "
            "the site"
        ),
    ),
    (
        Answer(
            {"message": "Site temporarily unavailable"}, status=503, headers={"retry-after": "999"}
        ),
        "failed on its side (503: Site temporarily unavailable): try again in 17 minutes",
    ),
    (
        Answer(b"<html>no</html>", status=405),
        (
            "refused the request (405): is this the address of a Jira site? If it is, something "
            "before it refuses; ask who runs the site"
        ),
    ),
    (
        Answer(status=302, headers={"location": "https://login.acme.example/sso"}),
        (
            "sends elsewhere, to https://login.acme.example/sso, which is a login page: is this the "
            "address of a Jira site? If it is, log in there in a browser if a network or proxy "
            "asks for it; else Jira is in trouble, try again later"
        ),
    ),
    (
        Answer(status=302, headers={"location": "https://acme.example/"}),
        (
            "sends elsewhere, to https://acme.example/: if that is your Jira site, use its address "
            "instead"
        ),
    ),
)


@pytest.mark.parametrize(("answer", "words"), REFUSED, ids=map(str, range(len(REFUSED))))
def test_a_refusal_has_its_cause_first_and_the_address_last(
    answer: Answer, words: str, someone: User
) -> None:
    answering(someone, myself=answer)

    told = someone.runs("pull", "--plain")

    assert told.code == 1
    assert told.err.splitlines()[-1] == (
        f"Pull failed: 127.0.0.1 {words} (http://127.0.0.1{API}myself)"
    )


@pytest.mark.parametrize("command", [("pull",), ("push", "--yes"), ("sync", "--yes")])
@pytest.mark.parametrize("place", ["JIRA_PROJECT_KEY", "ticketr.toml", "--project"])
def test_an_unknown_project_is_named_with_its_setting(
    place: str, command: tuple[str, ...], someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = place
    arguments: tuple[str, ...] = command
    if place == "ticketr.toml":
        someone.writes("ticketr.toml", 'project = "NOPE"\n')
        where = f"project in {someone.root / 'ticketr.toml'}"
    elif place == "--project":
        arguments = (*command, "--project", "NOPE")
    else:
        monkeypatch.setenv(place, "NOPE")
    someone.writes("new.md", "# TICKET: A new one\n\n## Description\nText.\n")

    told = someone.runs(*arguments)

    assert told.code == 1
    assert told.err.splitlines()[-1].endswith(
        f"failed: {where} is NOPE: there is no such project at http://127.0.0.1, or your "
        "account may not see it"
    )


#: What a command says at its end; the folder holds bad.md.
NAMED = {
    ("log", "DEMO-999", "2h"): "Log work failed: 127.0.0.1 does not have DEMO-999 (404: ",
    ("pull", "XX-1"): "failed: XX-1: Jira does not have it, or you may not see it\n",
    ("push", "--yes"): "failed: bad.md:1:11: a ticket needs a title",
    ("pull", "-C", "bad.md"): "Directory 'bad.md' is a file",
    ("log", "DEMO-1", "2h", "--started", "yesterday"): (
        'failed: "yesterday": write when the work began like 2026-01-31 09:30'
    ),
    ("bulk", "DEMO-1", "--move", "DEMO-777", "--yes"): (
        "failed: DEMO-1: to move it under DEMO-777: 127.0.0.1 refused the request (400: "
    ),
}


@pytest.mark.parametrize(("command", "words"), NAMED.items())
def test_a_failure_names_what_it_is_about_once(
    command: tuple[str, ...], words: str, someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone.writes("bad.md", "# TICKET: \n")
    monkeypatch.chdir(someone.root)

    told = someone.runs(*command)

    assert told.code in {1, 2, 3}
    assert words in told.err


BY_KEY = (
    ("log", "DEMO-1", "2h"),
    ("attachments", "list", "DEMO-1"),
    ("bulk", "DEMO-1", "--set", "Labels+=web", "--yes"),
)


@pytest.mark.parametrize("command", BY_KEY)
def test_a_command_on_issues_by_their_keys_needs_no_project(
    command: tuple[str, ...], someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JIRA_PROJECT_KEY")

    told = someone.runs(*command)

    assert (told.code, "failed" in told.err) == (0, False), told


def test_a_schema_without_a_project_names_the_setting(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JIRA_PROJECT_KEY")

    told = someone.runs("schema")

    assert told.code == 2
    assert "project is not set: the key of the project, in ticketr.toml" in told.err
    assert "--project" not in told.err


def test_a_token_with_a_line_break_names_the_variable(
    someone: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JIRA_API_TOKEN", "one\ntwo")

    told = someone.runs("pull")

    assert told.code == 1
    assert "with a line break or the like in it); set JIRA_API_TOKEN again" in told.err
    assert "two" not in told.err


@pytest.mark.parametrize("path", ["bulk/issues/fields", "bulk/queue"])
def test_a_bulk_change_that_is_cut_off_may_have_been_made(path: str, someone: User) -> None:
    faults = PlannedFaults(*9 * [Fault(FaultKind.LOST)], path=path)
    someone.connect = partial(Wire, create_app(someone.site, faults=faults))

    told = someone.runs("bulk", "DEMO-1", "--set", "Priority=Low")

    assert told.code == 1
    failed = next(line for line in told.err.splitlines() if line.startswith("Change failed"))
    assert "try again" not in failed.partition(" before you ")[0]
    assert failed.startswith(
        "Change failed: Jira may have made the change, or may make it yet, since "
    )
    assert "127.0.0.1 broke off while answering" in failed
    assert "look at the tickets in Jira before you try again" in failed
    assert "Jira may change them yet: DEMO-1" in told.err
