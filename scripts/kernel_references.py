#!/usr/bin/env python3
"""Makes the kernel references: what the real ExecuTorch runtime answers to small calls.

    python scripts/kernel_references.py OUT [--family NAME]... [--curated FOLDER]

needs the wheel `executorch`, its `torch`, and g++. Writes one bundled program per
operator to OUT, one method per case, and `manifest/OPERATOR.json`, which describes the
cases and says which of them the runtime refuses. `--curated` also writes a small
selection, for the repository.
"""
import argparse
import json
import os

from references import cases, corpus, curated, program, runner, schemas


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out")
    parser.add_argument("--family", action="append")
    parser.add_argument("--operator", action="append")
    parser.add_argument("--curated")
    options = parser.parse_args()
    for folder in filter(None, (options.out, options.curated)):
        os.makedirs(os.path.join(folder, "manifest"), exist_ok=True)
    tool = runner.build(os.path.join(options.out, "runner"))
    for family, operator in cases.operators(options.family):
        if not options.operator or operator.name in options.operator:
            _record(operator, family, tool, options)
    missing = [name for name in schemas.signatures() if not os.path.exists(_path(options.out, name))]
    print("operators without references:", ", ".join(missing) or "none")


def _path(folder, name, extension=".bpte"):
    return os.path.join(folder, name.replace("::", ".") + extension)


def _record(operator, family, tool, options):
    recorded = corpus.safely(corpus.record, operator, tool)
    if recorded is None:
        print("FAILED", operator.name)
        return
    pte, suites, entries = recorded
    _write(options.out, operator, family, program.bundled(pte, suites), entries)
    refused = sum("error" in e for e in entries)
    differ = [e["method"] for e in entries if e.get("differs_from_pytorch")]
    print(f"{operator.name}: {len(entries)} cases, {refused} refused, {len(differ)} unlike PyTorch {differ[:6]}"
          + (f", SKIPPED {operator.skipped}" if operator.skipped else ""), flush=True)  # fmt: skip
    if options.curated:
        picked = curated.pick(operator, entries)
        pte, suites, entries = corpus.record(curated.restrict(operator, picked), tool)
        _write(options.curated, operator, family, program.bundled(pte, suites), curated.brief(entries))


def _write(folder, operator, family, bundle, entries):
    with open(_path(folder, operator.name), "wb") as file:
        file.write(bundle)
    document = {
        "operator": operator.name,
        "family": family,
        "library": schemas.library(operator.name),
        "cases": entries,
    }
    with open(_path(os.path.join(folder, "manifest"), operator.name, ".json"), "w") as file:
        lines = ",\n  ".join(json.dumps(entry) for entry in document.pop("cases"))
        head = json.dumps(document)[:-1]
        file.write(f'{head}, "cases": [\n  {lines}\n]}}\n')


if __name__ == "__main__":
    main()
