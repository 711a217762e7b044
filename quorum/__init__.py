"""Quorum: nightly advertiser reports in which nobody can be identified.

What belongs here: the library. It imports neither an orchestrator nor a validation framework, and every module of it
can be tested with both uninstalled. What does not: assets (`assets/`), definitions and the command line (`pipelines/`).
"""

__version__ = "0.1.0"
