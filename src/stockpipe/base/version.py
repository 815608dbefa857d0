"""The version of stockpipe: the one place that has it."""

__version__ = "2.0.0"
