from __future__ import annotations

import random
from collections import Counter

from jira_sandbox import Fault, FaultKind, Faults

REQUESTS = [("POST", f"/rest/api/3/issue/{number}?", b"{}") for number in range(300)]


def fates(faults: Faults, requests: list[tuple[str, str, bytes]]) -> dict[str, Fault | None]:
    return {request[1]: faults.draw(*request) for request in requests}


def test_the_same_seed_gives_each_request_the_same_fault_in_any_order() -> None:
    shuffled = random.Random(1).sample(REQUESTS, len(REQUESTS))

    assert fates(Faults.parse("all"), shuffled) == fates(Faults.parse("all"), REQUESTS)


def test_another_seed_gives_other_faults() -> None:
    assert fates(Faults.parse("all"), REQUESTS) != fates(Faults.parse("all,seed=2"), REQUESTS)


def test_a_request_that_is_repeated_draws_again() -> None:
    faults = Faults.parse("drop=0.5")

    drawn = [faults.draw(*REQUESTS[0]) is None for _ in range(100)]

    assert 30 < sum(drawn) < 70


def test_the_method_the_query_and_the_body_make_another_request() -> None:
    faults = Faults.parse("all=0.1")
    around = [("GET", "/a?b", b""), ("GET", "/a?", b"b"), ("PUT", "/a?b", b""), ("GET", "/", b"")]

    assert len({faults.draw(*request) for request in around}) == len(around)


def test_each_kind_comes_as_often_as_its_rate_says() -> None:
    faults = Faults({FaultKind.TOO_MANY: 0.2, FaultKind.LOST: 0.1}, seed=3)

    drawn = Counter(
        fault and fault.kind for fault in (faults.draw("GET", f"/{n}?", b"") for n in range(5000))
    )

    assert abs(drawn[FaultKind.TOO_MANY] - 1000) < 100
    assert abs(drawn[FaultKind.LOST] - 500) < 80
    assert drawn.total() - drawn[None] == drawn[FaultKind.TOO_MANY] + drawn[FaultKind.LOST]


def test_rates_that_add_up_to_one_leave_no_request_unharmed() -> None:
    assert None not in fates(Faults.parse("all=0.1"), REQUESTS).values()


def test_some_faults_come_before_the_request_is_carried_out_and_some_after() -> None:
    drawn = [fault for fault in fates(Faults.parse("all=0.1"), REQUESTS).values() if fault]
    seen = {
        kind: {fault.carried_out for fault in drawn if fault.kind is kind} for kind in FaultKind
    }

    assert seen[FaultKind.TOO_MANY] == seen[FaultKind.DROP] == {False}
    assert seen[FaultKind.LOST] == seen[FaultKind.RESET] == seen[FaultKind.CUT] == {True}
    either = (
        FaultKind.INTERNAL,
        FaultKind.BAD_GATEWAY,
        FaultKind.UNAVAILABLE,
        FaultKind.HTML,
        FaultKind.HANG,
    )
    assert all(seen[kind] == {False, True} for kind in either)


def test_only_writes_are_refused_though_they_are_carried_out() -> None:
    faults = Faults.parse("refused=1")

    assert faults.draw("GET", "/rest/api/3/issue/A-1?", b"") is None
    assert faults.draw("POST", "/rest/api/3/issue/bulkfetch?", b"") is None
    fault = faults.draw("POST", "/rest/api/3/issue?", b"")
    assert fault is not None
    assert (fault.kind, fault.carried_out) == (FaultKind.REFUSED, True)
