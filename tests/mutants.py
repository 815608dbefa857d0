"""Small faults put into the code, one at a time, each run against the tests of its room: which do the tests not notice?

    make mutants                          all rooms; takes a long time
    make mutants ARGS="--room checks"     one room
    make mutants ARGS="--room sql --list" only say what would be changed

A mutant that survives is a missing test, or it changes nothing that anybody could see (an equivalent one). Works in a
copy of the tree, so the tree itself is never changed. One process at a time.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = {
    "checks": ("load/checks/*.py", ["load/test_checks.py", "load/test_volume.py"]),
    "pacing": ("massive/pacing.py", ["massive_api/test_pacing.py", "massive_api/test_apart.py"]),
    "pages": ("massive/pages.py", ["massive_api/test_pages.py", "massive_api/test_wire.py"]),
    "cuts": (
        "massive/cuts.py",
        ["massive_api/test_cuts.py", "massive_api/test_holes.py", "massive_api/test_ranges.py"],
    ),
    "sql": ("warehouse/sql.py", ["warehouse/test_sql.py"]),
}
"""For each room its modules (below src/stockpipe) and the tests that must notice (below tests)."""

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult,
}  # fmt: skip
_OTHER_CALL = {"min": "max", "max": "min", "all": "any", "any": "all"}
_LARGEST = 10_000


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, what it is, and the whole module with it."""

    path: Path
    line: int
    change: str
    source: str


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change to a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for number, node in enumerate(ast.walk(tree)):
        if node in _left_alone(tree):
            continue
        for choice, changed in enumerate(_changes(node)):
            other = copy.deepcopy(tree)
            twin = next(found for place, found in enumerate(ast.walk(other)) if place == number)
            before = ast.unparse(node).partition("\n")[0]
            new = list(_changes(twin))[choice]
            _replace(other, twin, new)
            after = ast.unparse(ast.fix_missing_locations(changed)).partition("\n")[0]
            yield Mutant(path, getattr(node, "lineno", 0), f"{before}  ->  {after}", ast.unparse(ast.fix_missing_locations(other)))  # fmt: skip


def _left_alone(tree: ast.AST) -> set[ast.AST]:
    """Annotations, decorators, what `repr` shows and what is only logged: no test needs to notice."""
    roots: list[ast.AST | None] = []
    for node in ast.walk(tree):
        roots += [getattr(node, "annotation", None), getattr(node, "returns", None)]
        roots += getattr(node, "decorator_list", [])
        if isinstance(node, ast.Expr) and ast.unparse(node).startswith("log."):
            roots.append(node)
        if isinstance(node, ast.keyword) and node.arg == "repr":
            roots.append(node)
    return {inner for root in roots if root is not None for inner in ast.walk(root)}


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of a node."""
    match node:
        case ast.Compare(ops=[op, *rest]):
            for other in _COMPARED[type(op)]:
                yield ast.Compare(node.left, [other(), *rest], node.comparators)
        case ast.BoolOp(op=op):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp(op=op) if type(op) in _CALCULATED and not isinstance(node.left, ast.Constant | ast.JoinedStr):
            yield ast.BinOp(node.left, _CALCULATED[type(op)](), node.right)
        case ast.Constant(value=bool() as flag):
            yield ast.Constant(not flag)
        case ast.Constant(value=int() as number) if abs(number) <= _LARGEST:
            yield from (ast.Constant(number + step) for step in (1, -1))
        case ast.Constant(value=float() as number):
            yield from (ast.Constant(other) for other in {number * 2 + 0.001, number / 2} - {number})
        case ast.Call(func=ast.Name(id=name)) if name in _OTHER_CALL:
            yield ast.Call(ast.Name(_OTHER_CALL[name], ast.Load()), node.args, node.keywords)
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield ast.Return(ast.Constant(None))
        case (
            ast.Raise() | ast.Expr(value=ast.Yield() | ast.YieldFrom() | ast.Call()) | ast.AugAssign() | ast.Continue()
        ):
            yield ast.Pass()
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call() | ast.NamedExpr() as test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)
        case ast.IfExp(test=ast.Name() | ast.Attribute() | ast.Call() as test):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), node.body, node.orelse)


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and old in value:
                value[value.index(old)] = new


class Tree:
    """A copy of the sources and tests, in which modules are changed and changed back."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._written = folder, 0
        for name in ("src", "tests"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)

    def write(self, path: Path, source: str) -> None:
        """Replace a module. Its time is a new one, so that Python takes no older byte code for it."""
        target = self.folder / path.relative_to(ROOT)
        target.write_text(source, encoding="utf-8")
        self._written += 10
        os.utime(target, (self._written, self._written))

    def passes(self, tests: list[str], seconds: float) -> bool:
        """Whether the tests pass within so many seconds."""
        paths = [f"tests/{name}" for name in tests if (self.folder / "tests" / name).exists()]
        try:
            done = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pytest",
                    "-q",
                    "-x",
                    "-m",
                    "slow or not slow",
                    "-p",
                    "no:cacheprovider",
                    *paths,
                ],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(self.folder / "src")},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def examine(room: str, tree: Tree) -> None:
    """Try every mutant of a room; print those that survive, and the score."""
    pattern, tests = ROOMS[room]
    found = [mutant for path in sorted((ROOT / "src/stockpipe").glob(pattern)) for mutant in mutants(path)]
    began = time.monotonic()
    if not tree.passes(tests, 600):
        sys.exit(f"{room}: the tests fail without any change; correct that first.")
    limit = 10 + 3 * (time.monotonic() - began)
    alive = 0
    for mutant in found:
        tree.write(mutant.path, mutant.source)
        if tree.passes(tests, limit):
            alive += 1
            print(f"  survived  {mutant.path.relative_to(ROOT)}:{mutant.line}  {mutant.change}", flush=True)
        tree.write(mutant.path, mutant.path.read_text(encoding="utf-8"))
    print(f"{room}: {len(found) - alive} of {len(found)} noticed ({(len(found) - alive) / len(found):.0%})", flush=True)


def main() -> None:
    """Read the words of the command line."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--room", choices=ROOMS, action="append", help="only this one; may be given several times")
    words.add_argument("--list", action="store_true", help="only say what would be changed")
    chosen = words.parse_args()
    rooms = chosen.room or list(ROOMS)
    if chosen.list:
        for room in rooms:
            for path in sorted((ROOT / "src/stockpipe").glob(ROOMS[room][0])):
                for mutant in mutants(path):
                    print(f"{path.relative_to(ROOT)}:{mutant.line}  {mutant.change}")
        return
    with tempfile.TemporaryDirectory(prefix="stockpipe-mutants-") as folder:
        tree = Tree(Path(folder))
        for room in rooms:
            examine(room, tree)


if __name__ == "__main__":
    main()
