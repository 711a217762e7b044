"""Reading the officer's files strictly: a field that is not known, missing, doubled or of another type is refused.

What belongs here: YAML as plain values with a shape. What does not: what the values mean (`quorum.policy.load`).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import yaml

from quorum.errors import ConfigurationError

_TOKYO = timedelta(hours=9)  # Asia/Tokyo has had no summer time since 1951


class _OnceEach(yaml.SafeLoader):
    """A loader that refuses a mapping with the same key twice: the second would win in silence."""


def _mapping_once(loader: _OnceEach, node: yaml.MappingNode) -> dict[Hashable, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    if len(set(keys)) != len(keys):
        raise yaml.YAMLError("a key twice")
    return loader.construct_mapping(node, deep=True)


_OnceEach.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_once)


def read(folder: Path, name: str) -> dict[str, Any]:
    """Read a file of the policy folder.

    Args:
        folder: the policy folder.
        name: path of the file below it.

    Raises:
        ConfigurationError: it is missing, is not YAML, has a key twice, or is not a mapping.
    """
    path = folder / name
    if not path.is_file():
        raise ConfigurationError("policy.missing", f"no {name} in the policy folder", "all files of policy/")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _OnceEach)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, ValueError):
        raise ConfigurationError("policy.syntax", f"{name} is not YAML, or has a key twice") from None
    if not isinstance(content, dict):
        raise ConfigurationError("policy.syntax", f"{name} is not a mapping")
    return content


def mapping(where: str, value: object) -> dict[str, Any]:
    """Return a mapping of text to anything.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise _wrong(where, "a mapping of names")
    return value


def fields(where: str, value: object, required: Collection[str], optional: Collection[str] = ()) -> dict[str, Any]:
    """Return a mapping that has all required fields and none that is neither required nor optional.

    Args:
        where: where it stands, for the message.
        value: what stands there.
        required: names of fields.
        optional: names of fields.

    Raises:
        ConfigurationError: it is no mapping, or a field is missing or unknown.
    """
    found = mapping(where, value)
    for name in required:
        if name not in found:
            raise ConfigurationError("policy.field", f"{where} without {name}", ", ".join(required), "state it")
    for name in found:
        if name not in required and name not in optional:
            allowed = ", ".join([*required, *optional])
            raise ConfigurationError("policy.field", f"{where} has the unknown field {name!r}", allowed, "take it out")
    return found


def text(where: str, value: object) -> str:
    """Return a text that is not empty.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, str) or not value.strip():
        raise _wrong(where, "a text")
    return value


def items(where: str, value: object) -> list[Any]:
    """Return a list.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, list):
        raise _wrong(where, "a list")
    return value


def texts(where: str, value: object) -> tuple[str, ...]:
    """Return a list of texts, none of them twice.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, list | tuple):
        raise _wrong(where, "a list of texts")
    found = tuple(text(where, item) for item in value)
    if len(set(found)) != len(found):
        raise _wrong(where, "a list in which nothing stands twice")
    return found


def number(where: str, value: object) -> int:
    """Return a whole number above 0.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _wrong(where, "a whole number above 0")
    return value


def flag(where: str, value: object) -> bool:
    """Return true or false.

    Raises:
        ConfigurationError: it is neither.
    """
    if not isinstance(value, bool):
        raise _wrong(where, "true or false")
    return value


def day(where: str, value: object) -> date:
    """Return a civil date.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ConfigurationError("policy.date", f"{where} is no date", "YYYY-MM-DD, a date in Asia/Tokyo")
    return value


def instant(where: str, value: object) -> datetime:
    """Return the instant, in UTC without a zone, at which a civil date in Asia/Tokyo begins.

    Raises:
        ConfigurationError: it is no date.
    """
    return datetime.combine(day(where, value), time()) - _TOKYO


def _wrong(where: str, expected: str) -> ConfigurationError:
    return ConfigurationError("policy.type", where, expected, "correct it")
