"""The words of a declaration: a dataset, the ways its rows are divided, and what is normal in each part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import product

from stockpipe.datasets.column import Column, Role
from stockpipe.datasets.endpoint import Endpoint
from stockpipe.datasets.kinds import DatasetKind

Value = str | bool


@dataclass(frozen=True)
class Choice:
    """One value of a division. `word` is what users and the API write, `label` what people read, `key` what files say."""

    value: Value
    word: str
    label: str
    key: str

    @classmethod
    def named(cls, name: str) -> Choice:
        """A choice that is called the same everywhere."""
        return cls(name, name, name, name)


@dataclass(frozen=True)
class Division:
    """One way in which the rows of a dataset are divided: a column whose values are asked for one at a time.

    `field` is the API's parameter, `usual` the word that is meant where nothing is said, `every` the word for all of the
    choices (None: there is none), `help` the text of the option.
    """

    column: str
    field: str
    choices: tuple[Choice, ...]
    usual: str
    help: str
    every: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What a user may write."""
        return (*(choice.word for choice in self.choices), *([self.every] if self.every else []))

    def chosen(self, word: str) -> tuple[Choice, ...]:
        """The choices that a word means; none for a word that means nothing."""
        return self.choices if word == self.every else tuple(one for one in self.choices if one.word == word)


@dataclass(frozen=True)
class Rules:
    """What is normal in some parts of a dataset.

    `optional`: required fields that may be missing there. `expected`: columns that a healthy list fills in at least one
    row. `nightly_build`: the current list is rewritten every night, and its rows carry that build's date. `prefix`:
    what every key begins with. `fleeting`: columns that a healthy list may leave empty in every row, as what is traded today is
    before the exchanges open. `may_be_empty`: a list without a row is no fault. `steady`: the number of rows is much
    like that of the day before.
    """

    optional: frozenset[str] = frozenset()
    expected: frozenset[str] = frozenset()
    fleeting: frozenset[str] = frozenset()
    nightly_build: bool = False
    prefix: str = ""
    may_be_empty: bool = False
    steady: bool = True


@dataclass(frozen=True)
class Part:
    """The rows that are asked for, judged, compared and replaced together.

    `choices` has one choice for each division of the dataset, in their order; a dataset without divisions is one part.
    `options` are further parameters of the call, which make no other part.
    """

    dataset: Dataset
    choices: tuple[Choice, ...] = ()
    options: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @cached_property
    def values(self) -> dict[str, Value]:
        """Column and value, such as {"MARKET": "stocks", "ACTIVE": True}."""
        return {d.column: c.value for d, c in zip(self.dataset.divisions, self.choices, strict=True)}

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the API's call."""
        return self.words | dict(self.options)

    @property
    def words(self) -> dict[str, str]:
        """What a user writes for it, by the name of the option."""
        return {d.field: c.word for d, c in zip(self.dataset.divisions, self.choices, strict=True)}

    @property
    def label(self) -> str:
        """What people read: `stocks, delisted`; the dataset's own name where it is one list."""
        return ", ".join(choice.label for choice in self.choices if choice.label) or self.dataset.name

    @property
    def noun(self) -> str:
        """What its rows are called: `inactive tickers`."""
        states = [choice.key for choice in self.choices if isinstance(choice.value, bool)]
        return " ".join([*states, self.dataset.noun])

    @property
    def key(self) -> str:
        """Its name in files and in the run records: `stocks/active`; empty where the dataset is one list."""
        return "/".join(choice.key for choice in self.choices)

    @property
    def path(self) -> str:
        """Dataset and key: `tickers/stocks/active`."""
        return "/".join((self.dataset.name, *(choice.key for choice in self.choices)))

    @property
    def rules(self) -> Rules:
        """What is normal here."""
        return self.dataset.rules_of(self.choices)


