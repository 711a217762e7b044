"""Dagster's skin: one module per zone, bodies of a call or two into `quorum`."""
