"""What to load: a user's words made into loads, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import product

from stockpipe.base.calendar import RULES, Sessions, last_session
from stockpipe.base.clock import NEW_YORK, Clock, new_york_date
from stockpipe.base.days import read_day
from stockpipe.datasets import DATASETS, USUAL, Dataset, Part, Partition, Snapshot
from stockpipe.errors import UsageError

ALL = "all"
"""The word for every dataset, and for every choice of a division that has no word of its own for that."""

Words = Mapping[str, str | Sequence[str] | None]
"""What was said of the parts, by the names of the divisions: a word or several; none for the usual one."""


KEEP, KEPT = "keep", ("last", "all")
"""The word for which pulls of a day stay, and what it may be; the first is the usual one."""


@dataclass(frozen=True)
class Load:
    """One part of a dataset for one day.

    `ds` labels the rows; `dated` asks the API for that day's records, else for its current list. `dry_run` publishes
    nothing, `force` accepts what a check refuses, `require_fresh` refuses a list that is older than the day. `backdated`
    says that `ds` is a past day, though the API gives no other list than that of today. `pulled` (UTC) is the moment of the
    pull, and `keep` says whether earlier pulls of the day stay (`all`) or not (`last`). `sessions` are the trading days, as far
    as the warehouse knows them.
    """

    part: Part
    ds: date
    dated: bool
    dry_run: bool = False
    force: bool = False
    require_fresh: bool = False
    backdated: bool = False
    pulled: datetime | None = None
    keep: str = "last"
    sessions: Sessions = RULES

    @property
    def dataset(self) -> Dataset:
        """What is loaded."""
        return self.part.dataset

    @property
    def expects_rows(self) -> bool:
        """Whether there must be rows: on a day without a session nothing happens, and a live list fills up in the morning."""
        kind = self.dataset.kind
        if isinstance(kind, Snapshot) and kind.empty_until and self.pulled:
            return self.pulled.replace(tzinfo=UTC).astimezone(NEW_YORK).time() >= kind.empty_until
        return kind.calendar != "sessions" or self.sessions.is_session(self.ds.toordinal())

    @property
    def partition(self) -> Partition:
        """What is replaced."""
        return Partition(self.part, self.ds, self.pulled, self.keep == "all")


def make_loads(
    clock: Clock,
    dataset: str,
    words: Mapping[str, str | None] | None = None,
    *,
    on: str | date | None = None,
    dry_run: bool = False,
    force: bool = False,
    require_fresh: bool = False,
) -> list[Load]:
    """The loads that a user's words mean: a load for each part, to be published together.

    `words` choose the parts, by the names of the dataset's divisions; one that is None or left out is the usual one.
    `on` is a day in New York (both ends included: from the vendor's first day to today); without it the current list is
    loaded as today's, or, of what happens on a day, the last session before today. UsageError names the word that makes
    no sense and what would.
    """
    declared, words = known_dataset(dataset), dict(words or {})
    today = new_york_date(clock)
    keep = _kept(declared, words.pop(KEEP, None))
    ds = usual_day(declared, today) if on is None else day_of(on, declared.first_day, today)
    dated = declared.kind.calendar == "sessions" or (on is not None and declared.source.has_days)
    backdated = ds < today and not declared.source.has_days
    pulled = clock.now().astimezone(UTC).replace(microsecond=0, tzinfo=None) if declared.of_role("pulled") else None
    options = _options_of(declared, words, ds)
    first = Load(Part(declared), ds, dated, dry_run, force, require_fresh, backdated, pulled, keep)
    return [replace(first, part=replace(part, options=options)) for part in parts_of(declared, words)]


def _options_of(dataset: Dataset, words: dict[str, str | None], ds: date) -> tuple[tuple[str, str], ...]:
    """The further parameters that a user's words mean; these words are taken out. UsageError for one without meaning."""
    found = []
    for option in dataset.source.options:
        word = words.pop(option.name, None)
        try:
            value = option.value(word, ds)
        except ValueError:
            choices = ", ".join(option.words) or "a day (YYYY-MM-DD), or all"
            raise UsageError(
                f"{option.name} is {word!r}, which {dataset.name} does not know.", hint=f"Choose from: {choices}."
            ) from None
        found += [(option.field, value)] if value is not None else []
    return tuple(found)


def _kept(dataset: Dataset, word: str | None) -> str:
    """Which pulls of a day stay; UsageError for a word without meaning, or a dataset that has no pulls."""
    if word is None:
        return KEPT[0]
    if word not in KEPT:
        raise UsageError(f"{KEEP} is {word!r}.", hint=f"Choose from: {', '.join(KEPT)}.")
    if dataset.of_role("pulled") is None:
        raise UsageError(f"Pulls of {dataset.name} are not kept apart: a day is one list.", hint=f"Leave out {KEEP}.")
    return word


def make_jobs(
    clock: Clock,
    datasets: Sequence[str] = (),
    words: Words | None = None,
    *,
    on: str | date | None = None,
    dry_run: bool = False,
    force: bool = False,
    require_fresh: bool = False,
) -> list[list[Load]]:
    """The jobs that a user's words mean: the loads of one job are published together, each job by itself.

    `datasets` and each of the `words` may name several, also with commas between, or `all`; none means the usual one. A
    word is for the datasets that are divided that way. For the rest see `make_loads`. UsageError names what makes no
    sense.
    """
    chosen, said = known_datasets(datasets), {name: _split(word) for name, word in (words or {}).items()}
    jobs = [
        make_loads(clock, dataset.name, one, on=on, dry_run=dry_run, force=force, require_fresh=require_fresh)
        for dataset in chosen
        for one in _each(dataset, chosen, said)
    ]
    by_parts = {frozenset(load.part.path for load in job): job for job in jobs}
    # `--active true,both` is both: no list is fetched twice.
    return [job for parts, job in by_parts.items() if not any(parts < others for others in by_parts)]


def known_datasets(names: Sequence[str]) -> list[Dataset]:
    """The datasets of some names, in their order; the usual one for none, UsageError for one that does not exist."""
    words = _split(names)
    return list(DATASETS.values()) if ALL in words else [known_dataset(word) for word in words or [USUAL.name]]


def _split(words: str | Sequence[str] | None) -> list[str]:
    """Each word once: `--market a,b --market a` is a and b."""
    given = [words] if isinstance(words, str) else words or ()
    return list(dict.fromkeys(word.strip() for text in given for word in text.split(",")))


def _each(dataset: Dataset, chosen: Sequence[Dataset], said: Mapping[str, list[str]]) -> Iterator[dict[str, str]]:
    """Every combination of the words for a dataset, one word of each division at a time."""
    own = {division.field: division for division in dataset.divisions}
    others = {name for other in chosen for name in _names(other)}
    further = _names(dataset) - own.keys()
    choices = []
    for name, words in said.items():
        if words and (name in own or name in further or name not in others):
            every = ALL in words and name in own and own[name].every is None
            choices.append([(name, word) for word in (own[name].words if every else words)])
    yield from (dict(one) for one in product(*choices))


def usual_day(dataset: Dataset, today: date) -> date:
    """The day that is loaded where none is named: today, or the last session before it, whose facts are complete."""
    if dataset.kind.calendar == "sessions":
        return date.fromordinal(last_session(today.toordinal() - 1))
    return today


def _names(dataset: Dataset) -> set[str]:
    """The words that say something of a dataset's load."""
    found = {division.field for division in dataset.divisions} | {option.name for option in dataset.source.options}
    return found | ({KEEP} if dataset.of_role("pulled") else set())


def known_dataset(name: str) -> Dataset:
    """The dataset of a name; UsageError for one that does not exist."""
    if name not in DATASETS:
        raise UsageError(f"There is no dataset {name!r}.", hint=f"Choose from: {', '.join(DATASETS)}.")
    return DATASETS[name]


def parts_of(dataset: Dataset, words: Mapping[str, str | None]) -> list[Part]:
    """The parts that a user's words mean; UsageError for a word that makes no sense."""
    try:
        return dataset.parts({name: word for name, word in words.items() if word is not None})
    except KeyError as error:
        name, word = error.args
        division = next((division for division in dataset.divisions if division.field == name), None)
        if division is None:
            raise UsageError(
                f"The dataset {dataset.name} has no {name} to choose.", hint=f"Leave out {name}."
            ) from None
        hint = f"Choose from: {', '.join(division.words)}."
        raise UsageError(f"{name} is {word!r}, which {dataset.name} does not know.", hint=hint) from None


def words_for(parts: Sequence[Part]) -> list[str]:
    """The words behind `stockpipe run` that load some parts of one dataset which differ in their states alone."""
    dataset = parts[0].dataset
    words = [] if dataset is USUAL else ["--dataset", dataset.name]
    for number, division in enumerate(dataset.divisions):
        chosen = {part.choices[number].word for part in parts}
        word = next(iter(chosen)) if len(chosen) == 1 else str(division.every)
        words += [] if word == division.usual else [f"--{division.field}", word]
    return words


def day_of(on: str | date, first: date | None = None, today: date | None = None) -> date:
    """A day as a date; UsageError for a text that is no date (YYYY-MM-DD), and for a day outside of `first` to `today`."""
    day = read_day(on) if isinstance(on, str) else on
    if (first and day < first) or (today and day > today):
        raise UsageError(
            f"{day} is outside of what can be asked for.",
            hint=f"Choose a day from {first} to {today} (today in New York).",
        )
    return day
