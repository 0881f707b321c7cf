"""The reference job in DuckDB (PyPI: duckdb). Usage: duckdb_job.py THREADS PATH...

`comment='#'` would cut rows at any `#`, and IIS has them in agents and referers; so the directives are
left to `ignore_errors`, as their number of fields differs.
"""

import sys

import duckdb

FIELDS = (
    "date time s_ip method stem query port user c_ip agent referer status substatus win32 taken"
).split()

threads, paths = int(sys.argv[1]), sys.argv[2:]
db = duckdb.connect()
db.execute(f"SET threads={threads}")
db.execute("SET preserve_insertion_order=false")
columns = {name: "VARCHAR" for name in FIELDS}
db.execute(
    f"""
    CREATE TEMP TABLE row AS
    SELECT s_ip, lower("user") AS name, count(*) AS hits,
           min(date || ' ' || time) AS first, max(date || ' ' || time) AS last,
           CASE WHEN contains(query, 'DeviceId=')
                THEN regexp_extract(query, 'DeviceId=([^& ]*)', 1)
                ELSE c_ip || ' ' || agent END AS device
    FROM read_csv(?, delim=' ', header=false, quote='', escape='', auto_detect=false,
                  columns={columns}, ignore_errors=true, max_line_size=8000000, new_line='\\r\\n')
    WHERE date NOT LIKE '#%' AND "user" <> '-' AND "user" <> 'Anonymous' AND status NOT IN ('401', '403')
      AND NOT contains(query, 'LogoffReason=NoCookies')
    GROUP BY ALL
    """,
    [paths],
)
users = db.execute(
    "SELECT 'user', s_ip, name, sum(hits)::BIGINT, min(first), max(last) FROM row GROUP BY ALL"
).fetchall()
devices = db.execute("SELECT DISTINCT 'device', name, device FROM row").fetchall()
lines = sorted("\t".join(map(str, line)).encode() for line in users + devices)
sys.stdout.buffer.write(b"\n".join(lines) + b"\n")
