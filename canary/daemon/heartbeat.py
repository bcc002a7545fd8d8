"""The dead-man's switch: a heartbeat that is sent only while Canary is known to detect.

A heartbeat that a process sends because it runs proves that it runs. This one is sent while the injected fault of the
control target was detected within the last hour, and the daemon's own checks hold. Whatever breaks (a scorer, the
detectors, the event loop, the store, this process, its network), nothing is sent, and who waits for it pages.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from canary.clock import Clock
from canary.config import Config, Heartbeat
from canary.daemon import assembly
from canary.http import Answer, Http
from canary.metrics import Metrics
from canary.pipeline.control import Control, Sight
from canary.web.status import Check

log = logging.getLogger(__name__)

TRUSTED = timedelta(hours=1)
"""So long a detection stands for the next."""

_IDLE = 1.0  # seconds between looks whether a reload has configured a heartbeat
_WITHIN = timedelta(seconds=10)
_MOST_BYTES = 100_000
_HEADERS: Mapping[str, str] = {"content-type": "text/plain"}


class Heart:
    """Beats while it is configured. `checks` are those of the daemon, at any moment."""

    def __init__(self, clock: Clock, http: Http, metrics: Metrics, checks: Callable[[], tuple[Check, ...]]) -> None:
        self._clock = clock
        self._http = http
        self._metrics = metrics
        self._checks = checks
        self._settings: Heartbeat | None = None
        self._control: Control | None = None
        self._detected: datetime | None = None
        self._due = 0.0

    def configure(self, config: Config) -> None:
        """Another config. What was detected stays known, unless the heartbeat is taken out."""
        self._settings = config.heartbeat
        if self._settings is None:
            self._control, self._detected = None, None
            self._metrics.detected(None)
            return
        interval = self._settings.control.interval
        self._control = Control(self._clock, config.region, interval, assembly.scorers_of(config))
        self._metrics.detected(self._detected or self._clock.now())

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            settings, control = self._settings, self._control
            if settings is None or control is None:
                await self._clock.sleep(_IDLE)
                continue
            await self.look(control)
            if self._clock.monotonic() >= self._due:
                self._due = self._clock.monotonic() + settings.every.total_seconds()
                await self.beat(settings.url.get_secret_value())
            await self._clock.sleep(settings.control.interval.total_seconds())

    async def look(self, control: Control) -> None:
        """Probe the control target once."""
        match await control.probe():
            case Sight.DETECTED:
                self._detected = self._clock.now()
                self._metrics.detected(self._detected)
            case (Sight.FALSE_ALARM | Sight.UNSEEN) as sight:
                log.error("control_fault_not_detected", extra={"sight": sight.value})
            case Sight.NOTHING:
                pass

    async def beat(self, url: str) -> None:
        """Send one, or say why not."""
        if reason := self._reason_against():
            log.warning("heartbeat_withheld", extra={"reason": reason})
            self._metrics.heartbeat("withheld")
            return
        answer = await self._http.send("POST", url, headers=_HEADERS, body=b"", within=_WITHIN, max_bytes=_MOST_BYTES)
        if isinstance(answer, Answer) and 200 <= answer.status < 300:
            self._metrics.heartbeat("sent")
            return
        reason = f"answered {answer.status}" if isinstance(answer, Answer) else answer.detail
        log.warning("heartbeat_failed", extra={"reason": reason})
        self._metrics.heartbeat("failed")

    def _reason_against(self) -> str:
        if self._detected is None or self._clock.now() - self._detected > TRUSTED:
            return "the injected fault was not detected within the last hour"
        failing = [check.name for check in self._checks() if not check.ok]
        return f"failing: {', '.join(failing)}" if failing else ""
