"""Draw the plot: `python plot.py results.json performance.png`, by a Python that has matplotlib."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def main(data: Path, picture: Path) -> None:
    """Two panels: rates with their rounds, and time by size on logarithmic scales."""
    results = json.loads(data.read_text(encoding="utf-8"))
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
    _rates(left, results["rates"])
    _sizes(right, results["sizes"])
    figure.savefig(picture, dpi=110, metadata={"Software": None})


def _rates(axes: Any, rates: dict[str, list[float]]) -> None:
    names = list(rates)[::-1]
    axes.boxplot([rates[name] for name in names], orientation="horizontal", whis=(0, 100))
    axes.set_yticks(range(1, len(names) + 1), names)
    axes.set_xlim(left=0)
    axes.set_xlabel("answers a second, one at a time")


def _sizes(axes: Any, sizes: list[dict[str, float]]) -> None:
    words = {"whole": "whole answer", "strict": "our reading of the JSON", "plain": "orjson.loads"}
    for name, label in words.items():
        axes.plot(
            [row["observations"] for row in sizes],
            [row[name] for row in sizes],
            marker="o",
            label=label,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("Observations in the request")
    axes.set_ylabel("milliseconds")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
