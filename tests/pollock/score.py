#!/usr/bin/env python3
"""Scores `clientele preview --csv` by the Pollock benchmark. README.md says how to run it."""

import argparse
import csv
import pathlib
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from measure import WEIGHTS, kind, score
from pollute import pollutions


def rows(text):
    return list(csv.reader(text.splitlines(keepends=True)))


def made(source, folder):
    """Writes the polluted files, and gives each one's path and expected rows."""
    with open(source, encoding="utf-8", newline="") as file:
        text = file.read()
    for name, table in pollutions(text):
        path = folder / name
        path.write_bytes(table.polluted().encode())
        yield path, table.clean()


def published(folder):
    """The benchmark's own polluted files, with their clean counterparts."""
    for path in sorted((folder / "csv").glob("*.csv")):
        clean = folder / "clean" / path.name
        if clean.exists():
            yield path, rows(clean.read_text(encoding="utf-8-sig"))


def read(program, path):
    """What the program prints, or nothing if it refuses the file."""
    done = subprocess.run([program, "preview", path, "--csv"], capture_output=True, timeout=60)
    if done.returncode != 0:
        return None, done.stderr.decode(errors="replace").strip()
    return rows(done.stdout.decode()), ""


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("program", help="the clientele binary")
    arguments.add_argument("--source", help="the benchmark's source table, from which the polluted files are made")
    arguments.add_argument("--published", type=pathlib.Path, help="the benchmark's folder polluted_files")
    arguments.add_argument("--keep", type=pathlib.Path, help="a folder for the polluted files")
    arguments.add_argument("--least", type=float, nargs=2, metavar=("SIMPLE", "WEIGHTED"),
                           help="fail below these scores")
    given = arguments.parse_args()
    if bool(given.source) == bool(given.published):
        arguments.error("give either --source or --published")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        files = list(made(given.source, folder) if given.source else published(given.published))
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda file: read(given.program, file[0]), files))
    report(files, found, given.least)


def report(files, found, least):
    total = weighted = weights = 0.0
    kinds = defaultdict(list)
    for (path, expected), (read_rows, refusal) in zip(files, found):
        # An empty file has no rows to read: refusing it is as good as printing none.
        points = score(expected, read_rows or []) if read_rows is not None or not expected else 0.0
        weight = WEIGHTS[kind(path.name)]
        total += points
        weighted += points * weight
        weights += weight
        kinds[kind(path.name)].append((points, weight, path.name, refusal))
    by_loss = lambda files: -sum((10 - points) * (1 + weight) for points, weight, *_ in files)
    print(f"{'pollution':32} {'files':>5} {'mean':>8} {'worst':>8}  worst file")
    for name, scored in sorted(kinds.items(), key=lambda item: by_loss(item[1])):
        worst = min(scored)
        mean = sum(points for points, *_ in scored) / len(scored)
        print(f"{name:32} {len(scored):5} {mean:8.4f} {worst[0]:8.4f}  {worst[2]} {worst[3][-100:]}")
    simple, weighted = total / len(files), weighted / weights
    print(f"\nfiles {len(files)}\nsimple {simple:.4f}\nweighted {weighted:.4f}")
    if least and (simple < least[0] or weighted < least[1]):
        sys.exit(f"below {least[0]} / {least[1]}")


if __name__ == "__main__":
    main()
