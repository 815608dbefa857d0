"""Which days, and when: the daily loop, what is due, freshness, cron times, entries for the machine's scheduler."""
