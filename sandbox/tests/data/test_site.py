from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from sandbox_client import demo_site

from jira_sandbox.data.model import from_millis, to_millis
from jira_sandbox.data.site import Site


@pytest.mark.parametrize("name", ["DEMO-3", "demo-3", "10003"])
def test_an_issue_is_found_by_id_and_by_key_in_any_case(name: str) -> None:
    found = demo_site(5).find(name)

    assert found is not None
    assert found.key == "DEMO-3"


@pytest.mark.parametrize("name", ["", "DEMO-", "DEMO-99", "3", "\uff19", "9" * 5000, "../../x"])
def test_an_unknown_id_or_key_finds_no_issue(name: str) -> None:
    assert demo_site(5).find(name) is None


@pytest.mark.parametrize(("name", "key"), [("demo", "DEMO"), ("10001", "BLANK"), ("X", None)])
def test_a_project_is_found_by_id_and_by_key(name: str, key: str | None) -> None:
    found = Site().project(name)

    assert (found and found.key) == key


@given(st.integers(-(2**40), 2**41))
def test_milliseconds_survive_the_way_through_a_datetime(millis: int) -> None:
    zone = Site().user.zone

    assert to_millis(from_millis(millis, zone)) == millis
