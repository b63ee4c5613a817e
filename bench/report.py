"""The figures of a run, as lines, as a table and as a chart. Ratios are taken round by round, within one run."""

import statistics
import subprocess
import sys
import pathlib
import os

from workloads import median


def ratio(measured, door):
    """The door's rate over the base's: median, least and greatest of the rounds; None where there is no base."""
    base = measured["samples"].get(measured["base"])
    if not base or door == measured["base"]:
        return None
    each = [mine["rate"] / theirs["rate"] for mine, theirs in zip(measured["samples"][door], base)]
    return statistics.median(each), min(each), max(each)


def rows(measured):
    for door, samples in measured["samples"].items():
        found = ratio(measured, door)
        spread = f"{found[0]:.2f} ({found[1]:.2f} to {found[2]:.2f})" if found else ""
        cpu, p50, p99, idle = (median(samples, key) for key in ("cpu_us", "p50_us", "p99_us", "idle_bytes"))
        yield [door, f"{median(samples, 'rate'):.4g}", spread, f"{cpu:.4g}" if cpu else "",
               f"{p50:.0f} / {p99:.0f}" if p50 else "", f"{idle:.0f}" if idle is not None else ""]


def text(measured):
    base = f", against {measured['base']}" if measured["base"] else ""
    lines = [f"{measured['name']}: {measured['unit']}{base}"]
    lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, (36, 10, 22, 10, 12, 8))) for row in rows(measured)]
    return "\n".join(lines)


def table(facts):
    lines = [f"# {facts['date']}, commit {facts['commit']}", "", f"{facts['machine']}; {facts['versions']}", "",
             f"{facts['rounds']} interleaved rounds; pgbench runs of {facts['seconds']} s behind a second of warming up. Medians; ratios round by round, "
             "least and greatest in parentheses.", "",
             "| what | through | rate | ratio to the base | CPU µs each | p50 / p99 µs | bytes an idle session | bar |", "|---|---|---|---|---|---|---|---|"]
    for measured in facts["results"]:
        for row in rows(measured):
            bar = f"{measured['bar']} × {measured['base']}" if measured["bar"] and row[0].startswith("sexton") and row[0] != measured["base"] else ""
            lines.append("| " + " | ".join([measured["name"], *row, bar]) + " |")
    return "\n".join(lines) + "\n"


def chart(facts, path):
    """Draws each comparison's ratios to its base; needs matplotlib, which is installed outside of the checkout."""
    drawn = [measured for measured in facts["results"] if measured["base"] in measured["samples"]]
    if not drawn:
        return
    cache = pathlib.Path(os.environ.get("SEXTON_BENCH_DIR", pathlib.Path.home() / ".cache/sexton/bench"))
    python = cache / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "matplotlib"], check=True)
    found = [(measured["name"], measured["base"], door, *ratio(measured, door))
             for measured in drawn for door in measured["samples"] if door != measured["base"]]
    subprocess.run([str(python), "-B", str(pathlib.Path(__file__).with_name("chart.py")), str(path)],
                   input=repr(found), text=True, check=True)
