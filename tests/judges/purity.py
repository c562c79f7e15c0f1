"""How many more pictures an audit needs until Wilson's interval is two points wide to either side.

Prints `right seen more` as statsmodels has it; the rows stand in `domain/learning/interval.rs` and `report/reviewed/tests.rs`.
"""

from statsmodels.stats.proportion import proportion_confint


def half(share, n):
    low, high = proportion_confint(share * n, n, 0.05, "wilson")
    return (high - low) / 2


for right, seen in [(1, 1), (1, 2), (9, 10), (0, 20), (20, 20), (28, 30), (94, 100), (282, 300), (564, 600), (950, 1000)]:
    share = right / seen
    more = next(k for k in range(100_000) if half(share, seen + k) <= 0.02)
    print(right, seen, more)
