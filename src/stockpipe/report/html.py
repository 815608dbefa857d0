"""Elements of HTML and SVG as text. What is no element is text from outside, and is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from stockpipe.base.text import printable

# Elements that have no end; in SVG a slash ends them, which HTML takes too.
_EMPTY = frozenset({"meta", "br", "line", "rect", "circle", "path", "polyline", "polygon"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *inside: str | int | float | None, **attributes: str | int | float | None) -> Html:
    """An element. Example: tag("td", "A & B", class_="name") is `<td class="name">A &amp; B</td>`.

    An attribute that is None is left out; `class_` is class, `aria_label` aria-label. Numbers have at most two decimals.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Html(f"<{name}{said}/>")
    return Html(f"<{name}{said}>{joined(inside)}</{name}>")


def joined(parts: Iterable[str | int | float | None]) -> Html:
    """Parts one after the other; text among them is escaped."""
    return Html("".join(_inside(part) for part in parts if part is not None))


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str | int | None]]) -> Html:
    """A table with a caption; numbers stand to the right, with commas, and so do the heads over them."""
    cells = [list(row) for row in rows]
    counted = {number for row in cells for number, cell in enumerate(row) if isinstance(cell, int)}
    head = tag(
        "tr",
        *(tag("th", name, scope="col", class_="number" if n in counted else None) for n, name in enumerate(heads)),
    )
    body = [tag("tr", *map(_cell, row)) for row in cells]
    return tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *body))


def _cell(value: str | int | None) -> Html:
    if isinstance(value, int):
        return tag("td", f"{value:,}", class_="number")
    return tag("td", value)


def _inside(part: str | int | float) -> str:
    return part if isinstance(part, Html) else escape(printable(_text(part)))


def _text(value: str | int | float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
