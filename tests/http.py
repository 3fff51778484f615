"""A real HTTP server around a scripted backend, on a free port, and real clients of it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np

from tests.fakes import PATIENCE, ScriptedBackend
from wyoming_tts.access import Access
from wyoming_tts.catalogue import LiveCatalogue
from wyoming_tts.http_server import HttpServer
from wyoming_tts.http_site import HttpSettings, Site
from wyoming_tts.metrics import Metrics
from wyoming_tts.pipeline import Pipeline, PipelineSettings
from wyoming_tts.presets import FILE_NAME as PRESETS_FILE
from wyoming_tts.presets import Presets
from wyoming_tts.status import BackendStatus
from wyoming_tts.text.lexicon import FILE_NAME as LEXICON_FILE
from wyoming_tts.text.lexicon import Lexicon
from wyoming_tts.types import Samples
from wyoming_tts.voices import voices_directory

READY = BackendStatus(name="scripted", engine="a script", circuit="closed", voices=3)


@dataclass
class Served:
    """A server, and what is behind it."""

    server: HttpServer
    site: Site
    backend: ScriptedBackend
    client: httpx.AsyncClient

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def speak(self, **body: Any) -> httpx.Response:
        """Ask OpenAI's way."""
        return await self.client.post("/v1/audio/speech", json={"input": "Hello there.", **body})


@contextlib.asynccontextmanager
async def http_serving(
    data_dir: Path,
    backend: ScriptedBackend | None = None,
    *,
    statuses: Sequence[BackendStatus] = (READY,),
    access: Access | None = None,
    key: str = "",
    sentence_silence: float = 0.0,
    **settings: Any,
) -> AsyncIterator[Served]:
    """The real server, pipeline and catalogue; `settings` are those of `HttpSettings`."""
    backend = backend or ScriptedBackend()
    catalogue = LiveCatalogue(backend.voices, backend.voices()[0].name, Presets(data_dir / PRESETS_FILE))
    lexicon = Lexicon(data_dir / LEXICON_FILE)
    pauses = PipelineSettings(sentence_silence=sentence_silence, clause_silence=0.0, detect_language=False)
    pipeline = Pipeline(backend, catalogue, pauses, lexicon=lexicon)
    metrics = Metrics(lambda: statuses)
    pipeline.observe(metrics.observe)
    site = Site(
        pipeline=pipeline,
        catalogue=catalogue,
        lexicon=lexicon,
        data_dir=data_dir,
        voices_dir=voices_directory(),
        statuses=lambda: statuses,
        metrics=metrics,
        settings=HttpSettings(access=access or Access(), **settings),
    )
    server = HttpServer(site)
    await server.start("http://127.0.0.1:0")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE, headers=headers
        ) as client:
            yield Served(server, site, backend, client)
    finally:
        await server.stop()


def decoded(data: bytes) -> Samples:
    """Mono samples at 24 kHz of any file, by PyAV."""
    container: Any
    with av.open(io.BytesIO(data)) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=24_000)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])
