from __future__ import annotations

import pytest

from ticketr.app.config import BadSetting, read_environment

WHOLE = {
    "JIRA_URL": "https://example.atlassian.net/",
    "JIRA_EMAIL": "me@example.com",
    "JIRA_API_TOKEN": "s3cret",
    "JIRA_PROJECT_KEY": "DEMO",
    "JIRA_STORY_TYPE": "Story",
    "JIRA_SUBTASK_TYPE": "Step",
}


def test_the_names_of_the_original_are_read() -> None:
    environment = read_environment(WHOLE)

    assert environment.site == "https://example.atlassian.net"
    assert environment.email == "me@example.com"
    assert environment.token == "s3cret"
    assert environment.project == "DEMO"
    assert (environment.story_type, environment.subtask_type) == ("Story", "Step")


def test_the_other_spellings_of_token_and_project_are_read_too() -> None:
    environment = read_environment({"JIRA_API_KEY": "key", "JIRA_PROJECT": "OPS"})

    assert (environment.token, environment.project) == ("key", "OPS")


def test_a_missing_or_blank_variable_is_none() -> None:
    environment = read_environment({"JIRA_URL": "  ", "JIRA_STORY_TYPE": ""})

    assert (environment.site, environment.email, environment.token) == (None, None, None)
    assert (environment.story_type, environment.subtask_type) == (None, None)


def test_an_address_that_cannot_be_one_is_refused_by_its_name() -> None:
    with pytest.raises(BadSetting, match=r"JIRA_URL is 'nowhere': write it as https://"):
        read_environment({"JIRA_URL": "nowhere"})


def test_an_invalid_project_is_an_error_only_when_needed() -> None:
    environment = read_environment({**WHOLE, "JIRA_PROJECT_KEY": "my project"})

    assert environment.project is None
    assert "JIRA_PROJECT_KEY is 'my project'" in str(environment.project_problem)


def test_the_token_is_in_no_repr() -> None:
    assert "s3cret" not in repr(read_environment(WHOLE))
