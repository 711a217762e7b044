"""User agents: device, system, browser and whether it is a crawler; each distinct text is parsed once.

A user agent is written by whoever sends it. So the text is cut before it meets hundreds of regular expressions, what is
remembered is bounded, and nothing of the text itself comes out: device and system are keys of the policy, and a browser
is a name that the parser's own list spells out. Where the parser would copy a piece of the agent (an application's
name, which may be an e-mail address), the browser is ``Other``.

What belongs here: reading one text. What does not: rates and behaviour, by which other crawlers are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

if TYPE_CHECKING:
    from quorum.policy import Policy

AGENT_LIMIT = 512
"""Characters of an agent that are looked at; of a longer one the rest tells nothing but that it is long."""

_REMEMBERED = 1 << 15
_OTHER, _UNKNOWN = "other", "unknown"
_SYSTEMS = {
    "Windows": "windows",
    "Mac OS X": "macos",
    "Mac OS": "macos",
    "iOS": "ios",
    "Android": "android",
    "Chromecast Android": "android",
    **dict.fromkeys(
        (
            *("Linux", "Ubuntu", "Kubuntu", "Lubuntu", "Debian", "Fedora", "Red Hat", "CentOS", "Gentoo", "Slackware"),
            *("Arch Linux", "Linux Mint", "Mandriva", "Mageia", "PCLinuxOS", "Puppy", "BackTrack", "SUSE", "openSUSE"),
            "Chromecast Linux",
        ),
        "linux",
    ),
}
_TELEVISIONS = (
    r"(?i)smart-?tv|hbbtv|google ?tv|android ?tv|apple ?tv|appletv|tvos|web0s|netcast|bravia|\baft[a-z]{1,4}\b|crkey"
    r"|roku|playstation|nintendo|xbox|watch ?os|oculus|quest \d"
)
_TABLETS = r"iPad|PlayBook|hp-tablet|TouchPad|Kindle|\bKF[A-Z]{2,5}\b|Opera Tablet|Android[^)]{0,40}Tablet|\(Tablet;"
_TELEPHONES = (
    r"iPhone|iPod|Windows Phone|Windows CE|Windows Mobile|IEMobile|BlackBerry|BB10|Opera Mini|Opera Mobi|\(Mobile;"
)
_OTHER_TELEPHONES = (
    r"DoCoMo|KDDI-|UP\.Browser|SoftBank|Vodafone|J-PHONE|WILLCOM|DDIPOCKET|MIDP|Symbian|Series ?[346]0|KAIOS"
    r"|\b(?:BREW|MeeGo|Maemo|Bada|webOS|Tizen|Sailfish)\b"
)
_DESKTOPS = r"Windows|Win(?:9[58x]|NT|32|64)|Macintosh|Mac OS|Mac_PowerPC|Darwin|X11|CrOS|Linux|BSD\b|SunOS"
# In order; the first that fits decides. Televisions and consoles run Android, Linux or Windows, so they come first.
# Dalvik is an application's library and never says how large the screen is. Of browsers on Android only those of
# telephones say "Mobile". "Tablet PC" in a Windows agent means that it could drive a tablet, not that it does.
_DEVICES = tuple(
    (re.compile(pattern), device)
    for pattern, device in (
        (_TELEVISIONS, _OTHER),
        (_TABLETS, "tablet"),
        (_TELEPHONES, "mobile"),
        (r"Dalvik/(?!.{0,400}Mobile)", _UNKNOWN),
        (r"Android.{0,400}Mobile|Mobile.{0,400}Android", "mobile"),
        (r"Android", "tablet"),
        (_OTHER_TELEPHONES, "mobile"),
        (_DESKTOPS, "desktop"),
    )
)


class Agent(NamedTuple):
    """What a user agent tells.

    Args:
        device: category of ``devices``.
        system: category of ``systems``.
        browser: a family that the parser's list spells out, or ``Other``.
        is_crawler: on a list of crawlers.
    """

    device: str
    system: str
    browser: str
    is_crawler: bool


_SILENT = Agent(_UNKNOWN, _UNKNOWN, "Other", is_crawler=False)


def parse_agents(user_agents: Iterable[str | None], policy: Policy) -> pa.Table:
    """Parse user agents, each distinct one once.

    Args:
        user_agents: as sent, any length; nulls are left out.
        policy: the categories of devices and systems; a key that the officer has struck out becomes ``other``.

    Returns:
        Columns of ``vault__agent``: one row for each distinct text, in order of first appearance.

    Note:
        A tablet or a phone that asks for the desktop site sends a desktop's agent and is counted as one.

    Example:
        >>> from pathlib import Path
        >>> from quorum.policy import load_policy
        >>> parse_agents(["-"], load_policy(Path("policy"))).to_pylist()[0]["device"]
        'unknown'
    """
    devices = {category.key for category in policy.categories["devices"]}
    systems = {category.key for category in policy.categories["systems"]}
    texts = [text for text in dict.fromkeys(user_agents) if text is not None]
    agents = [_read(text[:AGENT_LIMIT]) for text in texts]
    return pa.table(
        {
            "user_agent": pa.array(texts, pa.string()),
            "device": pa.array([a.device if a.device in devices else _OTHER for a in agents], pa.string()),
            "system": pa.array([a.system if a.system in systems else _OTHER for a in agents], pa.string()),
            "browser": pa.array([a.browser for a in agents], pa.string()),
            "is_crawler": pa.array([a.is_crawler for a in agents], pa.bool_()),
        }
    )


@cache
def known_browsers() -> frozenset[str]:
    """Return the closed list of browser families: constants of the parser's list, and alternatives it spells out."""
    names = {"Other"}
    for matcher in _matchers()[0]:
        spelt = _alternatives(matcher.regex) if "$1" in matcher.family else ("",)
        names.update(matcher.family.replace("$1", name) for name in spelt)
    return frozenset(names)


