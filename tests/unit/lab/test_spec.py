from canary.config.load import load
from canary.lab.spec import FleetSpec, Platform, Pool, config_text, default_spec


def watched(spec, tmp_path):
    file = tmp_path / "canary.yaml"
    file.write_text(config_text(spec, "http://127.0.0.1:8000"))
    return load(file, {}).targets


def names(targets):
    return {(target.model, target.platform, target.pool) for target in targets}


def test_the_config_watches_every_target_of_the_fleet(tmp_path):
    assert names(watched(default_spec(), tmp_path)) == set(default_spec().targets)


def test_a_fleet_without_gaps_excludes_nothing(tmp_path):
    spec = FleetSpec(("m",), (Platform("a", (Pool("x"),)), Platform("b", (Pool("x"),))))
    assert names(watched(spec, tmp_path)) == set(spec.targets)


def test_the_config_reaches_each_target_at_its_own_path(tmp_path):
    urls = {target.name: target.endpoint.base_url for target in watched(default_spec(), tmp_path)}
    assert urls["mid/api/long"] == "http://127.0.0.1:8000/api/long/v1"
