"""Verdicts on demand, and the answers they stand on."""

from dataclasses import replace

import pytest

from canary.errors import NotFound, StoreError
from canary.records import KeptVerdict, Purpose
from canary.store import Retention, Store
from canary.store.retention import ON_DEMAND
from tests.contract.store_values import DAY, MINUTE, OTHER, SERIES, T0, observation, score, verdict


def put(store: Store, *verdicts: KeptVerdict) -> None:
    with store.transaction() as tx:
        for one in verdicts:
            tx.put_verdict(one)


def forget(store: Store, days: float) -> None:
    with store.transaction() as tx:
        while tx.forget(Retention(), T0 + days * DAY):
            pass


@pytest.mark.parametrize("kept", [verdict(), verdict(against="m/p/other"), verdict(better=None, visible=0.1)])
def test_a_verdict_comes_back_bit_for_bit(store: Store, kept: KeptVerdict) -> None:
    put(store, kept)
    with store.reading() as tx:
        assert tx.verdict("5e1f") == kept


def test_a_verdict_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    put(store, verdict("5e1f"), verdict("77aa"))
    with store.reading() as tx:
        assert tx.verdict("7").id == "77aa"


@pytest.mark.parametrize("name", ["", "zz", "5"])
def test_a_verdict_that_is_not_clear_is_not_found(store: Store, name: str) -> None:
    put(store, verdict("5e1f"), verdict("5e2f"))
    with store.reading() as tx, pytest.raises(NotFound):
        tx.verdict(name)


def test_the_whole_id_is_clear_where_another_one_begins_with_it(store: Store) -> None:
    put(store, verdict("5e1f"), verdict("5e1f00"))
    with store.reading() as tx:
        assert tx.verdict("5e1f").id == "5e1f"


def test_the_last_verdicts_come_newest_first(store: Store) -> None:
    put(store, *(verdict(f"v{i}", at=T0 + i * MINUTE) for i in range(4)))
    with store.reading() as tx:
        assert [one.id for one in tx.verdicts(limit=3)] == ["v3", "v2", "v1"]


def test_a_verdict_that_is_put_again_replaces_the_one_before(store: Store) -> None:
    put(store, verdict(), verdict(verdict="fail"))
    with store.reading() as tx:
        assert [one.verdict for one in tx.verdicts()] == ["fail"]


def test_a_reading_transaction_puts_no_verdict(store: Store) -> None:
    with store.reading() as tx, pytest.raises(StoreError):
        tx.put_verdict(verdict())


def test_judged_answers_come_back_by_slot_with_their_scores_in_order(store: Store) -> None:
    seen = [observation(i, purpose=Purpose.GATE) for i in range(3)]
    rows = [score(seen[0]), score(seen[0], OTHER), score(seen[1])]
    with store.transaction() as tx:
        tx.add_observations(seen)
        tx.add_scores(rows)
    with store.reading() as tx:
        found = tx.judged(["slot000001", "slot000000", "unheard-of"])
    assert set(found) == {"slot000000", "slot000001"}
    assert found["slot000000"].observation == replace(seen[0], response=None)
    assert [(row.series, row.score) for row in found["slot000000"].scores] == [
        (SERIES, rows[0].score),
        (OTHER, rows[1].score),
    ]


@pytest.mark.parametrize("purpose", ON_DEMAND)
def test_bodies_of_a_verdict_are_kept_as_long_as_other_evidence(store: Store, purpose: Purpose) -> None:
    with store.transaction() as tx:
        tx.add_observations([observation(0, purpose=purpose), observation(1)])
    forget(store, 89)
    with store.reading() as tx:
        bodies = [one.response is not None for slot in ("slot000000", "slot000001") if (one := tx.observation(slot))]
    assert bodies == [True, False]
    forget(store, 91)
    with store.reading() as tx:
        kept = tx.observation("slot000000")
    assert kept is not None
    assert kept.response is None


def test_a_verdict_goes_with_the_scores_that_it_stands_on(store: Store) -> None:
    put(store, verdict("old"), verdict("new", at=T0 + 2 * DAY))
    forget(store, 401)
    with store.reading() as tx:
        assert [one.id for one in tx.verdicts()] == ["new"]
