"""Texts that people typed, in files that a spreadsheet opens: none of them is taken for a formula.

What belongs here: which cells are dangerous, and how they are written instead. What does not: files. Packages need
none of it: their cells are keys and counts, and what is no key is refused there (`quorum.release.package`).
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_FORMULA = r"^[=+\-@\t\r\n＝＋－＠]"
_NUMBER = r"^[+\-][0-9][0-9 ().\-]*$"
"""A telephone number, an amount: at worst a spreadsheet does a sum with it."""
_APOSTROPHE = "'"


def harmless(table: pa.Table) -> pa.Table:
    """Return a table in which an apostrophe stands before every text that a spreadsheet would compute.

    Args:
        table: any; only columns of texts are changed.

    Returns:
        The same rows. ``=1+1`` is ``'=1+1``; ``+81 90-1234-5678`` and ``-5`` stay. A program that reads the file takes
        one apostrophe away from a cell that begins with one and a character of `=+-@`, tab or line break.

    Example:
        >>> harmless(pa.table({"name": ["=1+1", "+81 3", None]}))["name"].to_pylist()
        ["'=1+1", '+81 3', None]
    """
    for at, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            column = table.column(at)
            computed = pc.and_not(pc.match_substring_regex(column, _FORMULA), pc.match_substring_regex(column, _NUMBER))
            if pc.any(computed).as_py():
                apostrophe, nothing = (pa.scalar(text, field.type) for text in (_APOSTROPHE, ""))
                quoted = pc.binary_join_element_wise(apostrophe, column, nothing)
                table = table.set_column(at, field, pc.if_else(computed, quoted, column))
    return table
