"""Charts as inline SVG, drawn from released values alone. A withheld value is hatched and says so.

What belongs here: geometry. What does not: which values are drawn, and words, which come in ready. Every chart stands
beside a table with the same numbers, and has a title and a description for readers that do not see it.
"""

from quorum.report.charts.columns import columns
from quorum.report.charts.forest import Interval, forest
from quorum.report.charts.pyramid import pyramid
from quorum.report.charts.svg import Point
from quorum.report.charts.tiles import tile_map

__all__ = ["Interval", "Point", "columns", "forest", "pyramid", "tile_map"]
