"""The options that choose the parts of a dataset, from its declaration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from stockpipe.cli.choices import Word
from stockpipe.datasets import DATASETS, USUAL, Dataset, Division, Part
from stockpipe.load.loads import KEEP, KEPT, known_dataset, parts_of, words_for

USUAL_DATASET = USUAL.name
DATASET_NAMES = ", ".join(DATASETS)
"""For the help of an option `--dataset`: as its metavar they would be wider than a terminal."""


def divisions() -> dict[str, Division]:
    """The divisions of all datasets, by the name of their option."""
    return {division.field: division for dataset in DATASETS.values() for division in dataset.divisions}


def further_options() -> dict[str, str]:
    """The options that choose no part: those of the datasets' queries, and which pulls stay; each with its help."""
    found: dict[str, str] = {}
    for dataset in DATASETS.values():
        for option in dataset.source.options:
            names = ", ".join(
                each.name for each in DATASETS.values() if option.name in [o.name for o in each.source.options]
            )
            found[option.name] = f"{option.help} For {names}."
    pulls = ", ".join(dataset.name for dataset in DATASETS.values() if dataset.of_role("pulled"))
    return found | ({KEEP: f"Which pulls of a day stay: {' or '.join(KEPT)}. For {pulls}."} if pulls else {})


def _values_of(name: str) -> dict[str, Any]:
    """How a further option says what it takes: one of its words, or a day."""
    options = {option.name: option for dataset in DATASETS.values() for option in dataset.source.options}
    words = KEPT if name == KEEP else options[name].words
    return {"type": Word(words)} if words else {"metavar": "YYYY-MM-DD|all"}


def part_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """An option for each division; what is not given is the usual choice."""
    for name, division in reversed(divisions().items()):
        function = click.option(f"--{name}", type=Word(division.words), help=_help(division))(function)
    return function


def _help(division: Division) -> str:
    return f"{division.help} Default: {division.usual}."


market_option = click.option(
    "--market",
    type=Word([choice.word for choice in divisions()["market"].choices]),
    default="stocks",
    show_default=True,
    help="Whose listed tickers.",
)
"""Where one market is shown."""


def list_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--dataset` and the divisions where one command loads several lists: those without a word for all may be repeated."""
    for name, division in reversed(divisions().items()):
        several = division.every is None
        more = " Repeat it, put commas between, or say all." if several else ""
        kind = Word(division.words, several=several)
        function = click.option(f"--{name}", multiple=several, type=kind, help=f"{_help(division)}{more}")(function)
    for name, text in further_options().items():
        function = click.option(f"--{name}", **_values_of(name), help=text)(function)
    more = f"Default: {USUAL_DATASET}. Repeat it, put commas between, or say all."
    kind = Word(tuple(DATASETS), several=True)
    help_text = f"What to load: {DATASET_NAMES}. {more}"
    return click.option("--dataset", "datasets", multiple=True, type=kind, metavar="NAME", help=help_text)(function)


def whole_part_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options where all states go together, unless one is named."""
    for name, division in reversed(divisions().items()):
        text = f"{division.help} Default: {division.every or division.usual}."
        function = click.option(f"--{name}", type=Word(division.words), help=text)(function)
    return function


def whole_words_of(dataset: Dataset, options: Mapping[str, Any]) -> dict[str, str | None]:
    """What was said of a dataset's parts with `whole_part_options`; all states where nothing was."""
    every = {division.field: division.every for division in dataset.divisions if division.every}
    said = {name: word for name, word in words_of(options).items() if word is not None}
    return {**every, **said}


def part_filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same options where they narrow what is shown: without one, all is shown."""
    for name, division in reversed(divisions().items()):
        function = click.option(f"--{name}", type=Word(division.words), help=f"Only {division.help}")(function)
    return function


def words_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of the parts, by the names of the divisions."""
    return {name: options[name] for name in (*divisions(), *further_options()) if name in options}


def filtered_parts(options: Mapping[str, Any]) -> list[Part]:
    """The parts that `--dataset` and `part_filters` leave; none when nothing was said, which means all.

    UsageError, as of a run, for a dataset that does not exist, and for a word that it does not know.
    """
    said = {name: word for name, word in words_of(options).items() if word}
    if not said and not options["dataset"]:
        return []
    datasets = [known_dataset(options["dataset"])] if options["dataset"] else list(DATASETS.values())
    parts_of(next((one for one in datasets if said.keys() <= _fields(one)), datasets[0]), said)
    return [part for dataset in datasets for part in dataset.all_parts if _has(part, said)]


def _fields(dataset: Dataset) -> set[str]:
    return {division.field for division in dataset.divisions}


def _has(part: Part, said: Mapping[str, str]) -> bool:
    chosen = {one.field: (one, choice) for one, choice in zip(part.dataset.divisions, part.choices, strict=True)}
    return all(name in chosen and chosen[name][1] in chosen[name][0].chosen(word) for name, word in said.items())


def run_words(parts: list[Part]) -> list[list[str]]:
    """The words behind `stockpipe run` that load these parts, one command for all states of a list."""
    groups: dict[tuple[str, ...], list[Part]] = {}
    for part in parts:
        fixed = [word for division, word in _said(part) if division.every is None]
        groups.setdefault((part.dataset.name, *fixed), []).append(part)
    return [words_for(group) for group in groups.values()]


def _said(part: Part) -> list[tuple[Division, str]]:
    return [(division, choice.word) for division, choice in zip(part.dataset.divisions, part.choices, strict=True)]


def usual_parts(options: Mapping[str, Any]) -> list[Part]:
    """The parts that were named; for what was not, the usual ones."""
    dataset: Dataset = DATASETS[options["dataset"] or USUAL_DATASET]
    said = {name: word for name, word in words_of(options).items() if word}
    return dataset.parts({name: word for name, word in said.items() if name in _fields(dataset)})
