"""Pages: what they show, what they never show, and that nothing in them comes from outside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from release_night import NIGHT, cube_tables, references, withhold

from quorum.disclosure.clipping import ClippedShare
from quorum.patterns import find_identifiers
from quorum.policy import Policy
from quorum.release.extracts import draw, with_extracts
from quorum.release.shapes import package_shapes, planned_shape
from quorum.report.audience import LISTED_CREATIVES
from quorum.report.charts import Point, columns, pyramid, tile_map
from quorum.report.facts import PageFacts, page_facts
from quorum.report.html import render
from quorum.report.labels import TEMPLATES, Words, percent, quotient
from quorum.report.view import DETAILED_KEYS

VOID = {"meta", "br", "img", "link", "input", "hr"}


class _Page(HTMLParser):
    """Checks nesting while reading and keeps tags, attributes and texts."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page.decode())
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)


def _night(
    policy: Policy, report: str, campaigns: int = 3, people: int = 3_000
) -> tuple[PageFacts, dict[str, pa.Table]]:
    tables = references(campaigns)
    shape = next(s for s in package_shapes(policy, tables, NIGHT) if s.report == report)
    return page_facts(policy, tables, shape), withhold(shape, cube_tables(shape, policy, people), policy)


@pytest.fixture(scope="module")
def campaign(policy: Policy) -> tuple[PageFacts, dict[str, pa.Table]]:
    return _night(policy, "campaign")


@pytest.fixture(scope="module")
def pages(campaign: tuple[PageFacts, dict[str, pa.Table]]) -> dict[str, bytes]:
    return render(*campaign)


def _total(tables: dict[str, pa.Table], key: str, measure: str) -> int | None:
    rows = tables["audience_age_gender"].to_pylist()
    return next(r[measure] for r in rows if (r["campaign_id"], r["age_band"], r["gender"]) == (key, "ALL", "ALL"))


def test_there_is_a_page_for_each_language_and_the_bytes_are_the_same_again(
    campaign: tuple[PageFacts, dict[str, pa.Table]], pages: dict[str, bytes]
) -> None:
    assert list(pages) == ["report.ja.html", "report.en.html"]
    assert render(*campaign) == pages


_DIGEST = """
import hashlib, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from release_night import NIGHT, cube_tables, references, withhold
from quorum.policy import load_policy
from quorum.release.shapes import package_shapes
from quorum.report.facts import page_facts
from quorum.report.html import render
policy = load_policy(Path(sys.argv[1]) / "policy")
shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
pages = render(page_facts(policy, references(2), shape), withhold(shape, cube_tables(shape, policy, 2_000), policy))
print(hashlib.sha256(b"".join(pages.values())).hexdigest())
"""


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_process_that_makes_them(root: Path) -> None:
    digests = set()
    for seed, locale in (("1", "C.UTF-8"), ("2", "C")):
        settings = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": f"UTC+{seed}"}
        made = [sys.executable, "-c", _DIGEST, str(root)]
        done = subprocess.run(made, capture_output=True, text=True, env=settings, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_page_is_sound_and_self_contained(pages: dict[str, bytes], language: str) -> None:
    page = _Page(pages[f"report.{language}.html"])
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "embed"}
    assert ("html", {"lang": language}) in page.tags
    for _, attributes in page.tags:
        assert not any(name.startswith("on") for name in attributes)
        for value in attributes.values():
            assert not re.search(r"https?:|//|javascript:|data:", value or "")
    assert "@import" not in pages[f"report.{language}.html"].decode()
    assert re.findall(r"url\([^)]*\)", pages[f"report.{language}.html"].decode()) == ["url(#withheld)"] * len(
        re.findall(r"url\(", pages[f"report.{language}.html"].decode())
    )


@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_text_looks_like_an_identifier(pages: dict[str, bytes], language: str) -> None:
    page = _Page(pages[f"report.{language}.html"])
    values = [value for _, attributes in page.tags for value in attributes.values() if value]
    assert {text: found for text in [*page.texts, *values] if (found := find_identifiers(text))} == {}


def test_the_first_screen_shows_released_numbers_and_ratios_of_them(
    campaign: tuple[PageFacts, dict[str, pa.Table]], pages: dict[str, bytes]
) -> None:
    facts, tables = campaign
    text = "|".join(_Page(pages["report.en.html"]).texts)
    for key in facts.keys:
        impressions, people, clicks = (_total(tables, key.key, m) for m in ("impression_n", "people_n", "click_n"))
        assert None not in (impressions, people, clicks)
        headline = (
            f"|{impressions:,}|People reached|{people:,}|Clicks|{clicks:,}|Click rate|{percent(clicks, impressions)}|"
        )
        assert headline in text
    cost = _total(tables, "c000", "impression_n") * 300_000
    assert f"|Cost|¥{(cost + 500_000) // 1_000_000:,}|" in text


