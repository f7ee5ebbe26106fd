/** A stream that ended and left a recording, one that is live, and one that is to come. */
import { z } from "zod";
import { answerOf } from "../../packages/client/src/index.ts";
import { postForm, uploadFile } from "../api.ts";
import type { People, Person } from "./accounts.ts";
import { landscape } from "./pictures.ts";
import { clip } from "./videos.ts";

type Broadcast = { owner: string; title: string; description: string };
type Stream = { id: number; status: string; startTime: string | null; streamKey?: string };

const ENDED = { owner: "luca", title: "Soup for sixty, live", description: "One pot, many opinions." };
const LIVE = { owner: "yusuf", title: "Saturn tonight", description: "If the clouds agree." };
const TO_COME = { owner: "aisha", title: "Open rehearsal", description: "Sixteen counts, then questions." };

const SAID_BEFORE: [string, string][] = [
  ["friend", "More salt!"],
  ["rosa", "How long does it cook?"],
  ["luca", "Until the pot says so."],
  ["amelie", "The basil from the roof made it in 🌿"],
];
const SAID_LIVE: [string, string][] = [
  ["yusuf", "Clouds until ten past, then we'll see."],
  ["omar", "The whole class is watching."],
  ["greta", "I see it! Is that a ring?"],
  ["yusuf", "That is *the* ring."],
];

const AHEAD_MS = 2 * 86_400_000;

/** What a media server has to know to be believed. */
export type MediaServer = { origin: string; secret: string };

export async function makeStreams(server: MediaServer, people: People): Promise<void> {
  const ended = await find(server, people, ENDED, {});
  if (ended.startTime === null) await report(server, "on_publish", await keyOf(people.by(ENDED.owner), ended));
  await chat(people, ended, SAID_BEFORE);
  await leaveRecording(server, people.by(ENDED.owner), ended);
  await endIfLive(people.by(ENDED.owner), ended.id);

  const live = await find(server, people, LIVE, {});
  if (live.status !== "live") await report(server, "on_publish", await keyOf(people.by(LIVE.owner), live));
  await chat(people, live, SAID_LIVE);
  await find(server, people, TO_COME, { scheduledAt: new Date(Date.now() + AHEAD_MS).toISOString() });
}

/** The owner's stream of this title, made if there is none. */
async function find(
  { origin }: MediaServer,
  people: People,
  { owner, title, description }: Broadcast,
  more: object,
): Promise<Stream> {
  const account = people.by(owner);
  const { streams } = await answerOf(account.api.streams.$get({ query: { status: "all", limit: 100 } }));
  const earlier = streams.find((stream) => stream.userId === account.id && stream.title === title);
  if (earlier) return earlier;
  const picture = { name: "stream.svg", type: "image/svg+xml", bytes: landscape(title, 640, 360) };
  const { path } = await uploadFile(origin, account, picture, { folder: "streams", visibility: "public" });
  return answerOf(account.api.streams.$post({ json: { title, description, thumbnail: path, ...more } }));
}

/** The key is shown once; who has it no more gets another. */
async function keyOf({ api }: Person, { id, streamKey }: Stream): Promise<string> {
  if (streamKey) return streamKey;
  return (await answerOf(api.streams[":id"].key.$post({ param: { id } }))).streamKey;
}

/** As a media server without a heartbeat tells: such a broadcast is live until it is ended, or for a day. */
async function report({ origin, secret }: MediaServer, event: string, streamKey: string): Promise<void> {
  const body = { event, streamKey, sessionId: "demo", source: "demo" };
  const answer = await fetch(`${origin}/api/v1/webhook/stream-event`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Webhook-Secret": secret },
    body: JSON.stringify(body),
  });
  if (answer.ok) return;
  const hint = answer.status === 401 ? " Give the server's WEBHOOK_SECRET as an environment variable." : "";
  throw new Error(`The server refuses our media server (${answer.status}: ${await answer.text()}).${hint}`);
}

async function chat(people: People, { id }: Stream, said: [string, string][]): Promise<void> {
  for (const [at, [author, message]] of said.entries()) {
    const json = { message, clientMessageId: `demo-chat-${at}` };
    await answerOf(people.by(author).api.streams[":id"].chat.$post({ param: { id }, json }));
  }
}

/** The same recording again is the one that is there. */
async function leaveRecording({ origin }: MediaServer, { token }: Person, { id }: Stream): Promise<void> {
  const fields = { streamId: String(id), title: ENDED.title, duration: "4" };
  await postForm(origin, "/vod/upload", token, { ...fields, file: clip("lights") }, z.object({ id: z.number() }));
}

async function endIfLive({ api }: Person, id: number): Promise<void> {
  const param = { id };
  const { status } = await answerOf(api.streams[":id"].$get({ param }));
  if (status === "live") await answerOf(api.streams[":id"].$put({ param, json: { status: "ended" } }));
}
