/** Who follows whom, who is friends, and what they write to each other. */
import { answerOf } from "../../packages/client/src/index.ts";
import type { People, Person } from "./accounts.ts";

/** In pairs: who asked, who was asked. */
const FRIENDS: [string, string][] = [
  ["demo", "friend"],
  ["demo", "ines"],
  ["demo", "omar"],
  ["ines", "priya"],
  ["greta", "noah"],
  ["luca", "friend"],
  ["mei", "kenji"],
  ["rosa", "demo"],
];
/** Asked, and not answered yet. */
const PENDING: [string, string][] = [
  ["zoe", "demo"],
  ["yusuf", "demo"],
];

const LETTERS: [from: string, to: string, content: string][] = [
  ["friend", "demo", "Bread's out of the oven. Shall I bring one?"],
  ["demo", "friend", "Two, if you can. Inês is coming as well."],
  ["friend", "demo", "Two it is 🥖"],
  ["ines", "demo", "Can you look at the report on my tide video? I think it's a mix-up."],
  ["demo", "ines", "Looked: it was. I've rejected it."],
  ["omar", "demo", "The waves course is up. Do you have a room for the recordings?"],
  ["demo", "omar", "Put them under the stream, they show up there by themselves."],
  ["rosa", "demo", "I can't find the hand-out for week two…"],
];

export async function makeCircle(people: People): Promise<void> {
  await Promise.all(people.active.map((person, at) => followSome(people, person, at)));
  await Promise.all(FRIENDS.map((pair) => befriend(people, ...pair)));
  await Promise.all(PENDING.map(([asks, asked]) => askFriend(people.by(asks), people.by(asked))));
  for (const [at, [from, to, content]] of LETTERS.entries()) {
    const json = { receiverId: people.by(to).id, content, clientMessageId: `demo-letter-${at}` };
    await answerOf(people.by(from).api.messages.$post({ json }));
  }
}

/** The first ones have the most followers. */
async function followSome({ active }: People, { id, api }: Person, at: number): Promise<void> {
  const followed = active.filter((other, index) => other.id !== id && (index * 5 + at * 3) % 12 < 6 - index / 4);
  for (const other of followed) await answerOf(api.users[":id"].follow.$post({ param: { id: other.id } }));
}

const askFriend = ({ api }: Person, { id }: Person) => answerOf(api.friends.$post({ json: { friendId: id } }));

async function befriend(people: People, asks: string, asked: string): Promise<void> {
  const [one, other] = [people.by(asks), people.by(asked)];
  const { status } = await askFriend(one, other);
  if (status === "accepted") return;
  await answerOf(other.api.friends[":userId"].accept.$post({ param: { userId: one.id } }));
}
