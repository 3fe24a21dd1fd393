"""The engine and its language hosts work here: programs with outputs only, through the real CLI."""

import time

import pytest

from harness import processes
from harness.engine import python_program

YAML = "variables: { greeting: hello }\noutputs: { said: '${greeting}, world' }\n"
PYTHON = "import pulumi\npulumi.export('said', 'hello, world')\n"


@pytest.mark.parametrize("program", [YAML, python_program(PYTHON)], ids=["yaml", "python"])
def test_outputs(stack, program):
    made = stack(program)
    assert made.preview().changes == {"create": 1}
    up = made.up()
    assert up.changes == {"create": 1}
    assert [step["op"] for step in up.steps] == ["create"]
    assert made.outputs() == {"said": "hello, world"}
    assert made.up(preview=True).changes == {"same": 1}
    assert made.refresh().changes == {"same": 1}
    made.destroy()
    assert made.resources() == []


def test_a_changed_program_keeps_the_settings(stack):
    made = stack(YAML)
    made.set_config("number", "1")
    made.write("config: { number: { type: integer } }\noutputs: { number: '${number}' }\n")
    made.up()
    assert made.outputs() == {"number": 1}


def test_failures_are_told(stack):
    made = stack(python_program("raise RuntimeError('on purpose')\n"))
    result = made.up(fails=True)
    assert any("on purpose" in message for message in result.messages("error")), str(result)
    with pytest.raises(AssertionError, match="on purpose"):
        made.up()


def test_a_command_that_hangs_is_ended_with_all_it_started(stack):
    made = stack(python_program("import time\ntime.sleep(600)\n"))
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        made.up(timeout=6)
    assert time.monotonic() - started < 20
    assert "time.sleep" not in str(processes.left())
    assert [process for process in processes.left(5) if "pulumi" in process.name()] == []
