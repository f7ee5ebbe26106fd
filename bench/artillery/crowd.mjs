/** What each socket of crowd.yml does: all listen; the first of each account writes once a second. */

const GATHERING_MS = 22_000;
const TALKING_MS = 30_000;
/** How long stragglers are waited for; what comes later is lost. */
const DRAIN_MS = 5000;
const EVERY_MS = 1000;
/** Every so many sockets one is followed, message by message: all of them would keep the load generator busy with itself. */
const FOLLOWED = 25;

const began = Date.now();
const writers = new Set();
const marks = /~(\d+)~/g;
let sockets = 0;
let sent = 0;

const until = (moment) => Math.max(0, moment - Date.now());

/** Artillery's function step: `context.ws` is the open socket, `events` takes figures. */
export function stay({ ws, vars }, events, done) {
  const isFollowed = sockets % FOLLOWED === 0;
  sockets += 1;
  let heard = 0;
  const onMessage = (data) => {
    // An ack repeats what was said to the one who said it.
    const frames = [JSON.parse(data.toString())].flat().filter(({ type }) => type === "chat_message");
    for (const [, sentAt] of JSON.stringify(frames).matchAll(marks)) {
      heard += 1;
      events.emit("histogram", "roomcast.delivery_ms", Date.now() - Number(sentAt));
    }
  };
  if (isFollowed) ws.on("message", onMessage);

  let timer;
  if (!writers.has(vars.token)) {
    writers.add(vars.token);
    // A share of a second each, so that the hundred do not speak at once.
    setTimeout(
      () => {
        timer = setInterval(() => {
          sent += 1;
          events.emit("counter", "roomcast.sent", 1);
          ws.send(JSON.stringify({ type: "chat_message", data: { message: `~${Date.now()}~` } }));
        }, EVERY_MS);
      },
      until(began + GATHERING_MS) + Math.random() * EVERY_MS,
    );
  }
  setTimeout(() => clearInterval(timer), until(began + GATHERING_MS + TALKING_MS));
  setTimeout(
    () => {
      if (isFollowed) {
        events.emit("counter", "roomcast.heard", heard);
        events.emit("counter", "roomcast.lost", sent - heard);
      }
      done();
    },
    until(began + GATHERING_MS + TALKING_MS + DRAIN_MS),
  );
}
