"""`canary grafana`."""

import re
from pathlib import Path

import click

from canary.cli.common import json_option, printable, say
from canary.cli.word import Noun
from canary.errors import GrafanaError

_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _uid(_: click.Context, __: click.Parameter, written: str) -> str:
    if not _UID.fullmatch(written):
        raise click.BadParameter("should be 1 to 40 letters, digits, - and _")
    return written


_folder_uid = click.option(
    "--folder-uid", default="canary", show_default=True, callback=_uid, help="Of Canary's folder."
)
_prometheus_uid = click.option(
    "--prometheus-uid",
    default="canary-prometheus",
    show_default=True,
    callback=_uid,
    help="Of the datasource that the alert rules ask.",
)
_runbooks = click.option(
    "--runbooks", metavar="URL", help="Where you serve the runbooks. [default: their path in the repository]"
)


@click.group(cls=Noun)
def command() -> None:
    """Dashboards and alert rules for Grafana: as files to provision, or by its API. Use one of the two ways."""


@command.command(
    exits={0: "written, or as they were", 2: "they cannot be written"},
    examples=(
        "canary grafana render monitoring",
        "canary grafana render monitoring --prometheus-uid P1809F7CD0C75ACF3",
    ),
)
@click.argument("folder", default="deploy", type=click.Path(path_type=Path, file_okay=False))
@_prometheus_uid
@click.option(
    "--postgres-uid", default="canary-postgres", show_default=True, callback=_uid, help="Of the PostgreSQL datasource."
)
@_folder_uid
@_runbooks
@json_option
def render(
    folder: Path, prometheus_uid: str, postgres_uid: str, folder_uid: str, runbooks: str | None, as_json: bool
) -> None:
    """Write grafana/provisioning and grafana/dashboards into FOLDER (default: deploy).

    For Grafana 10.4 or later. The datasource of the dashboards is chosen on them; that of the alert rules is
    --prometheus-uid. The password of the database role comes from Grafana's environment: CANARY_GRAFANA_PASSWORD.
    """
    from canary.observe.files import write
    from canary.observe.prometheus import RUNBOOKS
    from canary.observe.provisioning import Site, files

    written = write(files(Site(prometheus_uid, postgres_uid, folder_uid, runbooks or RUNBOOKS)), folder)
    if as_json:
        say([{"path": str(path), "changed": changed} for path, changed in written])
        return
    for path, changed in written:
        click.echo(f"{path}{'' if changed else ' (as it was)'}")


@command.command(
    exits={0: "all is there", 1: "with --dry-run: something would change", 2: "Grafana refuses, or cannot be reached"},
    examples=(
        "canary grafana push --url https://grafana.example.com --token-file token --dry-run",
        "canary grafana push --url https://example.com/grafana --token-file /run/secrets/grafana",
    ),
)
@click.option("--url", required=True, metavar="URL", help="Of Grafana, with its path where it has one.")
@click.option(
    "--token-file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Holds the token of a service account: Editor, and the right to write alert rules.",
)
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@_prometheus_uid
@_folder_uid
@_runbooks
@json_option
def push(
    url: str,
    token_file: Path,
    dry_run: bool,
    prometheus_uid: str,
    folder_uid: str,
    runbooks: str | None,
    as_json: bool,
) -> None:
    """Bring dashboards and alert rules to a Grafana, into a folder of their own; what is there already is left alone.

    Contact points and notification policies are never touched. A push that broke off is gone on with by another.
    """
    from canary.observe.grafana import GrafanaHttp
    from canary.observe.prometheus import RUNBOOKS
    from canary.observe.provisioning import Site
    from canary.observe.push import Act, carry_out, plan

    site = Site(prometheus_uid=prometheus_uid, folder_uid=folder_uid, runbooks=runbooks or RUNBOOKS)
    with GrafanaHttp(url, _token(token_file)) as grafana:
        steps = plan(grafana, site)
        done = [] if dry_run else list(carry_out(grafana, steps))
    changes = any(step.act is not Act.KEEP for step in steps)
    if as_json:
        say(
            {
                "dry_run": dry_run,
                "made": len(done),
                "steps": [{"act": one.act.value, "what": one.what} for one in steps],
            }
        )
    else:
        for step in steps:
            click.echo(
                printable(f"{'would ' if dry_run and step.act is not Act.KEEP else ''}{step.act.value} {step.what}")
            )
    if dry_run and changes:
        raise SystemExit(1)


def _token(file: Path) -> str:
    token = file.read_text(encoding="utf-8").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise GrafanaError(f"{file}: holds no token: it should be one line without spaces")
    return token
