"""Dependencies of routes: the ports, the tenant, and the tree that a path names."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Path, Request

from banyan.access import Caller
from banyan.adapters.destinations import Destinations
from banyan.adapters.memory_access import MemoryAccess
from banyan.adapters.observing import Observing
from banyan.adapters.publishing import Publisher
from banyan.adapters.served_versions import ServedVersions
from banyan.errors import NotFound
from banyan.policy import ONLY_BASE
from banyan.ports import AccessStore, Library, Queue, Store
from banyan.tree import TreeRecord, is_tree_id, shard_of
from service.engine_probe import EngineProbe
from service.quota.meter import Meter, Meters
from service.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service stands on. `stopping` is set when the process was asked to end."""

    store: Store
    library: Library
    queue: Queue
    settings: ServiceSettings
    versions: ServedVersions
    publisher: Publisher
    meters: Meters
    observing: Observing
    access: AccessStore = field(default_factory=MemoryAccess)
    destinations: Destinations = field(default_factory=Destinations)
    policy_names: tuple[str, ...] = ONLY_BASE.names
    engines: EngineProbe = field(default_factory=lambda: EngineProbe({}))
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


def ports(request: Request) -> Ports:
    """The ports that the application was made with."""
    found = request.app.state.ports
    if not isinstance(found, Ports):
        raise TypeError("the application was not made by create_app")
    return found


def caller(request: Request) -> Caller:
    """Who sent this request, as the gate has found out."""
    found = getattr(request.state, "caller", None)
    if not isinstance(found, Caller):
        raise TypeError("a public path asks for its caller")
    return found


CallerOf = Annotated[Caller, Depends(caller)]


def tenant(caller: CallerOf) -> str:
    """Whose request this is: the one place where a request gets its tenant."""
    return caller.tenant


PortsOf = Annotated[Ports, Depends(ports)]
Tenant = Annotated[str, Depends(tenant)]


def meter(request: Request, ports: PortsOf, tenant: Tenant) -> Meter:
    """The tenant's quotas, for this request."""
    return ports.meters.of(tenant, request.scope["state"])


MeterOf = Annotated[Meter, Depends(meter)]


async def owned_tree(
    request: Request,
    id: Annotated[str, Path(description="A solve's id.")],  # noqa: A002  # named as in the path
    ports: PortsOf,
    tenant: Tenant,
) -> TreeRecord:
    """The tenant's tree of this id. Raises NotFound for others' trees too."""
    if not is_tree_id(id) or shard_of(id) >= ports.settings.num_shards:
        raise NotFound("there is no solve with this id")
    request.state.tree_id = id
    try:
        record = await ports.store.get_tree(id)
    except NotFound:
        record = None
    if record is None or record.tenant != tenant:
        raise NotFound("there is no solve with this id")
    return record


OwnedTree = Annotated[TreeRecord, Depends(owned_tree)]
