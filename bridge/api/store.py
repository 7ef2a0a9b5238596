"""The store's PHP: connecting, events, pairing phones and signing them out."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, g

from bridge import __version__
from bridge.api import body, events, presentation, public_addresses
from bridge.api.problems import base_url
from bridge.api.schemas import (
    DeviceList,
    PairingOffer,
    PairingRequest,
    SignedOut,
    StoreConnect,
    StoreConnected,
    StoreStatus,
    to_json,
)
from bridge.api.services import services
from bridge.api.signed_requests import SignedRequest, signed_by_store
from bridge.errors import InvalidError
from bridge.ports import Agent, StoreConnection, Work
from bridge.services.addresses import origin_of
from bridge.services.incoming import Incoming, Result
from bridge.times import rfc3339

blueprint = Blueprint("store", __name__)

_connect = msgspec.json.Decoder(StoreConnect)
_pairing = msgspec.json.Decoder(PairingRequest)


def _read_connection(signed: SignedRequest) -> StoreConnection:
    app = services()
    said = body.decode(signed.content, _connect)
    for pointer, address in (("/store_url", said.store_url), ("/rest_url", said.rest_url)):
        public_addresses.require(address, pointer, allow_private=app.allow_private_stores)
    origins = [origin_of(origin) for origin in said.origins]
    for position, origin in enumerate(origins):
        if origin is None:
            pointer = f"/origins/{position}"
            raise InvalidError("An origin is http or https.", errors=((pointer, "no origin"),))
    return StoreConnection(
        store_url=said.store_url,
        rest_url=said.rest_url,
        name=said.name,
        origins=tuple(dict.fromkeys(origin for origin in origins if origin is not None)),
        plugin_version=said.plugin_version,
        wordpress_version=said.wordpress_version,
        woocommerce_version=said.woocommerce_version,
        timezone=said.timezone,
        woocommerce=None if said.woocommerce is None else msgspec.to_builtins(said.woocommerce),
    )


@blueprint.post("/v1/store/connect")
@signed_by_store(_read_connection)
def connect(signed: SignedRequest, work: Work, said: StoreConnection) -> Response:
    """Keep what the store says of itself, and the origins its pages have."""
    services().sites.connect(work, said, g.now)
    return _json(StoreConnected(signed.site.id, said.name, __version__))


@blueprint.get("/v1/store/status")
@signed_by_store()
def status(signed: SignedRequest, work: Work) -> Response:  # noqa: ARG001 - every signed view gets the work
    """What the bridge knows of the store."""
    app = services()
    known = app.sites.status(signed.site.id)
    return _json(
        StoreStatus(
            site=signed.site.id,
            name=signed.site.name,
            bridge_version=__version__,
            connected_at=rfc3339(known.connected_at) if known.connected_at else None,
            last_event_at=rfc3339(known.last_event_at) if known.last_event_at else None,
            conversations=known.conversations,
            online=known.online,
            woocommerce=None,
            devices=[presentation.device(each) for each in app.devices.devices(signed.site.id)],
        )
    )


def _read_events(signed: SignedRequest) -> list[Incoming | Result]:
    batch = events.read_batch(signed.content)
    return [
        events.of_store(raw, signed.site.origins, signed.sent_at, g.now) for raw in batch.events
    ]


@blueprint.post("/v1/store/events")
@signed_by_store(_read_events)
def store_events(signed: SignedRequest, work: Work, said: list[Incoming | Result]) -> Response:  # noqa: ARG001 - every signed view gets the request
    """Take in what the store saw happen."""
    taken = services().ingest.from_store(work, said, g.now)
    return Response(events.answer(taken), content_type=body.JSON)


def _read_pairing(signed: SignedRequest) -> PairingRequest:
    said = body.decode(signed.content, _pairing)
    if not said.agent.id.isprintable():
        raise InvalidError(
            "Ids are of printable characters.", errors=(("/agent/id", "not printable"),)
        )
    picture = said.agent.avatar_url
    if picture is not None and origin_of(picture) is None:
        detail = "It is no http or https address."
        raise InvalidError(detail, errors=(("/agent/avatar_url", detail),))
    return said


@blueprint.post("/v1/store/pairings")
@signed_by_store(_read_pairing)
def pairings(signed: SignedRequest, work: Work, said: PairingRequest) -> Response:  # noqa: ARG001 - every signed view gets the request
    """Offer a code with which one person may pair one device."""
    agent = Agent(said.agent.id, said.agent.name, said.agent.email, said.agent.avatar_url)
    offered = services().devices.offer(work, agent, frozenset(said.rights), g.now)
    url = app_link(base_url(), offered.code)
    return _json(PairingOffer(offered.code, url, rfc3339(offered.expires_at)))


@blueprint.get("/v1/store/devices")
@signed_by_store()
def devices(signed: SignedRequest, work: Work) -> Response:  # noqa: ARG001 - every signed view gets the work
    """The site's devices."""
    found = services().devices.devices(signed.site.id)
    return _json(DeviceList([presentation.device(each) for each in found]))


@blueprint.delete("/v1/store/devices/<id:device>")
@signed_by_store()
def sign_out_device(signed: SignedRequest, work: Work, device: str) -> Response:  # noqa: ARG001 - the work knows the site
    """Sign a device out at once."""
    services().sign_out.device(work, device, g.now)
    return _json(SignedOut(1))


@blueprint.delete("/v1/store/agents/<id:agent>")
@signed_by_store()
def sign_out_agent(signed: SignedRequest, work: Work, agent: str) -> Response:  # noqa: ARG001 - the work knows the site
    """Sign out all devices of one person at once."""
    return _json(SignedOut(services().sign_out.agent(work, agent, g.now)))


def app_link(base: str, code: str) -> str:
    """The link that opens the app and pairs it: the code is in the fragment, which no server
    logs."""
    return f"{base}/app/#pair={code}"


def _json(answer: msgspec.Struct) -> Response:
    return Response(to_json(answer), content_type=body.JSON)
