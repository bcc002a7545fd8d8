"""Gates for rollouts.

Argo Rollouts' `web` provider reads JSON: `phase` in its own words, and `value`: 1 pass, 0 fail, -1 neither, or not yet.
Flagger reads the status alone: 200 is a pass, all else is none; 412 says fail or inconclusive, 503 that it still runs.
"""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query

from canary.web.api.fields import GateKey, TargetName
from canary.web.api.gate_models import FlaggerIn, GateIn, GateOut
from canary.web.api.kit import Api, Json
from canary.web.door import OPERATORS, READERS, Caller
from canary.web.gates import Asked, Busy, Differs, Gate, Gates

RETRY_SECONDS = 10

_PHASES = {"pass": "Successful", "fail": "Failed", "inconclusive": "Inconclusive"}
_VALUES = {"pass": 1, "fail": 0}


def routes(api: Api) -> APIRouter:
    router = APIRouter(prefix="/gate", tags=["gate"])
    gates = api.gates
    operator, reader = api.door.bearer(OPERATORS), api.door.bearer(READERS)

    @router.post("/argo", response_model=GateOut)
    async def argo(said: GateIn, caller: Annotated[Caller, Depends(operator)]) -> Json:
        """Begin a gate, or see how one stands that is known by its target and key; waits for its end for `wait` s."""
        return Json(_facts(await _asked(api, gates, said, caller)))

    @router.get("/argo", response_model=GateOut, dependencies=[Depends(reader)])
    async def how_it_stands(target: TargetName, key: Annotated[GateKey, Query()]) -> Json:
        """A gate that runs, or that ended within the hour."""
        gate = gates.known(target, key)
        if gate is None:
            raise HTTPException(404, "no such gate: POST begins one")
        return Json(_facts(gate))

    @router.post("/flagger", response_model=GateOut, responses={412: {"model": GateOut}, 503: {"model": GateOut}})
    async def flagger(said: FlaggerIn, caller: Annotated[Caller, Depends(operator)]) -> Json:
        """A Flagger webhook (confirm-rollout, pre-rollout, rollout, confirm-promotion); `metadata` says the target.

        What was judged for a checksum and phase stands for an hour: it is not judged anew at each step of the traffic.
        """
        gate = await _asked(api, gates, said.gate, caller)
        if gate.running:
            return Json(_facts(gate), 503, {"retry-after": str(RETRY_SECONDS)})
        return Json(_facts(gate), 200 if gate.verdict == "pass" else 412)

    return router


async def _asked(api: Api, gates: Gates, said: GateIn, caller: Caller) -> Gate:
    known = api.ground().targets
    for name in filter(None, (said.target, said.against)):
        if name not in known:
            raise HTTPException(404, f"no target {name} in the config")
    asked = Asked(
        said.target,
        said.key,
        timedelta(seconds=said.max_seconds),
        said.max_probes,
        said.against,
        said.suite,
        said.share,
    )
    try:
        return await gates.ask(asked, caller.who, timedelta(seconds=said.wait))
    except Busy:
        later = {"retry-after": str(RETRY_SECONDS)}
        raise HTTPException(429, "as many gates run as may: ask again later", later) from None
    except Differs:
        raise HTTPException(409, "this key is of a gate that was asked otherwise: take another key") from None


def _facts(gate: Gate) -> dict[str, object]:
    verdict = gate.verdict
    phase = "Running" if gate.running else _PHASES.get(verdict or "", "Error")
    return {
        "target": gate.asked.target,
        "key": gate.asked.key,
        "phase": phase,
        "value": _VALUES.get(verdict or "", -1),
        "verdict": verdict,
        "trouble": gate.trouble or None,
        "report": gate.report,
    }
