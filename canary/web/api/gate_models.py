"""Gates, asked and told."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from canary.web.api.fields import GateKey, In, Out, Person, TargetName


class GateIn(In):
    """What `canary gate` is asked; the same target and key is the same gate for an hour after its end."""

    target: TargetName
    key: GateKey
    against: TargetName | None = None
    suite: Person | None = None
    share: Annotated[float, Field(ge=0.001, le=0.99)] | None = None
    max_probes: Annotated[int, Field(ge=1, le=10_000)] = 400
    max_seconds: Annotated[int, Field(ge=10, le=3_600)] = 300
    wait: Annotated[float, Field(ge=0, le=25)] = 0.0


class FlaggerMetadata(In):
    """What the webhook says: all of it texts."""

    target: TargetName
    key: GateKey | None = None
    against: TargetName | None = None
    suite: Person | None = None
    share: Annotated[str, StringConstraints(pattern=r"^0\.[0-9]{1,4}$")] | None = None
    max_probes: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,3}$")] = "400"
    max_seconds: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{1,2}$")] = "300"
    wait: Annotated[str, StringConstraints(pattern=r"^(1?[0-9]|2[0-5])$")] = "8"


class FlaggerIn(BaseModel):
    """A Flagger webhook: one gate for each checksum of a canary, in each of its phases."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    name: Person
    namespace: Person
    phase: Person
    checksum: Person | None = None
    metadata: FlaggerMetadata

    @model_validator(mode="after")
    def _is_of_one_rollout(self) -> Self:
        if self.checksum is None and self.metadata.key is None:
            raise ValueError("without a checksum the metadata has to hold a key: no rollout takes another's verdict")
        return self

    @property
    def gate(self) -> GateIn:
        said = self.metadata
        key = said.key or f"{self.namespace}/{self.name}:{self.phase}:{self.checksum}"
        share = None if said.share is None else max(0.001, float(said.share))
        return GateIn(
            target=said.target,
            key=key,
            against=said.against,
            suite=said.suite,
            share=share,
            max_probes=int(said.max_probes),
            max_seconds=int(said.max_seconds),
            wait=float(said.wait),
        )


class GateOut(Out):
    """How a gate stands; `report` is what `canary gate --json` says."""

    target: str
    key: str
    phase: str
    value: int
    verdict: str | None
    trouble: str | None
    report: dict[str, object] | None
