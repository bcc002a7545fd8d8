"""The headers of a probe's request. They go to the endpoint's own origin alone, since redirects are never followed."""

from canary.records import Endpoint


def request_headers(endpoint: Endpoint, affinity: str) -> dict[str, str]:
    """The endpoint's own headers stand over the bearer token, for gateways with schemes of their own."""
    headers = {"content-type": "application/json"}
    if endpoint.token is not None:
        headers["authorization"] = f"Bearer {endpoint.token}"
    if endpoint.affinity_header is not None:
        headers[endpoint.affinity_header.lower()] = affinity
    return headers | {name.lower(): value for name, value in endpoint.headers.items()}
