"""User agents as they come to a Japanese portal, and how often; crawlers.

What belongs here: the texts, the device each stands for and its weight. What does not: parsing them.
"""

from __future__ import annotations

DESKTOP, MOBILE, TABLET = 0, 1, 2

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_ANDROID = "Mozilla/5.0 (Linux; Android {os}; {model}) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS {os} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


def _iphone(os: str, tail: str) -> str:
    return f"{_IPHONE.format(os=os)} {tail}"


def _android(os: str, model: str, tail: str) -> str:
    return f"{_ANDROID.format(os=os, model=model)} {tail}"


_SAFARI = [("18_7", "18.7", 30), ("26_0", "26.0", 45), ("26_1", "26.1", 70), ("17_6", "17.6", 15), ("16_7", "16.7", 6)]
_CHROME = [("141", 14), ("142", 50), ("140", 6)]
_MODELS = [
    ("15", "Pixel 9", 14),
    ("16", "Pixel 8a", 16),
    ("14", "SO-51D", 12),
    ("15", "SC-53E", 18),
    ("14", "SH-53D", 14),
    ("13", "SOG07", 9),
    ("12", "SHG06", 6),
    ("15", "2409BRN2CA", 8),
    ("11", "F-51B", 4),
]
_APPLE = "Version/{version} Mobile/15E148 Safari/604.1"

AGENTS: tuple[tuple[str, int, int], ...] = (
    *((_iphone(os, _APPLE.format(version=version)), MOBILE, weight * 2) for os, version, weight in _SAFARI),
    *(
        (_iphone(os, f"CriOS/{chrome}.0.7444.46 Mobile/15E148 Safari/604.1"), MOBILE, 14)
        for (os, _, _), (chrome, _) in zip(_SAFARI[:3], _CHROME, strict=True)
    ),
    *((_iphone(os, "Mobile/15E148 Safari Line/15.18.0"), MOBILE, 12) for os, _, _ in _SAFARI[:3]),
    *((_iphone(os, "Mobile/15E148 YJApp-IOS jp.co.yahoo.ipn.appli/5.64.1"), MOBILE, 12) for os, _, _ in _SAFARI[:2]),
    *((_android(os, model, "Chrome/142.0.0.0 Mobile Safari/537.36"), MOBILE, weight) for os, model, weight in _MODELS),
    *(
        (_android(os, model, "Version/4.0 Chrome/142.0.7444.48 Mobile Safari/537.36 Line/15.18.1/IAB"), MOBILE, 5)
        for os, model, _ in _MODELS[:4]
    ),
    *(
        (_android(os, model, "Version/4.0 Chrome/141.0.7390.122 Mobile Safari/537.36 YJApp-ANDROID"), MOBILE, 5)
        for os, model, _ in _MODELS[2:5]
    ),
    *((f"{_WINDOWS} Chrome/{version}.0.0.0 Safari/537.36", DESKTOP, weight * 2) for version, weight in _CHROME),
    *((f"{_WINDOWS} Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0", DESKTOP, w + 20) for v, w in _CHROME),
    ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", DESKTOP, 14),
    (f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15", DESKTOP, 26),
    (f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15", DESKTOP, 12),
    (f"{_MAC} AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36", DESKTOP, 18),
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
        DESKTOP,
        4,
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/18.7 Mobile/15E148 Safari/604.1",
        TABLET,
        22,
    ),
    (
        "Mozilla/5.0 (iPad; CPU OS 17_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
        "Version/17.6 Mobile/15E148 Safari/604.1",
        TABLET,
        10,
    ),
    (_android("14", "SM-X210", "Chrome/142.0.0.0 Safari/537.36"), TABLET, 8),
)
"""(text as sent, device, weight); the order is part of what the seed means."""

CRAWLERS: tuple[str, ...] = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; Applebot/0.1; +http://www.apple.com/go/applebot)",
)

RATE_BOT = f"{_WINDOWS} Chrome/109.0.0.0 Safari/537.36"
"""A program that names no crawler; only its rate gives it away."""
