"""The page: one well-formed file that needs no network, runs nothing, and shows outside text as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from stockpipe.report.html import Html, joined, table, tag
from stockpipe.report.page import MOST_ROWS, page
from stockpipe.report.short import document, lines
from stockpipe.warehouse.source import Source
from support.reports import facts

EVIL = '<script>alert("x")</script>\x1b[31m'
CHANGE = {"CHANGE": "new", "COLUMN_NAME": None, "OLD": None, "NEW": None, "TYPE": "CS", "PRIMARY_EXCHANGE": "XNAS"}


class Tags(HTMLParser):
    """The elements of a page; each that is opened must be closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.seen if tag == name]


def test_text_is_escaped_and_elements_are_not() -> None:
    assert tag("td", "A & B", class_="name", title=None) == '<td class="name">A &amp; B</td>'
    assert tag("a", tag("b", "<"), href='"') == '<a href="&quot;"><b>&lt;</b></a>'
    assert tag("line", x1=1.0, y1=2.345) == '<line x1="1" y1="2.35"/>'
    assert joined(["a", None, 3, Html("<br/>")]) == "a3<br/>"
    assert '<td class="number">1,234</td><td></td>' in table("t", ("A", "B"), [[1234, None]])


def test_a_page_is_whole_offline_and_runs_nothing() -> None:
    text = page(facts())
    tags = Tags(text.removeprefix("<!doctype html>\n"))
    assert text.startswith('<!doctype html>\n<html lang="en">')
    assert not {"script", "link", "img", "iframe"} & {name for name, _ in tags.seen}
    assert re.findall(r"""(?:src|href)=["'](?!#)""", text) == []
    assert "url(" not in text
    assert tags.of("meta")[2]["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert len(text) < 60_000


def test_every_number_leads_to_its_sql() -> None:
    text = page(facts())
    tags = Tags(text.removeprefix("<!doctype html>\n"))
    anchors = {attributes.get("id") for _, attributes in tags.seen}
    links = [str(attributes["href"])[1:] for attributes in tags.of("a")]
    assert links == ["sql-changes", "sql-days", "sql-universe-by-type", "sql-exchange-by-type", "sql-load-calendar"]
    assert set(links) <= anchors


def test_every_picture_can_be_read_aloud_and_every_scrolling_part_reached() -> None:
    tags = Tags(page(facts()).removeprefix("<!doctype html>\n"))
    assert [picture["role"] for picture in tags.of("svg")] == ["img"] * 3
    assert all(picture["aria-label"] for picture in tags.of("svg"))
    scrolling = [attributes for _, attributes in tags.seen if attributes.get("class") in ("chart", "wide")]
    assert all(part["tabindex"] == "0" and part["aria-label"] for part in scrolling)
    assert len(tags.of("h1")) == 1


def test_outside_text_stays_text() -> None:
    text = page(facts(changes=[CHANGE | {"TICKER": EVIL, "NAME": EVIL}], last={"warnings": [EVIL]}))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


def test_many_changes_are_cut_and_counted() -> None:
    rows = [CHANGE | {"TICKER": f"T{number}", "NAME": "N"} for number in range(MOST_ROWS + 1)]
    text = page(facts(changes=rows))
    assert f"New: {MOST_ROWS + 1}, of which the first {MOST_ROWS} are shown" in text
    assert f">T{MOST_ROWS - 1}<" in text
    assert f">T{MOST_ROWS}<" not in text


@pytest.mark.parametrize(("sandbox", "told"), [("synthetic seed=7", True), (None, False)])
def test_sample_data_carries_a_banner(sandbox: str | None, told: bool) -> None:
    shown = facts(last={"source": Source("http://127.0.0.1:8765", sandbox)})
    assert ("Sample data from the sandbox, not the real market." in page(shown)) is told
    assert (lines(shown)[0] == "Sample data from the sandbox, not the real market.") is told
    assert document(shown)["sample"] is told


def test_a_first_day_has_a_page_too() -> None:
    text = page(facts(1000))
    assert "This is the first published day" in text
    Tags(text.removeprefix("<!doctype html>\n"))


def test_the_short_form_names_some_and_counts_the_rest() -> None:
    rows = [CHANGE | {"TICKER": f"T{number:02}", "NAME": "N"} for number in range(12)]
    renamed = CHANGE | {"CHANGE": "renamed", "TICKER": "META", "NAME": "Meta", "OLD": "FB", "NEW": "META"}
    told = lines(facts(changes=[*rows, renamed]))
    assert told[1] == "  new           T00, T01, T02, T03, T04, T05, T06, T07, T08, T09 and 2 more"
    assert told[2] == "  renamed       FB to META"
    assert told[3] == "  Age                  Of today, from the vendor's build of 2026-02-03."
