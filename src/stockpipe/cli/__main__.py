"""python -m stockpipe.cli: the commands where the `stockpipe` script is not on the PATH."""

from stockpipe.cli import main

main()
