"""What can be asked for on the portal: pages by section, assets, forms, what is gone; and where requests come from.

What belongs here: paths, with query strings, and their weights. What does not: who asks (`traffic`).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from quorum.sample import society
from quorum.sample.catalogue import SECTIONS
from quorum.sample.draw import Small, spread

PAGE, ASSET, FORM, GONE, MOVED = 0, 1, 2, 3, 4
KIND_WEIGHTS = (700, 255, 20, 15, 10)
PAGES_PER_SECTION = 48
OTHER_SECTION = len(SECTIONS)  # front page, search and help, which lie in no section

# By age band, in the order of SECTIONS, then pages in no section.
_TASTES = (
    (8, 2, 12, 1, 16, 10, 3, 6, 3, 2, 9, 14, 14),
    (12, 4, 13, 5, 13, 15, 6, 7, 7, 5, 4, 14, 15),
    (14, 6, 14, 9, 11, 17, 8, 8, 7, 8, 4, 10, 14),
    (16, 8, 15, 11, 12, 16, 9, 9, 6, 8, 5, 8, 14),
    (18, 10, 16, 13, 13, 13, 8, 10, 6, 7, 6, 6, 13),
    (20, 13, 18, 14, 13, 9, 5, 11, 6, 6, 8, 4, 12),
    (22, 16, 20, 12, 12, 6, 3, 10, 4, 6, 12, 3, 10),
    (16, 7, 17, 7, 11, 12, 6, 4, 5, 7, 5, 11, 18),
)
_WORDS = (
    "天気",
    "紅葉 見頃",
    "鍋 レシピ",
    "新幹線 予約",
    "円相場",
    "年末調整 書き方",
    "インフルエンザ 予防接種",
    "大相撲 九州場所",
    "福袋 2027",
)
_ASSETS = (
    "js/app.7f3c.js",
    "css/main.2d91.css",
    "img/logo.svg",
    "img/sprite.png",
    "fonts/noto-jp.woff2",
    "js/ads.js",
    "img/hero.webp",
)
_FORMS = ("/login", "/logout", "/shopping/cart/add", "/auctions/bid", "/mail/send", "/settings")
_GONE = ("/news/2019/old-article", "/blog/", "/wp-login.php", "/apple-touch-icon-precomposed.png", "/shopping/item/0")
_MOVED = ("/news", "/weather", "/sports")


@dataclass(frozen=True)
class Request:
    """One thing that can be asked for; the answer's size follows from it."""

    line: str
    status: int
    size: int


def taste_table() -> Small:
    """Return the slots of sections by age band; the last category is no section."""
    return spread(_TASTES)


def make_pages() -> list[Request]:
    """Return `PAGES_PER_SECTION` pages for each section, the popular ones first, then as many in no section."""
    pages: list[Request] = []
    for number, (prefix, section, _, _, _) in enumerate(SECTIONS):
        paths = [prefix, *(f"{prefix}?page={page}" for page in (2, 3))]
        paths += [f"{prefix}{_leaf(section, item)}" for item in range(PAGES_PER_SECTION - len(paths))]
        pages += [_page(path, number * 1000 + item) for item, path in enumerate(paths)]
    free = ["/", "/?from=app", "/help/", "/help/privacy", "/sitemap"]
    free += [f"/search?p={quote(word)}&ei=UTF-8" for word in _WORDS]
    free += [f"/search?p={quote(word)}&b={start}1" for word in _WORDS for start in (1, 2, 3, 4)]
    free = free[:PAGES_PER_SECTION]
    free += [f"/help/topics/{number}" for number in range(PAGES_PER_SECTION - len(free))]
    return pages + [_page(path, 99_000 + item) for item, path in enumerate(free)]


def _leaf(section: str, item: int) -> str:
    number = (item * 7919 + len(section) * 104_729) % 900_000 + 100_000
    leaves = {
        "weather": f"{society.PREFECTURES[item % (len(society.PREFECTURES) - 1)]}/",
        "local-news": f"{society.PREFECTURES[item % (len(society.PREFECTURES) - 1)]}/{number}",
        "finance": f"quote/{number % 9000 + 1000}.T",
        "shopping": f"item/{number}?ref=top",
        "transit": f"result?from={quote('東京')}&to={quote('新大阪')}&n={item}",
    }
    return leaves.get(section, f"{number}")


def _page(path: str, salt: int) -> Request:
    not_modified = salt % 9 == 8
    return Request(
        f"GET {path} HTTP/1.1", 304 if not_modified else 200, 0 if not_modified else 8_000 + salt * 7919 % 60_000
    )


def make_others() -> dict[int, list[Request]]:
    """Return what is no page view, by kind."""
    return {
        ASSET: [Request(f"GET /assets/{name} HTTP/1.1", 200, 900 + 3011 * at) for at, name in enumerate(_ASSETS)]
        + [Request(f"GET /assets/{name} HTTP/1.1", 304, 0) for name in _ASSETS],
        FORM: [Request(f"POST {path} HTTP/1.1", 302 if at % 2 else 200, 312 + at) for at, path in enumerate(_FORMS)],
        GONE: [Request(f"GET {path} HTTP/1.1", 404, 1_245) for path in _GONE],
        MOVED: [Request(f"GET {path} HTTP/1.1", 301, 178) for path in _MOVED] + [Request("HEAD / HTTP/1.1", 200, 0)],
    }


def make_referrers() -> list[str]:
    """Return where requests come from: nowhere, elsewhere (the first six), then the top of each section."""
    host = "https://portal.example.jp"
    outside = [
        "-",
        "-",
        "https://www.google.com/",
        "https://www.google.com/",
        "https://search.example.com/",
        f"{host}/",
    ]
    return [*outside, *(f"{host}{prefix}" for prefix, *_ in SECTIONS), f"{host}/"]


OUTSIDE_N = 6
