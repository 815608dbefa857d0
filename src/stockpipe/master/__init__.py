"""The security master: who is who over time, derived from the days of the tickers table."""