@lru_cache(maxsize=_REMEMBERED)
def _read(text: str) -> Agent:
    if text.strip() in {"", "-"}:
        return _SILENT
    from ua_parser import Domain

    found = _resolver()(text, Domain.USER_AGENT | Domain.OS)
    family = found.user_agent.family if found.user_agent else "Other"
    return Agent(
        device=next((device for pattern, device in _DEVICES if pattern.search(text)), _UNKNOWN),
        system=_SYSTEMS.get(found.os.family, _OTHER) if found.os else _UNKNOWN,
        browser=family if family in known_browsers() else "Other",
        is_crawler=_is_crawler(text),
    )


def _is_crawler(text: str) -> bool:
    """Whether a list names it: the list of crawlers, or the parser's devices of the family Spider.

    The parser's order of devices decides (a telephone whose agent says "yahoo" is a telephone), and going through it is
    dear: so it is asked only where one of its patterns for spiders fits.
    """
    from crawleruseragents import is_crawler
    from ua_parser import Domain

    if is_crawler(text):
        return True
    if not any(pattern.search(text) for pattern in _spiders()):
        return False
    device = _resolver()(text, Domain.DEVICE).device
    return device is not None and device.family == "Spider"


@cache
def _matchers() -> Any:
    from ua_parser import load_builtins

    return load_builtins()


@cache
def _resolver() -> Any:
    from ua_parser import BasicResolver

    return BasicResolver(_matchers())


@cache
def _spiders() -> tuple[re.Pattern[str], ...]:
    return tuple(matcher.pattern for matcher in _matchers()[2] if matcher.family == "Spider")


def _alternatives(regex: str) -> list[str]:
    """Return the alternatives of the first group that are plain text: all that a copy of it may then say."""
    found = re.search(r"(?<!\\)\((?!\?)((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*)\)", regex)
    parts = re.split(r"\|(?![^(]*\))", found[1]) if found else []
    return [
        re.sub(r"\\([^\w])", r"\1", part) for part in parts if re.fullmatch(r"(?:[\w \-!+;:,&'/@%]|\\[^\w])+", part)
    ]
