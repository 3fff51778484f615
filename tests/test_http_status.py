"""Health, readiness, metrics, and what the studio asks for."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.fakes import ScriptedBackend
from tests.http import READY, http_serving
from wyoming_tts.errors import BackendUnavailableError
from wyoming_tts.metrics import Metrics
from wyoming_tts.status import BackendStatus
from wyoming_tts.types import Progress

DOWN = BackendStatus(name="box", engine="a box", circuit="open", reason="no route", retry_seconds=4.0)
LOADING = BackendStatus(name="scripted", engine="a script, loading", circuit="closed", loaded=False)


async def test_health_says_what_is_active(tmp_path: Path) -> None:
    """With the first backend all is well; with another it is degraded; with none it fails."""
    for statuses, state, engine in (
        ((READY,), "healthy", "a script"),
        ((DOWN, READY), "degraded", "a script"),
        ((DOWN,), "failing", None),
    ):
        async with http_serving(tmp_path, statuses=statuses) as served:
            found = (await served.client.get("/health")).json()
        assert (found["status"], found["engine"]) == (state, engine)
        assert [one["circuit"] for one in found["backends"]] == [one.circuit for one in statuses]


async def test_ready_when_a_sentence_would_be_spoken(tmp_path: Path) -> None:
    """Not while the model still loads, and not with everything down."""
    for statuses, status in (((READY,), 200), ((LOADING,), 503), ((DOWN,), 503), ((DOWN, READY), 200)):
        async with http_serving(tmp_path, statuses=statuses) as served:
            assert (await served.client.get("/ready")).status_code == status


def samples_of(text: str) -> dict[tuple[str, str], float]:
    """Each sample by its name and labels."""
    return {
        (
            sample.name,
            ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_count_what_was_spoken(tmp_path: Path) -> None:
    """In Prometheus' own words, by backend and voice; what failed is not counted as spoken."""
    backend = ScriptedBackend(
        lambda request: [BackendUnavailableError("x")] if "fail" in request.text else [24_000]
    )
    async with http_serving(tmp_path, backend, statuses=(READY, DOWN)) as served:
        for text in ("One.", "Two.", "I fail."):
            await served.speak(input=text, voice="adam")
        answer = await served.client.get("/metrics")
    found = samples_of(answer.text)
    labels = "backend=scripted,voice=adam"
    assert found["wyoming_tts_streams_total", labels] == 2
    assert found["wyoming_tts_audio_seconds_total", labels] == 2
    assert found["wyoming_tts_first_audio_seconds_count", labels] == 2
    assert found["wyoming_tts_real_time_factor_count", labels] == 2
    assert found["wyoming_tts_circuit_state", "backend=box,state=open"] == 1
    assert found["wyoming_tts_circuit_state", "backend=scripted,state=closed"] == 1


def test_fallbacks_underruns_and_many_voices_are_counted() -> None:
    """Whoever names a new blend in every request does not make the metrics grow for ever."""
    metrics = Metrics(lambda: ())
    for number in range(500):
        metrics.observe(
            Progress(
                stream="1",
                backend="espeak",
                characters=5,
                sentences=1,
                audio_seconds=1.0,
                elapsed_seconds=0.5,
                first_audio_seconds=0.1,
                fraction=1.0,
                finished=True,
                voice=f"blend({number})",
                wanted_backend="kokoro",
                underruns=2,
            )
        )
    found = samples_of(metrics.text().decode())
    assert found["wyoming_tts_fallbacks_total", "backend=espeak"] == 500
    assert found["wyoming_tts_underruns_total", "backend=espeak"] == 1000
    labels = [of for name, of in found if name == "wyoming_tts_streams_total"]
    assert len(labels) == 201
    assert found["wyoming_tts_streams_total", "backend=espeak,voice=other"] == 300


async def test_the_studio_reads_a_text(tmp_path: Path) -> None:
    """Sentence by sentence: cleaned, in words, in phonemes."""
    async with http_serving(tmp_path) as served:
        body = {"text": "It is **20 °C**. Bye.", "voice": "heart"}
        found = (await served.client.post("/studio/reading", json=body)).json()["sentences"]
    assert [one["normalised"] for one in found] == ["It is twenty degrees Celsius.", "Bye."]
    assert found[0]["phonemes"]


async def test_the_lexicon_is_saved_or_left(tmp_path: Path) -> None:
    """What can be read is saved and used at once; what cannot is named with its line and changes nothing."""
    entry = '[[entry]]\ntext = "Siobhan"\nsay = "Shivawn"\n'
    async with http_serving(tmp_path) as served:
        assert (await served.client.get("/studio/lexicon")).json()["text"] == ""
        saved = await served.client.put("/studio/lexicon", json={"text": entry})
        assert (saved.status_code, saved.json()["problems"]) == (200, []), saved.text
        await served.speak(input="Siobhan is here.")
        assert served.backend.requests[-1].text == "Shivawn is here."
        wrong = await served.client.put("/studio/lexicon", json={"text": "[[entry]\n"})
        assert wrong.status_code == 400
        assert "line" in wrong.json()["error"]["message"]
        assert (await served.client.get("/studio/lexicon")).json()["text"] == entry
        status = (await served.client.get("/studio/status")).json()
    assert status["backends"][0]["name"] == "scripted"
    assert status["costs"] == []
