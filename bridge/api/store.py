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
    PrivacyErased,
    PrivacyExport,
    PrivacyRequest,
    SignedOut,
    StoreConnect,
    StoreConnected,
    StoreStatus,
    to_json,
)
from bridge.api.services import services
from bridge.api.signed_requests import SignedRequest, signed_by_store
from bridge.domain.customer import email_address
from bridge.errors import InvalidError
from bridge.ports import Agent, StoreConnection, Work
from bridge.services.addresses import origin_of
from bridge.services.incoming import Incoming, Result
from bridge.services.privacy import Person
from bridge.times import rfc3339

blueprint = Blueprint("store", __name__)

_connect = msgspec.json.Decoder(StoreConnect)
_pairing = msgspec.json.Decoder(PairingRequest)
_privacy = msgspec.json.Decoder(PrivacyRequest)


def _read_connection(signed: SignedRequest) -> StoreConnection:
    app = services()
    said = body.decode(signed.content, _connect)
    if said.admin_url is not None and origin_of(said.admin_url) is None:
        detail = "It is no http or https address."
        raise InvalidError(detail, errors=(("/admin_url", detail),))
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
        admin_url=said.admin_url,
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
            woocommerce=presentation.woocommerce(app.look_ups.health(signed.site.id)),
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


def _read_person(signed: SignedRequest) -> PrivacyRequest:
    said = body.decode(signed.content, _privacy)
    if not (said.email or said.customer_id or said.visitor):
        raise InvalidError("Name the person by email, customer_id or visitor.")
    if said.email and email_address(said.email) is None:
        detail = "It is no email address."
        raise InvalidError(detail, errors=(("/email", detail),))
    return said


@blueprint.post("/v1/store/privacy/export")
@signed_by_store(_read_person, remembered=False)
def export(signed: SignedRequest, work: Work, said: PrivacyRequest) -> Response:  # noqa: ARG001 - every signed view gets the request
    """All that is kept of a person."""
    person = Person(said.email, said.customer_id, said.visitor)
    found = services().privacy.export(work, person, said.cursor)
    return _json(PrivacyExport(found.visitors, found.customers, found.conversations, found.after))


@blueprint.post("/v1/store/privacy/erase")
@signed_by_store(_read_person)
def erase(signed: SignedRequest, work: Work, said: PrivacyRequest) -> Response:  # noqa: ARG001 - every signed view gets the request
    """Erase what is kept of a person."""
    person = Person(said.email, said.customer_id, said.visitor)
    erased = services().privacy.erase(work, person, g.now)
    return _json(msgspec.convert(erased, PrivacyErased, from_attributes=True))


def app_link(base: str, code: str) -> str:
    """The link that opens the app and pairs it: the code is in the fragment, which no server
    logs."""
    return f"{base}/app/#pair={code}"


def _json(answer: msgspec.Struct) -> Response:
    return Response(to_json(answer), content_type=body.JSON)
