from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.desk.tokens import bearer, facts, mint, revoke
from canary.errors import NotFound
from canary.records import Act, Role, Token
from canary.store import MemoryStore
from tests.unit.alert.findings import START

DAY = timedelta(days=1)


def made(store: MemoryStore, name: str = "ci", expires: timedelta | None = None) -> tuple[Token, str]:
    with store.transaction() as tx:
        return mint(tx, name, Role.OPERATE, START, "ada", None if expires is None else START + expires)


def opens(store: MemoryStore, text: str, after: timedelta = DAY) -> bool:
    with store.reading() as tx:
        return bearer(tx, text, START + after) is not None


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_a_token_opens(store: MemoryStore) -> None:
    assert opens(store, made(store)[1])


def test_the_store_keeps_nothing_that_opens(store: MemoryStore) -> None:
    token, text = made(store)
    secret = text.rsplit("_", 1)[1] if text.count("_") == 2 else text.split("_", 2)[2]
    assert secret not in f"{token} {token.digest} {facts(token, START)}"
    assert not opens(store, f"canary_{token.id}_{token.digest[:43]}")


@given(guess=st.text(max_size=80) | st.from_regex(r"canary_[0-9a-f]{8}_[A-Za-z0-9_-]{43}", fullmatch=True))
def test_no_guess_opens(guess: str) -> None:
    store = MemoryStore()
    made(store)
    assert not opens(store, guess)


def test_the_secret_of_one_token_does_not_open_with_the_id_of_another(store: MemoryStore) -> None:
    (one, _), (_, text) = made(store, "one"), made(store, "other")
    assert not opens(store, f"canary_{one.id}_{text.split('_', 2)[2]}")


def test_a_token_opens_until_it_expires_and_not_from_then_on(store: MemoryStore) -> None:
    _, text = made(store, expires=DAY)
    assert opens(store, text, DAY - timedelta(microseconds=1))
    assert not opens(store, text, DAY)


@pytest.mark.parametrize("by_id", [True, False])
def test_a_revoked_token_opens_nothing(store: MemoryStore, by_id: bool) -> None:
    token, text = made(store)
    with store.transaction() as tx:
        revoke(tx, token.id if by_id else token.name, START, "ada")
    assert not opens(store, text)


def test_a_token_is_revoked_once(store: MemoryStore) -> None:
    made(store)
    with store.transaction() as tx:
        revoke(tx, "ci", START, "ada")
        with pytest.raises(NotFound):
            revoke(tx, "ci", START, "ada")


def test_two_valid_tokens_never_have_one_name(store: MemoryStore) -> None:
    made(store)
    with pytest.raises(ValueError, match="already"):
        made(store)


def test_the_name_of_a_revoked_token_is_free_again(store: MemoryStore) -> None:
    made(store)
    with store.transaction() as tx:
        revoke(tx, "ci", START, "ada")
    made(store)


@pytest.mark.parametrize("name", ["", "a b", "a\n", "x" * 81, "ä"])
def test_a_name_that_could_steer_a_terminal_is_refused(store: MemoryStore, name: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        made(store, name)


def test_making_and_revoking_are_written_down(store: MemoryStore) -> None:
    made(store)
    with store.transaction() as tx:
        revoke(tx, "ci", START, "bob")
        log = [(entry.who, entry.act, entry.subject) for entry in tx.audit()]
    assert log == [("ada", Act.TOKEN, "ci"), ("bob", Act.REVOKE, "ci")]
