"""Risks and costs are told in the preview, once, with the properties that change them; and only there."""

import pytest

from test_lifecycle import one

OPEN, WRITES = "everybody who knows the URL may call it", "may write objects"
SIGNED = {"authorization": "AWS_IAM"}


def told(result) -> list[str]:
    return result.messages("warning", "data")


@pytest.mark.parametrize(("inputs", "expected"), [
    ({}, [OPEN]),
    ({"operations": ["GET", "PUT"]}, [OPEN, WRITES]),
    ({"operations": ["GET", "PUT"], "apiKeys": ["a"]}, [WRITES]),
    ({"operations": ["GET", "PUT"], **SIGNED}, []),
    ({"throttle": {"rateLimit": 9, "burstLimit": 9}}, []),
])
def test_a_preview_tells_risks(stack, inputs, expected):
    warnings = told(stack(one("data", inputs)).preview())
    assert len(warnings) == len(expected)
    assert all(risk in warning and "set `" in warning for risk, warning in zip(expected, warnings))


def test_a_risk_is_told_once(stack):
    made = stack(one("data", {"waitForReady": False}))
    assert told(made.up()) == []  # without a preview
    assert told(made.preview()) == []
    made.write(one("data", {"waitForReady": False, "path": "elsewhere"}))
    assert told(made.preview()) == []
    made.write(one("data", {"waitForReady": False, "operations": ["GET", "PUT"]}))
    [warning] = told(made.preview())
    assert WRITES in warning and "`PUT`" in warning
    made.up()
    made.write(one("data", {"waitForReady": False, "operations": ["GET"], **SIGNED}))
    assert told(made.preview()) == []
