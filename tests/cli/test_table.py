"""Which columns a terminal has room for, and how wide each of them is."""

from __future__ import annotations

import sys
from decimal import Decimal

import pytest

from stockpipe.cli.table import Look, Shown, print_table


def printed(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    columns: dict[str, object],
    look: Look,
) -> tuple[list[str], Shown]:
    """One row on a terminal of a width."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = print_table(list(columns), [list(columns.values())], look)
    return capsys.readouterr().out.splitlines(), shown


LONG = "x" * 30


@pytest.mark.parametrize(
    ("width", "look", "lines", "shown"),
    [
        # All fits: 3 + 2 + 30 + 2 + 5.
        (42, Look(), ["A    B" + " " * 31 + "    N", "---  " + "-" * 30 + "  -----", f"abc  {LONG}  12345"], Shown(3, 3, cut=False)),
        # One place less: the longest cell is cut.
        (41, Look(), ["A    B" + " " * 30 + "    N", "---  " + "-" * 29 + "  -----", f"abc  {'x' * 28}…  12345"], Shown(3, 3, cut=True)),
        # 3 + 2 + 12 + 2 + 5 is the narrowest that all three have.
        (24, Look(), ["A    B" + " " * 13 + "    N", "---  " + "-" * 12 + "  -----", f"abc  {'x' * 11}…  12345"], Shown(3, 3, cut=True)),
        (23, Look(), ["A    B", "---  " + "-" * 18, f"abc  {'x' * 17}…"], Shown(2, 3, cut=True)),
        (23, Look(spare=("A",)), ["B" + " " * 21 + "N", "-" * 16 + "  -----", f"{'x' * 15}…  12345"], Shown(2, 3, cut=True)),
        # What may be neither cut nor left out stands.
        (23, Look(whole=("B", "N")), ["B" + " " * 35 + "N", "-" * 30 + "  -----", f"{LONG}  12345"], Shown(2, 3, cut=False)),
        (16, Look(), ["A", "---", "abc"], Shown(1, 3, cut=False)),
        # A spare one is cut first, and gives way to one that needs more room.
        (47, Look(spare=("B",)), ["A    B" + " " * 31 + "    N", "---  " + "-" * 30 + "  -----", f"abc  {LONG}  12345"], Shown(3, 3, cut=False)),
        (41, Look(least={"B": 30}), ["A    B", "---  " + "-" * 30, f"abc  {LONG}"], Shown(2, 3, cut=False)),
        (41, Look(least={"B": 30}, spare=("A",)), ["B" + " " * 35 + "N", "-" * 30 + "  -----", f"{LONG}  12345"], Shown(2, 3, cut=False)),
        # A spare one has room where the long text has none.
        (16, Look(spare=("N",)), ["A        N", "---  -----", "abc  12345"], Shown(2, 3, cut=False)),
        (9, Look(spare=("N",)), ["A", "---", "abc"], Shown(1, 3, cut=False)),
        (2, Look(), ["A", "--", "a…"], Shown(1, 3, cut=True)),
    ],
)  # fmt: skip
def test_what_fits(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    look: Look,
    lines: list[str],
    shown: Shown,
) -> None:
    assert printed(capsys, monkeypatch, width, {"A": "abc", "B": LONG, "N": 12345}, look) == (lines, shown)


def test_spare_columns_are_cut_first(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row: dict[str, object] = {"REASON": "r" * 25, "RAW": LONG}
    lines, shown = printed(capsys, monkeypatch, 40, row, Look(spare=("RAW",)))
    assert (lines[2], shown) == (f"{'r' * 25}  {'x' * 12}…", Shown(2, 2, cut=True))
    lines, _ = printed(capsys, monkeypatch, 40, row, Look())
    assert lines[2] == f"{'r' * 18}…  {'x' * 18}…"


ONCE = Look(once=("DS", "EMPTY", "TICKER"))


@pytest.mark.parametrize(
    ("width", "rows", "lines", "shown"),
    [
        (27, [["A", "", "2026-02-06", LONG], ["B", "", "2026-02-06", "y"]],
         ["Each row: DS 2026-02-06", "TICKER  EMPTY  NAME", "------  -----  ------------", "A              xxxxxxxxxxx…", "B              y"], Shown(4, 4, cut=True)),
        # They differ.
        (39, [["A", "", "2026-02-06", LONG], ["B", "", "2026-02-07", "y"]],
         ["TICKER  EMPTY  DS          NAME", "------  -----  ----------  ------------", "A              2026-02-06  xxxxxxxxxxx…", "B              2026-02-07  y"], Shown(4, 4, cut=True)),
        # There is room for all.
        (57, [["A", "", "2026-02-06", LONG]],
         ["TICKER  EMPTY  DS          NAME", f"------  -----  ----------  {'-' * 30}", f"A              2026-02-06  {LONG}"], Shown(4, 4, cut=False)),
        (56, [["A", "", "2026-02-06", LONG]],
         ["Each row: TICKER A, DS 2026-02-06", "EMPTY  NAME", f"-----  {'-' * 30}", f"       {LONG}"], Shown(4, 4, cut=False)),
        (20, [], ["TICKER  EMPTY  DS", "------  -----  --"], Shown(3, 4, cut=False)),
    ],
)  # fmt: skip
def test_what_all_rows_have_in_common_is_told_once(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    width: int,
    rows: list[list[str]],
    lines: list[str],
    shown: Shown,
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    found = print_table(["TICKER", "EMPTY", "DS", "NAME"], rows, ONCE)
    assert capsys.readouterr().out.splitlines() == lines
    assert found == shown


NUMBERS: list[list[float | Decimal | None]] = [
    [33.449999999999996, Decimal("14.270000"), 1.0],
    [123456.12345678, Decimal("7.600000"), 0.000012345678],
    [None, None, float("nan")],
]


def test_a_terminal_shows_rounded_numbers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    shown = print_table(["F", "D", "S"], NUMBERS)
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["33.45", "14.27", "1.0"],
        ["123456.123457", "7.60", "1.23457e-05"],
        ["nan"],
    ]
    assert shown == Shown(3, 3, cut=False, rounded=True)
    # Zeros say nothing that is missed.
    assert not print_table(["D", "F"], [[Decimal("5.000"), 33.45], [Decimal("10.000"), 0.1]]).rounded
    assert capsys.readouterr().out.splitlines()[2:] == [" 5  33.45", "10    0.1"]


def test_elsewhere_numbers_have_every_digit(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["F", "D", "S"], NUMBERS)
    assert [line.split() for line in capsys.readouterr().out.splitlines()[2:]] == [
        ["33.449999999999996", "14.270000", "1.0"],
        ["123456.12345678", "7.600000", "1.2345678e-05"],
        ["nan"],
    ]


def test_sentences_go_on_in_the_next_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    row: dict[str, object] = {"SETTING": "A_LONG_NAME", "MEANING": "one two three four five"}
    lines, shown = printed(capsys, monkeypatch, 27, row, Look(whole=("SETTING",), prose=("MEANING",)))
    assert lines[2:] == ["A_LONG_NAME  one two three", "             four five"]
    assert shown.all


def test_signs_of_east_asia_take_two_places(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, _ = printed(capsys, monkeypatch, 20, {"N": "株式会社株式会社株式会社", "B": "b"}, Look())
    assert lines[2] == "株式会社株式会社…  b"
    lines, _ = printed(capsys, monkeypatch, 40, {"N": "株式", "B": "b"}, Look())
    assert lines == ["N     B", "----  -", "株式  b"]


def test_elsewhere_a_row_is_one_line_with_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    shown = print_table(["A", "N"], [["x" * 300, 1], [None, 22]], Look(prose=("A",)))
    lines = capsys.readouterr().out.splitlines()
    assert (lines[2:], shown) == ([f"{'x' * 300}   1", " " * 302 + "22"], Shown(2, 2, cut=False))


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (Shown(7, 18, cut=True), "18 columns (7 shown; --format csv shows all)"),
        (Shown(3, 3, cut=True), "3 columns (long cells are cut; --format csv shows all)"),
        (Shown(1, 1, cut=False), "1 column"),
        (Shown(7, 18, cut=True, rounded=True), "18 columns (7 shown, numbers are rounded; --format csv shows all)"),
        (Shown(2, 2, cut=False, rounded=True), "2 columns (numbers are rounded; --format csv shows all)"),
    ],
)
def test_what_is_missing_is_told(shown: Shown, words: str) -> None:
    assert shown.told("--format csv") == words