@dataclass(frozen=True)
class Partition:
    """A part of one day: what a load fetches, and what it replaces.

    `pulled` (UTC) is when it was asked for; with `keeps_all` earlier pulls of the day stay beside it.
    """

    part: Part
    ds: date
    pulled: datetime | None = None
    keeps_all: bool = False

    @property
    def label(self) -> str:
        """What people read: `stocks, delisted, 2026-02-06`."""
        return f"{self.part.label}, {self.ds}"

    @property
    def values(self) -> dict[str, Value | date]:
        """Column and value, the day first."""
        pulled = self.part.dataset.of_role("pulled") if self.keeps_all else None
        own: dict[str, Value | date] = {pulled.name: self.pulled} if pulled and self.pulled else {}
        return {self.part.dataset.day.name: self.ds, **self.part.values, **own}


@dataclass(frozen=True)
class Dataset:
    """One thing to load: where it is asked for, what its rows are, and what makes a day of it healthy.

    `key` are the columns that name a row within a day and a part; where `unique_where` (a flag's column) is true, or
    always where it is None, a key may stand once only; there a value of the columns `once` belongs to one row too, and
    to two only in a list that changed while it was fetched. `not_compared` are columns that say nothing about change. `noun`
    is what its rows are called. `rows` and `calls` are those of a usual load (2026), `size` says so in words. `table_setting` is the setting that gives the table another name, where there is one.
    """

    name: str
    table: str
    meaning: str
    noun: str
    kind: DatasetKind
    source: Endpoint
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    divisions: tuple[Division, ...] = ()
    rules: Mapping[str, Rules] = field(default_factory=dict)
    unique_where: str | None = None
    once: tuple[str, ...] = ()
    not_compared: tuple[str, ...] = ()
    first_day: date = date(2003, 9, 10)
    plan: str = "basic"
    size: str = ""
    rows: int = 0
    calls: int = 1
    table_setting: str | None = None

    def __hash__(self) -> int:
        return hash(self.name)

    @cached_property
    def fields(self) -> tuple[Column, ...]:
        """The columns that come from the API, in the table's order."""
        return tuple(column for column in self.columns if column.field)

    @property
    def day(self) -> Column:
        """The column of the partition."""
        return next(column for column in self.columns if column.type.role == "day")

    @property
    def unknown(self) -> Column | None:
        """The column for fields that are not declared, where there is one."""
        return self.of_role("unknown")

    def of_role(self, role: Role) -> Column | None:
        """The column of a role that one column may have; None where there is none."""
        return next((column for column in self.columns if column.type.role == role), None)

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that tell two rows of a day and a part apart: the key, and the number of a repeated row."""
        number = self.of_role("number")
        return (*self.key, number.name) if number else self.key

    @property
    def name_column(self) -> str:
        """The column that names a row for people, and that orders the list: the last one of the key."""
        return self.key[-1]

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def parts(self, words: Mapping[str, str] | None = None) -> list[Part]:
        """The parts that a user's words mean, by the division's field; a division that is not named is the usual one.

        KeyError (field, word) for a word that means nothing, or for a field that does not divide this dataset.
        """
        words = dict(words or {})
        chosen: list[tuple[Choice, ...]] = []
        for division in self.divisions:
            word = words.pop(division.field, division.usual)
            found = division.chosen(word)
            if not found:
                raise KeyError(division.field, word)
            chosen.append(found)
        if words:
            raise KeyError(*next(iter(words.items())))
        return [Part(self, choices) for choices in product(*chosen)]

    @cached_property
    def all_parts(self) -> tuple[Part, ...]:
        """Every part that there is."""
        return tuple(Part(self, choices) for choices in product(*(division.choices for division in self.divisions)))

    def rules_of(self, choices: Sequence[Choice]) -> Rules:
        """The rules for a part: those of its longest key that has some, such as `crypto/inactive`, then `crypto`."""
        keys = [choice.key for choice in choices]
        for length in range(len(keys), 0, -1):
            if found := self.rules.get("/".join(keys[:length])):
                return found
        return self.rules.get("", Rules())
