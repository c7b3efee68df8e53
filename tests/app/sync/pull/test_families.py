from __future__ import annotations

from hypothesis import given, strategies as st

from ticketr.app.jira import Issue
from ticketr.app.sync.pull.fetch_plan import Families, Family


def issue(number: int, *, parent: int | None = None, subtasks: tuple[int, ...] = ()) -> Issue:
    fields: dict[str, object] = {
        "issuetype": {"name": "Sub-task" if parent else "Story", "subtask": parent is not None},
        "subtasks": [{"id": str(each), "key": f"DEMO-{each}"} for each in subtasks],
    }
    if parent is not None:
        fields["parent"] = {"id": str(parent), "key": f"DEMO-{parent}"}
    return Issue(id=str(number), key=f"DEMO-{number}", fields=fields)


def shape(families: list[Family]) -> dict[str, list[str]]:
    return {family.head: sorted(family.issues) for family in families}


def all_wanted(*ids: str) -> Families:
    return Families(ids, present=ids)


def test_issues_are_asked_for_in_the_order_of_the_search() -> None:
    families = all_wanted("1", "2", "3")

    assert [families.next_batch(2), families.next_batch(2), families.next_batch(2)] == [
        ["1", "2"],
        ["3"],
        [],
    ]


def test_an_issue_without_relatives_is_a_family_at_once() -> None:
    families = all_wanted("1", "2")
    families.next_batch(1)

    assert shape(families.add_answer(["1"], [issue(1)])) == {"1": ["1"]}


def test_a_family_waits_for_its_last_member() -> None:
    families = all_wanted("1", "2", "3")
    families.next_batch(3)

    assert families.add_answer(["1"], [issue(1, subtasks=(2, 3))]) == []
    assert families.add_answer(["3"], [issue(3, parent=1)]) == []
    assert shape(families.add_answer(["2"], [issue(2, parent=1)])) == {"1": ["1", "2", "3"]}


def test_the_relatives_of_what_arrived_are_asked_for_next() -> None:
    families = all_wanted("1", "2", "3", "9")
    families.next_batch(1)

    families.add_answer(["1"], [issue(1, subtasks=(9,))])

    assert families.next_batch(2) == ["9", "2"]


def test_a_sub_task_brings_its_parent_forward() -> None:
    families = all_wanted("1", "2", "9")
    families.next_batch(1)

    assert families.add_answer(["1"], [issue(1, parent=9)]) == []
    assert families.next_batch(1) == ["9"]
    assert shape(families.add_answer(["9"], [issue(9, subtasks=(1,))])) == {"9": ["1", "9"]}


def test_a_sub_task_whose_parent_the_query_does_not_find_stands_alone() -> None:
    families = Families(["2"], present=["2"])
    families.next_batch(1)

    assert shape(families.add_answer(["2"], [issue(2, parent=1)])) == {"2": ["2"]}


def test_a_sub_task_that_people_filed_apart_stays_apart() -> None:
    families = Families(["1", "2"], present=["1", "2"], standalone=["DEMO-2"])
    families.next_batch(2)

    arrived = families.add_answer(["1", "2"], [issue(1, subtasks=(2,)), issue(2, parent=1)])

    assert shape(arrived) == {"1": ["1"], "2": ["2"]}


def test_a_changed_sub_task_of_an_unchanged_parent_is_a_family_of_its_parent() -> None:
    families = Families(["2"], present=["1", "2"])
    families.next_batch(1)

    assert shape(families.add_answer(["2"], [issue(2, parent=1)])) == {"1": ["2"]}


def test_a_family_does_not_wait_for_a_member_that_is_gone() -> None:
    families = all_wanted("1", "2")
    families.next_batch(1)
    assert families.add_answer(["1"], [issue(1, subtasks=(2,))]) == []
    assert families.next_batch(1) == ["2"]

    assert shape(families.add_answer(["2"], [])) == {"1": ["1"]}


def test_sub_tasks_of_a_parent_that_is_gone_are_given_out_too() -> None:
    families = all_wanted("1", "2")
    families.next_batch(1)
    assert families.add_answer(["1"], [issue(1, parent=2)]) == []
    assert families.next_batch(1) == ["2"]

    assert shape(families.add_answer(["2"], [])) == {"2": ["1"]}


@given(
    parents=st.lists(st.one_of(st.none(), st.integers(0, 29)), min_size=30, max_size=30),
    gone=st.sets(st.integers(0, 29)),
    size=st.integers(1, 7),
    data=st.data(),
)
def test_whatever_the_order_every_issue_comes_out_once(
    parents: list[int | None], gone: set[int], size: int, data: st.DataObject
) -> None:
    heads = {n for n in range(30) if parents[n] is None or parents[n] == n}
    family_of = {n: p if (p := parents[n]) in heads and n not in heads else n for n in range(30)}
    issues = {
        n: issue(
            n + 1,
            parent=None if family_of[n] == n else family_of[n] + 1,
            subtasks=tuple(c + 1 for c in range(30) if family_of[c] == n and c != n),
        )
        for n in range(30)
    }
    families = all_wanted(*(str(n + 1) for n in range(30)))
    flying: list[list[str]] = []
    out: list[str] = []
    while True:
        while len(flying) < 3 and (batch := families.next_batch(size)):
            flying.append(batch)
        if not flying:
            break
        batch = flying.pop(data.draw(st.integers(0, len(flying) - 1)))
        here = [issues[int(each) - 1] for each in batch if int(each) - 1 not in gone]
        for family in families.add_answer(batch, here):
            out.extend(family.issues)

    assert sorted(out) == sorted(str(n + 1) for n in range(30) if n not in gone)
