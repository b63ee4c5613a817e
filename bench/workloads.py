"""What is compared: each comparison runs one thing through several doors, in interleaved rounds."""

import bisect
import contextlib
import pathlib
import random
import signal
import statistics
import subprocess
import tempfile
import time

import servers

# Seconds that a door has before anything counts: PgBouncer hands out connections that an earlier run has left, whose
# server processes have the catalog in their caches; behind every other door they are new.
WARM_UP = 1
# Making a connection, TLS and all, takes no longer.
CONNECTING = 0.02
# Doors take turns of this many seconds: the machine changes its pace within less than a run.
SLICE = 0.25

SCRIPTS = pathlib.Path(__file__).resolve().parent / "workloads"


class Comparison:
    """Runs of one kind through several doors. `unit` is what more of is better."""

    unit = "transactions a second"

    def __init__(self, name, doors, base, bar):
        self.name, self.doors, self.base, self.bar = name, doors, base, bar

    def run(self, bed, rounds, seconds):
        doors = [bed.doors[door] for door in self.doors if door in bed.doors]
        samples = self.samples(bed, doors, rounds, seconds)
        return {"name": self.name, "unit": self.unit, "base": self.base, "bar": self.bar, "samples": samples}

    def samples(self, bed, doors, rounds, seconds):
        """A sample for each round, by what the table calls them."""
        samples = {door.name: [] for door in doors}
        for _ in range(rounds):
            # In an order of its own: a run leaves row versions and caches to the next.
            for door in random.sample(doors, len(doors)):
                samples[door.name].append(self.measure(bed, door, seconds))
        return samples


