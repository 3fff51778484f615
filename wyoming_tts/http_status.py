"""Whether the server is well: `/health`, `/ready`, `/metrics`."""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from wyoming_tts import __version__
from wyoming_tts.http_site import Site
from wyoming_tts.metrics import CONTENT_TYPE


def router(site: Site) -> APIRouter:
    """The routes for whoever watches."""
    routes = APIRouter(tags=["status"])

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        """What is really active: the engine, the backends and their circuits, queues and the cache."""
        return health_of(site)

    @routes.get("/ready", responses={503: {"description": "No backend can speak yet"}})
    async def ready() -> JSONResponse:
        """200 when a sentence would be spoken now, 503 before."""
        first = next((one for one in site.statuses() if one.circuit != "open"), None)
        is_ready = first is not None and first.loaded
        body = {"ready": is_ready, "backend": first.name if first else None}
        return JSONResponse(body, 200 if is_ready else 503)

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Counters and histograms for Prometheus."""
        return Response(site.metrics.text(), media_type=CONTENT_TYPE)

    return routes


def health_of(site: Site) -> dict[str, Any]:
    """As JSON."""
    statuses = site.statuses()
    usable = [one for one in statuses if one.circuit != "open"]
    state = "healthy" if usable and usable[0] is statuses[0] else "degraded" if usable else "failing"
    return {
        "status": state,
        "version": __version__,
        "engine": usable[0].engine if usable else None,
        "default_voice": site.catalogue.default.name,
        "voices": len(site.catalogue.voices()),
        "requests": site.gate.inside,
        "wyoming_connections": site.connections(),
        "wyoming": site.wyoming_uri,
        "backends": [dataclasses.asdict(one) for one in statuses],
    }
