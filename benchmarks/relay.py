"""A TCP relay on loopback that makes a distance: ``python -m benchmarks.relay PORT SECONDS``.

It prints its own port. What it gets from either side it hands on half of these seconds later, in order and without a
limit of its own, so that a round trip takes them all; a connection is accepted at once.
"""

import asyncio
import collections
import contextlib
import sys

CHUNK = 2**16


async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """All that comes, each piece so many seconds after it came, and then the end."""
    loop, pieces, more = asyncio.get_running_loop(), collections.deque[tuple[float, bytes]](), asyncio.Event()

    async def send() -> None:
        while True:
            while not pieces:
                more.clear()
                await more.wait()
            due, piece = pieces.popleft()
            await asyncio.sleep(max(0.0, due - loop.time()))
            with contextlib.suppress(OSError):
                writer.write(piece) if piece else writer.write_eof()
            if not piece:
                return

    sending = asyncio.create_task(send())
    piece = b"first"
    while piece:
        try:
            piece = await reader.read(CHUNK)
        except OSError:
            piece = b""
        pieces.append((loop.time() + delay, piece))
        more.set()
    await sending


async def serve(port: int, round_trip: float) -> None:
    """Until the process ends."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(hand_on(reader, back, round_trip / 2), hand_on(there, writer, round_trip / 2))
        back.close()
        writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
