"""A config in parts, so that a test can change one."""

HEAD = "version: 1\n"
MATRIX = "models: [mid, small]\nplatforms: [api, cloud]\npools: [short, long]\n"
ENDPOINTS = "endpoints:\n  - base_url: http://127.0.0.1:8000/{platform}/{pool}/v1\n"
PROBES = "probes: {folders: [probes], builtin: false}\n"
SUITES = "suites:\n  - name: main\n    interval: 60s\n"
WHOLE = HEAD + MATRIX + ENDPOINTS + PROBES + SUITES


def with_endpoint(lines: str) -> str:
    """One endpoint with more lines, the first of which is line 7 of the file."""
    return HEAD + MATRIX + ENDPOINTS + indented(lines, 4) + PROBES + SUITES


def with_suite(lines: str) -> str:
    """One suite with more lines, the first of which is line 11 of the file."""
    return WHOLE + indented(lines, 4)


def with_suites(lines: str) -> str:
    return HEAD + MATRIX + ENDPOINTS + PROBES + "suites:\n" + indented(lines, 2)


def with_top(lines: str) -> str:
    """More lines at the top, the first of which is line 11 of the file."""
    return WHOLE + lines


def indented(lines: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in lines.splitlines())
