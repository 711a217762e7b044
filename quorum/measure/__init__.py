"""Anonymity measures of a table of microdata: how many people share what is known of them, and what that tells.

What belongs here: k-anonymity, uniqueness, l-diversity, t-closeness, delta-disclosure, over a DuckDB relation. What
does not: deciding what is released (`quorum.disclosure`).
"""

from quorum.measure.anonymity import Diversity, Uniqueness, diversity, k_anonymity, uniqueness
from quorum.measure.classes import Microdata, class_sizes

__all__ = ["Diversity", "Microdata", "Uniqueness", "class_sizes", "diversity", "k_anonymity", "uniqueness"]
