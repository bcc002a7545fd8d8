"""The lab's application with the faults of a scenario: at each request those of its moment."""

from collections.abc import Callable, Sequence
from datetime import datetime

from typing_extensions import override

from canary.clock import Clock
from canary.lab.faults import Fault
from canary.lab.fleet import Fleet
from canary.lab.server import LabApp, Receive, Scope, Send


class ScenarioApp(LabApp):
    """What the scenario says is wrong holds, whatever is switched by hand."""

    def __init__(self, fleet: Fleet, faults: Callable[[datetime], Sequence[Fault]], clock: Clock) -> None:
        super().__init__(fleet, hour=self._hour_of_day, clock=clock)
        self._time = clock
        self._faults = faults

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = tuple(self._faults(self._time.now()))
        if faults != self.fleet.faults:
            self.fleet.switch(faults)
        await super().__call__(scope, receive, send)

    def _hour_of_day(self) -> float:
        now = self._time.now()
        return now.hour + now.minute / 60.0
