"""Which stretches of which tickers are one security. Pure functions: stretches in, permanent ids out; no I/O."""
