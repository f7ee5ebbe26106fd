/** What goes on while the server is killed. Each job runs until it is told to stop, and counts what was acknowledged. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { followText } from "./hub-member.ts";
import type { Member } from "./members.ts";
import type { Random } from "./random.ts";
import type { Rest, User } from "./rest.ts";
import { SETTINGS } from "./server.ts";
import { type Place, TOPIC, type World } from "./world.ts";

const PAUSE_MS = { least: 10, most: 120 };
const PIECE_BYTES = 64 * 1024;
const TUS = { "Tus-Resumable": "1.0.0" };

export class Work {
  readonly counts: Record<string, number> = {};
  readonly faults: string[] = [];
  readonly #rest: Rest;
  readonly #random: Random;
  readonly #world: World;
  /** Who has followed whom: by the path, and the follower's id. */
  readonly #follows = new Set<string>();
  #isOver = false;
  #jobs: Promise<void>[] = [];

  constructor(rest: Rest, world: World, random: Random) {
    this.#rest = rest;
    this.#world = world;
    this.#random = random;
  }

  start(): void {
    const { places, users, hubs } = this.#world;
    for (const place of places) for (const member of place.members) this.#run(() => this.#say(place, member));
    for (const user of users) this.#run(() => this.#write(user, this.#random.between(0, users.length - 1)));
    this.#run(() => this.#follow(users, hubs));
    this.#run(() => this.#broadcast());
    this.#run(() => this.#publish());
    for (const member of this.#world.call.members) this.#run(() => this.#signal(member));
    const [uploader] = users;
    if (uploader) this.#run(() => this.#upload(uploader));
  }

  /** Resolves once what is under way has been answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#jobs);
  }

  /** Once everybody is back: whoever is connected hears what comes next. */
  async sayLast(): Promise<void> {
    const { places, users } = this.#world;
    const last = [
      ...places.map((place) => this.#say(place, this.#random.pick(place.members))),
      ...users.map((user, index) => this.#write(user, (index + 1) % users.length)),
      this.#publish(),
    ];
    for (const said of await Promise.allSettled(last)) {
      if (said.status === "rejected") this.faults.push(String(said.reason));
    }
  }

  #run(job: () => Promise<void>): void {
    const loop = async () => {
      while (!this.#isOver) {
        await job();
        await sleep(this.#random.between(PAUSE_MS.least, PAUSE_MS.most));
      }
    };
    this.#jobs.push(loop().catch((error) => void this.faults.push(String(error))));
  }

  #count(kind: string): number {
    const count = (this.counts[kind] ?? 0) + 1;
    this.counts[kind] = count;
    return count;
  }

  async #say({ log }: Place, member: Place["members"][number]): Promise<void> {
    const text = `${log.name} ${member.user.username} ${this.#count(`messages in the ${log.name}`)}`;
    log.acknowledge(text, await member.say(text));
  }

  async #write(from: User, at: number): Promise<void> {
    const { users, hubs, direct } = this.#world;
    const to = users[at];
    if (!to || to.id === from.id) return;
    const content = `direct ${from.username} ${this.#count("direct messages")}`;
    const body = { receiverId: to.id, content, clientMessageId: content };
    await this.#rest.call("/messages", { method: "POST", body, token: from.token });
    for (const log of [hubs[at]?.log, hubs[users.indexOf(from)]?.log, direct]) log?.acknowledge(content, null);
  }

  /** The product's backend tells a topic something, and again until it is answered. */
  async #publish(): Promise<void> {
    const { key, topic } = this.#world;
    const text = `news ${this.#count("publications")}`;
    const body = { to: { topic: TOPIC }, type: "chaos:news", data: { text }, keep: true, dedupeId: text };
    const { seq } = await this.#rest.call("/server/publish", { method: "POST", body, token: key });
    topic.log.acknowledge(text, seq);
  }

  async #signal(from: Member): Promise<void> {
    const { call } = this.#world;
    const to = this.#random.pick(call.members);
    if (to !== from && (await call.signal(from, to, `signal of ${from.user.username}`))) this.#count("signals");
  }

  /** The first follow notifies; one that is taken back and given again does not. */
  async #follow(users: User[], hubs: Place[]): Promise<void> {
    const [by, whom] = [this.#random.pick(users), this.#random.between(0, users.length - 1)];
    const followed = users[whom];
    if (!followed || followed.id === by.id || !hubs[whom]) return;
    const path = `/users/${followed.id}/follow`;
    await this.#rest.call(path, { method: "POST", token: by.token });
    const isFirst = !this.#follows.has(path + by.id);
    this.#follows.add(path + by.id);
    if (isFirst) hubs[whom]?.log.acknowledge(followText(by.username), null);
    await this.#rest.call(path, { method: "DELETE", token: by.token });
    this.#count("follows");
  }

  /** A media server tells of a broadcast, and again until it is answered. */
  async #broadcast(): Promise<void> {
    const { stream } = this.#world;
    const clientid = this.#count("broadcasts");
    for (const call of ["publish", "publish_done"]) {
      const body = `app=live&addr=127.0.0.1&clientid=${clientid}&call=${call}&name=${stream.streamKey}`;
      const path = `/webhook/stream-event?secret=${SETTINGS.WEBHOOK_SECRET}`;
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      const answer = await this.#rest.answered(() => this.#rest.once(path, { method: "POST", body, headers }));
      if (!answer.ok) this.faults.push(`${call} ${clientid} answered ${answer.status}: ${answer.text}`);
      const { status } = await this.#rest.call(`/streams/${stream.id}`);
      const right = call === "publish" ? "live" : "ended";
      if (status !== right) this.faults.push(`after ${call} ${clientid} the stream is ${status}`);
    }
  }

  /** A file in pieces, each of which may be cut off; what arrives must be what was sent. */
  async #upload(user: User): Promise<void> {
    const number = this.#count("uploads");
    const bytes = gif(PIECE_BYTES * 3 + this.#random.between(0, PIECE_BYTES), number);
    const by = { token: user.token };
    const metadata = `filename ${Buffer.from(`chaos-${number}.gif`).toString("base64")}`;
    const headers = { ...TUS, "Upload-Length": String(bytes.length), "Upload-Metadata": metadata };
    const tus = "/api/v1/files/tus";
    const made = await this.#rest.answered(() => this.#rest.once(tus, { method: "POST", headers, ...by }));
    const location = made.headers.get("Location");
    if (!location) return void this.faults.push(`upload ${number}: ${made.status} ${made.text}`);
    const path = new URL(location, this.#rest.origin).pathname;
    for (let offset = 0; offset < bytes.length; ) {
      const piece = bytes.subarray(offset, offset + PIECE_BYTES);
      const patch = { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) };
      await this.#rest.once(path, { method: "PATCH", body: piece, headers: { ...TUS, ...patch }, ...by });
      const head = await this.#rest.answered(() => this.#rest.once(path, { method: "HEAD", headers: TUS, ...by }));
      offset = Number(head.headers.get("Upload-Offset"));
      if (!head.ok) return void this.faults.push(`upload ${number} is gone: ${head.status}`);
    }
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const { data } = await this.#rest.call("/files/list/general?limit=100", by);
    const found = data.files.filter((file: { sha256: string }) => file.sha256 === sha256).length;
    if (found !== 1) this.faults.push(`upload ${number} is there ${found} times`);
  }
}

/** An image by its first bytes; different for each number. */
function gif(length: number, number: number): Uint8Array {
  const bytes = new Uint8Array(length).map((_, at) => (at * 31 + (at >> 8) + number) % 251);
  bytes.set(new TextEncoder().encode("GIF89a"));
  bytes.set([1, 0, 1, 0, 0, 0, 0], 6);
  return bytes;
}
