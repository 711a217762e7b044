"""The map of the 47 prefectures as tiles of one size: small prefectures are as legible as large ones.

What belongs here: where each tile stands, and how a value becomes a step of the scale. What does not: values and words.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt

from markupsafe import Markup

from quorum.report.charts.svg import HATCH, INK, MUTED, RAMP, Point, drawing, named, rect, text

# Prefecture to (column, row) of its tile, and what is written on it.
_TILES = {
    "hokkaido": (12, 0, "北海道", "Hok"),
    "aomori": (12, 2, "青森", "Aom"),
    "akita": (11, 3, "秋田", "Aki"),
    "iwate": (12, 3, "岩手", "Iwa"),
    "yamagata": (11, 4, "山形", "Ygt"),
    "miyagi": (12, 4, "宮城", "Myg"),
    "ishikawa": (7, 5, "石川", "Ish"),
    "toyama": (8, 5, "富山", "Toy"),
    "niigata": (10, 5, "新潟", "Nii"),
    "fukushima": (11, 5, "福島", "Fks"),
    "fukui": (7, 6, "福井", "Fki"),
    "gifu": (8, 6, "岐阜", "Gif"),
    "nagano": (9, 6, "長野", "Nag"),
    "gunma": (10, 6, "群馬", "Gun"),
    "tochigi": (11, 6, "栃木", "Toc"),
    "ibaraki": (12, 6, "茨城", "Iba"),
    "shimane": (3, 7, "島根", "Shm"),
    "tottori": (4, 7, "鳥取", "Tot"),
    "hyogo": (5, 7, "兵庫", "Hyo"),
    "kyoto": (6, 7, "京都", "Kyo"),
    "shiga": (7, 7, "滋賀", "Shg"),
    "aichi": (8, 7, "愛知", "Aic"),
    "yamanashi": (9, 7, "山梨", "Yns"),
    "saitama": (10, 7, "埼玉", "Sai"),
    "tokyo": (11, 7, "東京", "Tok"),
    "chiba": (12, 7, "千葉", "Chi"),
    "yamaguchi": (2, 8, "山口", "Ygc"),
    "hiroshima": (3, 8, "広島", "Hir"),
    "okayama": (4, 8, "岡山", "Oka"),
    "osaka": (6, 8, "大阪", "Osa"),
    "nara": (7, 8, "奈良", "Nar"),
    "mie": (8, 8, "三重", "Mie"),
    "shizuoka": (9, 8, "静岡", "Shz"),
    "kanagawa": (10, 8, "神奈川", "Kng"),
    "saga": (0, 9, "佐賀", "Sag"),
    "fukuoka": (1, 9, "福岡", "Fko"),
    "ehime": (3, 9, "愛媛", "Ehi"),
    "kagawa": (4, 9, "香川", "Kgw"),
    "wakayama": (6, 9, "和歌山", "Wak"),
    "nagasaki": (0, 10, "長崎", "Ngs"),
    "oita": (1, 10, "大分", "Oit"),
    "kochi": (3, 10, "高知", "Koc"),
    "tokushima": (4, 10, "徳島", "Tks"),
    "kumamoto": (0, 11, "熊本", "Kum"),
    "miyazaki": (1, 11, "宮崎", "Myz"),
    "kagoshima": (0, 12, "鹿児島", "Kgs"),
    "okinawa": (2, 12, "沖縄", "Oki"),
}
_TILE = 44
_DARK = 3


def tile_map(points: Sequence[Point], title: str, language: str, legend: tuple[str, str, str]) -> Markup:
    """Draw the prefectures as tiles, darker for more.

    Args:
        points: one per prefecture; keys without a tile are left to the table.
        title: of the chart.
        language: of the names on the tiles.
        legend: words for the two ends of the scale, and for withheld.
    """
    largest = max((point.value or 0 for point in points), default=0)
    tiles = [_tile(point, largest, language) for point in points if point.key in _TILES]
    return drawing(13 * _TILE, 13 * _TILE, title, [*tiles, *_scale(*legend)])


def _tile(point: Point, largest: int, language: str) -> Markup:
    column, row, ja, en = _TILES[point.key]
    step = None if point.value is None else _step(point.value, largest)
    span = 2 if point.key == "hokkaido" else 1
    x, y, size = column * _TILE - (_TILE if span > 1 else 0), row * _TILE, span * _TILE - 3
    ink = "#fff" if step is not None and step >= _DARK else INK
    middle, name = x + size // 2, ja if language == "ja" else en
    parts = [rect(x, y, size, size, HATCH if step is None else RAMP[step], rx=2)]
    down = 4 if step is None or not point.short else -2
    parts.append(text(middle, y + size // 2 + down, name, 12, text_anchor="middle", fill=ink))
    if step is not None and point.short:
        parts.append(text(middle, y + size // 2 + 13, point.short, 10, text_anchor="middle", fill=ink))
    return named(point, *parts)


def _step(value: int, largest: int) -> int:
    """Return the class of a value on the scale, 0 to 4: even steps of its square root, for Tokyo dwarfs the others."""
    return min(len(RAMP) - 1, isqrt(len(RAMP) ** 2 * value // max(1, largest)))


def _scale(low: str, high: str, withheld: str) -> list[Markup]:
    swatches = [rect(58 + 28 * n, 8, 26, 14, colour) for n, colour in enumerate(RAMP)]
    words = [
        text(52, 19, low, 11, text_anchor="end", fill=MUTED),
        text(58 + 28 * len(RAMP) + 6, 19, high, 11, fill=MUTED),
        text(92, 43, withheld, 11, fill=MUTED),
    ]
    return [*swatches, rect(58, 32, 26, 14, HATCH), *words]
