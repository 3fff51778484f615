"""Errors as OpenAI's API writes them, and the one place where an HTTP client is told of one."""

from __future__ import annotations

import logging
import math
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from wyoming_tts.errors import BackendError, InvalidTextError, ServerBusyError, WyomingTtsError

_LOGGER = logging.getLogger(__name__)

MESSAGE_CHARACTERS = 1000
"""An error's text is for people; what it quotes of a request must not make it a load."""

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    421: "permission_error",
    429: "rate_limit_error",
}


DOCUMENTED = {
    400: "The request is wrong",
    401: "A key is needed",
    403: "Not from here",
    404: "There is no such voice or model",
    408: "The body did not arrive in time",
    413: "The text or the body is too long",
    421: "The server does not know itself by this name",
    429: "Too many at the same time; Retry-After says when to come again",
    500: "The text could not be spoken",
    502: "A service refused the server's own key",
    503: "No backend can speak now",
    504: "No backend answered in time",
}
"""Statuses that any route may answer with."""


class ErrorBody(BaseModel):
    """What went wrong."""

    message: str
    """In words, for a person."""

    type: str
    """Kind of error: `invalid_request_error`, `authentication_error`, `server_error` and so on."""

    param: str | None = None
    """Which part of the request was wrong."""

    code: str | None = None
    """One word for a program: `unknown-voice`, `server-busy`..."""


class ErrorAnswer(BaseModel):
    """The body of every answer that is an error."""

    error: ErrorBody


def answer(
    status: int,
    message: str,
    *,
    param: str | None = None,
    code: str | None = None,
    retry_after: float | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error as OpenAI's API writes it."""
    kind = _KINDS.get(status, "invalid_request_error" if status < 500 else "server_error")
    body = {"message": message[:MESSAGE_CHARACTERS], "type": kind, "param": param, "code": code}
    headers = dict(headers or {})
    if retry_after is not None:
        headers["Retry-After"] = str(math.ceil(max(1.0, retry_after)))
    return JSONResponse({"error": body}, status, headers)


def answer_to(error: WyomingTtsError) -> JSONResponse:
    """What a client is told of one of our errors."""
    _LOGGER.warning("An HTTP client got an error (%s): %.300s", error.code, error)
    retry_after = error.retry_after if isinstance(error, ServerBusyError | BackendError) else None
    if error.http_status in (429, 503) and retry_after is None:
        retry_after = 5.0
    param = "input" if isinstance(error, InvalidTextError) else None
    return answer(
        error.http_status,
        str(error) or type(error).__name__,
        code=error.code,
        param="voice" if error.code == "unknown-voice" else param,
        retry_after=retry_after,
    )


def install(app: FastAPI) -> None:
    """Answer every error of an app in this form."""
    app.add_exception_handler(WyomingTtsError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, WyomingTtsError)
    return answer_to(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """What pydantic says of the first fault, without what was sent."""
    assert isinstance(error, RequestValidationError)
    faults: list[dict[str, Any]] = list(error.errors())
    place = [str(part) for part in faults[0]["loc"] if part not in ("body", "query", "path", "header")]
    reasons = "; ".join(
        f"{'.'.join(map(str, fault['loc'][1:])) or 'body'}: {fault['msg']}" for fault in faults
    )
    return answer(400, reasons, param=".".join(place) or None, code="invalid-request")


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    message = f"{error.detail}: {request.method} {request.url.path}"
    return answer(error.status_code, message, headers=dict(error.headers or {}))


async def _gone(request: Request, error: Exception) -> Response:
    """For nobody: the client has left."""
    return Response(status_code=499)


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOGGER.error("An HTTP client's request failed unexpectedly", exc_info=error)
    return answer(500, "The server failed unexpectedly; its log says more.", code=WyomingTtsError.code)
