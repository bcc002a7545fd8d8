"""Runs `canary gate` for whoever asks over HTTP, each in a process of its own.

So a gate's scoring does not hold up the daemon's measurements, its end can be enforced, and it says exactly what the
command says. It is written down, and marks its moment among the changes, as the command does.
"""

import asyncio
import json
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from canary.clock import Clock
from canary.web.gates import Asked, Busy, Differs, Gate

MOST = 2
KEPT = timedelta(hours=1)
"""So long a gate that ended answers for its key."""
MOST_KEPT = 1_000
GRACE = timedelta(seconds=60)
"""To start, and to end what was fired when its time was up."""

_Key = tuple[str, str]


class ProcessGates:
    """At most `MOST` at a time. Lives in the event loop; `program` is what runs the command line."""

    def __init__(
        self,
        config: Path,
        environ: Mapping[str, str],
        clock: Clock,
        program: Sequence[str] = (sys.executable, "-m", "canary"),
    ) -> None:
        self._config = config
        self._environ = dict(environ)
        self._clock = clock
        self._program = tuple(program)
        self._running: dict[_Key, tuple[Asked, asyncio.Task[Gate]]] = {}
        self._ended: OrderedDict[_Key, tuple[Gate, float]] = OrderedDict()

    def known(self, target: str, key: str) -> Gate | None:
        self._forget()
        if (target, key) in self._running:
            return Gate(self._running[target, key][0])
        ended = self._ended.get((target, key))
        return None if ended is None else ended[0]

    async def ask(self, asked: Asked, who: str, patience: timedelta) -> Gate:
        known = self.known(asked.target, asked.key)
        if known is not None and known.asked != asked:
            raise Differs
        if known is not None and not known.running:
            return self._told(known)
        if known is None:
            self._begin(asked, who)
        of, task = self._running[asked.target, asked.key]
        await asyncio.wait([task], timeout=patience.total_seconds())
        return self._told(task.result()) if task.done() else Gate(of)

    def _told(self, gate: Gate) -> Gate:
        """Who asks again after a trouble has mended it, or would know whether it lasts."""
        if gate.trouble:
            self._ended.pop((gate.asked.target, gate.asked.key), None)
        return gate

    async def stop(self) -> None:
        """End those that run."""
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, asked: Asked, who: str) -> None:
        if len(self._running) >= MOST:
            raise Busy
        self._running[asked.target, asked.key] = asked, asyncio.create_task(self._run(asked, who))

    async def _run(self, asked: Asked, who: str) -> Gate:
        try:
            gate = await self._judged(asked, who)
            self._ended[asked.target, asked.key] = gate, self._clock.monotonic()
            return gate
        finally:
            del self._running[asked.target, asked.key]

    async def _judged(self, asked: Asked, who: str) -> Gate:
        process = await asyncio.create_subprocess_exec(
            *self._program,
            *_words(self._config, asked, who),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environ,
        )
        try:
            async with asyncio.timeout((asked.within + GRACE).total_seconds()):
                out, err = await process.communicate()
        except TimeoutError:
            return Gate(asked, trouble="it did not end in its time")
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        return _read(asked, out, err)

    def _forget(self) -> None:
        now = self._clock.monotonic()
        old = [key for key, (_, at) in self._ended.items() if now - at > KEPT.total_seconds()]
        for key in [*old, *list(self._ended)[: max(0, len(self._ended) - MOST_KEPT)]]:
            self._ended.pop(key, None)


def _words(config: Path, asked: Asked, who: str) -> list[str]:
    given = {
        "target": asked.target,
        "against": asked.against,
        "suite": asked.suite,
        "share": asked.share,
        "max-probes": asked.max_probes,
        "max-time": f"{asked.within.total_seconds():.0f}s",
        "by": who,
    }
    options = [f"--{name}={value}" for name, value in given.items() if value is not None]
    return ["-c", str(config), "gate", "--json", *options]


def _read(asked: Asked, out: bytes, err: bytes) -> Gate:
    """The command's report, or its last line of error."""
    try:
        report = json.loads(out, parse_constant=lambda _: None)
    except ValueError:
        lines = err.decode(errors="replace").strip().splitlines()
        said = [line.removeprefix("canary: ") for line in lines if line.startswith("canary: ")]
        return Gate(asked, trouble=said[-1] if said else "it ended without a verdict")
    return replace(Gate(asked), report=report)
