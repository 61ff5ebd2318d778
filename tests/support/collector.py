"""An OTLP collector for tests: takes what the network exports and keeps it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.trace.v1 import trace_pb2


@dataclass(frozen=True)
class CollectedSpan:
    """One span as it was exported; ids are hex, `parent_id` is empty for a root."""

    service: str
    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int


class TraceCollector:
    """Serves OTLP over gRPC on a free port. An async context manager."""

    def __init__(self) -> None:
        self.spans: list[CollectedSpan] = []
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # Of threads, not of the event loop: the tests' loop also starts processes, and
        # gRPC's asyncio server does not end reliably in a process that has forked.
        self._server = grpc.server(ThreadPoolExecutor(max_workers=2))
        export = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=pb.ExportTraceServiceRequest.FromString,
            response_serializer=pb.ExportTraceServiceResponse.SerializeToString,
        )
        service = pb.DESCRIPTOR.services_by_name["TraceService"].full_name
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(service, {"Export": export})]
        )
        self._port = 0

    @property
    def endpoint(self) -> str:
        """Value for ``PEYVAND_OTLP_ENDPOINT``."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._port = self._server.add_insecure_port("127.0.0.1:0")
        self._loop = asyncio.get_running_loop()
        self._server.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._server.stop(None).wait)

    def trace(self, trace_id: str) -> list[CollectedSpan]:
        """The spans of one trace, in the order in which they began."""
        found = [span for span in self.spans if span.trace_id == trace_id]
        return sorted(found, key=lambda span: span.start)

    async def wait_for(
        self, trace_id: str, complete: Callable[[list[CollectedSpan]], bool], patience: float = 60
    ) -> list[CollectedSpan]:
        """The spans of a trace once they are `complete`, or those there when time is up."""
        try:
            async with asyncio.timeout(patience):
                while not complete(self.trace(trace_id)):
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            pass  # the caller's assertion shows what is missing
        return self.trace(trace_id)

    def _export(
        self, request: pb.ExportTraceServiceRequest, _: object
    ) -> pb.ExportTraceServiceResponse:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._take, request)
        return pb.ExportTraceServiceResponse()

    def _take(self, request: pb.ExportTraceServiceRequest) -> None:
        for resource_spans in request.resource_spans:
            attributes = {
                attribute.key: attribute.value.string_value
                for attribute in resource_spans.resource.attributes
            }
            service = attributes.get("service.name", "")
            for scope_spans in resource_spans.scope_spans:
                self.spans.extend(_collected(service, span) for span in scope_spans.spans)
        self._arrived.set()


def _collected(service: str, span: trace_pb2.Span) -> CollectedSpan:
    return CollectedSpan(
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
    )
