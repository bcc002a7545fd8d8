"""`canary run`."""

import asyncio
import os
import sys
from pathlib import Path

import click

from canary.cli.common import run_async


@click.command()
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
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

    set_up(sys.stderr, logging.getLevelNamesMapping()[log_level.upper()])
    logging.getLogger("apscheduler").setLevel(logging.WARNING)

    async def run() -> None:
        daemon = await asyncio.to_thread(Daemon, Path(path), os.environ, SystemClock(), sys.stdout)
        await daemon.run()

    run_async(run())
