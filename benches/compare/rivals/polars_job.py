"""The reference job in Polars (PyPI: polars). Usage: polars_job.py THREADS PATH..."""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = sys.argv[1]
import polars as pl  # noqa: E402

FIELDS = (
    "date time s_ip method stem query port user c_ip agent referer status substatus win32 taken"
).split()

rows = (
    pl.scan_csv(
        sys.argv[2:],
        separator=" ",
        has_header=False,
        comment_prefix="#",
        quote_char=None,
        schema={name: pl.String for name in FIELDS},
    )
    .filter(
        (pl.col("user") != "-")
        & (pl.col("user") != "Anonymous")
        & ~pl.col("status").is_in(["401", "403"])
        & ~pl.col("query").str.contains("LogoffReason=NoCookies", literal=True)
    )
    .select(
        "s_ip",
        pl.col("user").str.to_lowercase().alias("name"),
        pl.concat_str("date", "time", separator=" ").alias("instant"),
        pl.when(pl.col("query").str.contains("DeviceId=", literal=True))
        .then(pl.col("query").str.extract("DeviceId=([^& ]*)", 1))
        .otherwise(pl.concat_str("c_ip", "agent", separator=" "))
        .alias("device"),
    )
    .group_by("s_ip", "name", "device")
    .agg(pl.len().alias("hits"), pl.min("instant").alias("first"), pl.max("instant").alias("last"))
    .collect(engine="streaming")
)
users = rows.group_by("s_ip", "name").agg(pl.sum("hits"), pl.min("first"), pl.max("last"))
lines = [("user", *row) for row in users.iter_rows()]
lines += [("device", *row) for row in rows.select("name", "device").unique().iter_rows()]
lines = sorted("\t".join(map(str, line)).encode() for line in lines)
sys.stdout.buffer.write(b"\n".join(lines) + b"\n")
