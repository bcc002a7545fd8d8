"""The frozen values that travel: what is probed, what came back, what it means.

They hold no behaviour beyond names and digests derived from their own fields. Times are aware UTC `datetime`s;
logprobs are natural logarithms (nats, <= 0).
"""

from canary.records.answer import Failure, FailureKind, Finish, Logprobs, Observation, Response, TokenKey, answer_digest
from canary.records.audit import Act, AuditEntry, Role, Token
from canary.records.baseline import Baseline, BaselinePart, BaselineStatus, Recording
from canary.records.change import Change, ChangeKind
from canary.records.fleet import Dialect, Endpoint, Limits, Scope, Target
from canary.records.incident import (
    Alarm,
    Blame,
    Finding,
    Incident,
    IncidentState,
    Interval,
    Notification,
    NotificationKind,
    Place,
    Size,
)
from canary.records.matcher import PLACE, Label, Labels, Matcher, Matchers, matcher
from canary.records.probe import Message, Probe, Purpose, Run, Sampling, burst_group, burst_size
from canary.records.score import Reference, Score, SeriesKey, Signal, SignalKind, Symptom, Unscored, UnscoredReason
from canary.records.silence import Silence
from canary.records.verdict import KeptVerdict, Yardstick

__all__ = [
    "PLACE",
    "Act",
    "Alarm",
    "AuditEntry",
    "Baseline",
    "BaselinePart",
    "BaselineStatus",
    "Blame",
    "Change",
    "ChangeKind",
    "Dialect",
    "Endpoint",
    "Failure",
    "FailureKind",
    "Finding",
    "Finish",
    "Incident",
    "IncidentState",
    "Interval",
    "KeptVerdict",
    "Label",
    "Labels",
    "Limits",
    "Logprobs",
    "Matcher",
    "Matchers",
    "Message",
    "Notification",
    "NotificationKind",
    "Observation",
    "Place",
    "Probe",
    "Purpose",
    "Recording",
    "Reference",
    "Response",
    "Role",
    "Run",
    "Sampling",
    "Scope",
    "Score",
    "SeriesKey",
    "Signal",
    "SignalKind",
    "Silence",
    "Size",
    "Symptom",
    "Target",
    "Token",
    "TokenKey",
    "Unscored",
    "UnscoredReason",
    "Yardstick",
    "answer_digest",
    "burst_group",
    "burst_size",
    "matcher",
]
