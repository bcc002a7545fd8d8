import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from canary.changes import Defaults, Source, parse
from canary.records import Change, ChangeKind, Scope
from tests.unit.changes.told import APPLICATION, DEPLOYMENT, GIT_LOG, PUSH, SUCCEEDED, flagger

MID = Scope("mid", "api")


def read(*told: Mapping[str, Any] | str, source: Source, defaults: Defaults | None = None) -> tuple[Change, ...]:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in told)
    return parse(text.encode(), source, name="told", defaults=defaults)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, 8, day, hour, minute, tzinfo=UTC)


def test_a_deployment_of_github() -> None:
    assert read(DEPLOYMENT, source=Source.GITHUB) == (
        Change(
            id="github:acme/engine:deployment:145988746",
            kind=ChangeKind.DEPLOY,
            at=at(25, 17),
            summary="acme/engine v2.4 (f95f852) to production",
            link="https://github.com/acme/engine/deployments",
            author="ada",
        ),
    )


def test_a_deployment_that_succeeded_says_when_it_was_done() -> None:
    (done,) = read(SUCCEEDED, source=Source.GITHUB)
    assert done.finished_at == at(25, 17, 20)


def test_all_that_is_told_of_one_deployment_is_one_change() -> None:
    assert len(read(DEPLOYMENT, SUCCEEDED, DEPLOYMENT, source=Source.GITHUB)) == 1


def test_a_deployment_may_say_its_scope() -> None:
    deployment = {**DEPLOYMENT["deployment"], "payload": {"scope": "mid/api/*"}}
    (change,) = read({**DEPLOYMENT, "deployment": deployment}, source=Source.GITHUB)
    assert change.scope == MID


def test_a_push_is_dated_when_it_came_and_not_when_it_was_written() -> None:
    (push,) = read(PUSH, source=Source.GITHUB)
    assert (push.at, push.summary, push.author) == (at(29, 14), "acme/config main: More traffic to long", "bob")


def test_a_deleted_branch_is_no_change() -> None:
    assert read({**PUSH, "after": "0" * 40, "head_commit": None}, source=Source.GITHUB) == ()


def test_each_sync_of_an_application_is_a_change_and_so_is_a_failed_one() -> None:
    found = read(APPLICATION, source=Source.ARGO)
    assert [(sync.at, sync.finished_at, sync.summary, sync.author) for sync in found] == [
        (at(29, 14), at(29, 14, 2), "sync of argocd/router to 26f1d7e", "ada"),
        (at(30, 14, 2), at(30, 14, 2), "sync of argocd/router to 1.2.2, 1.3", ""),
        (at(31, 9), at(31, 9, 1), "sync of argocd/router to 26f1d7e (failed)", ""),
    ]


def test_an_application_may_say_its_scope() -> None:
    assert {sync.scope for sync in read(APPLICATION, source=Source.ARGO)} == {MID}


def test_the_last_operation_is_the_sync_that_the_history_has() -> None:
    last = {"phase": "Succeeded", "startedAt": "2025-08-29T14:00:00Z", "syncResult": {"revision": "26f1d7e"}}
    again = {**APPLICATION, "status": {**APPLICATION["status"], "operationState": last}}
    assert len(read(again, source=Source.ARGO)) == 2


def test_lists_of_applications_are_read() -> None:
    other = {**APPLICATION, "metadata": {"name": "other", "namespace": "argocd"}}
    assert len(read({"kind": "List", "items": [APPLICATION, other]}, source=Source.ARGO)) == 6


def test_an_application_that_was_never_synced_tells_of_nothing() -> None:
    assert read({**APPLICATION, "status": {}}, source=Source.ARGO) == ()


def test_weights_of_flagger_are_routing_and_servers_a_rollout() -> None:
    told = [
        flagger("New revision detected! Scaling up mid.serving", 1_756_476_000_000),
        flagger("Advance mid.serving canary weight 10", 1_756_476_060_500),
        flagger("Halt mid.serving advancement success rate 61.11% < 99%", 1_756_476_120_000),
        flagger("Pre-rollout check conformance-test passed", 1_756_476_130_000),
        flagger("Rolling back mid.serving failed checks threshold reached 10", 1_756_476_140_000),
    ]
    found = read(*told, source=Source.FLAGGER)
    assert [(one.kind, one.summary.split()[0]) for one in found] == [
        (ChangeKind.ROLLOUT, "New"),
        (ChangeKind.ROUTING, "Advance"),
        (ChangeKind.ROUTING, "Rolling"),
    ]