def test_campaigns_stand_in_order_of_what_was_booked(policy: Policy) -> None:
    tables = references(3)
    booked = pa.array([10, 900, 900, 5], pa.int64())
    column = tables["pseudo__campaign"].column_names.index("booked_impressions")
    tables["pseudo__campaign"] = tables["pseudo__campaign"].set_column(column, "booked_impressions", booked)
    shape = next(s for s in package_shapes(policy, tables, NIGHT) if s.report == "campaign")
    facts = page_facts(policy, tables, shape)
    assert [key.key for key in facts.keys] == ["c001", "c002", "c000"]
    text = render(facts, withhold(shape, cube_tables(shape, policy, 1_000), policy))["report.ja.html"].decode()
    assert text.index(">c001<") < text.index(">c002<") < text.index(">c000<")


def test_names_are_escaped(pages: dict[str, bytes]) -> None:
    text = pages["report.ja.html"].decode()
    assert "冬のボーナス &lt;定期預金&gt; &amp; 投資信託" in text
    assert "<定期預金>" not in text


def test_every_withheld_cell_is_visible_and_none_is_zero(policy: Policy) -> None:
    facts, tables = _night(policy, "campaign", people=900)
    shown = {name: table.to_pylist() for name, table in tables.items()}
    occupations = [row for row in shown["audience_occupation"] if row["campaign_id"] == "c000"]
    hidden = sum(row["status_clicks"] == "withheld" for row in occupations)
    assert hidden > 3
    text = render(facts, tables)["report.ja.html"].decode()
    panel = re.search(r"<h4>職業別</h4>(.*?)</figure>", text, re.DOTALL)
    assert panel is not None
    rows = re.findall(r"<tr[^>]*><th scope=\"row\"[^>]*>(.*?)</th>(.*?)</tr>", panel[1])
    assert rows.pop()[0] == "非公開の区分の合計"
    assert len(rows) == len(occupations)
    assert sum(cells.count("<i>非公開</i>") >= 2 for _, cells in rows) == hidden, "clicks and their rate"
    assert not re.search(r">0</(td|i|dd)>", text)


def test_withheld_points_are_hatched_in_charts_and_say_so() -> None:
    points = [
        Point("tokyo", "東京都", None, "非公開"),
        Point("osaka", "大阪府", 90, "90"),
        Point("mars", "火星", 1, "1"),
    ]
    drawing = tile_map(points, "地図", "ja", ("少", "多", "非公開"))
    assert drawing.count("url(#withheld)") == 2, "the tile and the legend"
    assert "東京都: 非公開" in drawing
    assert "火星" not in drawing
    bars = columns(points, "列")
    assert bars.count("url(#withheld)") == 1
    both = pyramid([("20代", points[0], points[1])], "ピラミッド")
    assert both.count("url(#withheld)") == 1
    assert "非公開" in both


def test_charts_escape_what_they_are_given() -> None:
    drawing = tile_map([Point("tokyo", "<b>", 3, "<i>")], '"><script>', "en", ("<", ">", "&"))
    assert "<b>" not in drawing
    assert "<script>" not in drawing
    assert 'aria-label="&#34;&gt;&lt;script&gt;"' in drawing


def test_charts_of_nothing_and_of_zero_are_drawn() -> None:
    zero = [Point("tokyo", "t", 0, "0")]
    assert "<svg" in tile_map(zero, "t", "en", ("a", "b", "c"))
    assert "<svg" in columns(zero, "t")
    assert "<svg" in columns([], "t")


def test_a_report_of_sections_has_views_and_no_money(policy: Policy) -> None:
    text = "|".join(_Page(render(*_night(policy, "sections"))["report.en.html"]).texts)
    assert "Page views" in text
    assert "Views a person" in text
    for word in ("Cost", "Click", "Conversion"):
        assert word not in text


def test_the_notes_name_the_numbers_of_the_rule_set(pages: dict[str, bytes], policy: Policy) -> None:
    text = pages["report.ja.html"].decode()
    assert "表示回数は、50人以上のセルだけを公開します。" in text
    assert "クリック数は、20人以上のセルだけを公開します。" in text
    site = render(*_night(policy, "site"))["report.ja.html"].decode()
    assert "閲覧数は、10人以上のセルだけを公開します。" in site


