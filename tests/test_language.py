"""The language of a text is named only when it is sure."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.fakes import PATIENCE, ScriptedBackend
from tests.fakes import VOICES as SPEAKERS
from wyoming_tts.pipeline import Pipeline, PipelineSettings, at_once
from wyoming_tts.text import language
from wyoming_tts.text.language import detect_language
from wyoming_tts.voices import VoiceCatalogue

VOICES = ("en-US", "en-GB", "es", "fr-FR", "hi", "it", "pt-BR", "ja", "zh-CN")

ENGLISH = """
Turned on the lights
Joaquin's lamp in Le Petit Salon is on
The temperature in the living room is 21.5 °C and partly cloudy.
Sorry, I couldn't understand that
Timer set
Lights off
Kitchen lamp
Volume set to 50 percent
Playing Despacito by Luis Fonsi
Playing La Vida Es Un Carnaval by Celia Cruz
La Casa Bonita is closed
Alarm armed
Living room: 21 °C
Good morning, Sofia
Now playing Bohemian Rhapsody
Front door unlocked
No timers
Done
Added tortillas to the shopping list
The vacuum is docked
Unavailable
Locked
Humidity is 45 %
Garage door opened
Arrivederci Roma is playing in the Sala
Movie night scene activated
Motion detected in the patio
Set temperature to 20 degrees
Bedroom fan on
Joaquin arrived home
Added jalapeños and crème fraîche to the list
Café Mocha brewing
Rain expected
Sunset at 7:05 PM
Radio Paris
Cloudy, 12 degrees
Battery low: sensor patio
Casa motion sensor
Roomba El Toro is cleaning
Netflix paused
November 21st, 2026
Medium
Vacuum returning
Office heater on
Not found
Media paused
Opened Marco's blinds
Temperature 21 degrees
The Casa de la Luna blinds are 45 % open
I added baguettes, prosciutto and queso to your list
Your next event is dinner with Maria at Il Forno
The song is Non, je ne regrette rien by Edith Piaf
There are no lights on in the studio
Sensor value is unknown
Armed away
Total energy today: 12.4 kWh
Garden irrigation done
Camera offline
Sure! What else can I do for you?
Your package from Amazon arrives tomorrow
Hotel California
Voice assistant ready
Radiator in Chambre d'amis is off
Luigi's garage is open
It's 5 o'clock in Rio de Janeiro
Set volume of Sonos Arc to 30 percent
"""

OTHERS = {
    "es": """
Encendí la luz del salón.
La temperatura es de 21 grados.
Buenos días, ¿cómo estás hoy?
La puerta del garaje está abierta.
Lo siento, no te he entendido
Hoy va a llover por la tarde.
La lavadora ha terminado.
Son las siete y cinco.
""",
    "fr-FR": """
J'ai allumé la lumière du salon.
Il fait 21 degrés dans la chambre.
La porte du garage est ouverte.
Minuteur de cinq minutes démarré.
Désolé, je n'ai pas compris
Lumières éteintes
Bonjour, comment allez-vous ?
La machine à laver a terminé.
""",
    "it": """
Ho acceso la luce in cucina.
La temperatura in soggiorno è di 21 gradi.
La porta del garage è aperta.
Timer di cinque minuti avviato.
Mi dispiace, non ho capito
Buongiorno, come stai?
Oggi pioverà nel pomeriggio.
La lavatrice ha finito.
""",
    "pt-BR": """
Acendi a luz da cozinha.
A temperatura na sala é de 21 graus.
A porta da garagem está aberta.
Desculpe, não entendi
Bom dia, como você está?
Hoje vai chover à tarde.
São sete e cinco.
""",
    "ja": """
リビングの電気をつけました。
電気消灯完了
Netflixを再生します
明日の東京の天気は晴れです
""",
    "zh-CN": """
客厅的灯已经打开了。
客廳的燈已經打開了
好的
现在是七点零五分
""",
    "hi": """
नमस्ते, आप कैसे हैं?
बत्ती जला दी गई है
""",
}

NOT_SURE = """
Das Licht im Wohnzimmer ist an.
Het licht in de keuken is aan.
Guten Morgen, wie geht es dir?
Lampan i köket är tänd.
Światło w kuchni jest włączone.
Включаю свет в гостиной
أضأت المصباح في المطبخ
거실 불을 켰습니다
Temporizador de cinco minutos iniciado.
Hola
21.5 °C
...
sensor.temp_2
😀😀😀
"""


def _lines(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize("text", _lines(ENGLISH))
def test_english_is_never_taken_for_another_language(text: str) -> None:
    """English with names from anywhere is English, or not sure."""
    assert detect_language(text, VOICES) in (None, "en-US")


def test_plain_english_is_detected() -> None:
    """An ordinary English sentence gets the first English candidate."""
    assert detect_language("The light in the kitchen is on.", VOICES) == "en-US"
    assert detect_language("The light in the kitchen is on.", ("es", "en-GB", "en-US")) == "en-GB"


@pytest.mark.parametrize(
    ("tag", "text"), [(tag, text) for tag, texts in OTHERS.items() for text in _lines(texts)]
)
def test_other_languages_are_detected(tag: str, text: str) -> None:
    """A typical answer in another language gets that language's candidate."""
    assert detect_language(text, VOICES) == tag


@pytest.mark.parametrize("text", ["", *_lines(NOT_SURE)])
def test_doubt_gives_nothing(text: str) -> None:
    """No language is named for one without a voice, and none where two are as likely."""
    assert detect_language(text, VOICES) is None


@pytest.mark.parametrize(
    ("tag", "text"), [(tag, text) for tag, texts in OTHERS.items() for text in _lines(texts)]
)
def test_only_candidates_are_named(tag: str, text: str) -> None:
    """A language without a candidate is not named, and no other one in its place."""
    assert detect_language(text, [voice for voice in VOICES if voice != tag]) is None


def test_titles_in_another_script_do_not_decide() -> None:
    """A foreign title inside an English sentence leaves it English, or not sure."""
    assert detect_language("Now playing 夜に駆ける by YOASOBI in the kitchen", VOICES) in (None, "en-US")


def test_is_safe_in_threads() -> None:
    """Many threads at once get the same answers as one."""
    texts = [text for lines in OTHERS.values() for text in _lines(lines)] * 4
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda text: detect_language(text, VOICES), texts))
    assert found == [detect_language(text, VOICES) for text in texts]


async def test_nobody_waits_while_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that comes right after the start waits for the model by itself, and the event loop goes on."""
    monkeypatch.setattr(language, "_loaded", [])
    catalogue = VoiceCatalogue(tuple(SPEAKERS), SPEAKERS[0])
    backend = ScriptedBackend()
    pipeline = Pipeline(backend, catalogue, PipelineSettings())
    with language._loading:  # as if another thread was loading it
        chunks = pipeline.synthesize(at_once("Bonjour, je m'appelle Marie et j'habite à Paris."))
        first = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(0.1)
        assert not first.done()
    async with asyncio.timeout(PATIENCE):
        assert (await first).seconds
        await chunks.aclose()
    assert [request.voice.name for request in backend.requests] == ["siwis"]
