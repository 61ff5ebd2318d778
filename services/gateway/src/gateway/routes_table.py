"""Where each route of the gateway comes from: the line of the contract that makes it."""

import inspect
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path

from fastapi.routing import APIRoute
from google.protobuf import descriptor_pb2
from starlette.routing import BaseRoute

from gateway.operations import operations
from servicekit.contract import contract

_SERVICE_FIELD = 6  # FileDescriptorProto.service
_METHOD_FIELD = 2  # ServiceDescriptorProto.method


def rows(by_hand: Iterable[BaseRoute]) -> Iterator[tuple[str, str, str, str, str]]:
    """Method, address, what answers, where it stands, and who may call.

    `by_hand` are the routes that no contract describes.
    """
    places = _rpc_places()
    for operation in operations(contract()):
        rpc = operation.rpc
        yield (
            operation.method,
            operation.path,
            rpc.path.removeprefix("/"),
            places.get(rpc.descriptor.full_name, ""),
            ", ".join(rpc.role_names),
        )
    for route in by_hand:
        if isinstance(route, APIRoute):
            code = inspect.unwrap(route.endpoint).__code__
            file = Path(code.co_filename)
            place = f"{'/'.join(file.parts[-2:])}:{code.co_firstlineno}"
            methods = ", ".join(sorted(route.methods or ()))
            yield methods, route.path, route.name, place, ""


def table(by_hand: Iterable[BaseRoute]) -> str:
    """The rows as text, in columns."""
    lines = [("METHOD", "ADDRESS", "ANSWERED BY", "STANDS IN", "OPEN TO"), *rows(by_hand)]
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _rpc_places() -> dict[str, str]:
    """File and line of each rpc, by its full name."""
    data = resources.files("peyvand").joinpath("descriptors.binpb").read_bytes()
    places: dict[str, str] = {}
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        for location in file.source_code_info.location:
            match list(location.path):
                case [number, service, inner, method] if (number, inner) == (
                    _SERVICE_FIELD,
                    _METHOD_FIELD,
                ):
                    owner = file.service[service]
                    name = f"{file.package}.{owner.name}.{owner.method[method].name}"
                    places[name] = f"proto/{file.name}:{location.span[0] + 1}"
                case _:
                    pass
    return places
