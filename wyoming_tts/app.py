"""The composition root: builds every part once, starts them in order and stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping

from wyoming.info import Info

from wyoming_tts import __version__
from wyoming_tts.access import AllowList
from wyoming_tts.assembly import assemble, prepare_texts
from wyoming_tts.backends.cache import CachedBackend
from wyoming_tts.config import Settings
from wyoming_tts.errors import ConfigError, WyomingTtsError
from wyoming_tts.heap import keep_heap_small
from wyoming_tts.http_assembly import HttpSide
from wyoming_tts.logs import DebugSwitch, set_up
from wyoming_tts.overview import info_of
from wyoming_tts.wire import Limits
from wyoming_tts.wyoming_connection import WyomingSettings
from wyoming_tts.wyoming_server import WyomingServer
from wyoming_tts.zeroconf import Advertisement, instance_name, listening_on, pack_properties

_LOGGER = logging.getLogger(__name__)


def run(settings: Settings, earlier: Iterable[logging.LogRecord] = ()) -> int:
    """Serve until told to stop by SIGINT or SIGTERM; returns the exit status. Raises ConfigError.

    `earlier` was logged while the settings were read.
    """
    set_up(settings.log_level, settings.log_format, earlier)
    keep_heap_small()
    return asyncio.run(App(settings).serve())


class App:
    """One server process: a chain of backends, a pipeline over it, and the servers that offer it."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigError for settings that cannot work together."""
        self._settings = settings
        built = assemble(settings)
        self._plugins, self._chain = built.plugins, built.chain
        self._catalogue, self._pipeline = built.catalogue, built.pipeline
        self._wyoming = WyomingServer(self._pipeline, self._info, wyoming_settings(settings))
        self._http = HttpSide(settings, built, lambda: self._wyoming.connections)
        self._stop = asyncio.Event()
        self._exit_status = 0

    async def serve(self) -> int:
        """Listen first, load behind it, and serve until a signal comes; returns the exit status."""
        debug = DebugSwitch(self._settings.log_level)
        stop = self._stop.set
        with _signals({signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGUSR1: debug.toggle}):
            await self._wyoming.start(self._settings.uri)
            _LOGGER.info("Listening on %s", self._settings.uri)
            advertisement = self._advertisement()
            if advertisement:
                await advertisement.start()
            begun = [
                asyncio.create_task(self._load(), name="load"),
                asyncio.create_task(self._offer_http(), name="http"),
            ]
            try:
                await self._until_stopped()
            finally:
                await self._shut_down(advertisement, begun)
        return self._exit_status

    async def _offer_http(self) -> None:
        try:
            await self._http.start()
        except ConfigError as error:
            _LOGGER.error("%s", error)
            self._end(2)
        except Exception:  # there is Wyoming still
            _LOGGER.exception("No HTTP")

    async def _load(self) -> None:
        """Start the backend; a server that cannot speak ends, so that whoever watches it notices."""
        texts = asyncio.to_thread(prepare_texts, self._settings, self._catalogue)
        try:
            await asyncio.gather(self._chain.start(), texts)
        except WyomingTtsError as error:
            _LOGGER.error("Cannot speak: %s", error)
            self._end(2 if isinstance(error, ConfigError) else 1)
        except Exception:  # whatever it is, a server that listens and never speaks is worse
            _LOGGER.exception("Cannot speak")
            self._end(1)
        else:
            _LOGGER.info("Ready: %s", "; ".join(self._engines()))
            await self._pipeline.warm_up(self._settings.warm_up)

    def _end(self, exit_status: int) -> None:
        self._exit_status = exit_status
        self._stop.set()

    async def _until_stopped(self) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._stop, self._wyoming.ended)]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _shut_down(self, advertisement: Advertisement | None, begun: list[asyncio.Task[None]]) -> None:
        _LOGGER.info("Stopping")
        if advertisement:
            await advertisement.stop()
        grace = self._settings.shutdown_grace
        await asyncio.gather(self._wyoming.stop(grace), self._http.stop(grace))
        for task in begun:
            task.cancel()
        await asyncio.gather(*begun, return_exceptions=True)
        await self._chain.stop()
        self._plugins.close()
        for member in self._chain.members:
            if isinstance(member.backend, CachedBackend):
                _LOGGER.info("The cache of %s: %s", member.name, member.backend.statistics())

    def _engines(self) -> list[str]:
        """Those that can speak."""
        return [member.backend.engine for member in self._chain.members if member.circuit.usable]

    def _info(self) -> Info:
        return info_of(self._chain, self._catalogue.current(), self._settings.streaming)

    def _advertisement(self) -> Advertisement | None:
        """What to announce; None when there is nothing that others could reach."""
        bound, port = listening_on(self._wyoming.sockets)
        wanted = self._settings.zeroconf
        if not wanted or not bound:
            return None
        name = instance_name(wanted, self._settings.data_dir, port)
        voices = [voice for voice in self._catalogue.voices() if not voice.last_resort]
        properties = pack_properties(__version__, self._catalogue.default.name, voices)
        return Advertisement(name, bound, port, properties, interval=self._settings.zeroconf_interval)


@contextlib.contextmanager
def _signals(handlers: Mapping[int, Callable[[], None]]) -> Iterator[None]:
    """Call what stands beside a signal when it comes."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)


def wyoming_settings(settings: Settings) -> WyomingSettings:
    """What the settings say of clients, and of what they may ask for."""
    limits = Limits(
        line_bytes=settings.max_line_bytes,
        data_bytes=settings.max_data_bytes,
        payload_bytes=settings.max_payload_bytes,
        idle_seconds=settings.idle_timeout,
        frame_seconds=settings.frame_timeout,
    )
    return WyomingSettings(
        limits=limits,
        streaming=settings.streaming,
        samples_per_chunk=settings.samples_per_chunk,
        max_text_characters=settings.max_text,
        allow=AllowList.of(settings.allow),
        max_connections=settings.max_connections,
        write_seconds=settings.write_timeout,
    )
