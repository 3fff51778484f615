"""The caller's text as it arrives, plain or SSML, becomes sentences with the style each is spoken in."""

from __future__ import annotations

from dataclasses import dataclass

from wyoming_tts.text.aligned import AlignedText
from wyoming_tts.text.split import Kind, Segment, Splitter
from wyoming_tts.text.ssml import SsmlReader, Style
from wyoming_tts.text.ssml_runs import joined

PLAIN = Style()
"""The voice as it was asked for."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of text to be spoken in one go."""

    text: AlignedText
    """As written, with its markup; aligned to the caller's text."""

    kind: Kind
    """What it ends with."""

    style: Style = PLAIN
    """How it is spoken."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A silence that the caller asked for."""

    seconds: float
    """How long; more than 0."""


Step = Sentence | Pause


class SentenceReader:
    """Divides one text, which may arrive in any pieces, into what is spoken one by one."""

    def __init__(self, *, ssml: bool = False) -> None:
        """With `ssml` the text is a document whose tags are obeyed."""
        self.source = ""
        """All of the caller's text that has arrived."""
        self._ssml = SsmlReader() if ssml else None
        self._style = PLAIN
        self._splitter = Splitter()
        self._pieces: list[AlignedText] = []
        self._begun = 0

    @property
    def pending(self) -> bool:
        """Whether text is held back that is not only space."""
        return self._splitter.pending

    @property
    def queued(self) -> bool:
        """Whether the listener has sound enough that a short sentence may wait for the next one."""
        return self._splitter.queued

    @queued.setter
    def queued(self, queued: bool) -> None:
        self._splitter.queued = queued

    def feed(self, piece: str) -> list[Step]:
        """Take the next piece; returns what is complete with it."""
        offset = len(self.source)
        self.source += piece
        if self._ssml is None:
            return self._read(AlignedText.of(piece, offset))
        return self._obey(piece, finish=False)

    def flush(self) -> list[Step]:
        """A quiet moment: what ends in a stop is complete."""
        return self._steps(self._splitter.flush())

    def finish(self) -> list[Step]:
        """The text ends here; returns all that is left of it."""
        steps = self._obey("", finish=True) if self._ssml else []
        return steps + self._end()

    def _obey(self, piece: str, *, finish: bool) -> list[Step]:
        assert self._ssml is not None
        runs = self._ssml.finish() if finish else self._ssml.feed(piece)
        steps: list[Step] = []
        for run in runs:
            if run.style != self._style:
                steps += self._end()
                self._style = run.style
            steps += self._read(run.text)
            if run.boundary != "none" or run.pause:
                steps += self._end(run.boundary == "paragraph")
            if run.pause:
                steps.append(Pause(run.pause))
        return steps

    def _read(self, text: AlignedText) -> list[Step]:
        self._pieces.append(text)
        return self._steps(self._splitter.feed(text.text))

    def _steps(self, segments: list[Segment]) -> list[Step]:
        if not segments:
            return []
        text, first = joined(self._pieces), self._begun
        self._begun = segments[-1].end
        self._pieces = [text[self._begun - first :]]
        return [
            Sentence(text[segment.start - first : segment.end - first], segment.kind, self._style)
            for segment in segments
        ]

    def _end(self, paragraph: bool = False) -> list[Step]:
        """End the sentence here, whatever it ends with; what follows is split anew."""
        steps = self._steps(self._splitter.finish())
        if paragraph and steps and isinstance(last := steps[-1], Sentence):
            steps[-1] = Sentence(last.text, "paragraph", last.style)
        fresh = Splitter() if not self._begun else Splitter(first_clause=False)
        fresh.queued = self.queued
        self._splitter, self._pieces, self._begun = fresh, [], 0
        return steps
