#!/usr/bin/env python3
"""Runs etinspect on whole models and compares with the real runtime's outputs.

    python3 scripts/model_check.py ETINSPECT FOLDER [--model NAME]...

FOLDER is what `model_references.py` makes. Needs nothing but Python. Of a stateful model it
runs the first case only. Exits with 1 if any model fails.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

# Relative and absolute, by what is in the name: half precision sums in another order.
TOLERANCES = [("half", (1e-2, 1e-2)), ("bfloat16", (6e-2, 6e-2)), ("quantized", (1e-2, 2e-2)), ("", (1e-4, 1e-5))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("etinspect")
    parser.add_argument("folder")
    parser.add_argument("--model", action="append")
    options = parser.parse_args()
    good, bad = 0, 0
    for meta in sorted(glob.glob(os.path.join(options.folder, "*", "meta.json"))):
        model = os.path.dirname(meta)
        if options.model and os.path.basename(model) not in options.model:
            continue
        with open(meta) as file:
            failures = check(options.etinspect, model, json.load(file))
        good, bad = good + (not failures), bad + bool(failures)
        print("FAILED" if failures else "ok    ", os.path.basename(model), "; ".join(failures), flush=True)
    print(f"{good} models agree, {bad} do not")
    sys.exit(bad > 0 or good == 0)


def check(etinspect, model, meta):
    """What failed, case by case."""
    failures = []
    name = os.path.basename(model)
    rtol, atol = next(t for word, t in TOLERANCES if word in name)
    for method, cases in meta["methods"].items():
        for case in range(1 if meta["stateful"] else cases):
            place = os.path.join(model, "io", method, f"case{case}")
            command = [etinspect, "run", os.path.join(model, "model.pte"), "--method", method]
            for option, kind in (("--input", "in"), ("--expect", "out")):
                for path in numbered(place, kind):
                    command += [option, path]
            command += ["--rtol", str(rtol), "--atol", str(atol)]
            weights = os.path.join(model, "weights.ptd")
            if os.path.exists(weights):
                command += ["--data", weights]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or done.stdout.strip().splitlines()[-1:] or ["no message"]
                failures.append(f"{method} {case}: exit {done.returncode}: {lines[0][:300]}")
                break
    return failures


def numbered(place, kind):
    paths = glob.glob(os.path.join(place, f"{kind}_*.npy"))
    return sorted(paths, key=lambda path: int(re.search(r"(\d+)\.npy$", path)[1]))


if __name__ == "__main__":
    main()
