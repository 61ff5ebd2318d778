"""Which of the services of a hub run on this machine, and how many processes of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hubkit.topology import SERVICES, ServiceSpec
from peyvandctl.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Replica:
    """One process of a service; `number` counts from 1."""

    service: ServiceSpec
    number: int = 1

    @property
    def name(self) -> str:
        """Name of the process: ``centers``, then ``centers-2``."""
        return self.service.name if self.number == 1 else f"{self.service.name}-{self.number}"

    @property
    def metrics(self) -> str:
        """Name of its second port, of the probes and metrics."""
        return metrics_port(self.name)


def metrics_port(process: str) -> str:
    """Return the name of the port of a process's probes and metrics."""
    return f"{process}-metrics"


def replicas_of(services: Sequence[ServiceSpec], count: int) -> tuple[Replica, ...]:
    """Return `count` processes of each service, the first ones first.

    Raises:
        ClusterError: there would be none.
    """
    if count < 1:
        raise ClusterError("Each service needs a process.", "Set the number of replicas to 1.")
    return tuple(Replica(service, number) for number in range(1, count + 1) for service in services)


def chosen(services: Sequence[str | ServiceSpec] | None) -> tuple[ServiceSpec, ...]:
    """Return the services of these names, all when None.

    Raises:
        ClusterError: there is none of such a name.
    """
    if services is None:
        return SERVICES
    known = {service.name: service for service in SERVICES}
    chosen: list[ServiceSpec] = []
    for service in services:
        if isinstance(service, ServiceSpec):
            chosen.append(service)
        elif service in known:
            chosen.append(known[service])
        else:
            raise ClusterError(f"There is no service {service}.", f"Services: {', '.join(known)}")
    return tuple(chosen)
