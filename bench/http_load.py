"""Load on the HTTP API: connections that each send one request after the other to api/v1/send/raw."""
import asyncio, base64, json, time


class _Client(asyncio.Protocol):
    def __init__(self, load): self.load, self.pending, self.wanted = load, b"", 0

    def connection_made(self, transport): self.transport = transport; self._next()

    def _next(self):
        if self.load.left == 0: return self.transport.close()
        self.load.left -= 1; self.transport.write(self.load.request)

    def data_received(self, data):
        self.pending += data
        head, found, body = self.pending.partition(b"\r\n\r\n")
        if not found: return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length: return
        if b'"status":"success"' not in body: self.load.failed = self.load.failed or body.decode()
        self.pending = body[length:]; self._next()

    def connection_lost(self, error):
        self.load.open -= 1
        if self.load.open == 0: self.load.done.set_result(None)


class Load:
    def __init__(self, address, key, size_kb):
        text = "From: hello@bench.test\r\nTo: bob@sink.test\r\nSubject: load\r\n\r\n" + ("x" * 78 + "\r\n") * (size_kb * 1024 // 80)
        body = json.dumps({"mail_from": "hello@bench.test", "rcpt_to": ["bob@sink.test"], "data": base64.b64encode(text.encode()).decode()})
        self.address, self.failed = address, None
        self.request = (f"POST /api/v1/send/raw HTTP/1.1\r\nHost: posthaste.test\r\nX-Server-API-Key: {key}\r\nContent-Type: application/json\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}").encode()

    def run(self, messages, concurrency):
        """Seconds it took."""
        started = time.time(); asyncio.run(self._run(messages, concurrency))
        assert not self.failed, self.failed
        return time.time() - started

    async def _run(self, messages, concurrency):
        loop = asyncio.get_running_loop()
        self.left, self.open, self.done = messages, concurrency, loop.create_future()
        for _ in range(concurrency): await loop.create_connection(lambda: _Client(self), *self.address)
        await self.done
