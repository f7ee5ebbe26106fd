/**
 * Seeded: the number in a test's name is all that is needed to play it again. Members at random send, edit, delete,
 * drop their sockets, come back with `since`, and the room is evicted under them. In the end each one's log is the room's.
 */
import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import type { TestUser } from "./support/api.ts";
import { at } from "./support/items.ts";
import { mintGroup } from "./support/rooms.ts";
import { type Frame, openSocket, type TestSocket } from "./support/socket.ts";

const DURABLE = new Set(["new_message", "message_updated", "message_deleted", "reaction"]);
const STEPS = 120;

/** mulberry32 */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
}

class Member {
  readonly user: TestUser;
  /** What this client has of the room's log, over all of its connections. */
  readonly log: Frame[] = [];
  /** Sent, but not acknowledged: sent again after the next connect, as a client would. */
  readonly unanswered = new Map<string, string>();
  readonly acked = new Set<string>();
  #epoch = "";
  #socket: TestSocket | undefined;
  readonly #roomId: string;

  constructor(user: TestUser, roomId: string) {
    this.user = user;
    this.#roomId = roomId;
  }

  get isConnected(): boolean {
    return this.#socket !== undefined;
  }

  get position(): number {
    return this.log.at(-1)?.seq ?? 0;
  }

  async connect(isBatch: boolean): Promise<void> {
    const resume = this.#epoch ? `&since=${this.position}&epoch=${this.#epoch}` : "&since=0";
    const batch = isBatch ? "&batch=1" : "";
    this.#socket = await openSocket(`/rooms/${this.#roomId}/ws?token=${this.user.token}${resume}${batch}`);
    this.#epoch = (await this.#socket.next("connected")).epoch;
    await this.#socket.next("online_users");
    for (const [clientMessageId, content] of this.unanswered) this.#put(clientMessageId, content);
  }

  say(clientMessageId: string, content: string): void {
    this.unanswered.set(clientMessageId, content);
    this.#put(clientMessageId, content);
  }

  #put(clientMessageId: string, content: string): void {
    this.#socket?.send({ type: "send_message", id: clientMessageId, data: { content, clientMessageId } });
  }

  ask(type: string, data: object): Promise<Frame> | undefined {
    return this.#socket?.ask(type, data);
  }

  /** Takes what has come by now into the log. */
  #take(): void {
    for (const frame of this.#socket?.frames.splice(0) ?? []) {
      if (DURABLE.has(frame.type)) this.log.push(frame);
      if (frame.type !== "ack" || typeof frame.id !== "string" || !this.unanswered.delete(frame.id)) continue;
      this.acked.add(frame.data.id);
    }
  }

  /** Vanishes in the middle of whatever is going on: what is on its way is lost to this client. */
  drop(): void {
    this.#take();
    this.#socket?.close();
    this.#socket = undefined;
  }

  /** Waits until everything that was sent is answered, and everything that was said before has come. */
  async settle(head: number): Promise<void> {
    await expect
      .poll(() => {
        this.#take();
        return { unanswered: this.unanswered.size, isCaughtUp: this.position >= head };
      })
      .toEqual({ unanswered: 0, isCaughtUp: true });
  }
}

/** Only an object that runs can be put to sleep. */
async function evict(roomId: string): Promise<void> {
  const room = env.CHAT_ROOM.getByName(roomId);
  await room.statistics();
  await evictDurableObject(room);
}

const outline = (frames: Frame[]) =>
  frames.map(({ seq, type, data }) => [seq, type, type === "new_message" ? data.id : data.messageId]);

it.each([1, 2, 3, 4, 5, 6])(
  "every member's log is the room's, in order, none missing, none twice (seed %i)",
  async (seed) => {
    const roll = dice(seed);
    const { roomId, people } = await mintGroup("p0", "p1", "p2", "p3", "p4");
    const members = people.map((user) => new Member(user, roomId));
    for (const member of members) await member.connect(roll(2) === 0);
    let sent = 0;
    for (let step = 0; step < STEPS; step += 1) {
      const member = at(members, roll(members.length));
      const act = roll(100);
      const own = [...member.acked].at(-1);
      if (!member.isConnected) await member.connect(roll(2) === 0);
      else if (act < 60) {
        sent += 1;
        member.say(`c${sent}`, `text ${sent}`);
      } else if (act < 66 && own) await member.ask("edit_message", { messageId: own, content: `edited ${step}` });
      else if (act < 70 && own) {
        member.acked.delete(own);
        await member.ask("delete_message", { messageId: own });
      } else if (act < 76 && own) await member.ask("reaction", { messageId: own, emoji: "👍" });
      else if (act < 92) member.drop();
      else await evict(roomId);
    }
    for (const member of members) if (!member.isConnected) await member.connect(false);
    for (const member of members) await member.settle(0);
    const witness = await openSocket(`/rooms/${roomId}/ws?token=${people[0]?.token}&since=0`);
    const head = (await witness.next("connected")).seq ?? 0;
    await witness.next("online_users");
    const truth = witness.frames.filter(({ type }) => DURABLE.has(type));
    expect(truth.map(({ seq }) => seq)).toEqual(Array.from({ length: head }, (_, at) => at + 1));
    expect(truth.filter(({ type }) => type === "new_message")).toHaveLength(sent);
    for (const member of members) {
      await member.settle(head);
      expect(outline(member.log)).toEqual(outline(truth));
    }
  },
);
