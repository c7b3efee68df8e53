from __future__ import annotations

import pytest

from jira_sandbox import BadFaults, FaultKind, Faults
from jira_sandbox.faults.source import HANG_FOR, RETRY_WITHIN
from jira_sandbox.faults.spec import USUAL_RATE


def test_a_specification_names_rates_and_settings() -> None:
    faults = Faults.parse("429=0.05, reset=0.02,hang=1e-2,seed=7,wait=5,hang-for=1.5")

    assert faults.rates == {FaultKind.TOO_MANY: 0.05, FaultKind.RESET: 0.02, FaultKind.HANG: 0.01}
    assert (faults.seed, faults.retry_within, faults.hang_for) == (7, 5, 1.5)


def test_settings_that_are_left_out_have_their_defaults() -> None:
    faults = Faults.parse("cut")

    assert faults.rates == {FaultKind.CUT: USUAL_RATE}
    assert (faults.seed, faults.retry_within, faults.hang_for) == (1, RETRY_WITHIN, HANG_FOR)


def test_all_means_every_usual_kind_and_gives_way_to_one_that_is_named() -> None:
    usual = [kind for kind in FaultKind if kind is not FaultKind.REFUSED]
    assert Faults.parse("all").rates == dict.fromkeys(usual, USUAL_RATE)
    assert Faults.parse("all=0.1").rates == dict.fromkeys(usual, 0.1)
    assert Faults.parse("hang=0,all=0.01").rates == dict.fromkeys(usual, 0.01) | {FaultKind.HANG: 0}


def test_refusals_of_what_was_carried_out_have_to_be_named() -> None:
    assert Faults.parse("all=0.01,refused=0.5").rates[FaultKind.REFUSED] == 0.5


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "",
            "'' is not one of all, 429, 500, 502, 503, html, drop, lost, reset, cut, hang, refused, seed",
        ),
        ("429=0.1,", "'' is not one of"),
        ("404=0.1", "'404' is not one of"),
        ("429=0.1,429=0.2", "429 is given twice"),
        ("429=often", "429 needs a number, as in 429=1, not 'often'"),
        ("429=", "429 needs a number"),
        ("429=nan", "429 needs a number"),
        ("429=1.5", "429 is 1.5, but a rate is between 0 and 1"),
        ("429=-0.1", "429 is -0.1, but a rate is between 0 and 1"),
        ("429=0.6,500=0.6", "the rates add up to 1.2, which is more than 1"),
        ("all=0.2", "the rates add up to 2,"),
        ("seed=7", "no fault is named; all stands for every one"),
        ("all,seed", "seed needs a number"),
        ("all,seed=1.5", "seed is 1.5, but must be a whole number"),
        ("all,wait=-1", "wait is -1, but must not be negative"),
        ("all,hang-for=inf", "hang-for needs a number"),
    ],
)
def test_an_invalid_specification_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(BadFaults) as caught:
        Faults.parse(text)

    assert str(caught.value).startswith(f"the faults {text!r} are invalid: {problem}")