def test_notes_and_order_do_not_depend_on_what_was_counted(policy: Policy) -> None:
    def fixed(people: int) -> tuple[str, list[str]]:
        text = render(*_night(policy, "campaign", people=people))["report.ja.html"].decode()
        return text[text.index('<section class="text"') :], re.findall(r"<h2[^>]*>.*?<code>(.*?)</code>", text)

    assert fixed(600) == fixed(3_000)
    assert fixed(600)[1] == ["c000", "c001", "c002"]


@pytest.mark.parametrize(
    ("clipped", "told"),
    [
        (None, "once a month is over"),
        (ClippedShare(date(2026, 10, 1), 2), "In Oct 2026, less than 2% of the impressions"),
        (ClippedShare(date(2026, 10, 1), None), "In Oct 2026, 5% or more of the impressions"),
    ],
)
def test_a_campaign_report_says_what_one_person_adds_and_the_class_of_what_exceeded_it(
    campaign: tuple[PageFacts, dict[str, pa.Table]], clipped: ClippedShare | None, told: str
) -> None:
    facts, tables = campaign
    text = render(replace(facts, clipped=clipped), tables)["report.en.html"].decode()
    assert "up to 20 impressions, 10 clicks and 5 conversions of a campaign a day" in text
    assert told in text


def test_a_report_of_sections_has_no_bounds(policy: Policy) -> None:
    assert "Bounds on one person" not in render(*_night(policy, "sections"))["report.en.html"].decode()


def test_many_campaigns_stay_under_two_megabytes(policy: Policy) -> None:
    pages = render(*_night(policy, "campaign", campaigns=DETAILED_KEYS + 4, people=2_500))
    text = pages["report.en.html"].decode()
    assert max(map(len, pages.values())) < 2_000_000
    assert text.count('<section class="key"') == DETAILED_KEYS
    overview = text[: text.index('<section class="key"')]
    assert overview.count('<tr><th scope="row">') == DETAILED_KEYS + 4
    assert "Details of 4 more are in the csv" in text


def test_many_creatives_are_listed_in_the_files_only(policy: Policy) -> None:
    tables = references(1)
    extra = [{"creative_id": f"x{n:03}", "campaign_id": "c000", "name": None} for n in range(30)]
    schema = tables["pseudo__creative"].schema
    tables["pseudo__creative"] = pa.concat_tables(
        [tables["pseudo__creative"], pa.Table.from_pylist(extra, schema=schema)]
    )
    shape = next(s for s in package_shapes(policy, tables, NIGHT) if s.report == "campaign")
    released = withhold(shape, cube_tables(shape, policy, 2_000), policy)
    text = render(page_facts(policy, tables, shape), released)["report.en.html"].decode()
    assert f"{33 - LISTED_CREATIVES} more creatives are in performance.csv." in text
    assert "x029" not in text[text.index("<h4>By creative</h4>") :]


def test_a_name_that_is_missing_is_the_id(policy: Policy) -> None:
    tables = references(1)
    for name in ("pseudo__recipient", "pseudo__creative", "pseudo__section"):
        tables[name] = tables[name].slice(0, 0)
    recipients = [{"recipient_id": "adv-a", "kind": "advertiser", "name_ja": None, "name_en": ""}]
    tables["pseudo__recipient"] = pa.Table.from_pylist(recipients, schema=tables["pseudo__recipient"].schema)
    for shape in package_shapes(policy, tables, NIGHT):
        released = withhold(shape, cube_tables(shape, policy, 2_000), policy)
        page = render(page_facts(policy, tables, shape), released)["report.ja.html"].decode()
        assert f"<h1>{'サイト全体' if shape.recipient_id == 'site' else shape.recipient_id}" in page


def test_every_text_is_there_in_both_languages() -> None:
    for file in ("words.yaml", "page_words.yaml"):
        words = yaml.safe_load((TEMPLATES / file).read_text(encoding="utf-8"))
        for part in ("texts", "glossary"):
            for name, entry in words[part].items():
                assert set(entry) == {"ja", "en"}, name
                places = [sorted(re.findall(r"{(\w*)}", entry[language])) for language in ("ja", "en")]
                if not name.startswith("lead_"):  # one campaign is written as a word in English
                    assert places[0] == places[1], name


def test_every_measure_and_level_has_a_word(policy: Policy) -> None:
    texts = Words("ja", policy, {}).texts
    for report in policy.reports.values():
        assert report.key in texts
        for table in report.tables:
            assert all(level in texts for d in table.dimensions for level in policy.dimensions[d].levels)
        for family in report.families:
            assert {policy.families[family].count, policy.families[family].heads} <= set(texts)


