"""Which columns a terminal has room for, and how wide each of them is."""

from __future__ import annotations

import sys

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
    ],
)
def test_what_is_missing_is_told(shown: Shown, words: str) -> None:
    assert shown.told("--format csv") == words
