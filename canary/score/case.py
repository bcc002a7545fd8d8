"""What a scorer is given, and what a scorer is."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from canary.records import Logprobs, Probe, Reference, Response, Signal, UnscoredReason, answer_digest
from canary.score.logprobs import common_prefix, nearest, usable
from canary.score.measure import Judgement


@dataclass(frozen=True)
class Case:
    """One answer to be judged: its probe, the response, and what golden answers of the probe look like, if known.

    What several scorers need of it is worked out once.
    """

    probe: Probe
    response: Response
    reference: Reference | None = None

    @cached_property
    def logprobs(self) -> Logprobs | UnscoredReason:
        """The answer's logprobs, if they can be judged."""
        return usable(self.response.logprobs)

    @cached_property
    def digest(self) -> str:
        """The answer's digest, by which golden answers are known."""
        return answer_digest(self.response.text)

    @cached_property
    def prompt_logprobs(self) -> Logprobs | UnscoredReason:
        """The logprobs of the prompt's own tokens, if they can be judged."""
        return usable(self.response.prompt_logprobs)

    @cached_property
    def golden(self) -> Logprobs | UnscoredReason:
        """The golden logprobs to compare the answer's with, if both can be judged."""
        if isinstance(self.logprobs, UnscoredReason):
            return self.logprobs
        found = usable(nearest(self.logprobs, self.reference.logprobs) if self.reference else None)
        return UnscoredReason.NO_REFERENCE if isinstance(found, UnscoredReason) else found

    @cached_property
    def shared(self) -> int:
        """How many positions of the answer and of `golden` follow equal tokens: their common prefix and one more."""
        if isinstance(self.logprobs, UnscoredReason) or isinstance(self.golden, UnscoredReason):
            return 0
        lengths = len(self.logprobs.chosen), len(self.golden.chosen)
        return min(common_prefix(self.logprobs, self.golden) + 1, *lengths)


@dataclass(frozen=True, slots=True)
class Scorer:
    """A signal and the pure function that measures it.

    `measure` gives a `Measure` (value >= 0, exposure > 0, both finite) or the reason why it cannot. It never raises,
    whatever the target answered, and gives the same for the same case. `canary.score.contract` holds it to that.

    Where `stratified`, an answer is an event when its value exceeds the worst golden one of its own probe; else, when
    it exceeds zero. Where `of_text`, the measure depends on the probe, the text and the finish reason alone.
    """

    signal: Signal
    measure: Callable[[Case], Judgement]
    stratified: bool = False
    of_text: bool = False
