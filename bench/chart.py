"""Draws ratios (name, base, door, median, least, greatest), read from standard input, into an SVG."""

import ast
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "sexton", "svg.fonttype": "none"})
import matplotlib.pyplot as plot

COLORS = {"direct": "#8c8c8c", "haproxy": "#c9a227", "splice": "#7fb069", "pgbouncer": "#4f6d8f", "sexton": "#b23a48"}

found = ast.literal_eval(sys.stdin.read())
figure, axes = plot.subplots(figsize=(9, 1 + 0.22 * len(found)))
labels, named = [], set()
for place, (name, base, door, middle, least, greatest) in enumerate(found):
    labels.append(f"{name} / {base}")
    label = door if door not in named else None
    named.add(door)
    spread = [[max(0, middle - least)], [max(0, greatest - middle)]]
    axes.barh(place, middle, xerr=spread, color=COLORS.get(door, "#999999"), label=label, height=0.8, ecolor="#333333")
axes.axvline(1, color="black", linewidth=0.8)
axes.set_yticks(range(len(labels)), labels, fontsize=7)
axes.invert_yaxis()
axes.set_xlabel("rate, as a ratio to the base in the same round (median, least and greatest)")
axes.legend(fontsize=8)
figure.tight_layout()
figure.savefig(sys.argv[1], metadata={"Date": None})
