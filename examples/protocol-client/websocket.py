"""RFC 6455, as much of it as a client needs."""
import asyncio, base64, os, urllib.parse

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Closed(Exception):
    def __init__(self, code, reason=""):
        super().__init__(code, reason)
        self.code, self.reason = code, reason


class WebSocket:
    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, url):
        parts = urllib.parse.urlsplit(url)
        is_secure = parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        reader, writer = await asyncio.open_connection(parts.hostname, port, ssl=is_secure or None)
        lines = [
            f"GET {parts.path}?{parts.query} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        status, *_ = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        if b" 101 " in status:
            return cls(reader, writer)
        writer.close()
        raise Closed(1006, status.decode())

    def send(self, text):
        self._write(TEXT, text.encode())

    def close(self, code):
        self._write(CLOSE, code.to_bytes(2, "big"))

    def abort(self):
        """Ends a connection that answers no more: `receive` raises Closed."""
        self._writer.transport.abort()

    def _write(self, opcode, payload):
        size, mask = len(payload), os.urandom(4)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        masked = bytes(byte ^ mask[at & 3] for at, byte in enumerate(payload))
        self._writer.write(bytes([0x80 | opcode]) + length + mask + masked)

    async def receive(self):
        """The next message's text. Raises Closed."""
        message = b""
        try:
            while True:
                first, second = await self._reader.readexactly(2)
                size = second & 127
                if size > 125:
                    size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8), "big")
                payload = await self._reader.readexactly(size)
                opcode = first & 15
                if opcode == CLOSE:
                    self.close(int.from_bytes(payload[:2], "big") or 1000)
                    raise Closed(int.from_bytes(payload[:2], "big") or 1005, payload[2:].decode())
                if opcode == PING:
                    self._write(PONG, payload)
                elif opcode != PONG:
                    message += payload
                    if first & 0x80:
                        return message.decode()
        except (asyncio.IncompleteReadError, OSError):
            raise Closed(1006) from None
