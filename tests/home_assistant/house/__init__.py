"""An integration for Home Assistant: what a house has that is spoken to, and that speaks.

`conversation.storyteller` answers in pieces, as a language model does; `media_player.kitchen` keeps the
address of what it was last told to play. Neither is part of what is tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from homeassistant.components import conversation, media_source
from homeassistant.components.media_player import (
    DOMAIN as PLAYERS,
)
from homeassistant.components.media_player import (
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
    async_process_play_media_url,
)

PIECES = 0.12
"""Seconds between two words of an answer."""

STORY = (
    "Once upon a time there was a lighthouse keeper who had a very small dog. Every evening the two of them "
    "climbed the stairs and lit the lamp together. One night the lamp went out, and the ships could not see "
    "the rocks any more. So the dog barked until the morning, and nobody was lost."
)


class Storyteller(conversation.ConversationEntity):
    """Tells the same story to everybody, word by word."""

    _attr_name = "Storyteller"
    _attr_unique_id = "storyteller"
    _attr_supports_streaming = True
    supported_languages = "*"

    async def _async_handle_message(self, user_input: Any, chat_log: Any) -> Any:
        async for _ in chat_log.async_add_delta_content_stream(self.entity_id, _pieces()):
            pass
        return conversation.async_get_result_from_chat_log(user_input, chat_log)


async def _pieces() -> AsyncIterator[dict[str, str]]:
    yield {"role": "assistant"}
    for word in STORY.split():
        yield {"content": f"{word} "}
        await asyncio.sleep(PIECES)


class Kitchen(MediaPlayerEntity):
    """A loudspeaker that plays nothing."""

    _attr_name = "Kitchen"
    _attr_unique_id = "kitchen"
    _attr_should_poll = False
    _attr_state = MediaPlayerState.IDLE
    _attr_supported_features = MediaPlayerEntityFeature.PLAY_MEDIA | MediaPlayerEntityFeature.MEDIA_ANNOUNCE

    async def async_play_media(self, media_type: str, media_id: str, **_: Any) -> None:
        """Keep the address that a loudspeaker would fetch."""
        if media_source.is_media_source_id(media_id):
            media_id = (await media_source.async_resolve_media(self.hass, media_id, self.entity_id)).url
        self._attr_media_content_id = async_process_play_media_url(self.hass, media_id)
        self._attr_media_content_type = MediaType.MUSIC
        self._attr_state = MediaPlayerState.PLAYING
        self.async_write_ha_state()


async def async_setup(hass: Any, config: dict[str, Any]) -> bool:
    """Put both into the house."""
    await hass.data[conversation.const.DATA_COMPONENT].async_add_entities([Storyteller()])
    await hass.data[PLAYERS].async_add_entities([Kitchen()])
    return True
