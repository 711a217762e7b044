"""Great Expectations over profiles: a suite judges one row of counts, in memory, and answers yes or no per expectation.

No row of a table comes here (docs/decisions/0005). Results are asked for as booleans only, and what the framework says
about an exception is dropped: both could quote a value. A suite that does not load whole is an error, for a misspelled
expectation would otherwise be left out in silence.

What belongs here: running a suite. What does not: counting (`quorum.profile`), files (`assets.suites`), Dagster.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from assets.suites import Expectation, Suite
from quorum.errors import ConfigurationError

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition


@dataclass(frozen=True)
class Verdict:
    """What a suite says about a profile.

    Args:
        suite: the suite.
        failed: the expectations that do not hold, in the suite's order.
    """

    suite: Suite
    failed: tuple[Expectation, ...]

    def passed(self, severity: str) -> bool:
        """Say whether every expectation of a severity holds."""
        return all(expectation.severity != severity for expectation in self.failed)


def judge(suite: Suite, profile: Mapping[str, int]) -> Verdict:
    """Judge a profile.

    Args:
        suite: the suite of the table.
        profile: metric to count, for all metrics of the suite.

    Returns:
        The expectations that fail; one that could not be evaluated counts as failed.

    Raises:
        ConfigurationError: the framework did not load, or did not answer, every expectation of the file.
    """
    frames = _frames()
    import pandas as pd
    from great_expectations.core import ExpectationSuite

    batch = frames.get_batch(batch_parameters={"dataframe": pd.DataFrame([dict(profile)])})
    loaded = ExpectationSuite(name=suite.table, expectations=list(suite.document["expectations"]))
    _whole(suite, len(loaded.expectations))
    results = [
        (result.expectation_config, bool(result.success))
        for result in batch.validate(loaded, result_format="BOOLEAN_ONLY").results
    ]
    answers = {(asked.type, asked.kwargs["column"]): answer for asked, answer in results if asked is not None}
    _whole(suite, len(answers))
    return Verdict(suite, tuple(e for e in suite.expectations if not answers.get((e.type, e.metric), False)))


def _whole(suite: Suite, count: int) -> None:
    if count != len(suite.expectations):
        raise ConfigurationError(
            "suites.whole",
            f"{count} of {len(suite.expectations)} expectations of {suite.table}",
            "all of the file",
            "correct the misspelled expectation",
        )


@lru_cache(maxsize=1)
def _frames() -> BatchDefinition[Any]:
    """Return the one in-memory source of frames; importing the framework takes seconds, so only here."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # its loggers quote what they could not evaluate
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_pandas("profiles")
    return source.add_dataframe_asset("profile").add_batch_definition_whole_dataframe("whole")
