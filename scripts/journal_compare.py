"""The checks of scripts/journal_on_executorch.sh.

    journal_compare.py traces ETINSPECT JOURNAL.etdp REAL.etdp
    journal_compare.py kills ETINSPECT RUNNER MODEL.pte JOURNAL COUNT
"""

import json
import os
import random
import subprocess
import sys
import time


def document(*arguments):
    ran = subprocess.run(arguments, capture_output=True, text=True)
    return json.loads(ran.stdout)


def events(etinspect, trace):
    """Names, places and counts of every event, in order."""
    blocks = document(etinspect, "events", trace, "--format", "json")["blocks"]
    return [
        (b["name"], e["name"], e["chain"], e["instruction"], e["delegate_name"], len(e["raw"]))
        for b in blocks
        for e in b["events"]
    ]


def traces(etinspect, ours, real):
    ours, real = events(etinspect, ours), events(etinspect, real)
    # What a delegate logs after the fact is in no journal.
    real = [event for event in real if event[4] is None]
    ours = [event for event in ours if event[4] is None]
    if ours != real:
        only = [e for e in ours if e not in real], [e for e in real if e not in ours]
        sys.exit(f"the journal's trace differs: only ours {only[0]}, only real {only[1]}")
    print(f"same {len(ours)} events")


def executes(journal):
    """Whether the journal in the file counts an execution (word 13 of its header)."""
    try:
        with open(journal, "rb") as file:
            header = file.read(64)
    except FileNotFoundError:
        return False
    return header[:8] == b"ETJOURNL" and header[52:56] != bytes(4)


def kills(etinspect, runner, model, journal, count):
    random.seed(1)
    between = 0
    for _ in range(int(count)):
        if os.path.exists(journal):
            os.remove(journal)
        child = subprocess.Popen(
            [runner, model, journal, "1048576", "1000000"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not executes(journal):
            assert child.poll() is None, f"the runner ended with {child.returncode}"
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.3))
        child.kill()
        child.wait()
        found = document(etinspect, "recover", journal, "--list", "--format", "json")
        records = found["journals"][0]["records"]
        held = records["last_sequence"] - records["first_sequence"] + 1 if records["intact"] else 0
        assert records["corrupt"] == 0 and records["torn"] <= 1, records
        assert held == records["intact"], f"a record is missing: {records}"
        assert records["first_sequence"] == records["overwritten"] + 1 + records["torn"] or (
            records["overwritten"] == 0 and records["first_sequence"] <= 1
        ), records
        said = document(etinspect, "diagnose", model, "--journal", journal, "--format", "json")
        if said["in_flight"] is None:
            between += 1
        else:
            assert not said["in_flight"]["or_later"], said["verdict"]
    print(f"{count} kills: every record there; {between} between two instructions or executions")


if __name__ == "__main__":
    {"traces": traces, "kills": kills}[sys.argv[1]](*sys.argv[2:])
