from canary.probe.affinity import MOST_REPLICAS, Replicas
from canary.records import Dialect, Endpoint, Target

TARGET = Target(
    "mid", "api", "a", Endpoint(Dialect.OPENAI_CHAT, "http://127.0.0.1:1/v1", "mid", replica_header="X-Replica")
)


def test_a_header_that_names_each_request_is_believed_a_bounded_number_of_times() -> None:
    replicas = Replicas()
    told = {replicas.of(TARGET, {"x-replica": f"r{n}"}) for n in range(2 * MOST_REPLICAS)}
    assert len(told - {""}) == MOST_REPLICAS
    assert replicas.of(TARGET, {"x-replica": "r0"}) == "r0"


def test_a_target_without_the_header_has_no_replicas() -> None:
    assert Replicas().of(TARGET, {}) == ""
