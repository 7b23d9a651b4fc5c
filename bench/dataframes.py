"""The yardstick's question asked with pandas and polars, in one piece and in floating point.

`python -m bench.dataframes (pandas | polars) SOURCES` prints the rows and the sum that it makes, which misses
the bill by what floating point loses: neither library multiplies decimals of this size.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.generated import bill_files, usage_files

_TAGS, _NAMES = ("resource_tags", "user_feature"), ("product", "product_name")
_HOUR = "line_item_usage_start_date"
_COSTS = {
    "billed_cost": "line_item_unblended_cost",
    "effective_cost": "line_item_unblended_cost",
    "contracted_cost": "line_item_unblended_cost",
    "list_cost": "pricing_public_on_demand_cost",
    "x_net_effective_cost": "line_item_unblended_cost",
}
_READ = [_HOUR, "line_item_unblended_cost", "pricing_public_on_demand_cost", _TAGS[0], _NAMES[0]]


def with_pandas(sources: Path) -> tuple[int, float]:
    """Rows and summed effective cost of customer costs by day, feature and service, made with pandas."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    pieces = []
    for file in bill_files(sources):
        read = pq.read_table(file, columns=_READ)
        for column, key in (_TAGS, _NAMES):
            looked_up = pc.map_lookup(read[column], pa.scalar(key), "first")
            read = read.set_column(read.column_names.index(column), column, looked_up)
        pieces.append(
            read.to_pandas()
            .groupby([_HOUR, "resource_tags", "product"], as_index=False)
            .sum(numeric_only=True)
        )
    pools = pd.concat(pieces).groupby([_HOUR, "resource_tags", "product"], as_index=False).sum()
    usage = pd.concat([pd.read_parquet(file) for file in usage_files(sources)])
    usage["value"] = usage["value"].astype(float)
    shares = usage.groupby(["stream", "timestamp", "customer_id"], as_index=False)["value"].sum()
    shares["share"] = shares["value"] / shares.groupby(["stream", "timestamp"])["value"].transform("sum")
    pools["stream"] = pools["resource_tags"].str.replace("feature-", "stream_")
    joined = pools.merge(shares, left_on=["stream", _HOUR], right_on=["stream", "timestamp"], how="left")
    joined["share"] = joined["share"].fillna(1.0)
    joined["customer_id"] = joined["customer_id"].fillna("unallocated")
    for name, column in _COSTS.items():
        joined[name] = joined[column] * joined["share"]
    joined["usage_date"] = joined[_HOUR].dt.date
    keys = ["usage_date", "customer_id", "resource_tags", "product"]
    costs = joined.groupby(keys, as_index=False)[list(_COSTS)].sum()
    return len(costs), float(costs["effective_cost"].sum())


def with_polars(sources: Path) -> tuple[int, float]:
    """The same made with polars, lazily."""
    import polars as pl

    def looked_up(column: str, key: str) -> pl.Expr:
        entries = pl.col(column).cast(pl.List(pl.Struct({"key": pl.String, "value": pl.String})))
        entry = pl.element().filter(pl.element().struct.field("key") == key).struct.field("value")
        return entries.list.eval(entry).list.first().alias(column)

    pools = (
        pl.scan_parquet(bill_files(sources))
        .select(
            _HOUR,
            "line_item_unblended_cost",
            "pricing_public_on_demand_cost",
            looked_up(*_TAGS),
            looked_up(*_NAMES),
        )
        .group_by(_HOUR, "resource_tags", "product")
        .sum()
        .with_columns(pl.col("resource_tags").str.replace("feature-", "stream_").alias("stream"))
    )
    usage = (
        pl.scan_parquet(usage_files(sources))
        .with_columns(pl.col("value").cast(pl.Float64))
        .group_by("stream", "timestamp", "customer_id")
        .agg(pl.col("value").sum())
        .with_columns((pl.col("value") / pl.col("value").sum().over("stream", "timestamp")).alias("share"))
    )
    costs = (
        pools.join(usage, left_on=["stream", _HOUR], right_on=["stream", "timestamp"], how="left")
        .with_columns(pl.col("share").fill_null(1.0), pl.col("customer_id").fill_null("unallocated"))
        .group_by(pl.col(_HOUR).dt.date().alias("usage_date"), "customer_id", "resource_tags", "product")
        .agg([(pl.col(column) * pl.col("share")).sum().alias(name) for name, column in _COSTS.items()])
        .collect(engine="streaming")
    )
    return costs.height, float(costs["effective_cost"].sum())


def main() -> None:
    """Parse the arguments, run, print rows and sum."""
    parser = argparse.ArgumentParser(prog="python -m bench.dataframes", description=__doc__)
    parser.add_argument("library", choices=["pandas", "polars"])
    parser.add_argument("sources", type=Path)
    given = parser.parse_args()
    rows, total = {"pandas": with_pandas, "polars": with_polars}[given.library](given.sources)
    sys.stdout.write(f"{rows:,} rows, {total!r} in all\n")


if __name__ == "__main__":
    main()
