"""Roomcast's calls and sockets, from docs/protocol.md alone."""
import asyncio, http.client, json, random, re, time, urllib.error, urllib.parse, urllib.request

from websocket import Closed, WebSocket

CONNECT_SECONDS, ANSWER_SECONDS, LASTING_SECONDS, LONGEST_WAIT = 10, 15, 5, 30
NO_NETWORK = (OSError, http.client.HTTPException, asyncio.TimeoutError)


class Refused(Exception):
    """What the service refused. `is_passing`: the same may be tried again, after so many seconds if it said so."""

    def __init__(self, error, wait=0.0):
        super().__init__(error["code"], error["message"])
        self.code, self.wait = error["code"], wait
        self.is_passing = self.code in ("RATE_LIMIT", "UNAVAILABLE", "INTERNAL_ERROR")


class Rest:
    def __init__(self, url, username, password):
        self.url, self._account, self._token = url, {"username": username, "password": password}, None
        self._signing_in = asyncio.Lock()

    async def ticket(self):
        """A new one for each connection; signs in if there is no token, or none that is good."""
        token = self._token
        if token:
            try:
                return (await self.call("POST", "/auth/ws-ticket"))["ticket"]
            except Refused as refused:
                if refused.code != "UNAUTHORIZED":
                    raise
        async with self._signing_in:
            # The other socket may have done it meanwhile.
            if self._token == token:
                self._token = None
                self._token = (await self.call("POST", "/auth/login", self._account))["token"]
        return (await self.call("POST", "/auth/ws-ticket"))["ticket"]

    async def call(self, method, path, body=None):
        return await asyncio.to_thread(self._call, method, path, body)

    def _call(self, method, path, body):
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        data = None if body is None else json.dumps(body).encode()
        if data:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}/api/v1{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as failure:
            raise refused(failure) from None


def refused(failure):
    """The service's own words; without them, something between here and there has failed."""
    try:
        return Refused(json.load(failure)["error"], float(failure.headers.get("Retry-After", 0)))
    except (ValueError, KeyError):
        return OSError(f"The answer was {failure.code}.")


class Socket:
    """A socket that stays: it comes back, resumes where it was, and hands on each frame once."""

    def __init__(self, rest, path, beat, position, on_frame, on_fresh):
        self.position = position
        self._rest, self._path, self._beat, self._on_frame, self._on_fresh = rest, path, beat, on_frame, on_fresh
        self._wire, self._heard_at, self._is_open = None, 0.0, asyncio.Event()
        self._answers, self._count = {}, 0

    async def run(self):
        """Until it is closed for good. Raises Refused."""
        failures = 0
        while True:
            began, wait = time.monotonic(), 0.0
            try:
                await self._connect()
            except Closed as closed:
                code, reason = closed.code, closed.reason
            except NO_NETWORK:
                code, reason = 1006, ""
            except Refused as refused:
                if not refused.is_passing:
                    raise
                code, reason, wait = 1006, refused.code, refused.wait
            self._is_open.clear()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Closed(code, reason))
            self._answers.clear()
            print(f"* {self._path} {code} {reason}".rstrip(), flush=True)
            if code in (1000, 4003, 4004):
                return
            failures = 0 if time.monotonic() - began >= LASTING_SECONDS else failures + 1
            await asyncio.sleep(max(wait, wait_after(code, reason, failures)))

    async def command(self, kind, data):
        """What the ack carries. Raises Refused; Closed or TimeoutError: it may have been done."""
        await self._is_open.wait()
        self._count += 1
        name, answer = str(self._count), asyncio.get_running_loop().create_future()
        self._answers[name] = answer
        self._wire.send(json.dumps({"type": kind, "id": name, "data": data}))
        return await asyncio.wait_for(answer, ANSWER_SECONDS)

    def close(self):
        if self._is_open.is_set():
            self._wire.close(1000)

    async def _connect(self):
        query = {"ticket": await self._rest.ticket(), "heartbeat": "client", "batch": "1"}
        if self.position:
            query.update(since=self.position["seq"], epoch=self.position["epoch"])
        url = f"{self._rest.url}/api/v1{self._path}?{urllib.parse.urlencode(query)}"
        self._wire = await asyncio.wait_for(WebSocket.open(url), CONNECT_SECONDS)
        heartbeat = asyncio.create_task(self._beats())
        try:
            while True:
                text = await self._wire.receive()
                self._heard_at = time.monotonic()
                frames = [] if text == "pong" else json.loads(text)
                for frame in frames if isinstance(frames, list) else [frames]:
                    self._take(frame)
        finally:
            heartbeat.cancel()
            self._wire.abort()

    async def _beats(self):
        while True:
            await asyncio.sleep(self._beat)
            asked_at = time.monotonic()
            self._wire.send("ping")
            await asyncio.sleep(0.4 * self._beat)
            if self._heard_at < asked_at:
                self._wire.abort()

    def _take(self, frame):
        kind, data, seq = frame["type"], frame.get("data"), frame.get("seq")
        if kind == "ping":
            self._wire.send(json.dumps({"type": "pong", "timestamp": frame["timestamp"]}))
        elif kind == "connected":
            if not self.position:
                self.position = {"seq": seq, "epoch": frame["epoch"]}
                self._on_fresh(kind)
            self._is_open.set()
        elif kind == "resync":
            self.position = {"seq": data["seq"], "epoch": data["epoch"]}
            self._on_fresh(kind)
        elif kind in ("ack", "error"):
            answer = self._answers.pop(frame.get("id"), None)
            if answer and not answer.done():
                answer.set_result(data) if kind == "ack" else answer.set_exception(Refused(frame["error"]))
        elif seq is None:
            self._on_frame(frame)
        elif seq > self.position["seq"]:
            self.position["seq"] = seq
            self._on_frame(frame)


def wait_after(code, reason, failures):
    """Seconds before the next try. `failures`: connections in a row that did not last, this one among them."""
    said = re.search(r"(?:Retry-After|Spread): (\d+)", reason)
    if code == 4029:
        return float(said[1]) if said else LONGEST_WAIT
    tries = failures if code in (1012, 4001, 4008, 4009) else failures + 1
    most = min(LONGEST_WAIT, 0.5 * 2 ** (tries - 1)) if tries else 0
    spread = (float(said[1]) if said else 5) * random.random() if code == 1012 else 0
    return spread + most / 2 + most / 2 * random.random()
