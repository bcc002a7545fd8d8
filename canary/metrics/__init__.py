"""Every Prometheus name.

What exists once per target or series is kept in one small slotted object each and written out as text only when
scraped: ten thousand series cost megabytes and a fraction of a second, where the client library's own objects cost
hundreds and seconds. Histograms carry a platform at most. What is declared is always there, from zero on, and what is
declared no longer is gone: an alert on a vanished series would resolve itself.

A part of the fleet that is heard as a whole has evidence and alarms too, with "*" in the labels that it leaves open.
Replicas have none: they come and go, and their names are not ours to bound.

Who asks for OpenMetrics gets exemplars: the slot ids of answers that were counted last, for `canary explain` and a
look into the store. A slot id is a digest, never a label.
"""

from canary.metrics.exposition import CONTENT_TYPE, OPENMETRICS_TYPE, wants_openmetrics
from canary.metrics.owner import Metrics
from canary.metrics.parts import OpenIncident

__all__ = ["CONTENT_TYPE", "OPENMETRICS_TYPE", "Metrics", "OpenIncident", "wants_openmetrics"]
