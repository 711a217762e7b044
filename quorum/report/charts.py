"""Charts as inline SVG, drawn from released values alone: pyramid, tile map, columns. A withheld value is hatched.

What belongs here: geometry. What does not: which values are drawn, and words, which come in ready. Every chart stands
beside a table with the same numbers; it has a title for readers that do not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

FEMALE, MALE = "#c2571a", "#1f5f99"
_RAMP = ("#e3eef7", "#bcd7ec", "#86b8dc", "#4a90c4", "#1d5f96")
_HATCH = "url(#withheld)"
_INK, _MUTED = "#1b2733", "#5b6875"

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
_TILE = 32


@dataclass(frozen=True)
class Point:
    """A value of a chart.

    Args:
        key: the category.
        label: what it is called.
        value: None where withheld.
        text: the value as the page writes it, or the word for withheld.
    """

    key: str
    label: str
    value: int | None
    text: str


def tile_map(points: Sequence[Point], title: str, language: str, legend: tuple[str, str, str]) -> Markup:
    """Draw the prefectures as tiles, darker for more.

    Args:
        points: one per prefecture; keys without a tile are left to the table.
        title: of the chart.
        language: of the names on the tiles.
        legend: words for the two ends of the scale, and for withheld.
    """
    largest = max((point.value or 0 for point in points), default=0)
    body = []
    for point in points:
        if point.key not in _TILES:
            continue
        column, row, ja, en = _TILES[point.key]
        step = None if point.value is None else _step(point.value, largest)
        span = 2 if point.key == "hokkaido" else 1
        x, y, size = column * _TILE - (_TILE if span > 1 else 0), row * _TILE, span * _TILE - 2
        fill = _HATCH if step is None else _RAMP[step]
        ink = "#fff" if step is not None and step > 2 else _INK
        name = ja if language == "ja" else en
        font = 9 if len(name) > 2 and span == 1 else 11
        body.append(
            f'<g><title>{escape(point.label)}: {escape(point.text)}</title><rect x="{x}" y="{y}" width="{size}" '
            f'height="{size}" rx="3" fill="{fill}" stroke="#fff"/><text x="{x + size // 2}" y="{y + size // 2 + 4}" '
            f'text-anchor="middle" font-size="{font}" fill="{ink}">{name}</text></g>'
        )
    body.append(_scale(*legend))
    return _svg(13 * _TILE, 13 * _TILE, title, body)


def pyramid(bands: Sequence[tuple[str, Point | None, Point | None]], title: str) -> Markup:
    """Draw two bars for each band, female to the left and male to the right.

    Args:
        bands: label, female, male; None where a campaign does not target them, which leaves the side empty.
        title: of the chart.
    """
    largest = max((p.value or 0 for _, *pair in bands for p in pair if p is not None), default=0)
    body = []
    for n, (label, female, male) in enumerate(bands):
        y = 26 + n * 30
        body.append(
            f'<text x="230" y="{y + 15}" text-anchor="middle" font-size="12" fill="{_INK}">{escape(label)}</text>'
        )
        body += [_side(female, y, largest, FEMALE, leftward=True)] if female is not None else []
        body += [_side(male, y, largest, MALE, leftward=False)] if male is not None else []
    for point, x, anchor, colour in ((bands[0][1], 185, "end", FEMALE), (bands[0][2], 275, "start", MALE)):
        if point is None:
            continue
        body.append(
            f'<text x="{x}" y="14" text-anchor="{anchor}" font-size="12" font-weight="600" fill="{colour}">'
            f"{escape(point.label)}</text>"
        )
    return _svg(460, 30 + 30 * len(bands), title, body)


def columns(points: Sequence[Point], title: str) -> Markup:
    """Draw one column for each category, in order."""
    largest = max((point.value or 0 for point in points), default=0)
    width = 460 // max(1, len(points))
    body = ['<line x1="0" x2="460" y1="150.5" y2="150.5" stroke="#c9d1d9"/>']
    for n, point in enumerate(points):
        x, middle = n * width, n * width + width // 2
        height = 24 if point.value is None else max(1, 118 * point.value // max(1, largest))
        fill = _HATCH if point.value is None else MALE
        body.append(
            f'<g><title>{escape(point.label)}: {escape(point.text)}</title><rect x="{x + 5}" y="{150 - height}" '
            f'width="{width - 10}" height="{height}" rx="2" fill="{fill}"/><text x="{middle}" y="{144 - height}" '
            f'text-anchor="middle" font-size="10" fill="{_INK}">{escape(point.text)}</text><text x="{middle}" y="166" '
            f'text-anchor="middle" font-size="10" fill="{_MUTED}">{escape(point.key)}</text></g>'
        )
    return _svg(460, 172, title, body)


def _step(value: int, largest: int) -> int:
    """Return the class of a value on the scale, 0 to 4."""
    return min(len(_RAMP) - 1, len(_RAMP) * value // max(1, largest))


def _side(point: Point, y: int, largest: int, colour: str, *, leftward: bool) -> str:
    width = 30 if point.value is None else max(1, 130 * point.value // max(1, largest))
    edge = 185 if leftward else 275
    x, text_x = (edge - width, edge - width - 5) if leftward else (edge, edge + width + 5)
    anchor = "end" if leftward else "start"
    fill = _HATCH if point.value is None else colour
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="22" rx="2" fill="{fill}"/><text x="{text_x}" y="{y + 15}" '
        f'text-anchor="{anchor}" font-size="11" fill="{_MUTED}">{escape(point.text)}</text>'
    )


def _scale(low: str, high: str, withheld: str) -> str:
    swatches = "".join(
        f'<rect x="{34 + 22 * n}" y="8" width="20" height="12" fill="{colour}"/>' for n, colour in enumerate(_RAMP)
    )
    return (
        f'<g font-size="10" fill="{_MUTED}"><text x="28" y="18" text-anchor="end">{escape(low)}</text>{swatches}'
        f'<text x="150" y="18">{escape(high)}</text><rect x="34" y="26" width="20" height="12" fill="{_HATCH}"/>'
        f'<text x="60" y="36">{escape(withheld)}</text></g>'
    )


def _svg(width: int, height: int, title: str, body: Sequence[str]) -> Markup:
    safe = "".join(body)
    return Markup(  # noqa: S704 - every text above is escaped, everything else is a number
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">{safe}</svg>'
    )
