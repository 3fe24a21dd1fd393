"""The provider's `views`: the pieces as rows below the resource, through the real engine."""

import math

from harness import faults

PIECES = ["Bucket", "Definition", "RestApi", "Role", "RolePolicy", "Stage"]


def program(inputs: str = "{}", name: str = "data") -> str:
    return f"""
resources:
  {name}:
    type: s3dataproxy:S3DataProxy
    properties: {inputs}
"""


def rows(stack) -> list[str]:
    found = [resource["type"].rpartition(":")[2] for resource in stack.resources() if ":view:" in resource["type"]]
    return sorted(found)


def with_views(stack, tap, inputs: str = "{}"):
    made = stack(program(inputs), endpoint=tap.url)
    made.set_config("s3dataproxy:views", "true")
    return made


def test_off_by_default(stack):
    stack = stack(program())
    stack.up()
    assert rows(stack) == []


def test_rows_follow_the_pieces(stack, tap):
    stack = with_views(stack, tap)
    assert stack.preview().changes == {"create": 8}
    assert stack.up().changes == {"create": 8}
    assert rows(stack) == PIECES
    assert stack.up(preview=True).changes == {"same": 8}
    assert stack.refresh().changes.get("same", 0) >= 7
    stack.write(program("{path: v2}"))
    changed = {"same": 5, "update": 3}
    assert stack.preview("--diff").changes == changed
    assert stack.up().changes == changed
    assert stack.destroy().changes == {"delete": 8}
    assert rows(stack) == []


def test_a_create_that_fails_half_way_leaves_rows_for_what_exists(stack, tap):
    stack = with_views(stack, tap)
    tap.inject(faults.Error("AccessDeniedException", "no", 403), operation="PutRestApi", times=math.inf)
    stack.up(fails=True)
    assert rows(stack) == ["Bucket", "RestApi", "Role", "RolePolicy"]
    tap.reset()
    stack.up()
    assert rows(stack) == PIECES
    assert stack.up(preview=True).changes == {"same": 8}


def test_a_refresh_drops_the_row_of_what_is_gone(stack, tap, aws):
    stack = with_views(stack, tap)
    stack.up()
    [api] = [r["outputs"]["restApiId"] for r in stack.resources() if r["type"].endswith(":S3DataProxy")]
    aws.client("apigateway").delete_stage(restApiId=api, stageName="prod")
    stack.refresh()
    assert rows(stack) == [piece for piece in PIECES if piece != "Stage"]
    stack.up()
    assert rows(stack) == PIECES


def test_a_failed_delete_keeps_the_rows_of_what_is_left(stack, tap):
    stack = with_views(stack, tap)
    stack.up()
    tap.inject(faults.Error("AccessDenied", "no", 403), operation="DeleteRole", times=math.inf)
    stack.destroy(fails=True)
    assert "Role" in rows(stack) and "Bucket" not in rows(stack)
    tap.reset()
    stack.destroy()
    assert rows(stack) == []


def test_a_secret_stays_one(stack, tap):
    stack = with_views(stack, tap, '{description: {"fn::secret": "hush-hush"}}')
    stack.up()
    assert "hush-hush" not in str(stack.export())
