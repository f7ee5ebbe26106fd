/** Groups of the messenger, with what was said in them. */
import { answerOf, RoomcastError } from "../../packages/client/src/index.ts";
import type { People } from "./accounts.ts";
import { storeOnce } from "./files.ts";
import { landscape } from "./pictures.ts";

type Said = {
  by: string;
  content: string;
  /** A picture of this name comes with it. */
  picture?: string;
  reactions?: Record<string, string[]>;
};
type Group = { id: string; name: string; isOpen?: boolean; members: string[]; history: Said[] };

export const GROUPS: Group[] = [
  {
    id: "demo-harbour-walk",
    name: "Harbour walk 🌊",
    members: ["demo", "friend", "ines", "priya", "henrik", "zoe", "noah"],
    history: [
      { by: "ines", content: "Sunday, low tide is at 6:12. Who's in?" },
      { by: "zoe", content: "Me. Swimming first, walking after.", reactions: { "🥶": ["friend", "demo", "noah"] } },
      { by: "friend", content: "6:12 *in the morning*?" },
      { by: "henrik", content: "The best hour. I'll bring the thermos.", reactions: { "❤️": ["demo", "ines", "zoe"] } },
      {
        by: "priya",
        content: "This is where the eelgrass begins, please keep to the left of the posts.",
        picture: "the-bay.svg",
        reactions: { "👍": ["ines", "demo", "henrik", "zoe"], "🌱": ["noah"] },
      },
      { by: "noah", content: "I'd like five minutes of silence somewhere for a recording." },
      { by: "demo", content: "By the old crane, then. I'll ask the others to whisper 🤫" },
      {
        by: "friend",
        content: "Fine. I'll be there, with bread.",
        reactions: { "🥖": ["demo", "ines", "henrik", "zoe"] },
      },
    ],
  },
  {
    id: "demo-exhibition",
    name: "Exhibition in March",
    members: ["demo", "mei", "kenji", "sofia", "aisha", "tomas", "luca"],
    history: [
      {
        by: "sofia",
        content: "The hall said yes! 14 to 28 March.",
        reactions: { "🎉": ["mei", "kenji", "aisha", "demo"] },
      },
      { by: "mei", content: "I need three tables and nobody with a backpack near them." },
      { by: "kenji", content: "My things weigh nothing. I need a fan and a string." },
      { by: "aisha", content: "Opening night: sixteen counts, twice, between the tables?" },
      { by: "mei", content: "…between the *walls*, please.", reactions: { "😅": ["aisha", "sofia"] } },
      { by: "luca", content: "Soup for sixty. Who has a pot?" },
      { by: "tomas", content: "A pot, and an accordion." },
    ],
  },
  {
    id: "demo-town-square",
    name: "Town square",
    isOpen: true,
    members: ["demo", "rosa", "yusuf", "greta", "jonas", "amelie", "omar"],
    history: [
      { by: "demo", content: "This room is open: whoever opens it is in." },
      { by: "jonas", content: "Found: a bell from a 1950s bicycle, on the bridge." },
      { by: "greta", content: "Mine! It fell off at the station curve.", reactions: { "🔔": ["jonas", "rosa"] } },
      { by: "rosa", content: "How do I write to somebody alone here?" },
      { by: "amelie", content: "The pencil at the top of the list, then their name.", reactions: { "🙏": ["rosa"] } },
    ],
  },
];

export async function makeRooms(origin: string, people: People): Promise<void> {
  await Promise.all(GROUPS.map((group) => makeGroup(origin, people, group)));
}

async function makeGroup(origin: string, people: People, { id, name, isOpen, members, history }: Group): Promise<void> {
  const [maker = "", ...others] = members;
  const memberIds = others.map((username) => people.by(username).id);
  const json = { id, name, isGroup: true, memberIds, joinPolicy: isOpen ? ("open" as const) : ("members" as const) };
  try {
    await answerOf(people.by(maker).api.rooms.$post({ json }));
  } catch (error) {
    if (!(error instanceof RoomcastError && error.code === "CONFLICT")) throw error;
  }
  for (const [at, said] of history.entries()) await say(origin, people, id, at, said);
}

/** Said and reacted to once, however often this is called: the service knows the one by its `clientMessageId`, the other by who did it. */
async function say(origin: string, people: People, roomId: string, at: number, said: Said): Promise<void> {
  const author = people.by(said.by);
  const file = said.picture && { name: said.picture, type: "image/svg+xml", bytes: landscape(said.picture, 640, 400) };
  const json = {
    content: said.content,
    clientMessageId: `${roomId}-${at}`,
    ...(file ? { type: "image" as const, fileId: await storeOnce(origin, author, file) } : {}),
  };
  const message = await answerOf(author.api.rooms[":id"].messages.$post({ param: { id: roomId }, json }));
  const param = { id: roomId, messageId: message.id };
  for (const [emoji, usernames] of Object.entries(said.reactions ?? {})) {
    for (const username of usernames) {
      await answerOf(
        people.by(username).api.rooms[":id"].messages[":messageId"].reactions.$post({ param, json: { emoji } }),
      );
    }
  }
}
