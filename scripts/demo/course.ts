/** A course with its chat and a hand-out. */
import { answerOf, RoomcastError } from "../../packages/client/src/index.ts";
import type { People } from "./accounts.ts";
import { storeOnce } from "./files.ts";
import { ADMIN } from "./people.ts";
import { handout } from "./pictures.ts";

const COURSE = { courseId: "waves-101", name: "Waves 101" };

const CHAT: [author: string, message: string][] = [
  [ADMIN, "Welcome to Waves 101. The course is open to everybody; Omar teaches, you ask."],
  ["omar", "Hello! Week one: throw a stone into still water, and write down what you see."],
  ["rosa", "Circles. Does the size of the stone matter?"],
  ["omar", "For how high they are, yes. For how fast they run, look closely 🙂"],
  ["yusuf", "Same speed! But the small ripples on top were faster?"],
  ["omar", "That is week two. Well seen."],
  ["priya", "In the bay it's the depth that decides. I can bring a film."],
  ["rosa", "I did it in the bath. My brother wants to join the course now."],
];

const HANDOUT = {
  name: "week-one.pdf",
  type: "application/pdf",
  bytes: handout("Waves 101: week one", [
    "1. Fill a basin, and wait until it is still.",
    "2. Drop a pebble from the height of your hand.",
    "3. Draw what you see after one second, and after two.",
    "4. Twice the height: what stays the same?",
  ]),
};

/** @param people of whom the first is an admin: only moderators make courses for everybody */
export async function makeCourse(origin: string, people: People): Promise<void> {
  const { courseId } = COURSE;
  try {
    await answerOf(people.by(ADMIN).api.chat.courses.$post({ json: { ...COURSE, joinPolicy: "open" } }));
  } catch (error) {
    if (!(error instanceof RoomcastError && error.code === "CONFLICT")) throw error;
  }
  const say = (
    author: string,
    json: { message: string; clientMessageId: string; fileId?: string; messageType?: "file" },
  ) => answerOf(people.by(author).api.chat.courses[":courseId"].messages.$post({ param: { courseId }, json }));
  for (const [at, [author, message]] of CHAT.entries()) {
    await say(author, { message, clientMessageId: `${courseId}-${at}` });
  }
  const fileId = await storeOnce(origin, people.by("omar"), HANDOUT);
  const message = "The hand-out for this week.";
  await say("omar", { message, fileId, messageType: "file", clientMessageId: `${courseId}-handout` });
}