def test_every_prefecture_of_the_policy_has_a_tile(policy: Policy) -> None:
    points = [Point(c.key, c.ja, 1, "1") for c in policy.categories["prefectures"] if c.key != "unknown"]
    assert tile_map(points, "t", "ja", ("a", "b", "c")).count("<g><title>") == 47


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 3, "0.00%"), (1, 3, "33.33%"), (2, 3, "66.67%"), (1, 20_000, "0.01%"), (3, 2, "150.00%")],
)
def test_ratios_round_half_up_in_integers(part: int, whole: int, text: str) -> None:
    assert percent(part, whole) == text


def test_money_and_dates_are_written_as_people_write_them(policy: Policy) -> None:
    ja, en = Words("ja", policy, {}), Words("en", policy, {})
    assert [ja.yen(m) for m in (0, 300_000, 12_500_000, 99_999_999, 123_456_500_000)] == [
        "¥0",
        "¥0.30",
        "¥12.50",
        "¥100.00",
        "¥123,457",
    ]
    assert ja.price("cpm", 300_000) == "¥300／1,000表示"
    assert ja.day(NIGHT) == "2026年11月21日（土）"
    assert en.day(NIGHT) == "Sat 21 Nov 2026"
    assert quotient(1, 3) == "0.33"


def test_templates_travel_with_the_package(root: Path) -> None:
    code = "import quorum.report.labels as l; print(sorted(p.name for p in l.TEMPLATES.iterdir()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=True)
    assert "'page.css', 'page_words.yaml', 'plain.html.j2', 'report.css', 'report.html.j2', 'words.yaml'" in done.stdout
    shipped = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    found = [path for package in ("quorum", "assets", "pipelines") for path in root.glob(f"{package}/**/templates")]
    folders = {".".join(path.parent.relative_to(root).parts) for path in found}
    assert shipped == {package: ["templates/*"] for package in folders}


def test_a_campaign_that_the_reference_data_no_longer_list_is_its_id(policy: Policy) -> None:
    shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
    listed = references(2)
    without = {**listed, "pseudo__campaign": listed["pseudo__campaign"].slice(0, 0)}
    known, unknown = page_facts(policy, listed, shape), page_facts(policy, without, shape)
    assert {key.key for key in known.keys} == {key.key for key in unknown.keys}
    assert all(key.booking for key in known.keys)
    assert not any(key.booking for key in unknown.keys)
    assert all(set(key.names.values()) == {key.key} for key in unknown.keys)


TARGETING = {"c000": {"gender": ("female",), "prefecture": ("tokyo", "osaka")}, "c001": {"age_band": ("20s",)}}


@pytest.mark.parametrize(("language", "line"), [("ja", "配信対象外（0）：男性"), ("en", "Not targeted (0): male")])
def test_what_is_not_targeted_is_named_and_not_drawn(policy: Policy, language: str, line: str) -> None:
    facts, tables = _night(policy, "campaign", 2)
    facts = replace(facts, shape=planned_shape(policy, replace(facts.shape, targeting=TARGETING)))
    text = render(facts, tables)[f"report.{language}.html"].decode()
    assert _Page(text.encode()).texts
    aimed, other = (text[text.index(f'id="k{n}"') :] for n in (1, 2))
    aimed = aimed[: aimed.index('id="k2"')]
    assert line in aimed
    assert line not in other
    hokkaido = {"ja": "北海道", "en": "Hokkaido"}[language]
    assert f'<th scope="row">{hokkaido}' not in aimed
    assert f'<th scope="row">{hokkaido}' in other
    assert aimed.count("<title>") < other.count("<title>") - 35, "tiles of prefectures that are not targeted"


def test_a_pyramid_has_no_bar_for_who_is_not_targeted() -> None:
    woman = Point("female", "Women", 10, "10")
    drawn = pyramid([("20s", woman, None)], "t")
    assert "Women" in drawn
    assert drawn.count("<rect") == 1


def test_two_tables_that_tell_the_same_are_one_panel(policy: Policy) -> None:
    """Ages and genders have tables of their own beside the crossed one: the page shows each once."""
    names = references(1)
    shape = next(s for s in package_shapes(policy, names, NIGHT) if s.report == "campaign")
    tables = draw(shape, withhold(shape, cube_tables(shape, policy, 3_000), policy), policy)
    facts = page_facts(policy, names, with_extracts(shape, policy))
    assert {"audience_age", "audience_gender", "audience_age_gender"} <= set(tables)
    titles = re.findall(r"<h4>([^<]*)</h4>", render(facts, tables)["report.en.html"].decode())
    assert {"By Age", "By Gender"} <= {title.title() for title in titles}
    assert len(titles) == len(set(titles))
