"""An HTTP proxy between pomona and a store that plays faults, one kind or another for a share of the requests, by a seed.

    with FaultProxy(port_of_the_store, seed, share) as proxy: ... proxy.port, proxy.played

proxy.script says what becomes of a request by its head: None (forwarded), the bytes of an answer, or WAIT until it says otherwise.
With credentials, GET /credentials answers as a container's place for them does; all that were given out expire when "expired" is played.
"""
import asyncio
import json
import random
import re
import socket
import struct
import threading

from servers import free_port

KINDS = ["refuse", "reset", "truncate", "stall", "500", "503", "expired", "short", "garbage", "garbled", "region"]
REFUSED_SECONDS = 0.3
DENIED = ("access is denied", "the identity lacks the permission; have it granted, or use another identity")  # as pomona says it of every store
WAIT = object()
TOKEN = re.compile(rb"\r\nx-amz-security-token: *(\S+)", re.I)
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.I)


def answer(status, body, headers=b""):
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n" % (status, headers, len(body)) + body


def refusal(status, code, headers=b""):
    return answer(status, b"<Error><Code>%s</Code><Message>scripted</Message></Error>" % code, headers)


async def send(writer, head, what):
    """The answer to the request of this head: a HEAD gets no body."""
    writer.write(what[:what.index(b"\r\n\r\n") + 4] if head.startswith(b"HEAD ") else what)
    await writer.drain()


def abort(writer):
    """Ends the connection with RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def message(reader):
    """Head and body of a request or of an answer that has a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = LENGTH.search(head)
    return head, int(length[1]) if length else 0


ANSWERED = {
    "500": answer(b"500 Oops", b"<Error><Code>InternalError</Code></Error>"),
    "503": answer(b"503 Slow Down", b"<Error><Code>SlowDown</Code></Error>"),
    "garbage": answer(b"200 OK", b"<html>hotel Wi-Fi: please log in</html>"),
    "expired": refusal(b"403 Forbidden", b"ExpiredToken"),
}


class FaultProxy:
    """region: where the store is; requests that are signed for another one are sent there. credentials() makes some with a token."""

    def __init__(self, to, seed, share, kinds=KINDS, region="", credentials=None):
        self.to, self.random, self.share, self.kinds, self.region, self.credentials = to, random.Random(seed), share, kinds, region, credentials
        self.played = {}
        self.tokens, self.expired = set(), set()
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
        self.port = free_port()  # which stays its own while it is away
        self.loop.run_until_complete(self.listen())
        ready.set()
        self.loop.run_forever()
        if self.server:
            self.server.close()
        while under_way := asyncio.all_tasks(self.loop):
            for task in under_way:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*under_way, return_exceptions=True))
        self.loop.close()

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=1024, limit=1 << 20)
        self.port = self.server.sockets[0].getsockname()[1]

    async def be_away(self):
        """Nobody listens for a while."""
        if self.server:
            self.server.close()
            self.server = None
            await asyncio.sleep(REFUSED_SECONDS)
            await self.listen()

    def give_credentials(self):
        given = self.credentials()
        self.tokens.add(given["Token"].encode())
        return given

    def elsewhere(self, head, region):
        """The two ways in which S3 says so; one needs a body."""
        if head.startswith(b"HEAD ") or self.random.random() < 0.5:
            return refusal(b"301 Moved Permanently", b"PermanentRedirect", b"x-amz-bucket-region: %s\r\n" % region.encode())
        return answer(b"400 Bad Request", b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>%s</Region></Error>" % region.encode())

    def settled(self, head):
        """What a request gets whatever is played: it is for the credentials, or made with some that are no longer good, or for another region."""
        if head.startswith(b"GET /credentials "):
            return answer(b"200 OK", json.dumps(self.give_credentials()).encode())
        token = TOKEN.search(head)
        if token and token[1] in self.expired:
            return ANSWERED["expired"]
        if self.region and b"Credential=" in head and f"/{self.region}/".encode() not in head:
            return self.elsewhere(head, self.region)
        return self.script(head)

    async def serve(self, reader, writer):
        try:
            while True:
                head, length = await message(reader)
                body = await reader.readexactly(length) if length else b""
                while (scripted := self.settled(head)) is WAIT:
                    await asyncio.sleep(0.1)
                    if reader.at_eof() or writer.is_closing():
                        return
                if scripted:
                    await send(writer, head, scripted)
                    continue
                kind = self.random.choice(self.kinds) if self.random.random() < self.share else None
                self.played[kind] = self.played.get(kind, 0) + 1
                if not await self.play(kind, head, body, writer):
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            writer.close()

    async def play(self, kind, head, body, writer):
        """False: the connection is over."""
        if kind in ("refuse", "stall"):
            await (self.be_away() if kind == "refuse" else asyncio.sleep(60))
            abort(writer)
            return False
        if kind == "expired":
            self.expired |= self.tokens
        if kind in ANSWERED or kind == "region":
            await send(writer, head, self.elsewhere(head, "us-west-9") if kind == "region" else ANSWERED[kind])
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
        if kind == "garbled" and body.startswith(b"<?xml"):
            body = body.replace(b"</Key>", b"<\0Key", 1)
        if kind == "short" and len(body) > 1:
            body = body[:-1]
            head = LENGTH.sub(b"\r\nContent-Length: %d" % len(body), head)
        writer.write(head + body)
        await writer.drain()
        return True

    async def forward(self, head, body):
        """A server that sends its answers in chunks sends them whole by HTTP 1.0."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.to, limit=1 << 20)
        whole = re.match(rb"\w+ /(webhdfs|storage)/", head)
        writer.write((head.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1) if whole else head) + body)
        await writer.drain()
        answer_head, length = await message(reader)
        answer_body = await reader.readexactly(length) if length and not head.startswith(b"HEAD ") else b""
        if whole and not LENGTH.search(answer_head):
            answer_body = await reader.read()
            answer_head = answer_head[:-2] + b"Content-Length: %d\r\n\r\n" % len(answer_body)
        writer.close()
        return answer_head, answer_body
