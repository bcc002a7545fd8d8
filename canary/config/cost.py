"""What a probe costs, in tokens, before it is fired."""

from dataclasses import dataclass

from canary.records import Probe

_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Cost:
    """Tokens of one run: the prompt as estimated from its bytes, the answer as long as the probe allows."""

    prompt: int
    answer: int

    @property
    def total(self) -> int:
        return self.prompt + self.answer


def cost(probe: Probe) -> Cost:
    """An upper bound on plain text; digits and rare scripts take more tokens than is estimated here."""
    texts = [*(message.content for message in probe.messages), probe.tools or "", max(probe.salts, key=len, default="")]
    return Cost(sum(map(_size, texts)) // _BYTES_PER_TOKEN, probe.sampling.max_tokens)


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
