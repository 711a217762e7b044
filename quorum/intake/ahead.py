"""Doing two things at once: the next item is made in another thread while this one is worked on.

The engine and Arrow leave the interpreter to others while they work, so reading overlaps with computing. What belongs
here: that, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Give out items in order, while the next one is made; what making raises is raised here, at its place."""
    end = object()
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield item  # type: ignore[misc]
