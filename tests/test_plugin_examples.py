"""The examples of plugins do what they say, as files in the directory too."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import VOICES, ScriptedBackend
from tests.plugged import RATE, joined, listen, make, ramp
from wyoming_tts import PluginStream, Samples, plugin_examples
from wyoming_tts.plugin_examples import names, telephone
from wyoming_tts.plugin_loading import FOLDER, load_plugins
from wyoming_tts.plugins import Plugins

EXAMPLES = sorted(path for path in Path(plugin_examples.__file__).parent.glob("*.py") if path.name[0] != "_")


def noise(seconds: float) -> Samples:
    return np.random.default_rng(7).uniform(-0.3, 0.3, round(seconds * RATE)).astype(np.float32)


def filtered(windows: list[Samples], rate: int = RATE) -> Samples:
    stream = PluginStream(VOICES[0], rate)
    return np.concatenate([telephone.post_process_audio(window, stream) for window in windows])


def test_all_examples_work_as_files(tmp_path: Path) -> None:
    """Copied into the directory, each is a plugin."""
    (tmp_path / FOLDER).mkdir(mode=0o755)
    for path in EXAMPLES:
        shutil.copyfile(path, tmp_path / FOLDER / path.name)
        (tmp_path / FOLDER / path.name).chmod(0o644)
    plugins = load_plugins(tmp_path)
    assert plugins.names == tuple(path.name for path in EXAMPLES)
    assert [len(hooks) for hooks in plugins.streams.hooks.values()] == [1, 0, 0, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Niamh's room is cold.", "Neev's room is cold."),
        ("AOIFE and Siobhán, and nobody else.", "Eefa and Shivawn, and nobody else."),
        ("Niamhs are left alone.", "Niamhs are left alone."),
    ],
)
async def test_names_are_said_as_they_sound(text: str, said: str, plugins: Plugins) -> None:
    """Whole words are found in any case, and what is behind an apostrophe stays."""
    plugins.add([("names", names)])
    backend = ScriptedBackend()
    await listen(make(plugins, backend), text)
    assert backend.texts == said


@given(st.lists(st.integers(0, 3000), max_size=8))
def test_telephone_windows_are_the_whole(sizes: list[int]) -> None:
    """However the audio is cut, the filtered pieces are the filtered whole."""
    audio = noise(0.3)
    cuts = np.minimum(np.cumsum(sizes, dtype=int), len(audio))
    np.testing.assert_allclose(filtered(np.split(audio, cuts)), filtered([audio]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100])
def test_telephone_is_the_filter_it_says(rate: int) -> None:
    """The sections in a row are what another implementation makes of them, and pass 300 to 3,400 Hz."""
    audio = noise(0.2)
    expected = audio.astype(np.float64)
    for kind, edge in (("high", telephone.LOW), ("low", telephone.HIGH)):
        for sharpness in telephone.SHARPNESS:
            over, under = telephone.section(kind, edge, sharpness, rate)
            expected = scipy.signal.lfilter(over, (1.0, *under), expected)
    np.testing.assert_allclose(filtered([audio], rate), expected, rtol=0, atol=1e-6)

    def level(frequency: float) -> float:
        tone = np.sin(2 * np.pi * frequency / rate * np.arange(rate)).astype(np.float32)
        heard = filtered([tone], rate)[rate // 2 :]
        return 20 * np.log10(np.sqrt(2 * np.square(heard).mean()))

    assert abs(level(1000)) < 0.1
    assert level(300) == pytest.approx(-3, abs=0.3)
    assert level(3400) == pytest.approx(-3, abs=0.3)
    assert level(100) < -30
    assert level(7000) < -20


async def test_telephone_has_no_seam_in_a_stream(plugins: Plugins) -> None:
    """Through the pipeline, chunk by chunk, it is one filter over all of the stream, pauses included."""
    plugins.add([("telephone", telephone)])
    backend = ScriptedBackend(ramp(1000, 37, 2400))
    text = "This is the first sentence. This is the second one."
    chunks = await listen(make(plugins, backend, sentence_silence=0.1), text)
    sentence = np.concatenate([(np.arange(3437) / 100_000).astype(np.float32), np.zeros(2400, np.float32)])
    np.testing.assert_allclose(joined(chunks), filtered([np.tile(sentence, 2)]), rtol=0, atol=1e-6)
