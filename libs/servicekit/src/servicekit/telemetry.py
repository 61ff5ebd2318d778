"""Logs, metrics and traces of a process, declared in one place.

Every line of the log is one JSON object with the service, the level, the time and, where
the line belongs to a request, the trace id. That holds for what libraries say through
`logging` too, so that a collector needs no second form.
"""

import logging
import sys

import structlog
from prometheus_client import Histogram

from servicekit import tracing
from servicekit.settings import ServiceSettings

CALLS = Histogram(
    "peyvand_rpc_duration_seconds",
    "Time to answer a call, by rpc and reason",
    ["rpc", "reason"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def configure(service: str, settings: ServiceSettings) -> None:
    """Set up logs (JSON lines on stderr, with the trace id) and traces of this process."""
    level = getattr(logging, settings.log_level.upper())

    def add_service(
        _logger: object, _method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    common: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        add_service,
        _add_trace_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    structlog.configure(
        processors=[*common, *render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    foreign = logging.StreamHandler(sys.stderr)
    foreign.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*common, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[foreign], force=True)
    logging.captureWarnings(capture=True)
    tracing.configure(service, ratio=settings.trace_ratio, otlp_endpoint=settings.otlp_endpoint)


def _add_trace_id(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    if trace_id := tracing.current_trace_id():
        event["trace_id"] = trace_id
    return event
