"""More hands for a night with much to do: the same work on each of many items, in several processes, results in order.

What belongs here: processes, and what crosses between them. What does not: the work; it must be a function of the item
and of what each process opens for itself, so that who does it, and when, changes no byte of the result.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from types import MappingProxyType
from typing import Any, TypeVar

WORTH = 200
"""Weight from which more hands are worth opening them: a process takes seconds before it is of use."""

_MOST = 4

Item = TypeVar("Item")
Opened = TypeVar("Opened")
Result = TypeVar("Result")

_opened: Any = None
"""What this process opened for itself, if it is one of the hands."""


def in_order(
    items: Sequence[Item],
    weights: Sequence[int],
    act: Callable[[Opened, Item], Result],
    here: Callable[[], Opened],
    there: Callable[[], Opened],
) -> Iterator[Result]:
    """Yield what an act makes of each item, in the order of the items.

    Args:
        items: what is to be done.
        weights: one an item, roughly how much work it is; heavy ones are begun first.
        act: a function of a module, what is to be done with one.
        here: opens what the act needs in this process; called once, if it is done here.
        there: the same in another process, from values alone that can be sent; called once in each.

    Yields:
        One result an item. Whatever an act raises is raised here, when its turn has come.
    """
    hands = min(_MOST, _processors(), len(items))
    if hands < 2 or sum(weights) < WORTH:
        opened = here()
        yield from (act(opened, item) for item in items)
        return
    context = get_context("spawn")  # a fork would copy the engine's threads, and locks that they hold
    with ProcessPoolExecutor(hands, context, _open, (there,)) as pool:
        begun = {
            index: pool.submit(_act, act, items[index])
            for index in sorted(range(len(items)), key=lambda index: -weights[index])
        }
        try:
            yield from (begun[index].result() for index in range(len(items)))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _open(there: Callable[[], Opened]) -> None:
    global _opened
    Thread(target=_leave_with, args=(parent_process(),), daemon=True).start()
    _opened = there()


def _leave_with(parent: BaseProcess | None) -> None:
    """End this process when the one that asked is gone, which may have been killed: nobody waits for it any more."""
    if parent is not None:
        parent.join()
        os._exit(1)


def _act(act: Callable[[Opened, Item], Result], item: Item) -> Result:
    return act(_opened, item)


def _received(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


def _sent(mapping: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    """Say how a frozen mapping is sent: as the mapping that it shows."""
    return _received, (dict(mapping),)


ForkingPickler.register(MappingProxyType, _sent)
