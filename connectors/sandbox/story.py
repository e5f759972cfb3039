"""The main job in three messages: an e-mail, then a text, then Instagram, with pauses a visitor can follow."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from connectors.sandbox.people import Person
from connectors.sandbox.phone import Misunderstood, Phone
from connectors.sandbox.wire import Wire

TYPING = 0.35  # the share of a pause in which the words appear


@dataclass(frozen=True, slots=True)
class Scene:
    channel: str
    text: str
    subject: str = ""
    files: int = 0


SCENES = (
    Scene(
        "email",
        "Hi,\n\norder #48213 arrived today and the mug has a crack from the rim down. Photo attached. "
        "I need a replacement before Saturday, it is a present.\n\nThanks,\n{name}",
        "Order #48213 arrived broken",
        1,
    ),
    Scene("sms", "hi did you get my email about the broken mug? order 48213"),
    Scene("instagram", "Hello? It's about #48213. I wrote an email and a text, is anybody there? 🙏"),
)


class Story:
    def __init__(self, phone: Phone, wire: Wire) -> None:
        self.phone, self.wire = phone, wire
        self.task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {"playing": False}

    def play(self, person: Person, pause: float) -> None:
        """Start from the beginning; a story that is already playing ends."""
        if not (person.email and person.phone and person.instagram_id):
            raise Misunderstood(f"{person.name} does not have all three addresses.")
        self.stop()
        self.task = asyncio.create_task(self._play(person, pause))

    def stop(self) -> None:
        if self.task is not None and not self.task.done():
            self.task.cancel()
        self._tell(playing=False)

    async def _play(self, person: Person, pause: float) -> None:
        for number, scene in enumerate(SCENES, start=1):
            text = scene.text.format(name=person.name.split()[0])
            facts = {"person": person.id, "channel": scene.channel, "scene": number, "scenes": len(SCENES)}
            self._tell(playing=True, step="writing", text=text, subject=scene.subject, **facts)
            await asyncio.sleep(pause * TYPING)
            request = {"customer": person.id, "channel": scene.channel, "text": text, "files": scene.files}
            await self.phone.say(request | ({"subject": scene.subject} if scene.subject else {}))
            self._tell(playing=True, step="sent", **facts)
            if number < len(SCENES):
                await asyncio.sleep(pause * (1 - TYPING))
        self._tell(playing=False)

    def _tell(self, **state: Any) -> None:
        self.state = state
        self.wire.announce("story", **state)
