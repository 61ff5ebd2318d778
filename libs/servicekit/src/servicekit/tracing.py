"""Thin tracing over opentelemetry-sdk: one trace from the request to the projection.

The stock instrumentations cost more than the work they watch, so the chassis
makes its spans itself at the places that matter: the HTTP request, the call, the
transaction, the publish and the consumption. A request that is not sampled never
touches the SDK; only its `traceparent` (W3C Trace Context) is carried on.
"""

import contextvars
import random
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)

_traceparent: contextvars.ContextVar[str | None] = contextvars.ContextVar(
    "traceparent", default=None
)


class _Sampling:
    """Share of new traces that are recorded; a trace that comes in keeps its own decision."""

    ratio = 0.0
    dice = random.SystemRandom()

    @classmethod
    def chosen(cls) -> bool:
        return cls.dice.random() < cls.ratio


def configure(service: str, *, ratio: float, otlp_endpoint: str | None) -> None:
    """Set the tracer provider of this process.

    `ratio` is the share of new traces to record, 0 to 1. Spans go to
    `otlp_endpoint` (gRPC, ``http://host:port``); without one nothing is exported.
    """
    _Sampling.ratio = ratio if otlp_endpoint else 0.0
    if not otlp_endpoint:
        return
    # Costs a third of a second at start, which those who export nothing are spared.
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    exporter = OTLPSpanExporter(endpoint=otlp_endpoint, insecure=otlp_endpoint.startswith("http:"))
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=500))
    trace.set_tracer_provider(provider)


def configure_for_test(processor: SpanProcessor) -> None:
    """Record every span of this process with `processor`."""
    _Sampling.ratio = 1.0
    provider = TracerProvider()
    provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def shutdown() -> None:
    """Send what is still waiting to be exported."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.shutdown()


def current_traceparent() -> str | None:
    """`traceparent` of the running request, or `None` outside of one."""
    return _traceparent.get()


def current_trace_id() -> str:
    """Trace id of the running request, 32 hex digits; empty outside of one."""
    current = _traceparent.get()
    return current[3:35] if current else ""


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    traceparent: str | None = None,
    attributes: Mapping[str, str | int | float | bool] | None = None,
) -> Generator[Span | None]:
    """Run a block within a span and make its `traceparent` the current one.

    `traceparent` is the one that came from outside; without it the span belongs
    to the current trace, or begins a new one. Yields the span, or `None` when
    the trace is not recorded. An exception marks the span and passes on.
    """
    parent = parse(traceparent or _traceparent.get())
    sampled = parent.trace_flags.sampled if parent else _Sampling.chosen()
    if not sampled:
        token = _traceparent.set(_format(parent) if parent else _fresh())
        try:
            yield None
        finally:
            _traceparent.reset(token)
        return
    context = trace.set_span_in_context(NonRecordingSpan(parent)) if parent else None
    tracer = trace.get_tracer("peyvand")
    recorded = tracer.start_span(name, context=context, kind=kind, attributes=attributes)
    attached = otel_context.attach(trace.set_span_in_context(recorded))
    token = _traceparent.set(_format(recorded.get_span_context()))
    try:
        yield recorded
    except BaseException as error:
        recorded.set_status(Status(StatusCode.ERROR, type(error).__name__))
        raise
    finally:
        recorded.end()
        _traceparent.reset(token)
        otel_context.detach(attached)


@contextmanager
def consumer_span(name: str, traceparent: str | None) -> Generator[Span | None]:
    """Run the handling of one message within a span of the trace that the message carries."""
    if parse(traceparent) is None:
        yield None
        return
    with span(name, SpanKind.CONSUMER, traceparent=traceparent) as recorded:
        yield recorded


def record_publish(event_type: str, subject: str, traceparent: str | None, began: int) -> None:
    """Record that an event was published, if the trace that it carries is recorded.

    `began` is when publishing began, in nanoseconds since the epoch; it ends now. The
    parent is the transaction that recorded the event, as it is for the consumers'
    spans: what is published has to be the same bytes each time, so it cannot carry
    the context of one publishing.
    """
    parent = parse(traceparent)
    if parent is None or not parent.trace_flags.sampled:
        return
    trace.get_tracer("peyvand").start_span(
        f"publish {event_type}",
        context=trace.set_span_in_context(NonRecordingSpan(parent)),
        kind=SpanKind.PRODUCER,
        attributes={"messaging.system": "nats", "messaging.destination.name": subject},
        start_time=began,
    ).end()


def parse(traceparent: str | None) -> SpanContext | None:
    """Read a W3C `traceparent`; a damaged one counts as absent, as the standard asks."""
    parts = traceparent.split("-") if traceparent else []
    if len(parts) < 4 or [len(part) for part in parts[:4]] != [2, 32, 16, 2]:
        return None
    try:
        numbers = [int(part, 16) for part in parts[:4]]
    except ValueError:
        return None
    version, trace_id, span_id, flags = numbers
    if version == 255 or not trace_id or not span_id:
        return None
    return SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags))


def _format(context: SpanContext) -> str:
    flags = int(context.trace_flags) & 1
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"


def _fresh() -> str:
    return f"00-{random.getrandbits(128) or 1:032x}-{random.getrandbits(64) or 1:016x}-00"
