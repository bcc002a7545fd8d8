"""`canary run`."""

import asyncio
import os
import sys
from pathlib import Path

import click

from canary.cli.common import require_config, run_async
from canary.cli.word import Word


@click.command(
    cls=Word,
    exits={0: "stopped in order", 2: "it could not start, or stopped on an error"},
    examples=("canary run", "canary -c fleet.yaml run --log-level warning", "kill -HUP PID    # reload the config"),
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="What is worth a line.",
)
@click.pass_obj
def command(path: str, log_level: str) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; SIGHUP reloads the config.

    Logs go to standard error, one JSON object a line; a console receiver writes to standard output. The page, the
    health checks and the metrics are served at the config's `web` address (default http://127.0.0.1:9464/).
    """
    import logging

    from canary.clock import SystemClock
    from canary.daemon.daemon import Daemon
    from canary.logs import set_up

    require_config(path)
    set_up(sys.stderr, logging.getLevelNamesMapping()[log_level.upper()])
    logging.getLogger("apscheduler").setLevel(logging.WARNING)

    async def run() -> None:
        daemon = await asyncio.to_thread(Daemon, Path(path), os.environ, SystemClock(), sys.stdout)
        await daemon.run()

    run_async(run())
