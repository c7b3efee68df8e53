"""Test which known names an error suggests for an unknown one."""

from __future__ import annotations

from ticketr.app.config.names import close_names, nearest, one_of


def test_the_nearest_name_does_not_mind_capitals() -> None:
    assert nearest("JQl", ["site", "jql"]) == "jql"
    assert nearest("zzzz", ["site", "jql"]) is None


def test_the_nearest_name_does_not_mind_how_an_accent_is_written() -> None:
    assert nearest("Pri\u006f\u0308", ["Pri\u00f6"]) == "Pri\u00f6"


def test_several_close_names_come_best_first() -> None:
    assert close_names("week 3", ["Week 1", "Month", "Week 3"], most=2) == ["Week 3", "Week 1"]


def test_an_error_lists_the_values_and_offers_the_nearest() -> None:
    assert (
        one_of("nmuber", ("number", "text")) == "it is one of number, text (did you mean number?)"
    )
    assert one_of("zzz", ("number", "text")) == "it is one of number, text"
