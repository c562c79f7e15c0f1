"""How many more pictures an audit must see until Wilson's interval reaches 2 points to each side.

Prints the rows of the test in src/domain/review/purity.rs:
    pip install statsmodels==0.15.0
    python tests/judges/purity.py
"""

from statsmodels.stats.proportion import proportion_confint

HALF_WIDTH = 0.02


def half_width(share: float, n: int) -> float:
    low, high = proportion_confint(share * n, n, 0.05, "wilson")
    return (high - low) / 2


def n_more(n_right: int, n_seen: int) -> int:
    share = n_right / n_seen if n_seen else 0.5
    n = max(n_seen, 1)
    while HALF_WIDTH < half_width(share, n):
        n += 1
    return n - n_seen


for n_right, n_seen in [(0, 0), (1, 1), (50, 50), (95, 100), (150, 200), (940, 1000)]:
    print((n_right, n_seen, n_more(n_right, n_seen)))
