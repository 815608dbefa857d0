"""What several test modules share: clocks, receivers, gates, keys, faults."""
