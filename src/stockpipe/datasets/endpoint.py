"""Where the rows of a dataset are asked for, where they are in the answer, and how a long list is paged and cut."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from urllib.parse import urlencode

Bounds = tuple[str | None, str | None]
"""A range of the cut's field: from the first (included) to before the second; None leaves a side open."""
WHOLE: Bounds = (None, None)


@dataclass(frozen=True)
class Cut:
    """How a list can be cut into ranges that are asked for side by side: `field`.gte and `field`.lt.

    A range begins at a value of plain capitals and digits (`pattern`), whatever collation the API sorts by. `letters`
    cut a list of which no day is known yet, each behind the part's prefix.
    """

    field: str
    letters: tuple[str, ...]
    pattern: str = "([A-Z]:)?[A-Z0-9]{1,20}"


@dataclass(frozen=True)
class Option:
    """A choice of a query that does not divide its rows into parts.

    `name` is what users write, `field` the API's parameter. `words` may be chosen, `usual` among them where nothing is
    said; without words it is a day, or `all`, and where nothing is said the one so many `days` before the day loaded.
    """

    name: str
    field: str
    help: str
    words: tuple[str, ...] = ()
    usual: str = "all"
    days: int | None = None

    def value(self, word: str | None, ds: date) -> str | None:
        """What is sent for a word, None for nothing. ValueError for a word that means nothing."""
        if word is None:
            return (ds - timedelta(self.days)).isoformat() if self.days is not None else self._sent(self.usual)
        return self._sent(word)

    def _sent(self, word: str) -> str | None:
        if self.words:
            if word not in self.words:
                raise ValueError(word)
            return word
        if word == "all":
            return None
        # Python reads 20260206 and 2026-W06-5 too; a day has one form.
        if date.fromisoformat(word).isoformat() != word:
            raise ValueError(word)
        return word


@dataclass(frozen=True)
class Endpoint:
    """One address of the API.

    `path` may hold `{day}` (YYYY-MM-DD); `day` is the query parameter for it where it has one. `rows` names the list in
    the answer, None where the answer itself is the list; `status` says that the answer carries one. `page` is the
    most rows of a page (the parameter `limit`), None where one answer holds all. `cut` is None for a list that is
    fetched page by page only. `options` may be chosen.
    """

    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    rows: str | None = "results"
    page: int | None = None
    day: str | None = None
    status: bool = True
    cut: Cut | None = None
    options: tuple[Option, ...] = ()

    @property
    def has_days(self) -> bool:
        """Whether a past day can be asked for; else the list is always the current one."""
        return self.day is not None or "{day}" in self.path

    def path_of(self, day: date | None) -> str:
        """The path, with the day filled in where it has one."""
        return self.path.replace("{day}", day.isoformat()) if day else self.path

    def target(self, asked: Mapping[str, str], day: date | None = None, bounds: Bounds = WHOLE) -> str:
        """Path and query of the first page.

        `asked` are the parameters of the part, `day` asks for dated records (None: the current list), `bounds` for one
        range of the list.
        """
        params = {**asked, **self.params}
        if self.page:
            params["limit"] = str(self.page)
        if day and self.day:
            params[self.day] = day.isoformat()
        if self.cut:
            params |= {
                f"{self.cut.field}.{side}": bound for side, bound in zip(("gte", "lt"), bounds, strict=True) if bound
            }
        path = self.path_of(day)
        return f"{path}?{urlencode(params)}" if params else path
