"""What is compared: each comparison runs one thing through several doors, in interleaved rounds."""

import contextlib
import os
import pathlib
import random
import re
import statistics
import subprocess
import tempfile
import time

import servers

# Seconds of a pgbench run that do not count: PgBouncer hands out connections of the run before, whose server processes
# have the catalog in their caches; behind every other door they are new.
WARM_UP = 1

SCRIPTS = pathlib.Path(__file__).resolve().parent / "workloads"


class Comparison:
    """Runs of one kind through several doors. `unit` is what more of is better."""

    unit = "transactions a second"

    def __init__(self, name, doors, base, bar):
        self.name, self.doors, self.base, self.bar = name, doors, base, bar

    def run(self, bed, rounds, seconds):
        doors = [bed.doors[door] for door in self.doors if door in bed.doors]
        samples = {door.name: [] for door in doors}
        for _ in range(rounds):
            # In an order of its own: a run leaves row versions and caches to the next.
            for door in random.sample(doors, len(doors)):
                samples[door.name].append(self.measure(bed, door, seconds))
        return {"name": self.name, "unit": self.unit, "base": self.base, "bar": self.bar, "samples": samples}


class Pgbench(Comparison):
    """`scripts` gives a door another script than the others': what a client writes by hand where no proxy helps."""

    def __init__(self, name, doors, base, bar, mode, clients, script="-S", scripts=None):
        super().__init__(name, doors, base, bar)
        self.mode, self.clients, self.script, self.scripts = mode, clients, script, scripts or {}
        # Not with many: writing every transaction down takes some of what is measured.
        self.tells_latency = clients == 1

    def measure(self, bed, door, seconds):
        script = self.scripts.get(door.name, self.script)
        # pgbench takes no scale from the database for a script of ours.
        what = [script] if script == "-S" else ["-f", str(SCRIPTS / script), "-s", str(servers.SCALE)]
        with tempfile.TemporaryDirectory() as logs:
            latencies = ["-l", "--log-prefix", f"{logs}/log"] if self.tells_latency else []
            command = [servers.find("pgbench"), *bed.at(door.port), "-n", "-M", self.mode, "-T", str(WARM_UP + seconds),
                       "-P", "1", "-c", str(self.clients), "-j", str(min(self.clients, servers.cores())), *what,
                       *latencies, "bench"]
            count, spent, duration = self.follow(command, door)
            micros = sorted(int(line.split()[2]) for log in pathlib.Path(logs).iterdir() for line in log.open())
        sample = {"rate": count / duration}
        if spent is not None:
            sample["cpu_us"] = spent / count * 1e6
        if micros:
            sample["p50_us"], sample["p99_us"] = micros[len(micros) // 2], micros[len(micros) * 99 // 100]
        return sample

    def follow(self, command, door):
        """Transactions, the proxy's CPU seconds and the seconds of a run, from where it has warmed up."""
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=door.environment)
        count, spent, cpu, since, said = 0, None, None, None, []
        for line in run.stderr:
            if not (told := re.match(r"progress: ([\d.]+) s, ([\d.]+) tps", line)):
                said.append(line)
                continue
            at, rate = float(told[1]), float(told[2])
            if since is None:
                since, cpu = at, door.cpu_seconds()
            else:
                count += rate * (at - until)
                spent = None if cpu is None else door.cpu_seconds() - cpu
            until = at
        run.communicate()
        if run.returncode or not count:
            raise SystemExit(f"bench/run: {' '.join(command)} failed: {''.join(said)}")
        return count, spent, until - since


