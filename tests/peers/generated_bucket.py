#!/usr/bin/env python3
"""A bucket that is read only and costs nothing to fill: a server on the loopback interface that answers ListObjectsV2 and GET.

usage: generated_bucket.py PORT --keys N --object FILE     every key holds this file: 1000 to a folder, 1000/1000000.jpg
       generated_bucket.py PORT --names FILE               keys of no content, one a line; no GET
       generated_bucket.py PORT --folder FOLDER            keys, sizes and ETags (as nginx makes them) of the files in it; no GET
Signatures are not looked at. --delay-ms: each request waits so long. SIGTERM ends it, with the number of requests and how many there were
at once at most, as JSON.
"""
import argparse
import asyncio
import bisect
import html
import json
import signal
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

PAGE = 1000


class Generated:
    def __init__(self, n, file):
        self.keys = [f"{i // 1000:05}/{i:08}.jpg" for i in range(n)]
        self.body = file.read_bytes()

    def size_and_etag(self, key):
        return len(self.body), "0123456789abcdef0123456789abcdef"


class Names:
    body = None

    def __init__(self, file):
        self.keys = sorted(file.read_text().splitlines(), key=str.encode)

    def size_and_etag(self, key):
        return len(key), "0123456789abcdef0123456789abcdef"


class Folder:
    body = None

    def __init__(self, folder):
        stats = {str(f.relative_to(folder)): f.stat() for f in folder.rglob("*") if f.is_file()}
        self.keys = sorted(stats, key=str.encode)
        self.about = {key: (s.st_size, f"{int(s.st_mtime):x}-{s.st_size:x}") for key, s in stats.items()}

    def size_and_etag(self, key):
        return self.about[key]


def find_page(keys, prefix, after, delimiter, most):
    """The keys and common prefixes behind `after`, and the last of them where there are more."""
    at = max(bisect.bisect_left(keys, prefix), bisect.bisect_right(keys, after))
    found, folders, last = [], [], ""
    while at < len(keys) and keys[at].startswith(prefix):
        if len(found) + len(folders) == most:
            return found, folders, last
        end = keys[at].find(delimiter, len(prefix)) if delimiter else -1
        last = keys[at] if end < 0 else keys[at][:end + 1]
        if end < 0:
            found.append(last)
            at += 1
            continue
        if last > after:
            folders.append(last)
        at = bisect.bisect_left(keys, last[:-1] + chr(ord(last[-1]) + 1), at)
    return found, folders, ""


def listing(bucket, query):
    def value(name, default=""):
        return query.get(name, [default])[0]

    after = max(value("start-after"), value("continuation-token"))
    keys, folders, more = find_page(bucket.keys, value("prefix"), after, value("delimiter"), min(int(value("max-keys", PAGE)), PAGE))
    rows = []
    for key in keys:
        size, etag = bucket.size_and_etag(key)
        rows.append(f"<Contents><Key>{quote(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
                    f"<ETag>&quot;{etag}&quot;</ETag><Size>{size}</Size></Contents>")
    rows += [f"<CommonPrefixes><Prefix>{quote(folder)}</Prefix></CommonPrefixes>" for folder in folders]
    token = f"<NextContinuationToken>{html.escape(more)}</NextContinuationToken>" if more else ""
    return (f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>'
            f'<IsTruncated>{"true" if more else "false"}</IsTruncated>{token}{"".join(rows)}</ListBucketResult>').encode()


class Connection(asyncio.Protocol):
    count = {"requests": 0, "most": 0}
    under_way = 0

    def __init__(self, bucket, delay):
        self.bucket, self.delay, self.received = bucket, delay, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head, self.received = self.received[:end], self.received[end + 4:]
            Connection.under_way += 1
            self.count["requests"] += 1
            self.count["most"] = max(self.count["most"], Connection.under_way)
            target = head.split(b" ", 2)[1].decode()
            asyncio.get_running_loop().call_later(self.delay, self.answer, target) if self.delay else self.answer(target)

    def answer(self, target):
        Connection.under_way -= 1
        url = urlsplit(target)
        query = parse_qs(url.query)
        body = listing(self.bucket, query) if "list-type" in query else self.bucket.body
        tag = b'ETag: "0123456789abcdef0123456789abcdef"\r\n' if "list-type" not in query else b""
        self.transport.write(b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (tag, len(body)) + body)


async def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("port", type=int)
    ap.add_argument("--keys", type=int)
    ap.add_argument("--object", type=Path)
    ap.add_argument("--names", type=Path)
    ap.add_argument("--folder", type=Path)
    ap.add_argument("--delay-ms", type=float, default=0)
    args = ap.parse_args()
    bucket = Folder(args.folder) if args.folder else Names(args.names) if args.names else Generated(args.keys, args.object)
    loop, over = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    await loop.create_server(lambda: Connection(bucket, args.delay_ms / 1000), "127.0.0.1", args.port, backlog=1024)
    await over.wait()
    print(json.dumps(Connection.count))


if __name__ == "__main__":
    asyncio.run(main())
