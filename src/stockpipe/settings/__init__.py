"""What can be set, where a value came from, and what is wrong with it."""

from __future__ import annotations

from stockpipe.settings.declared import SETTINGS, Setting
from stockpipe.settings.sources import load_settings
from stockpipe.settings.values import COMMAND_LINE, DEFAULT, KeyPlan, Protocol, Settings, Value, WarehouseKind

__all__ = [
    "COMMAND_LINE",
    "DEFAULT",
    "SETTINGS",
    "KeyPlan",
    "Protocol",
    "Setting",
    "Settings",
    "Value",
    "WarehouseKind",
    "load_settings",
]
