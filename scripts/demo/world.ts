/** The demo world, made through the API alone; a second time it finds everything there and adds nothing. */
import { answerOf } from "../../packages/client/src/index.ts";
import { makePeople, type People, type Person } from "./accounts.ts";
import { makeCircle } from "./circle.ts";
import { makeCourse } from "./course.ts";
import { makeModeration } from "./moderation.ts";
import { ADMIN } from "./people.ts";
import { makeRooms } from "./rooms.ts";
import { type MediaServer, makeStreams } from "./streams.ts";
import { makeVideos } from "./videos.ts";

/**
 * @param server where, and how its media servers prove what they are
 * @param makeAdmin gives the account of this name the role of an admin, by the database: no API makes the first one
 */
export async function makeWorld(server: MediaServer, makeAdmin: (username: string) => void): Promise<People> {
  const { origin } = server;
  const people = await makePeople(origin);
  await requireAdmin(people.by(ADMIN), makeAdmin);
  await makeVideos(origin, people);
  await Promise.all([
    makeCircle(people),
    makeRooms(origin, people),
    makeCourse(origin, people),
    makeStreams(server, people),
  ]);
  await makeModeration(people);
  return people;
}

/** @throws Error the database that was written to is not the server's */
async function requireAdmin({ api, username, role }: Person, makeAdmin: (username: string) => void): Promise<void> {
  if (role === "admin") return;
  makeAdmin(username);
  const now = await answerOf(api.auth.me.$get());
  if (now.role === "admin") return;
  throw new Error("The server has another database than the one here: give its --persist-to.");
}
