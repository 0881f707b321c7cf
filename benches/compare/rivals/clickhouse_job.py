"""The reference job in ClickHouse local, through chdb (PyPI: chdb). Usage: clickhouse_job.py THREADS PATH...

Its CSV format refuses a blank as delimiter, so the rows are split as text.
"""

import os
import sys

import chdb

threads, paths = int(sys.argv[1]), [os.path.abspath(path) for path in sys.argv[2:]]
common = os.path.commonpath([os.path.dirname(path) for path in paths])
glob = common + "/{" + ",".join(os.path.relpath(path, common) for path in paths) + "}"
glob = glob if len(paths) > 1 else paths[0]
rows = f"""
    SELECT f[3] AS s_ip, lower(f[8]) AS name, count() AS hits,
           min(concat(f[1], ' ', f[2])) AS first, max(concat(f[1], ' ', f[2])) AS last,
           if(position(f[6], 'DeviceId=') > 0, extract(f[6], 'DeviceId=([^& ]*)'),
              concat(f[9], ' ', f[10])) AS device
    FROM (SELECT splitByChar(' ', line) AS f FROM file('{glob}', 'LineAsString', 'line String')
          WHERE NOT startsWith(line, '#'))
    WHERE f[8] NOT IN ('-', 'Anonymous') AND f[12] NOT IN ('401', '403')
      AND position(f[6], 'LogoffReason=NoCookies') = 0
    GROUP BY s_ip, name, device
"""
query = f"""
    WITH row AS ({rows})
    SELECT 'user' AS kind, s_ip AS a, name AS b, toString(sum(hits)) AS c, min(first) AS d, max(last) AS e
    FROM row GROUP BY s_ip, name
    UNION ALL
    SELECT DISTINCT 'device', name, device, '', '', '' FROM row
    SETTINGS max_threads={threads}
"""
result = chdb.query(query, "TSVRaw").bytes()
lines = sorted(line.rstrip(b"\t") for line in result.splitlines())
sys.stdout.buffer.write(b"\n".join(lines) + b"\n")
