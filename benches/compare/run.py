"""Runs every tool in turn, checks the answers, and writes the tables of README.md. See run.sh."""

import argparse
import datetime
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
RIVALS = HERE / "rivals"
DAMAGE = [
    "none",
    "fields-change",
    "truncated-row",
    "latin-1",
    "nul-padding",
    "quotes",
    "hash-in-agent",
    "long-row",
]


class Tool:
    """A program to time. `says` tells what its output is: the answer, calproof's report, or nothing
    that can be compared; `needs` is the program or package without which it is left out."""

    def __init__(self, name, command, says="nothing", needs=None):
        self.name, self.command, self.says, self.needs = name, command, says, needs
        self.runs, self.verdict = [], ""

    def missing(self):
        if self.needs is None or shutil.which(self.needs):
            return None
        try:
            importlib.metadata.version(self.needs)
        except importlib.metadata.PackageNotFoundError:
            return f"{self.needs} is not installed"
        return None


def tools(target, logs, one):
    """Every tool on the daily files, and calproof on the one large file too."""
    scan = [str(target / "calproof"), "scan", "--quiet", "--format", "json"]
    reference = [str(target / "examples" / "compare-reference")]
    python = [sys.executable]
    listed = [
        Tool("`wc -l`", ["wc", "-l", *logs]),
        Tool("`cat`", ["cat", *logs]),
        Tool("`openssl dgst -sha256`", ["openssl", "dgst", "-sha256", *logs], needs="openssl"),
    ]
    for digest, threads in [("none", 1), ("none", 2), ("blake3", 2), ("sha256", 2)]:
        flags = ["--digest", digest, "-j", str(threads)]
        listed.append(Tool(f"calproof scan, {digest}, -j {threads}", [*scan, *flags, *logs], "report"))
    for threads in (1, 2):
        flags = ["--digest", "none", "-j", str(threads)]
        name = f"calproof scan, none, -j {threads}, one file"
        listed.append(Tool(name, [*scan, *flags, one], "report"))
    listed.append(
        Tool("calproof, reference job, none, -j 2", [*reference, "--digest", "none", "-j", "2", *logs], "answer")
    )
    for name, script, needs in [
        ("DuckDB", "duckdb_job.py", "duckdb"),
        ("Polars", "polars_job.py", "polars"),
        ("ClickHouse (chdb)", "clickhouse_job.py", "chdb"),
    ]:
        listed.append(Tool(f"{name}, 2 threads", [*python, str(RIVALS / script), "2", *logs], "answer", needs))
    for awk in ("mawk", "gawk"):
        for processes in ("2", "1"):
            command = [str(RIVALS / "awk.sh"), awk, processes, *logs]
            listed.append(Tool(f"{awk}, {processes} process{'es' * (processes > '1')}", command, "answer", awk))
    listed.append(Tool("Python", [*python, str(RIVALS / "plain_python.py"), *logs], "answer"))
    listed.append(Tool("ripgrep: only counts rows with a name", [str(RIVALS / "ripgrep.sh"), *logs], needs="rg"))
    listed.append(Tool("GoAccess: cannot leave out failed logons", [str(RIVALS / "goaccess.sh"), *logs], needs="goaccess"))
    return listed


def run(command, out):
    """Runs a command; gives wall seconds, processor seconds, peak MB and the exit code."""
    with open(out, "wb") as stdout, open(os.devnull, "wb") as stderr:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, child.returncode


def answer(path):
    """Lines of an answer. Bytes that are not UTF-8 may be given as they are or as Latin-1 read them."""
    lines = pathlib.Path(path).read_bytes().splitlines()

    def text(line):
        try:
            return line.decode()
        except UnicodeDecodeError:
            return line.decode("latin-1")

    return sorted(map(text, lines))


