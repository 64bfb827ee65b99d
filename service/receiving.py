"""Receiving: the body of a request goes to the disk as it comes in, in threads, and never into memory whole."""

from collections.abc import AsyncIterable
from typing import Protocol, TypeVar

import anyio.to_thread
from starlette.types import Receive

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")

_WRITTEN_AT_ONCE = 1_048_576


class Sink(Protocol[T_co]):
    """Takes a body, some bytes at a time, and makes something of it."""

    def write(self, data: bytes) -> None:
        """Take what came next."""

    def end(self) -> T_co:
        """Return what the body is, which is whole now."""

    def abandon(self) -> None:
        """Remove what has come in."""


async def received(chunks: AsyncIterable[bytes], sink: Sink[T]) -> T:
    """Return what `sink` makes of a body; where that fails, or the client goes away, nothing of it is left."""
    try:
        waiting = bytearray()
        async for chunk in chunks:
            waiting += chunk
            if len(waiting) >= _WRITTEN_AT_ONCE:
                await anyio.to_thread.run_sync(sink.write, bytes(waiting))
                waiting.clear()
        await anyio.to_thread.run_sync(sink.write, bytes(waiting))
        return await anyio.to_thread.run_sync(sink.end)
    except BaseException:
        sink.abandon()
        raise


async def client_gone(receive: Receive) -> None:
    """Return when the client has gone away. What it still sends is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass
