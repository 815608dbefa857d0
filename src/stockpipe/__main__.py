"""python -m stockpipe: the commands where the `stockpipe` script is not on the PATH."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from stockpipe.errors import not_installed


def main(arguments: Sequence[str] | None = None, **how: Any) -> None:
    """Run a command, `how` as click takes it; a sentence and exit code 3 where click itself is not there."""
    try:
        from stockpipe.cli import main as commands
    except ModuleNotFoundError as error:
        sys.stderr.write(f"Error: {not_installed(error)}\n")
        raise SystemExit(3) from None
    except KeyboardInterrupt:
        sys.stderr.write("Error: Stopped on request.\n")
        raise SystemExit(130) from None
    commands(arguments, **how)


if __name__ == "__main__":
    main()
