"""Intervals of a ratio of two click rates, wide enough for repeated clicks and for many comparisons.

What belongs here: the formulas, on plain numbers. What does not: which cells are compared, and words.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, exp, floor, log, sqrt
from statistics import NormalDist

LEVEL = 0.95
LEAST_DISPERSION = 2.0
"""No variance is taken to be less than this many times that of independent clicks."""


@dataclass(frozen=True)
class Ratio:
    """A ratio and the ends of its interval, as hundredths: rounded outward, so that what is printed is never narrower.

    Args:
        low: lower end.
        middle: the ratio.
        high: upper end.
    """

    low: int
    middle: int
    high: int

    @property
    def differs(self) -> int:
        """1 if the interval lies above no difference, as printed; -1 if below; 0 if it spans it."""
        return (self.low > 100) - (self.high < 100)


def critical(comparisons: int) -> float:
    """Return the normal quantile for simultaneous intervals of so many comparisons (Bonferroni).

    Args:
        comparisons: how many intervals hold together with a probability of at least `LEVEL`; 1 or more.

    Example:
        >>> round(critical(1), 3), round(critical(50), 3)
        (1.96, 3.291)
    """
    return NormalDist().inv_cdf(1 - (1 - LEVEL) / (2 * comparisons))


def dispersion(clicks: int, clickers: int | None, shown: int, people: int | None, most_clicks: int) -> float:
    """Return how many times larger the variance of a click rate is than if no click depended on another.

    Clicks come from people. With sums over people, the variance of the rate p = x / n is at most
    (sum of squared clicks + p^2 sum of squared impressions) / n^2. If repeats of one person follow a geometric law, the
    squares sum to x (2 x / clickers - 1) and n (2 n / people - 1).

    Args:
        clicks: x.
        clickers: people who clicked; None where that is not known, which takes the bound on one person instead.
        shown: n, impressions; more than 0.
        people: people reached; None where that is not known.
        most_clicks: the bound on the clicks of one person, above which clicks are of no person.

    Returns:
        A factor, `LEAST_DISPERSION` at least.

    Example:
        >>> dispersion(300, 200, 30_000, 10_000, 10)
        2.05
    """
    squares = float(most_clicks) if not clickers else 2 * clicks / clickers - 1
    spread = 1.0 if not people else 2 * shown / people - 1
    return max(LEAST_DISPERSION, squares + clicks / shown * spread)


def ratio_interval(x: int, n: int, rest_x: int, rest_n: int, z: float, factor: float = 1.0) -> Ratio:
    """Return the ratio of x / n to rest_x / rest_n with its log-normal interval (Katz et al. 1978).

    Args:
        x: clicks of a part; more than 0, as all four.
        n: its impressions.
        rest_x: clicks of the rest.
        rest_n: its impressions.
        z: the normal quantile.
        factor: by which the variance is larger, from `dispersion`.

    Returns:
        The ratio; its ends are rounded outward.

    Source: Katz, Baptista, Azen, Pike (1978), Obtaining confidence intervals for the risk ratio in cohort studies,
        Biometrics 34, 469-474.
    """
    middle = log(x) - log(n) - log(rest_x) + log(rest_n)
    variance = max(0.0, 1 / x - 1 / n) + max(0.0, 1 / rest_x - 1 / rest_n)
    half = z * sqrt(factor * variance)
    low, high = exp(middle - half), exp(middle + half)
    return Ratio(floor(100 * low + 1e-9), round(100 * exp(middle)), ceil(100 * high - 1e-9))
