"""A chat in the terminal: see README.md."""
import argparse, asyncio, json, os, secrets, sys

from roomcast import NO_NETWORK, Refused, Rest, Socket
from websocket import Closed

parser = argparse.ArgumentParser(description="Each line goes into the room; what is said there is printed.")
for name in ("url", "username", "password", "room"):
    parser.add_argument(name)
parser.add_argument("--state", help="a file that keeps where one was and what is unsent, until the next start")
parser.add_argument("--beat", type=float, default=25, help="seconds between heartbeats")


class Chat:
    def __init__(self, options):
        self.path, self.room = options.state, f"/rooms/{options.room}"
        kept = json.load(open(self.path)) if self.path and os.path.exists(self.path) else {}
        self.unsent, self.written = kept.get("unsent", []), asyncio.Event()
        self.rest = Rest(options.url, options.username, options.password)
        self.talk = Socket(self.rest, f"{self.room}/ws", options.beat, kept.get("room"), self.on_talk, self.on_fresh)
        self.events = Socket(self.rest, "/ws", options.beat, kept.get("events"), self.on_event, self.on_fresh_events)
        #: Ids of the messages that were shown; frames that wait for the history that is being read.
        self.shown, self.held, self.reading = set(), None, None

    def keep(self):
        if not self.path:
            return
        with open(f"{self.path}.new", "w") as file:
            json.dump({"room": self.talk.position, "events": self.events.position, "unsent": self.unsent}, file)
        os.replace(f"{self.path}.new", self.path)

    # What comes

    def on_fresh(self, why):
        """The position is new, so what was said before it is to be read; what follows it waits for that."""
        print(f"* {why}", flush=True)
        self.held = []
        self.reading = asyncio.create_task(self.read_history())

    async def read_history(self):
        while True:
            try:
                page = await self.rest.call("GET", f"{self.room}/messages?limit=50")
                break
            except NO_NETWORK:
                await asyncio.sleep(1)
        held, self.held = self.held, None
        for message in reversed(page["messages"]):
            self.show(message)
        for frame in held:
            self.on_talk(frame)

    def on_talk(self, frame):
        if self.held is not None:
            self.held.append(frame)
            return
        if frame["type"] == "new_message" and not frame["data"].get("isDeleted"):
            self.show(frame["data"])
        elif frame["type"] == "message_updated":
            print(f"~ {frame['data']['username']}: {frame['data']['content']}", flush=True)
        if "seq" in frame:
            self.keep()

    def show(self, message):
        if message["id"] not in self.shown:
            self.shown.add(message["id"])
            print(f"{message['seq']} {message['username']}: {message['content']}", flush=True)

    def on_event(self, frame):
        if frame["type"] == "message:new":
            print(f"> {frame['data']['senderId']}: {frame['data']['content']}", flush=True)
        if "seq" in frame:
            self.keep()

    def on_fresh_events(self, why):
        if why == "resync":
            print("> something was missed: see GET /messages/inbox and /notifications", flush=True)

    # What goes out

    async def read_lines(self):
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode():
            if line.strip():
                self.unsent.append({"content": line.strip(), "clientMessageId": secrets.token_hex(16)})
                self.keep()
                self.written.set()

    async def send_all(self):
        """The oldest first, and the next after its answer; without one, the same again."""
        wait = 1.0
        while True:
            self.written.clear()
            while self.unsent:
                message = self.unsent[0]
                try:
                    await self.talk.command("send_message", message)
                except (Closed, asyncio.TimeoutError):
                    continue
                except Refused as refused:
                    if refused.is_passing:
                        await asyncio.sleep(wait)
                        wait = min(2 * wait, 30)
                        continue
                    print(f"! {message['content']}: {refused}", flush=True)
                self.unsent.pop(0)
                self.keep()
                wait = 1.0
            await self.written.wait()

    async def run(self):
        sockets = [asyncio.create_task(socket.run()) for socket in (self.talk, self.events)]
        sending = asyncio.create_task(self.send_all())
        reading = asyncio.create_task(self.read_lines())
        done, _ = await asyncio.wait([sockets[0], reading], return_when=asyncio.FIRST_COMPLETED)
        while reading in done and self.unsent and not sockets[0].done():
            await asyncio.sleep(0.05)
        for socket in (self.talk, self.events):
            socket.close()
        await asyncio.wait(sockets, timeout=2)
        for task in (*sockets, sending, reading):
            task.cancel()
        if sockets[0].done() and not sockets[0].cancelled() and sockets[0].exception():
            sys.exit(f"! {sockets[0].exception()}")


async def main():
    await Chat(parser.parse_args()).run()


if __name__ == "__main__":
    asyncio.run(main())