def report_agrees(report, expected):
    """Whether calproof's report names the very people, their events, and the people of each server."""
    people, servers = {}, {}
    for line in expected:
        kind, *rest = line.split("\t")
        if kind == "user":
            server, name, hits, *_ = rest
            people[name] = people.get(name, 0) + int(hits)
            servers[server] = servers.get(server, 0) + 1
    found = json.loads(pathlib.Path(report).read_bytes())
    return people == {p["id"]: p["events"] for p in found["people"]} and servers == {
        s["server"]: s["users"] for s in found["servers"]
    }


def verdict(tool, out, code, expected):
    """`agrees`, or what is wrong."""
    if tool.says == "nothing":
        return "—" if code == 0 else f"exit code {code}"
    if tool.says == "report":
        if code not in (0, 1):
            return f"exit code {code}"
        return "agrees" if report_agrees(out, expected) else "DIFFERS"
    if code != 0:
        return f"fails ({code})"
    return "agrees" if answer(out) == expected else "DIFFERS"


def damaged(listed, folder, expected, out):
    """What a tool answers for one damaged log."""
    _, _, _, code = run([*listed, str(folder / "log.log")], out)
    if code != 0:
        return "fails"
    right, found = set(expected), set(answer(out))
    users = {line.split("\t")[2] for line in right if line.startswith("user")}
    named = {line.split("\t")[2] for line in found if line.startswith("user") and line.count("\t") > 1}
    if found == right:
        return "right"
    parts = []
    if lost := users - named:
        parts.append(f"loses {len(lost)} of {len(users)}")
    if invented := named - users:
        parts.append(f"invents {len(invented)}")
    return "wrong: " + (", ".join(parts) or "hits or devices differ")


