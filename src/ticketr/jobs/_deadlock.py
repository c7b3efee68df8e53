"""Find deadlocks in the wait-for graph. Pure.

The nodes are the waiting jobs, ``AnyRunningJob`` and ``AllRunningJobs`` of each queue, and the
``Predecessors`` of a pending job with the ``JobEnd`` of each. A job
proceeds if any of its waits ends, ``AnyRunningJob`` if any of the running jobs proceeds,
``AllRunningJobs`` if all do. Starting from the nodes that proceed by themselves, ``propagate`` adds
those that proceed because of them. The remaining nodes are stuck.

Among the stuck nodes, a strongly connected component that no edge leaves is the deadlock itself:
its jobs wait only for each other. All other stuck jobs wait for such a component.

Nothing here is recursive, because chains of waiting jobs may be long.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, TypeVar

from ticketr.jobs._wait_targets import AllRunningJobs, Predecessors

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping

    from ticketr.jobs._wait_targets import Node

N = TypeVar("N", bound="Hashable")


def propagate(blockers: Mapping[Node, Collection[Node]], live: set[Node]) -> None:
    """Add to the live nodes all nodes that proceed because of them."""
    dependents: defaultdict[Node, list[Node]] = defaultdict(list)
    missing: dict[Node, int] = {}
    for node, others in blockers.items():
        distinct = set(others)
        missing[node] = len(distinct) if _needs_all(node) else 1
        for other in distinct:
            dependents[other].append(node)
    todo = list(live)
    while todo:
        for node in dependents[todo.pop()]:
            missing[node] -= 1
            if not missing[node] and node not in live:
                live.add(node)
                todo.append(node)


def _needs_all(node: Node) -> bool:
    """Return whether a node proceeds only if all its blockers do."""
    return isinstance(node, AllRunningJobs) or (isinstance(node, Predecessors) and node.needs_all)


def sink_component(graph: Mapping[N, Iterable[N]]) -> set[N]:
    """Return a strongly connected component that no edge leaves.

    This is Tarjan's algorithm; the first component that it completes is such a one.

    Args:
        graph: The nodes to which edges lead from each node. Nodes that are not keys are ignored.
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
