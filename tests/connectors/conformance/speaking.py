"""An effect of each kind with what it needs on a network, and how anybody sees that it stands."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from shared.contract import OutgoingEffect, Sent, Target
from shared.models.enums import MentionKind, OutgoingKind
from tests.connectors.conformance.specimen import Shown, Specimen, World, effect, laid_ready

TEXT = "Bonjour à toutes !\n\nDe markt begint om 9 u. 👩‍👩‍👧"
WRITTEN = (OutgoingKind.PUBLISH, OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART, OutgoingKind.REPLY)
POINTING = (OutgoingKind.FIRST_COMMENT, OutgoingKind.THREAD_PART, OutgoingKind.REPLY)
ACTING = (OutgoingKind.HIDE, OutgoingKind.UNHIDE, OutgoingKind.LIKE)
PEOPLE = (OutgoingKind.BLOCK, OutgoingKind.UNBLOCK)
UNDOES = {
    OutgoingKind.UNHIDE: OutgoingKind.HIDE,
    OutgoingKind.UNLIKE: OutgoingKind.LIKE,
    OutgoingKind.UNBLOCK: OutgoingKind.BLOCK,
}

Make = Callable[[Specimen, World, str], Awaitable[OutgoingEffect]]
Stands = Callable[[World, OutgoingEffect, Sent], Awaitable[bool]]


async def do(specimen: Specimen, world: World, wanted: OutgoingEffect) -> Sent:
    """Bring an effect about as the house does: what has to be laid ready is, and then it is sent."""
    return await specimen.connector.send(world.http, world.login, await laid_ready(specimen, world, wanted))


async def shown(world: World, external_id: str) -> Shown | None:
    assert world.shown is not None, "a world with effects says what anybody sees"
    return await world.shown(external_id)


# ---------------------------------------------------------------- an effect of each kind, with what it needs there


async def _said(world: World, words: str) -> Target:
    assert world.say is not None, "what is answered or acted on has to be said"
    assert world.target is not None, "a world whose network acts on what is said gives it as a target"
    return await world.target(await world.say(words))


async def _post(specimen: Specimen, world: World, name: str) -> str:
    return (await do(specimen, world, effect(f"{name}_post", text=f"Een bericht, {name}"))).external_id


async def _publish(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await laid_ready(specimen, world, effect(name, text=f"{TEXT} {name}"))


async def _beneath(kind: OutgoingKind, specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    post = await _post(specimen, world, name)
    return effect(name, kind=kind, text=f"{TEXT} {name}", parent_external_id=post, root_external_id=post)


async def _first_comment(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await _beneath(OutgoingKind.FIRST_COMMENT, specimen, world, name)


async def _thread_part(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    """The third of a thread: its parent is not its root."""
    second = await _beneath(OutgoingKind.THREAD_PART, specimen, world, f"{name}_second")
    parent = await do(specimen, world, second)
    return replace(second, id=name, seed=second.seed + 1, text=TEXT, parent_external_id=parent.external_id)


async def _reply(_specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    target = await _said(world, f"een vraag, {name}")
    return effect(
        name,
        kind=OutgoingKind.REPLY,
        text=f"{TEXT} {name}",
        target=target,
        parent_external_id=target.external_id,
        root_external_id=target.root_external_id,
    )


async def _on_what_was_said(kind: OutgoingKind, world: World, name: str) -> OutgoingEffect:
    return effect(name, kind=kind, text="", thing_id=f"men_{name}", target=await _said(world, f"foei, {name}"))


async def _hide(_specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await _on_what_was_said(OutgoingKind.HIDE, world, name)


async def _like(_specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await _on_what_was_said(OutgoingKind.LIKE, world, name)


async def _delete(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    """What a page wrote itself, wherever an app may delete that, else what was said beneath."""
    if not specimen.deletes_posts:
        return await _on_what_was_said(OutgoingKind.DELETE, world, name)
    target = Target(await _post(specimen, world, name), MentionKind.POST, world.login.channel_external_id)
    return effect(name, kind=OutgoingKind.DELETE, text="", thing_id=f"men_{name}", target=target)


async def _block(_specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    said = await _said(world, f"foei, {name}")
    assert said.author_external_id is not None, "who is blocked has an id"
    return effect(
        name, kind=OutgoingKind.BLOCK, text="", thing_id=f"idn_{name}", target=Target(said.author_external_id)
    )


async def _undoing(kind: OutgoingKind, specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    done = await EFFECTS[UNDOES[kind]](specimen, world, f"{name}_done")
    sent = await do(specimen, world, done)
    return effect(name, kind=kind, text="", thing_id=done.thing_id, target=done.target, undoes=sent.external_id)


async def _unhide(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await _undoing(OutgoingKind.UNHIDE, specimen, world, name)


async def _unlike(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await _undoing(OutgoingKind.UNLIKE, specimen, world, name)


async def _unblock(specimen: Specimen, world: World, name: str) -> OutgoingEffect:
    return await _undoing(OutgoingKind.UNBLOCK, specimen, world, name)


EFFECTS: Mapping[OutgoingKind, Make] = {
    OutgoingKind.PUBLISH: _publish,
    OutgoingKind.FIRST_COMMENT: _first_comment,
    OutgoingKind.THREAD_PART: _thread_part,
    OutgoingKind.REPLY: _reply,
    OutgoingKind.HIDE: _hide,
    OutgoingKind.UNHIDE: _unhide,
    OutgoingKind.DELETE: _delete,
    OutgoingKind.LIKE: _like,
    OutgoingKind.UNLIKE: _unlike,
    OutgoingKind.BLOCK: _block,
    OutgoingKind.UNBLOCK: _unblock,
}


# ---------------------------------------------------------------- whether it is so, as anybody sees it


async def _is_written(world: World, wanted: OutgoingEffect, sent: Sent) -> bool:
    found = await shown(world, sent.external_id)
    return found is not None and wanted.text in found.text and found.parent == wanted.parent_external_id


def _on(wanted: OutgoingEffect) -> str:
    assert wanted.target is not None
    return wanted.target.external_id


async def _is_hidden(world: World, wanted: OutgoingEffect, _sent: Sent) -> bool:
    found = await shown(world, _on(wanted))
    return found is not None and found.hidden


async def _is_seen(world: World, wanted: OutgoingEffect, _sent: Sent) -> bool:
    found = await shown(world, _on(wanted))
    return found is not None and not found.hidden


async def _is_gone(world: World, wanted: OutgoingEffect, _sent: Sent) -> bool:
    return await shown(world, _on(wanted)) is None


async def _is_liked(world: World, wanted: OutgoingEffect, _sent: Sent) -> bool:
    found = await shown(world, _on(wanted))
    return found is not None and found.liked


async def _is_not_liked(world: World, wanted: OutgoingEffect, _sent: Sent) -> bool:
    found = await shown(world, _on(wanted))
    return found is not None and not found.liked


async def _is_blocked(world: World, wanted: OutgoingEffect, _sent: Sent) -> bool:
    assert world.blocked is not None, "a world whose network blocks people says whom"
    return await world.blocked(_on(wanted))


async def _is_not_blocked(world: World, wanted: OutgoingEffect, sent: Sent) -> bool:
    return not await _is_blocked(world, wanted, sent)


STANDS: Mapping[OutgoingKind, Stands] = {
    **dict.fromkeys(WRITTEN, _is_written),
    OutgoingKind.HIDE: _is_hidden,
    OutgoingKind.UNHIDE: _is_seen,
    OutgoingKind.DELETE: _is_gone,
    OutgoingKind.LIKE: _is_liked,
    OutgoingKind.UNLIKE: _is_not_liked,
    OutgoingKind.BLOCK: _is_blocked,
    OutgoingKind.UNBLOCK: _is_not_blocked,
}