def write(bytes_, rows, files, rounds, table, answers, losers):
    """Puts the tables between the marks of README.md."""
    versions = []
    for package in ("duckdb", "polars", "chdb"):
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"{package} absent")
    cpu = next(
        (l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")),
        platform.machine(),
    )
    load = os.getloadavg()
    git = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    text = "\n".join(
        [
            f"Measured {datetime.date.today()} at commit {commit} on {os.cpu_count()} cores of {cpu}, {platform.system()} "
            f"{platform.release()}; {', '.join(versions)}; Python {platform.python_version()}. "
            f"{bytes_ / 1e9:.2f} GB, {rows:,} lines in {files} files, in the page cache; median of {rounds} "
            f"alternating rounds (one, where a round took over 20 s); load average at the end {load[0]:.1f} (beyond {os.cpu_count()}, the machine was "
            "shared: trust processor time before wall time).",
            "",
            "| tool | wall s | processor s | peak MB | times `wc -l` (wall) | times `wc -l` (processor) | answer |",
            "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
            *table,
            "",
            losers,
            "",
            "| damage | " + " | ".join(next(iter(answers.values()))) + " |",
            "| --- |" + " --- |" * len(next(iter(answers.values()))),
            *(f"| {kind} | " + " | ".join(said.values()) + " |" for kind, said in answers.items()),
        ]
    )
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition("<!-- measured -->")
    _, _, after = rest.partition("<!-- end -->")
    readme.write_text(f"{before}<!-- measured -->\n\n{text}\n\n<!-- end -->{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=pathlib.Path, required=True, help="directory of the built programs")
    parser.add_argument("--bytes", type=int, default=2_000_000_000)
    parser.add_argument("--files", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="leave out tools that take minutes")
    parser.add_argument("--keep", action="store_true", help="keep the logs")
    options = parser.parse_args()
    base = pathlib.Path(os.environ.get("COMPARE_DIR") or tempfile.mkdtemp())
    base.mkdir(parents=True, exist_ok=True)
    data = pathlib.Path(tempfile.mkdtemp(prefix="logs.", dir=base))
    try:
        return measure(options, data)
    finally:
        if options.keep:
            print(f"the logs are in {data}", file=sys.stderr)
        else:
            shutil.rmtree(data)


def measure(options, data):
    generate = str(options.target / "examples" / "compare-generate")
    sizes = ["--bytes", str(options.bytes), "--files", str(options.files)]
    subprocess.run([generate, str(data), *sizes], check=True)
    subprocess.run([generate, str(data / "damaged"), "--damaged"], check=True)
    logs = sorted(str(path) for path in (data / "logs").rglob("*.log"))
    one = str(data / "one.log")
    with open(one, "wb") as joined:
        for path in logs:
            with open(path, "rb") as part:
                shutil.copyfileobj(part, joined, 1 << 20)
    # Logs that are not being written any more: an hour after the last row, they are mapped.
    old = time.time() - 2 * 86_400
    for path in [*logs, one]:
        os.utime(path, (old, old))
    expected = answer(data / "expected.tsv")
    out = str(data / "out")
    rows = 0
    for path in logs:  # reads every file once, too
        with open(path, "rb") as log:
            rows += sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))

    listed = tools(options.target, logs, one)
    if options.quick:
        listed = [t for t in listed if not t.name.startswith(("Python", "GoAccess", "gawk"))]
    for round_ in range(options.rounds):
        for tool in listed:
            if tool.verdict and tool.verdict not in ("agrees", "—"):
                continue
            if reason := tool.missing():
                tool.verdict = reason
                continue
            if tool.runs and tool.runs[-1][0] > 20:
                continue  # too slow to be worth another round
            sink = "/dev/null" if tool.says == "nothing" else out
            wall, cpu, peak, code = run(tool.command, sink)
            tool.runs.append((wall, cpu, peak))
            tool.verdict = verdict(tool, out, code, expected)
            print(f"{round_ + 1} {tool.name}: {wall:.2f} s, {cpu:.2f} s, {tool.verdict}", file=sys.stderr)
    middle = {t.name: [statistics.median(run[i] for run in t.runs) for i in range(3)] for t in listed if t.runs}
    floor = middle["`wc -l`"]
    table = []
    for tool in listed:
        if tool.name not in middle:
            table.append(f"| {tool.name} | | | | | | {tool.verdict} |")
            continue
        wall, cpu, peak = middle[tool.name]
        table.append(
            f"| {tool.name} | {wall:.2f} | {cpu:.2f} | {peak:.0f} | {wall / floor[0]:.2f} | {cpu / floor[1]:.2f} | {tool.verdict} |"
        )
    ours = middle.get("calproof scan, blake3, -j 2")
    rivals = [t.name for t in listed if t.says == "answer" and "calproof" not in t.name and t.name in middle]
    rivals.sort(key=lambda name: middle[name][0])
    beside = [
        f"{name} {middle[name][0] / ours[0]:.1f} ({middle[name][1] / ours[1]:.1f})" for name in rivals
    ]
    ahead = sum(middle[name][0] < ours[0] for name in rivals)
    losers = (
        "Times the wall time (processor time) of `calproof scan` with its default digest on two threads — "
        f"faster than it: {', '.join(beside[:ahead]) or 'none'}; slower: {', '.join(beside[ahead:]) or 'none'}."
    )

    damage = {}
    for kind in DAMAGE:
        folder = data / "damaged" / kind
        right = answer(folder / "expected.tsv")
        python = sys.executable
        rivals = {
            "calproof": [str(options.target / "examples" / "compare-reference")],
            "DuckDB": [python, str(RIVALS / "duckdb_job.py"), "2"],
            "Polars": [python, str(RIVALS / "polars_job.py"), "2"],
            "ClickHouse": [python, str(RIVALS / "clickhouse_job.py"), "2"],
            "mawk": [str(RIVALS / "awk.sh"), "mawk", "1"],
            "gawk": [str(RIVALS / "awk.sh"), "gawk", "1"],
            "Python": [python, str(RIVALS / "plain_python.py")],
        }
        damage[kind] = {name: damaged(command, folder, right, out) for name, command in rivals.items()}
    size = sum(os.path.getsize(path) for path in logs)
    write(size, rows, len(logs), options.rounds, table, damage, losers)
    wrong = [t.name for t in listed if t.verdict == "DIFFERS"]
    wrong += [f"calproof on {kind}" for kind, said in damage.items() if said["calproof"] != "right"]
    if wrong:
        print("answers differ: " + ", ".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
