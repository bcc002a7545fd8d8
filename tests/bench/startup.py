"""CPU seconds until the command line has answered: `python -m tests.bench.startup`."""

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from canary.config import write_starter

ROUNDS = 5


def main() -> None:
    print("| command | CPU seconds, median |\n| --- | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        config, *_ = write_starter(Path(folder))
        for words in (("--version",), ("--help",), ("-c", str(config), "check")):
            seconds = statistics.median(cpu(words) for _ in range(ROUNDS))
            print(f"| canary {words[-1]} | {seconds:.2f} |")


def cpu(words: tuple[str, ...]) -> float:
    """Of a process that runs the command, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "canary", *words], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