class Idle(Pgbench):
    """What sessions that do nothing take of a proxy's memory, and what 16 busy ones lose beside them."""

    def __init__(self, door):
        super().__init__(f"idle/{door}", [door], door, None, "prepared", 16)
        self.tells_latency = True

    def run(self, bed, rounds, seconds):
        door = bed.doors[self.base]
        alone = [self.measure(bed, door, seconds) for _ in range(rounds)]
        before = door.memory_bytes()
        with contextlib.ExitStack() as held:
            for _ in range(bed.idle):
                held.enter_context(contextlib.closing(door.connect()))
            each = (door.memory_bytes() - before) / bed.idle
            beside = [{**self.measure(bed, door, seconds), "idle_bytes": each} for _ in range(rounds)]
        samples = {door.name: alone, f"{door.name}, beside {bed.idle} idle": beside}
        return {"name": self.name, "unit": self.unit, "base": self.base, "bar": self.bar, "samples": samples}


BULK = ["direct", "pgbouncer", "splice", "sexton, nothing registered"]


class Bulk(Comparison):
    """One statement of psql's that moves many bytes."""

    unit = "runs a second"

    def __init__(self, name, bar, sql, stdin=None, before=None):
        super().__init__(name, [*BULK, "sexton"], "direct", bar)
        self.sql, self.stdin, self.before = sql, stdin, before

    def measure(self, bed, door, seconds):
        if self.before:
            bed.psql(self.before)
        psql = [servers.find("psql"), "-X", "-q", "-At", *bed.at(door.port), "-d", "bench", "-c", self.sql]
        fed = f"{self.stdin} | " if self.stdin else ""
        quoted = " ".join(f"'{part}'" for part in psql)
        before, started = door.cpu_seconds(), time.monotonic()
        subprocess.run(["sh", "-c", f"{fed}{quoted} > /dev/null"], check=True, env=door.environment)
        sample = {"rate": 1 / (time.monotonic() - started)}
        if before is not None:
            sample["cpu_us"] = (door.cpu_seconds() - before) * 1e6
        return sample


ALL = ["direct", "pgbouncer", servers.BY_HAND, "haproxy", "splice", "sexton"]
# What the application would have to write without Sexton.
BY_HAND = {servers.BY_HAND: "select_by_hand.sql"}
MANY = min(64, 32 * servers.cores())

COMPARISONS = [
    *[Pgbench(f"select/{mode}/{clients}", ALL, "pgbouncer", 1.0, mode, clients, scripts=BY_HAND)
      for mode in ("simple", "extended", "prepared") for clients in (1, 16, MANY)],
    *[Pgbench(f"tls/{mode}/16", [f"pgbouncer{servers.TLS}", f"sexton{servers.TLS}"], f"pgbouncer{servers.TLS}", 1.0, mode, 16)
      for mode in ("simple", "prepared")],
    *[Pgbench(f"{what}/prepared/16", [servers.BY_HAND, "sexton"], servers.BY_HAND, 0.95, "prepared", 16, f"{what}.sql",
              {servers.BY_HAND: f"{what}_by_hand.sql"}) for what in ("tpcb", "deletes")],
    Pgbench("literals/simple/16", ["sexton, one text", "sexton"], "sexton, one text", 0.95, "simple", 16, "literals.sql",
            {"sexton, one text": "repeated.sql"}),
    Pgbench("registered/prepared/16", ["sexton, nothing registered", "sexton"], "sexton, nothing registered", 0.97,
            "prepared", 16),
    Pgbench("registered/simple/16", ["sexton, nothing registered", "sexton"], "sexton, nothing registered", 0.97,
            "simple", 16),
    Bulk("bulk/1,000,000 narrow rows", 0.97, "SELECT aid, bid, abalance FROM pgbench_accounts LIMIT 1000000"),
    Bulk("bulk/10,000 rows of 30 KB", 0.97, "SELECT repeat(md5(id::text), 940) FROM generate_series(1, 10000) id"),
    Bulk("bulk/COPY out", 0.97, "COPY pgbench_accounts TO STDOUT"),
    Bulk("bulk/COPY in", 0.97, "COPY letters (id, body) FROM STDIN", "seq 1 500000 | sed \"s/$/\\ta letter/\"",
         "TRUNCATE letters"),
    *[Idle(f"sexton{tls}") for tls in ("", servers.TLS)],
]


def median(samples, key):
    values = [sample[key] for sample in samples if key in sample]
    return statistics.median(values) if values else None
