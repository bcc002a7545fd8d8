"""The drill of who is on call, on the running product: `python -m tests.bench.oncall`."""
