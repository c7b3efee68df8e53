from __future__ import annotations

from hypothesis import given, strategies as st

from ticketr.app.jira import Issue
from ticketr.app.sync.pull.families import Families


def issue(number: int, *, parent: int | None = None, subtasks: tuple[int, ...] = ()) -> Issue:
    fields: dict[str, object] = {
        "issuetype": {"name": "Sub-task" if parent else "Story", "subtask": parent is not None},
        "subtasks": [{"id": str(each), "key": f"DEMO-{each}"} for each in subtasks],
    }
    if parent is not None:
        fields["parent"] = {"id": str(parent), "key": f"DEMO-{parent}"}
    return Issue(id=str(number), key=f"DEMO-{number}", fields=fields)


def all_wanted(*ids: str) -> Families:
    return Families(ids, present=ids)


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
