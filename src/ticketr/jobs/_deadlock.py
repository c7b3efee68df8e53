"""Finding deadlocks in the wait-for graph. Pure, apart from what goals look up.

The nodes are the running jobs that wait, and ``AnyRunningJob`` and ``AllRunningJobs`` a queue. A job
goes on if any of its waits ends; ``AnyRunningJob`` if any of the jobs does, ``AllRunningJobs`` if all
do. So first all is taken for stuck, and then it is found, from what can go on by itself, what
else can. What is left cannot go on any more.

Of that, one strongly connected component from which no edge leads out is the deadlock proper:
its jobs wait for each other and for nobody else. The rest waits for such a component.

Nothing here is recursive: chains of waiting jobs may be long.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

from ticketr.jobs._wait_targets import AllRunningJobs

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping

    from ticketr.jobs._wait_targets import Node

N = TypeVar("N", bound="Hashable")


def propagate(blockers: Mapping[Node, Collection[Node]], live: set[Node]) -> None:
    """Add to the live nodes all those that go on when these do."""
    dependents: defaultdict[Node, list[Node]] = defaultdict(list)
    missing: dict[Node, int] = {}
    for node, needed in blockers.items():
        distinct = set(needed)
        missing[node] = len(distinct) if isinstance(node, AllRunningJobs) else 1
        for other in distinct:
            dependents[other].append(node)
    todo = list(live)
    while todo:
        for node in dependents[todo.pop()]:
            missing[node] -= 1
            if not missing[node] and node not in live:
                live.add(node)
                todo.append(node)


def sink_component(graph: Mapping[N, Iterable[N]]) -> set[N]:
    """Return a strongly connected component that no edge leaves.

    The algorithm is Tarjan's, which completes such a component first.

    Args:
        graph: The nodes to which edges lead from each; others are left out of account.
    """
    order: dict[N, int] = {}
    lowest: dict[N, int] = {}
    visited: list[N] = []
    start = next(iter(graph))
    path: list[tuple[N, Iterator[N]]] = [(start, iter(graph[start]))]
    while True:
        node, edges = path[-1]
        if node not in order:
            order[node] = lowest[node] = len(order)
            visited.append(node)
        for other in edges:
            if other not in graph:
                continue
            if other not in order:
                path.append((other, iter(graph[other])))
                break
            lowest[node] = min(lowest[node], order[other])
        else:
            if lowest[node] == order[node]:
                return set(visited[visited.index(node) :])
            path.pop()
            parent = path[-1][0]
            lowest[parent] = min(lowest[parent], lowest[node])
