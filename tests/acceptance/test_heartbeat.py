"""The dead-man's switch of the real daemon."""

import signal
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from typing_extensions import override

from tests.acceptance.stage import Place, config, until

pytestmark = pytest.mark.slow

SOON = 60.0
QUICK = {"every": "1s", "control": {"interval": "100ms"}}


class Switch:
    """Counts the heartbeats that it is sent."""

    def __init__(self) -> None:
        self.beats = 0
        switch = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                switch.beats += 1
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            @override
            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/beat"


@pytest.fixture
def switch() -> Iterator[Switch]:
    made = Switch()
    thread = Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_a_daemon_that_detects_beats_and_one_that_hangs_does_not(place: Place, lab: str, switch: Switch) -> None:
    place.write(config(lab, interval="1s", heartbeat={"url": switch.url, **QUICK}))
    with place.daemon() as daemon:
        until(lambda: switch.beats > 2, SOON)
        daemon.send(signal.SIGSTOP)
        time.sleep(0.5)  # what was on its way
        hanging = switch.beats
        time.sleep(4.0)
        assert switch.beats == hanging
        daemon.send(signal.SIGCONT)
        until(lambda: switch.beats > hanging + 1, SOON)


def test_the_fleet_knows_nothing_of_the_control_target(place: Place, lab: str, switch: Switch) -> None:
    place.write(config(lab, interval="1s", heartbeat={"url": switch.url, **QUICK}))
    with place.daemon() as daemon:
        until(lambda: switch.beats > 0, SOON)
        assert daemon.metric("canary_heartbeats_total", result="sent") >= 1
        shown = "".join(daemon.get(path)[1] for path in ("/metrics", "/", "/api/v1/status"))
        assert 'model="control"' not in shown
        assert "control/canary/control" not in shown
    assert place.incidents() == []
    assert {one.target for one in place.observations() if one.target.startswith("control")} == set()
    with place.store() as store, store.reading() as tx:
        assert tx.alarms() == []
