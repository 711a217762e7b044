"""A synthetic portal of any size: landing folders that look like a Japanese portal's nights, with nobody real in them.

What belongs here: making samples. What does not: reading them; nothing in the pipeline imports this.
"""

from quorum.sample.write import write_sample

__all__ = ["write_sample"]
