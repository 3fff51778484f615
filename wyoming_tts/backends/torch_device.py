"""What every backend on PyTorch settles before it loads: how threads wait, and what computes."""

from __future__ import annotations

import os
import sys

from wyoming_tts.errors import ConfigError

OUT_OF_MEMORY = ("out of memory", "allocate memory", "not enough memory")
"""What messages say of it, in small letters, where PyTorch raises a plain RuntimeError."""


def prepare_torch() -> None:
    """Call it before PyTorch is imported: threads of OpenMP shall not spin while they wait for each other.

    Where two sentences or other programs share the cores, spinning makes speech several times slower.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def choose_device(wanted: str) -> str:
    """PyTorch's name of the device to use. Raises ConfigError when this machine, or PyTorch, has it not."""
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    offered = {"cuda": cards, "mps": int(torch.backends.mps.is_available()), "cpu": 1}
    if wanted == "auto":
        return next(kind for kind, count in offered.items() if count)
    kind, _, index = wanted.partition(":")
    if int(index or 0) >= offered[kind]:
        names = ", ".join(kind for kind, count in offered.items() if count)
        raise ConfigError(f"the device {wanted!r} is not there: the installed PyTorch finds {names}")
    return wanted


def is_out_of_memory(error: BaseException) -> bool:
    """Whether it means that memory ran out, on a card or beside it."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in OUT_OF_MEMORY)


def free_cache(device: str) -> None:
    """Give back to others what PyTorch keeps of a graphics card's memory without using it."""
    if device == "cpu":
        return
    import torch

    (torch.mps if device == "mps" else torch.cuda).empty_cache()
