"""Tokens, and the audit log, to which one can only append."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from canary.errors import StoreError
from canary.records import Act, AuditEntry, Role, Token
from canary.store import Store
from canary.store.sql.engine import writer
from canary.store.sql.store import SqlStore
from tests.contract.conftest import DATABASES
from tests.contract.store_values import DAY, MINUTE, T0

TOKEN = Token("0123abcd", "ci", Role.INGEST, "d1", T0, T0 + DAY, T0 + MINUTE)


def entry(i: int = 0) -> AuditEntry:
    return AuditEntry(T0 + i * MINUTE, "token:ci", Act.CHANGE, f"change {i}", "engine 2.4")


def noted(store: Store, n: int) -> None:
    with store.transaction() as tx:
        for i in range(n):
            tx.note(entry(i))


@pytest.mark.parametrize("kept", [TOKEN, replace(TOKEN, expires_at=None, revoked_at=None)])
def test_a_token_comes_back_as_it_was(store: Store, kept: Token) -> None:
    with store.transaction() as tx:
        tx.put_token(kept)
    with store.reading() as tx:
        assert tx.token(kept.id) == kept


def test_a_token_is_not_found_by_a_part_of_its_id(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_token(TOKEN)
    with store.reading() as tx:
        assert [tx.token(name) for name in ("", "0123", "0123abcd ")] == [None] * 3


def test_a_token_that_is_put_again_replaces_the_one_before(store: Store) -> None:
    with store.transaction() as tx:
        tx.put_token(replace(TOKEN, revoked_at=None))
        tx.put_token(TOKEN)
        assert tx.tokens() == [TOKEN]


def test_tokens_come_in_the_order_of_their_making(store: Store) -> None:
    with store.transaction() as tx:
        for i in (2, 0, 1):
            tx.put_token(replace(TOKEN, id=f"id{i}", created_at=T0 + i * MINUTE))
        assert [token.id for token in tx.tokens()] == ["id0", "id1", "id2"]


def test_the_audit_log_comes_back_in_the_order_of_writing(store: Store) -> None:
    noted(store, 3)
    with store.reading() as tx:
        assert tx.audit() == [entry(0), entry(1), entry(2)]


def test_the_audit_log_can_be_read_from_a_moment_and_from_its_end(store: Store) -> None:
    noted(store, 5)
    with store.reading() as tx:
        assert tx.audit(since=T0 + MINUTE, limit=2) == [entry(3), entry(4)]
        assert tx.audit(since=T0 + 4 * MINUTE) == [entry(4)]


def test_entries_of_one_moment_are_all_kept(store: Store) -> None:
    with store.transaction() as tx:
        tx.note(entry())
        tx.note(entry())
    with store.reading() as tx:
        assert tx.audit() == [entry(), entry()]


def test_a_reading_transaction_neither_notes_nor_makes_tokens(store: Store) -> None:
    with store.reading() as tx:
        with pytest.raises(StoreError):
            tx.note(entry())
        with pytest.raises(StoreError):
            tx.put_token(TOKEN)


def test_what_was_rolled_back_is_not_in_the_log(store: Store) -> None:
    def broken_off() -> None:
        with store.transaction() as tx:
            tx.note(entry())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    with store.reading() as tx:
        assert tx.audit() == []


CHANGES = [
    "UPDATE audit SET who = 'somebody else'",
    "DELETE FROM audit",
    "INSERT INTO audit (n, at, who, act, subject, detail) SELECT n, 0, 'nobody', act, '', '' FROM audit"
    " WHERE true ON CONFLICT (n) DO UPDATE SET who = 'nobody'",
]


@pytest.mark.parametrize("statement", CHANGES)
@pytest.mark.parametrize("store", DATABASES, indirect=True)
def test_the_database_itself_refuses_to_change_the_log(store: Store, statement: str) -> None:
    noted(store, 1)
    assert isinstance(store, SqlStore)
    with pytest.raises(StoreError, match="append-only"), writer(store._engine) as connection:
        connection.execute(text(statement))
    with store.reading() as tx:
        assert tx.audit() == [entry()]
