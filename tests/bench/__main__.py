"""Every benchmark, one after the other: `python -m tests.bench`. Each runs alone as `python -m tests.bench.NAME`."""

import subprocess
import sys

ALL = ("startup", "http", "end_to_end", "store", "memory", "detection", "escalation", "scoring")

for name in ALL:
    print(f"\n## {name}\n", flush=True)
    subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=True)
