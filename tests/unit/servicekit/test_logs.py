"""Every line of a process's log has one form, whoever wrote it."""

import json
import subprocess
import sys

PROGRAM = """
import asyncio, logging, warnings
import structlog
from servicekit import telemetry, tracing
from servicekit.settings import ServiceSettings

telemetry.configure("things", ServiceSettings())
log = structlog.get_logger()
log.info("outside")
with tracing.span("a request", traceparent="00-%s-%s-01" % ("a" * 32, "b" * 16)):
    log.warning("inside", sum=3, name="تبریز")
    logging.getLogger("some.library").warning("library says %s", "so")
    try:
        raise ValueError("boom")
    except ValueError:
        log.exception("failed")
        logging.getLogger("some.library").exception("library failed")
logging.getLogger("some.library").info("too quiet to be told")
warnings.warn("deprecated thing")
"""


def test_every_line_is_json_with_service_time_level_and_trace() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"].splitlines()[0] for line in lines][:5] == [
        "outside",
        "inside",
        "library says so",
        "failed",
        "library failed",
    ]
    assert len(lines) == 6
    assert "deprecated thing" in lines[5]["event"]
    assert {line["service"] for line in lines} == {"things"}
    assert all(line["timestamp"].endswith("Z") and line["level"] for line in lines)
    assert "trace_id" not in lines[0]
    assert {line["trace_id"] for line in lines[1:5]} == {"a" * 32}
    assert lines[1] | {"sum": 3, "name": "تبریز"} == lines[1]
    assert lines[2]["logger"] == "some.library"
    assert all("ValueError: boom" in line["exception"] for line in lines[3:5])
