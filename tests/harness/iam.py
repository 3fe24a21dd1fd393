"""IAM policies, asked what they allow: the evaluator in `tests/iam`, one batch a process."""

import json
import subprocess
from dataclasses import dataclass, field

from . import ROOT

EVALUATOR = ROOT / "tests/iam/evaluate.js"


@dataclass(frozen=True)
class Ask:
    """One request: the action, what it is for, and the condition keys that come with it."""

    action: str
    arn: str
    context: dict[str, str] = field(default_factory=dict, hash=False)


def actions(*services: str) -> dict[str, list[str]]:
    """Every action of these services, with the patterns of the ARNs that it applies to."""
    found = _evaluate({"actions": services})["actions"]
    return {f"{service}:{action}": arns for service in services for action, arns in found[service].items()}


def allowed(principal: str, identity: dict | None, asks: list[Ask], resource: dict | None = None) -> list[bool]:
    """What a principal with this identity policy may do, against this policy of the resource."""
    [told] = allowed_each([(principal, identity, asks, resource)])
    return told


def allowed_each(cases: list[tuple]) -> list[list[bool]]:
    """As `allowed`, for many at once."""
    answers = _evaluate({"cases": [
        {"principal": principal, "identity": identity, "resource": resource,
         "requests": [[ask.action, ask.arn, ask.context] for ask in asks]}
        for principal, identity, asks, resource in cases
    ]})["cases"]
    return [[answer == "Allowed" for answer in told] for told in answers]


def _evaluate(question: dict) -> dict:
    done = subprocess.run(["node", EVALUATOR], input=json.dumps(question), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
