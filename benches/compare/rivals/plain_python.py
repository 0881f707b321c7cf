"""The reference job in plain Python, as a script of the day does it. Usage: plain_python.py PATH..."""

import sys

users, devices = {}, set()
for path in sys.argv[1:]:
    with open(path, encoding="latin-1", newline="\n") as log:
        for line in log:
            if line.startswith("#"):
                continue
            row = line.split(" ")
            user, status, query = row[7], row[11], row[5]
            if user == "-" or user == "Anonymous" or status == "401" or status == "403":
                continue
            if "LogoffReason=NoCookies" in query:
                continue
            name, instant = user.lower(), row[0] + " " + row[1]
            seen = users.get((row[2], name))
            if seen is None:
                users[row[2], name] = [1, instant, instant]
            else:
                seen[0] += 1
                seen[1] = min(seen[1], instant)
                seen[2] = max(seen[2], instant)
            _, found, device = query.partition("DeviceId=")
            devices.add((name, device.partition("&")[0] if found else row[8] + " " + row[9]))
lines = ["\t".join(("user", *key, str(hits), a, b)) for key, (hits, a, b) in users.items()]
lines += ["\t".join(("device", *key)) for key in devices]
lines = sorted(line.encode("latin-1") for line in lines)
sys.stdout.buffer.write(b"\n".join(lines) + b"\n")
