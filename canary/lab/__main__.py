"""`python -m canary.lab PORT`: the process behind `canary.lab.run.in_process`."""

import io
import sys

from canary.lab.run import follow

if __name__ == "__main__":
    follow(io.FileIO(0, closefd=False), sys.stdout.buffer, int(sys.argv[1]))