class Run:
    """pgbench behind one door, until it is told to end. Every transaction is written down with its time, or `sampled` of them."""

    def __init__(self, door, command, logs, clients, sampled=1.0):
        self.door, self.command, self.logs, self.sampled, self.slices = door, command, logs, sampled, []
        logs.mkdir()
        sampling = [f"--sampling-rate={sampled}"] if sampled < 1 else []
        command = [*command, "-T", "86400", "-l", "--log-prefix", str(logs / "log"), *sampling, "bench"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=door.environment)
        time.sleep(WARM_UP + clients * CONNECTING)

    def hold(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def measure(self, seconds):
        cpu, since = self.door.cpu_seconds(), time.time()
        time.sleep(seconds)
        self.slices.append((since, time.time(), cpu and self.door.cpu_seconds() - cpu))

    def end(self, rounds):
        """A sample for each round: transactions and the proxy's CPU time by what was measured, and how long they took."""
        # What ends a run when its time is up.
        self.process.send_signal(signal.SIGALRM)
        self.go_on()
        _, said = self.process.communicate()
        lines = (line.split() for log in self.logs.iterdir() for line in log.open())
        told = sorted((int(seconds) + int(micros) / 1e6, int(took)) for _, _, took, _, seconds, micros, *_ in lines)
        if self.process.returncode or not told:
            raise SystemExit(f"bench/run: {' '.join(self.command)} failed: {said}")
        each = len(self.slices) // rounds
        return [self.sample(told, self.slices[first * each:][:each]) for first in range(rounds)]

    def sample(self, told, slices):
        spent = [told[bisect.bisect(told, (since,)):bisect.bisect(told, (until,))] for since, until, _ in slices]
        count = sum(map(len, spent)) / self.sampled
        # Without those that were under way while it was stopped.
        micros = sorted(took for (since, _, _), ended in zip(slices, spent) for at, took in ended if at - took / 1e6 > since)
        sample = {"rate": count / sum(until - since for since, until, _ in slices),
                  "p50_us": micros[len(micros) // 2], "p99_us": micros[len(micros) * 99 // 100]}
        if self.door.pid:
            sample["cpu_us"] = sum(cpu for _, _, cpu in slices) / count * 1e6
        return sample


class Pgbench(Comparison):
    """`scripts` gives a door another script than the others': what a client writes by hand where no proxy helps."""

    def __init__(self, name, doors, base, bar, mode, clients, script="-S", scripts=None):
        super().__init__(name, doors, base, bar)
        self.mode, self.clients, self.script, self.scripts = mode, clients, script, scripts or {}

    def command(self, bed, door):
        script = self.scripts.get(door.name, self.script)
        # pgbench takes no scale from the database for a script of ours.
        what = [script] if script == "-S" else ["-f", str(SCRIPTS / script), "-s", str(servers.SCALE)]
        threads = min(self.clients, servers.cores())
        return [servers.find("pgbench"), *bed.at(door.port), "-n", "-M", self.mode, "-c", str(self.clients), "-j", str(threads), *what]

    def measure(self, bed, door, seconds):
        with tempfile.TemporaryDirectory() as logs:
            run = Run(door, self.command(bed, door), pathlib.Path(logs) / "run", self.clients)
            run.measure(seconds)
            return run.end(1)[0]


class Reading(Pgbench):
    """Doors that take turns of less than a second. One that is stopped holds no lock that another waits for."""

    def samples(self, bed, doors, rounds, seconds):
        with tempfile.TemporaryDirectory() as logs:
            runs = []
            try:
                for door in doors:
                    sampled = 1.0 if self.clients == 1 else 0.1
                    logs_of_run = pathlib.Path(logs) / str(len(runs))
                    runs.append(Run(door, self.command(bed, door), logs_of_run, self.clients, sampled))
                    runs[-1].hold()
                for _ in range(rounds * round(seconds / SLICE)):
                    for run in random.sample(runs, len(runs)):
                        run.go_on()
                        run.measure(SLICE)
                        run.hold()
                return {run.door.name: run.end(rounds) for run in runs}
            finally:
                for run in runs:
                    run.process.kill()


class Idle(Pgbench):
    """What sessions that do nothing take of a proxy's memory, and what 16 busy ones lose beside them: some of it the server does."""

    def __init__(self, name, door):
        super().__init__(name, ["direct", door], "direct", None, "prepared", 16)

    def samples(self, bed, doors, rounds, seconds):
        alone = super().samples(bed, doors, rounds, seconds)
        [_, door] = doors
        before = door.memory_bytes()
        with contextlib.ExitStack() as held:
            for _ in range(bed.idle):
                held.enter_context(contextlib.closing(door.connect()))
            each = (door.memory_bytes() - before) / bed.idle
            beside = super().samples(bed, doors, rounds, seconds)
        for sample in beside[door.name]:
            sample["idle_bytes"] = each
        return alone | {f"{name}, beside {bed.idle} idle": samples for name, samples in beside.items()}


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
    *[Reading(f"select/{mode}/{clients}", ALL, "pgbouncer", 1.0, mode, clients, scripts=BY_HAND)
      for mode in ("simple", "extended", "prepared") for clients in (1, 16, MANY)],
    *[Reading(f"tls/{mode}/16", [f"pgbouncer{servers.TLS}", f"sexton{servers.TLS}"], f"pgbouncer{servers.TLS}", 1.0, mode, 16)
      for mode in ("simple", "prepared")],
    *[Pgbench(f"{what}/prepared/16", [servers.BY_HAND, "sexton"], servers.BY_HAND, 0.95, "prepared", 16, f"{what}.sql",
              {servers.BY_HAND: f"{what}_by_hand.sql"}) for what in ("tpcb", "deletes")],
    Reading("literals/simple/16", ["sexton, one text", "sexton"], "sexton, one text", 0.95, "simple", 16, "literals.sql",
            {"sexton, one text": "repeated.sql"}),
    Reading("registered/prepared/16", ["sexton, nothing registered", "sexton"], "sexton, nothing registered", 0.97,
            "prepared", 16),
    Reading("registered/simple/16", ["sexton, nothing registered", "sexton"], "sexton, nothing registered", 0.97,
            "simple", 16),
    Bulk("bulk/1,000,000 narrow rows", 0.97, "SELECT aid, bid, abalance FROM pgbench_accounts LIMIT 1000000"),
    Bulk("bulk/10,000 rows of 30 KB", 0.97, "SELECT repeat(md5(id::text), 940) FROM generate_series(1, 10000) id"),
    Bulk("bulk/COPY out", 0.97, "COPY pgbench_accounts TO STDOUT"),
    Bulk("bulk/COPY in", 0.97, "COPY letters (id, body) FROM STDIN", "seq 1 500000 | sed \"s/$/\\ta letter/\"",
         "TRUNCATE letters"),
    Idle("idle/prepared/16", servers.IDLE),
    Idle("idle, TLS/prepared/16", f"{servers.IDLE}{servers.TLS}"),
]


def median(samples, key):
    values = [sample[key] for sample in samples if key in sample]
    return statistics.median(values) if values else None
