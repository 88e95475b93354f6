"""An HTTP proxy between pomona and a store that plays faults, one kind or another for a share of the requests, by a seed.

    with FaultProxy(port_of_the_store, seed, share) as proxy: ... proxy.port, proxy.played

proxy.script says what becomes of a request by its head: None (forwarded), the bytes of an answer, or WAIT until it says otherwise.
"""
import asyncio
import random
import re
import socket
import struct
import threading

KINDS = ["refuse", "reset", "truncate", "stall", "500", "503", "short", "garbage"]
WAIT = object()
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.I)


def answer(status, body, headers=b""):
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n" % (status, headers, len(body)) + body


def refusal(status, code, headers=b""):
    return answer(status, b"<Error><Code>%s</Code><Message>scripted</Message></Error>" % code, headers)


def abort(writer):
    """Ends the connection with RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def message(reader):
    """Head and body of a request or of an answer that has a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return head, int(length[1]) if length else 0


class FaultProxy:
    def __init__(self, to, seed, share, kinds=KINDS):
        self.to, self.random, self.share, self.kinds = to, random.Random(seed), share, kinds
        self.played = {}
        self.script = lambda head: None

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024, limit=1 << 20))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()
        under_way = asyncio.all_tasks(self.loop)
        for task in under_way:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
        self.loop.close()

    async def serve(self, reader, writer):
        try:
            while True:
                head, length = await message(reader)
                body = await reader.readexactly(length) if length else b""
                while (scripted := self.script(head)) is WAIT:
                    await asyncio.sleep(0.1)
                if scripted:
                    writer.write(scripted)
                    await writer.drain()
                    continue
                kind = self.random.choice(self.kinds) if self.random.random() < self.share else None
                self.played[kind] = self.played.get(kind, 0) + 1
                if not await self.play(kind, head, body, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def play(self, kind, head, body, writer):
        """False: the connection is over."""
        if kind in ("refuse", "stall"):
            await asyncio.sleep(60 if kind == "stall" else 0)
            abort(writer)
            return False
        if kind in ("500", "503", "garbage"):
            code = {"500": b"InternalError", "503": b"SlowDown"}.get(kind)
            status = {"500": b"500 Oops", "503": b"503 Slow Down"}.get(kind, b"200 OK")
            writer.write(answer(status, b"<Error><Code>%s</Code></Error>" % code if code else b"<html>hotel Wi-Fi: please log in</html>"))
            await writer.drain()
            return True
        head, body = await self.forward(head, body)
        if kind in ("reset", "truncate"):
            writer.write((head + body)[:len(head) + len(body) // 2])
            await writer.drain()
            if kind == "reset":
                abort(writer)
            else:
                writer.close()
            return False
        if kind == "short" and len(body) > 1 and b"ListBucketResult" not in body:
            body = body[:-1]
            head = LENGTH.sub(b"\r\nContent-Length: %d" % len(body), head)
        writer.write(head + body)
        await writer.drain()
        return True

    async def forward(self, head, body):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.to, limit=1 << 20)
        writer.write(head + body)
        await writer.drain()
        answer_head, length = await message(reader)
        answer_body = await reader.readexactly(length) if length and not head.startswith(b"HEAD ") else b""
        writer.close()
        return answer_head, answer_body
