#!/usr/bin/env python3
"""Runs benchmarks one after the other and prints their rows: task, ours, peer, ratio, target, pass or miss.

Exit status 1 where one failed or a target was missed, after all have run.
"""

import json
import subprocess
import sys

LESS_IS_BETTER = ("s", "B")
WIDTHS = (48, 12, 26, 8, 12, 4)


def scaled(value, unit):
    if unit == "s":
        for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "us")):
            if value * factor >= 1:
                break
        return f"{value * factor:.3g} {name}"
    base, prefixes = (1024, ("", "Ki", "Mi", "Gi")) if unit == "B" else (1000, ("", "k", "M", "G"))
    index = 0
    while abs(value) >= base and index + 1 < len(prefixes):
        value /= base
        index += 1
    return f"{value:.3g} {prefixes[index]}{unit}" if abs(value) < 1000 else f"{value:.0f} {prefixes[index]}{unit}"


def line(cells):
    print("  ".join(str(cell).ljust(width) for cell, width in zip(cells, WIDTHS)).rstrip(), flush=True)


def show(row):
    """Prints a row; false where it missed its target."""
    less = row["unit"] in LESS_IS_BETTER
    ours, peer = row["ours"], row.get("peer")
    ratio = None if not peer or not ours else peer / ours if less else ours / peer
    target, met = "", True
    if "ratio" in row:
        target, met = f">= {row['ratio']:g}", ratio is not None and ratio >= row["ratio"]
    elif "limit" in row:
        target = ("<= " if less else ">= ") + scaled(row["limit"], row["unit"])
        met = ours <= row["limit"] if less else ours >= row["limit"]
    line((row["task"], scaled(ours, row["unit"]), "" if peer is None else f"{scaled(peer, row['unit'])} {row['peer_name']}",
          "" if ratio is None else f"{ratio:.3g}", target, ("pass" if met else "miss") if target else ""))
    return met


def main(programs):
    line(("task", "ours", "peer", "ratio", "target", ""))
    line(["-" * width for width in WIDTHS])
    failed = False
    for program in programs:
        command = [sys.executable, program] if program.endswith(".py") else [program]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
            for text in running.stdout:
                failed |= not show(json.loads(text))
        if running.returncode != 0:
            print(f"{program}: exit status {running.returncode}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
