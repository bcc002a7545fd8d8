"""What somebody changed."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from canary.records.fleet import Scope


class ChangeKind(StrEnum):
    """What was changed."""

    DEPLOY = "deploy"  # other code on the servers: engine, sampler, kernels, compiler
    CONFIG = "config"  # other settings of the same code
    FLAG = "flag"
    ROUTING = "routing"  # weights, load balancing, rules
    ROLLOUT = "rollout"  # a deploy that reaches its scope step by step
    MODEL = "model"  # weights, quantisation, tokenizer, chat template
    SCALE = "scale"  # more or fewer servers of the same kind
    HARDWARE = "hardware"
    OTHER = "other"
    GATE = "gate"  # nothing: a verdict was asked for, and is kept where it fell in time


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody changed. Between `at` and `finished_at` it took effect step by step."""

    id: str
    kind: ChangeKind
    at: datetime
    summary: str
    scope: Scope = field(default_factory=Scope)
    link: str = ""
    author: str = ""
    finished_at: datetime | None = None