def test_the_webhook_of_flagger_may_say_the_scope() -> None:
    (weight,) = read(flagger("Advance mid.serving canary weight 10", scope="mid/api/*"), source=Source.FLAGGER)
    assert (weight.scope, weight.at) == (MID, at(29, 14))


def test_commits_of_git_log() -> None:
    assert read(GIT_LOG, source=Source.GIT) == (
        Change(
            id="git:11345672839960bc7e61acb9f4c678880760f732",
            kind=ChangeKind.OTHER,
            at=at(29, 12),
            summary="Weights of the long pool (1134567)",
            author="Ada Lovelace",
        ),
        Change(
            id="git:e92d187e0fcf625bbdbd6e4b25d219453ea6e57d",
            kind=ChangeKind.OTHER,
            at=at(28, 9, 30),
            summary="Merge the sampler (e92d187)",
            author="Bob",
        ),
    )


@pytest.mark.parametrize(
    "date", ["2025-08-29 14:00:00 +0200", "Fri, 29 Aug 2025 14:00:00 +0200", "2025-08-29T14:00:00+02:00"]
)
def test_dates_of_git_log_in_other_forms(date: str) -> None:
    (first, _) = read(GIT_LOG.replace("Fri Aug 29 14:00:00 2025 +0200", date), source=Source.GIT)
    assert first.at == at(29, 12)


def test_the_time_of_the_commit_counts_where_it_is_shown() -> None:
    told = (
        "commit 1134567\nAuthor:     Ada <a@b>\nAuthorDate: Fri Aug 1 14:00:00 2025 +0200\n"
        "Commit:     Bob <b@b>\nCommitDate: Fri Aug 29 14:00:00 2025 +0200\n\n    Weights\n"
    )
    (commit,) = read(told, source=Source.GIT)
    assert (commit.at, commit.author) == (at(29, 12), "Ada")


def test_line_ends_of_windows_are_read() -> None:
    assert read(GIT_LOG.replace("\n", "\r\n"), source=Source.GIT) == read(GIT_LOG, source=Source.GIT)


EACH = [
    (Source.GITHUB, json.dumps([DEPLOYMENT, PUSH])),
    (Source.ARGO, json.dumps(APPLICATION)),
    (Source.FLAGGER, json.dumps(flagger("Advance mid.serving canary weight 10"))),
    (Source.GIT, GIT_LOG),
]
each_source = pytest.mark.parametrize(("source", "told"), EACH, ids=[source.value for source, _ in EACH])


@each_source
def test_what_was_told_twice_has_the_same_ids(source: Source, told: str) -> None:
    assert read(told, told, source=source) == read(told, source=source)


@each_source
def test_a_kind_that_is_given_overrides_the_sources(source: Source, told: str) -> None:
    found = read(told, source=source, defaults=Defaults(kind=ChangeKind.CONFIG))
    assert {change.kind for change in found} == {ChangeKind.CONFIG}


@each_source
def test_a_scope_that_is_given_holds_where_the_source_says_none(source: Source, told: str) -> None:
    found = read(told, source=source, defaults=Defaults(scope=Scope("small")))
    assert {change.scope for change in found} == ({MID} if source is Source.ARGO else {Scope("small")})


@each_source
def test_json_may_be_indented_and_in_an_array(source: Source, told: str) -> None:
    if source is Source.GIT:
        return
    pretty = json.dumps([json.loads(told)] if told.startswith("{") else json.loads(told), indent=4)
    assert read(pretty, source=source) == read(told, source=source)


def test_no_mail_address_is_kept() -> None:
    kept = repr([read(told, source=source) for source, told in EACH])
    assert "example.com/x" not in kept
    assert "@" not in kept


def test_a_changed_default_changes_no_id() -> None:
    (plain,) = read(DEPLOYMENT, source=Source.GITHUB)
    (scoped,) = read(DEPLOYMENT, source=Source.GITHUB, defaults=Defaults(scope=MID))
    assert scoped == replace(plain, scope=MID)
