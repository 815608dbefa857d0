"""The same adjusted prices by hand: pandas over the Parquet files that prices.py wrote, then compared with its panel.

    python benchmarks/pandas_prices.py FOLDER

It does what a careful script does, and none of the checks: ids by ticker and day, one factor an event from the close before,
products from the end, prices times factors, one Parquet file.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from measure import own_peak

_PRICES = ["OPEN", "HIGH", "LOW", "CLOSE", "VWAP"]


def main(folder: Path) -> None:
    """Work it out, write it, and print the seconds, the memory and the largest difference from the panel."""
    began = time.perf_counter()
    bars = adjusted(folder)
    bars.to_parquet(folder / "by_hand.parquet")
    seconds = time.perf_counter() - began
    found = {"pandas_seconds": round(seconds, 2), "pandas_peak_memory_mb": round(own_peak(), 1)}
    print(json.dumps(found | {"largest_difference": difference(bars, folder)}))


def adjusted(folder: Path) -> pd.DataFrame:
    """The bars with SECURITY_ID, adjusted by splits and with dividends reinvested, sorted by both."""
    columns = ["TICKER", "DS", *_PRICES, "VOLUME"]
    bars = identified(pd.read_parquet(folder / "DAILY_BARS.parquet", columns=columns), "DS", folder)
    bars = bars.astype(dict.fromkeys((*_PRICES, "VOLUME"), "float64")).sort_values(
        ["SECURITY_ID", "DS"], ignore_index=True
    )
    splits = identified(pd.read_parquet(folder / "SPLITS.parquet"), "EXECUTION_DATE", folder)
    dividends = identified(pd.read_parquet(folder / "DIVIDENDS.parquet"), "EX_DIVIDEND_DATE", folder)
    before = bars[["SECURITY_ID", "DS", "CLOSE"]].assign(BEFORE=bars.groupby("SECURITY_ID")["CLOSE"].shift())
    paid = dividends.groupby(["SECURITY_ID", "DS"], as_index=False)["CASH_AMOUNT"].sum()
    paid = paid.merge(before, on=["SECURITY_ID", "DS"])
    paid["Q"] = 1 - paid["CASH_AMOUNT"] / paid["BEFORE"]
    splits["S"] = splits["SPLIT_FROM"] / splits["SPLIT_TO"]
    for name, events in (("S", splits), ("Q", paid)):
        bars = bars.merge(events[["SECURITY_ID", "DS", name]], on=["SECURITY_ID", "DS"], how="left")
        logs = np.log(bars[name].fillna(1.0))
        sums = logs.groupby(bars["SECURITY_ID"])
        bars[name] = np.exp(sums.transform("sum") - sums.cumsum())
    for price in _PRICES[:4]:
        bars[f"TR_{price}"] = bars[price] * bars["S"] * bars["Q"]
    for price in _PRICES:
        bars[price] *= bars["S"]
    bars["VOLUME"] /= bars["S"]
    return bars


def identified(rows: pd.DataFrame, day: str, folder: Path) -> pd.DataFrame:
    """Rows with the security that had their ticker on their day."""
    rows = rows.rename(columns={day: "DS"})
    rows["DS"] = pd.to_datetime(rows["DS"])
    history = pd.read_parquet(
        folder / "SECURITY_HISTORY.parquet", columns=["SECURITY_ID", "TICKER", "VALID_FROM", "VALID_TO"]
    )
    history[["VALID_FROM", "VALID_TO"]] = history[["VALID_FROM", "VALID_TO"]].apply(pd.to_datetime)
    found = rows.merge(history, on="TICKER")
    return found[(found["VALID_FROM"] <= found["DS"]) & ~(found["VALID_TO"] <= found["DS"])]


def difference(bars: pd.DataFrame, folder: Path) -> float:
    """The largest relative difference of a close, split-adjusted or with dividends; every bar must be in both."""
    ours = pd.read_parquet(folder / "panel.parquet", columns=["SECURITY_ID", "DS", "CLOSE", "TR_CLOSE"])
    ours["DS"] = pd.to_datetime(ours["DS"])
    both = bars.merge(ours, on=["SECURITY_ID", "DS"], suffixes=("", "_OURS"))
    if not len(both) == len(bars) == len(ours):
        raise SystemExit(f"{len(bars):,} bars by hand and {len(ours):,} of ours have {len(both):,} in common.")
    return max(float((both[f"{name}_OURS"] / both[name] - 1).abs().max()) for name in ("CLOSE", "TR_CLOSE"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
