#!/usr/bin/env python3
"""Times the reading of a CSV file of 1,000,000 rows of 20 decimals: `pandas.read_csv`, mfnet's library, `mfnet evaluate` and
`mfnet predict`, by turns.

    cargo build --release && cargo build --release --example 14_reading
    python3 scripts/reading.py [ROUNDS]

Needs NumPy and pandas. Prints the median of the seconds, and of the ratio to pandas in the same round. The table is drawn in a
temporary folder, which is removed afterwards.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

RELEASE = Path(__file__).resolve().parent.parent / "target" / "release"


def draw(path):
    random = np.random.default_rng(0)
    values = random.normal(size=(1_000_000, 20)).round(6)
    values[:, -1] = (values[:, :5].sum(1) + 0.1 * values[:, -1]).round(6)
    pd.DataFrame(values, columns=[f"x{i}" for i in range(19)] + ["y"]).to_csv(path, index=False)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    with tempfile.TemporaryDirectory() as folder:
        table, model = f"{folder}/table.csv", f"{folder}/model"
        draw(table)

        def seconds_of(*command):
            start = time.perf_counter()
            output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            return time.perf_counter() - start, output

        mfnet = str(RELEASE / "mfnet")
        seconds_of(mfnet, "train", table, "--linear", "--epochs", "1", "--quiet", "--out", model)

        def pandas():
            # In a process of its own, as the others: memory that was used before is faster.
            code = "import sys, time, pandas as pd; t = time.perf_counter(); pd.read_csv(sys.argv[1]); print(time.perf_counter() - t)"
            _, output = seconds_of(sys.executable, "-c", code, table)
            return float(output)

        def library():
            _, output = seconds_of(str(RELEASE / "examples" / "14_reading"), "1", table)
            return float(re.search(r"in ([\d.]+) s", output)[1])

        ways = {
            "pandas.read_csv": pandas,
            "mfnet's library": library,
            "mfnet evaluate": lambda: seconds_of(mfnet, "evaluate", model, table, "--quiet")[0],
            "mfnet predict": lambda: seconds_of(mfnet, "predict", model, table, "--quiet", "--out", f"{folder}/p.csv")[0],
        }
        times = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                times[name].append(way())
        for name, own in times.items():
            ratio = statistics.median(a / b for a, b in zip(own, times["pandas.read_csv"]))
            print(f"{name:16} {statistics.median(own):.2f} s ({min(own):.2f} to {max(own):.2f}), {ratio:.2f} of pandas")


if __name__ == "__main__":
    main()
