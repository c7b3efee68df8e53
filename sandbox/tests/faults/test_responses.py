from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from starlette.responses import Response

from jira_sandbox import Fault, FaultKind
from jira_sandbox.faults.responses import fault_response
from jira_sandbox.faults.source import is_write

NOW = datetime(2025, 10, 8, 14, 59, 30, tzinfo=UTC)


def shapes(
    kind: FaultKind, method: str = "PUT", path: str = "/rest/api/3/issue/A-1"
) -> list[Response]:
    """Return each variant of a fault's response once."""
    made = [
        fault_response(Fault(kind, turn=turn), method=method, path=path, now=NOW, retry_within=2)
        for turn in range(24)
    ]
    return list({(each.body, str(each.raw_headers)): each for each in made}.values())


def test_a_429_tells_its_limit_and_when_it_is_over() -> None:
    told = [
        answer.headers
        for answer in shapes(FaultKind.TOO_MANY)
        if "x-ratelimit-limit" in answer.headers
    ]

    assert len(told) > 3
    for headers in told:
        assert headers["x-ratelimit-remaining"] == "0"
        assert headers["x-ratelimit-reset"] == "2025-10-08T15:00:00Z"


def test_a_429_on_a_write_may_be_about_its_issue_alone() -> None:
    def reasons(method: str, path: str) -> set[str | None]:
        answers = shapes(FaultKind.TOO_MANY, method, path)
        return {answer.headers.get("ratelimit-reason") for answer in answers} - {None}

    always = {"jira-burst-based", "jira-quota-tenant-based"}
    assert reasons("PUT", "/rest/api/3/issue/A-1") == {*always, "jira-per-issue-on-write"}
    assert reasons("GET", "/rest/api/3/issue/A-1") == always


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/rest/api/3/issue", True),
        ("POST", "/rest/api/3/issue/A-1/transitions", True),
        ("DELETE", "/rest/api/2/issue/10001", True),
        ("DELETE", "/rest/api/3/attachment/10001", True),
        ("POST", "/rest/api/3/issue/bulkfetch", False),
        ("POST", "/rest/api/3/comment/list", False),
        ("POST", "/rest/api/3/search/jql", False),
        ("GET", "/rest/api/3/issue/A-1", False),
    ],
)
def test_what_may_change_an_issue_is_a_write(method: str, path: str, *, expected: bool) -> None:
    assert is_write(method, path) is expected


@pytest.mark.parametrize("kind", [FaultKind.TOO_MANY, FaultKind.UNAVAILABLE])
def test_some_ask_to_wait_and_some_do_not(kind: FaultKind) -> None:
    asked = {answer.headers.get("retry-after") for answer in shapes(kind)}

    assert None in asked
    assert asked >= {"1", "2"}


def test_a_429_with_beta_names_alone_says_only_there_how_long_to_wait() -> None:
    betas = [
        answer for answer in shapes(FaultKind.TOO_MANY) if "beta-retry-after" in answer.headers
    ]

    assert betas
    for answer in betas:
        assert "retry-after" not in answer.headers
        assert answer.headers["x-beta-ratelimit-reset"] == "2025-10-08T15:00Z"
        assert answer.headers["beta-ratelimit"].startswith('"jira-burst-based";r=0;t=')


def test_a_503_may_ask_to_wait_until_a_date_by_the_clock_of_the_site() -> None:
    dates = [
        value
        for answer in shapes(FaultKind.UNAVAILABLE)
        if (value := answer.headers.get("retry-after")) and not value.isdigit()
    ]

    assert {(parsedate_to_datetime(date) - NOW).total_seconds() for date in dates} == {1, 2}


@pytest.mark.parametrize(
    "kind", [FaultKind.TOO_MANY, FaultKind.INTERNAL, FaultKind.BAD_GATEWAY, FaultKind.UNAVAILABLE]
)
def test_errors_come_as_json_as_pages_and_as_nothing(kind: FaultKind) -> None:
    answers = shapes(kind)

    assert {answer.status_code for answer in answers} == {int(kind.value)}
    assert any(b"<html>" in bytes(answer.body) for answer in answers)
    for answer in answers:
        if answer.headers.get("content-type", "").startswith("application/json"):
            assert json.loads(bytes(answer.body))["errorMessages"]


def test_a_page_instead_of_json_may_have_the_content_type_of_json() -> None:
    answers = shapes(FaultKind.HTML)

    assert {answer.status_code for answer in answers} == {200}
    assert all(b"<html>" in bytes(answer.body) for answer in answers)
    kinds = {answer.headers["content-type"].partition(";")[0] for answer in answers}
    assert kinds == {"text/html", "application/json"}


def test_a_retry_after_of_zero_is_possible() -> None:
    answer = fault_response(
        Fault(FaultKind.TOO_MANY), method="GET", path="/", now=NOW, retry_within=0
    )

    assert answer.headers["retry-after"] == "0"


def test_a_refusal_of_what_was_carried_out_has_any_status_that_one_can_have() -> None:
    statuses = {answer.status_code for answer in shapes(FaultKind.REFUSED)}

    assert statuses == {302, 400, 403, 404, 409, 410, 413, 429}
