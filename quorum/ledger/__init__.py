"""The ledger: an append-only, hash-chained journal, the registry of landed files and the record of nights.

What belongs here: state that must survive and be provable, in one SQLite file. What does not: deciding anything.
"""

from quorum.ledger.store import Entry, LandedFile, Ledger

__all__ = ["Entry", "LandedFile", "Ledger"]
