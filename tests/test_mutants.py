"""``make mutants`` chooses modules and their tests by name; mutmut does the rest on demand."""

from __future__ import annotations

import tomllib

from mutants import CONTRACT, JOBS, TESTS, chosen_modules, files_of_tests, readable, settings


def test_a_module_comes_with_its_own_tests_and_those_of_the_contract() -> None:
    modules = chosen_modules(["retry"])

    assert modules == chosen_modules(["retry.py"]) == [JOBS / "_retry.py"]
    assert files_of_tests(modules) == sorted(
        TESTS / name for name in (*CONTRACT, "test_retry.py", "test_retry_by_hand.py")
    )


def test_without_a_name_all_modules_are_chosen() -> None:
    modules = set(JOBS.rglob("*.py")) - set(JOBS.rglob("__init__.py"))

    assert set(chosen_modules([])) == modules


def test_an_unknown_name_chooses_nothing() -> None:
    assert chosen_modules(["retries"]) == []


def test_the_settings_are_a_section_of_a_toml_file() -> None:
    section = tomllib.loads(settings(chosen_modules(["retry"])))["tool"]["mutmut"]

    assert section["only_mutate"] == ["src/ticketr/jobs/_retry.py"]
    assert "tests/jobs/test_retry.py" in section["pytest_add_cli_args_test_selection"]


def test_a_mutant_is_reported_by_its_function() -> None:
    assert readable("ticketr.jobs._retry.xǁRetryǁdelay__mutmut_11") == "jobs._retry.Retry.delay"
    assert readable("ticketr.jobs._retry.x_wanted__mutmut_7") == "jobs._retry.wanted"
