"""Running SQL and keeping partitions.

What belongs here: the store of partitions (plain Parquet behind the vault, encrypted Parquet in it) and the engines
that run the statements of ``sql/``. What does not: what the statements say.
"""
