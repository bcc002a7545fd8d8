"""A small scenario, as a file has it."""

from pathlib import Path

TEXT = """\
version: 1
why: A small one.
start: 2025-08-25
lasts: 3h
fleet:
  models: [mid]
  platforms:
    - name: api
      pools: [{name: tpu}, {name: gpu}]
faults:
  - name: corruption
    kind: corruption
    where: "*/api/tpu"
    timeline: [{at: +1h, share: 0.5, rate: 0.1}, {at: +2h, share: 0}]
changes:
  - {id: kernel, kind: deploy, at: +55m, where: "*/api/tpu", summary: new kernel}
probing:
  golden: 300
  suites: [{name: all, interval: 1m, probes: [tiny-sky, tiny-rain]}]
  detect: {smallest_share: 0.1}
expect:
  incidents: [{fault: corruption, symptoms: [corruption], within: 45m, suspect: kernel}]
"""


def written(folder: Path, *edits: tuple[str, str], name: str = "small.yaml") -> Path:
    """The file, with each first text replaced by the second."""
    text = TEXT
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
