"""Everything that can go wrong, as one tree.

WyomingTtsError
├── ConfigError                 start-up: a message and exit status 2
├── RequestError                the caller's mistake: no retry, no fallback
│   ├── UnknownVoiceError       unknown-voice        404
│   ├── UnsupportedFormatError  unsupported-format   400
│   ├── InvalidTextError        invalid-text         400
│   ├── ProtocolError           invalid-frame        400
│   └── TextTooLongError        text-too-long        413
├── ServerBusyError             server-busy          429   retry_after
└── BackendError                this backend failed: another may speak the sentence
    ├── BackendUnavailableError backend-unavailable  503
    ├── BackendTimeoutError     backend-timeout      504
    ├── BackendOverloadedError  backend-overloaded   503
    ├── BackendQuotaError       backend-quota        503
    ├── BackendAuthError        backend-auth         502
    └── SynthesisError          synthesis-failed     500
"""

from typing import ClassVar


class WyomingTtsError(Exception):
    """Any error of this project; its message is fit to be shown to a user."""

    code: ClassVar[str] = "internal-error"
    """What goes into the `code` of a Wyoming `error` event."""

    http_status: ClassVar[int] = 500
    """What an HTTP server answers with."""

    retryable: ClassVar[bool] = False
    """Whether the same request may succeed later."""


class ConfigError(WyomingTtsError):
    """A setting is wrong: said at start-up, with exit status 2."""

    code = "config-error"


class RequestError(WyomingTtsError):
    """The caller's mistake: retrying or falling back would not help."""

    code = "bad-request"
    http_status = 400


class UnknownVoiceError(RequestError):
    """No voice has the name that was asked for."""

    code = "unknown-voice"
    http_status = 404


class UnsupportedFormatError(RequestError):
    """The audio or text format that was asked for is not offered."""

    code = "unsupported-format"


class InvalidTextError(RequestError):
    """The text, or an event that should carry it, is not what it must be."""

    code = "invalid-text"


class ProtocolError(RequestError):
    """What arrived is no Wyoming event, or not at the place where it may come."""

    code = "invalid-frame"


class TextTooLongError(RequestError):
    """More text than the server accepts in one stream."""

    code = "text-too-long"
    http_status = 413


class ServerBusyError(WyomingTtsError):
    """More streams or connections than the server accepts at once."""

    code = "server-busy"
    http_status = 429
    retryable = True

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        """`retry_after` is in seconds."""
        super().__init__(message)
        self.retry_after = retry_after


class BackendError(WyomingTtsError):
    """This backend failed; another may speak the sentence if none of it is out yet."""

    code = "backend-error"
    http_status = 503
    retryable = True

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        """`retry_after` is in seconds, where the backend said when to ask again."""
        super().__init__(message)
        self.retry_after = retry_after


class BackendUnavailableError(BackendError):
    """The backend cannot be reached, or its model cannot be loaded."""

    code = "backend-unavailable"


class BackendTimeoutError(BackendError):
    """The backend did not answer in time."""

    code = "backend-timeout"
    http_status = 504


class BackendOverloadedError(BackendError):
    """The backend has too much to do."""

    code = "backend-overloaded"


class BackendQuotaError(BackendError):
    """The backend's quota or credit is used up."""

    code = "backend-quota"


class BackendAuthError(BackendError):
    """The backend refused the credentials."""

    code = "backend-auth"
    http_status = 502


class SynthesisError(BackendError):
    """The backend ran and failed to make audio of this text."""

    code = "synthesis-failed"
    http_status = 500
