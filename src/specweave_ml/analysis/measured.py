"""What a test says of the difference between two models."""

from __future__ import annotations

from dataclasses import dataclass

ALPHA = 0.05
"""How often a true null hypothesis is rejected: an interval of two models covers 95 %."""


@dataclass(frozen=True, slots=True)
class Measured:
    """The difference a - b of one metric, in the metric's unit.

    Attributes:
        difference: the point estimate.
        low: where its interval begins; None where no interval can be given.
        high: where it ends.
        p: two-sided, against "no difference"; None where the interval alone decides.
        detectable: a difference closer to 0 than this could not have been seen, not even without a correction for
            several pairs; None where nothing is known of the spread, or no difference at all could have been seen.
        standard_error: the scale of the t distribution behind it, where there is one.
        df: its degrees of freedom.
    """

    difference: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None
    standard_error: float | None = None
    df: float | None = None

    @property
    def untested(self) -> bool:
        """Whether there was no spread to test against: the same difference everywhere, which may be none at all."""
        return self.low is None and self.p is None


def by_t(difference: float, standard_error: float, df: float, pairs: int = 1) -> Measured:
    """Interval and p-value from Student's t: difference ± t(1 - alpha/2m; df) · standard error.

    Args:
        difference: in the metric's unit.
        standard_error: of the difference, in the same unit; 0 gives no interval and no p-value.
        df: degrees of freedom.
        pairs: m, how many pairs are compared together: the interval is widened for all of them (Bonferroni); the
            p-value is not, as Holm's correction needs all of them at once.
    """
    if standard_error == 0:
        return Measured(difference)
    from scipy.special import stdtr, stdtrit

    reach = float(stdtrit(df, 1 - ALPHA / 2 / pairs)) * standard_error
    return Measured(
        difference,
        low=difference - reach,
        high=difference + reach,
        p=2 * float(stdtr(df, -abs(difference) / standard_error)),
        detectable=float(stdtrit(df, 1 - ALPHA / 2)) * standard_error,
        standard_error=standard_error,
        df=df,
    )
