"""What everything stands on: time, the trading calendar, HTTP, text from outside, signals, the version."""
