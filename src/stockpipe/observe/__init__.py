"""A load that tells how it went: alerts, metrics, traces."""
