/** Short videos with real files, and what people do with them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { answerOf } from "../../packages/client/src/index.ts";
import { postForm, type Upload } from "../api.ts";
import type { People, Person } from "./accounts.ts";
import { landscape } from "./pictures.ts";

type Clip = "tide" | "lights" | "rings" | "night";
type Video = {
  owner: string;
  title: string;
  description: string;
  clip: Clip;
  isPrivate?: boolean;
  comments: [author: string, content: string, reply?: [author: string, content: string]][];
};

export const VIDEOS: Video[] = [
  {
    owner: "ines",
    title: "Low tide at six",
    description: "Nobody there but the gulls. #harbour #morning",
    clip: "tide",
    comments: [
      ["priya", "Is that eelgrass on the left? That bed has grown!", ["ines", "It has! Come and count it, @priya."]],
      ["demo", "I know that bench."],
      ["henrik", "The light is on four seconds late. I notice such things."],
    ],
  },
  {
    owner: "greta",
    title: "Last train, platform nine",
    description: "23:58, and the station hums.",
    clip: "night",
    comments: [
      ["noah", "May I have the sound of this? <3", ["greta", "Take it, it belongs to the station."]],
      ["yusuf", "For once more stars in the windows than in the sky."],
    ],
  },
  {
    owner: "luca",
    title: "Four stalls & a bowl of soup",
    description: "Rated by how often I went back.",
    clip: "lights",
    comments: [
      ["friend", "The third one bakes its own bread. I checked."],
      ["rosa", "Now I'm hungry."],
      ["amelie", "Where is this?", ["luca", "Behind the market hall, after seven."]],
    ],
  },
  {
    owner: "sofia",
    title: "A wall, before and after",
    description: "Two days of paint in twenty seconds.",
    clip: "rings",
    comments: [["aisha", "It moves even when it stands still."]],
  },
  {
    owner: "mei",
    title: "Opening the kiln",
    description: "One survived, two are more interesting now.",
    clip: "lights",
    comments: [["kenji", "I would fold a box for that one."]],
  },
  {
    owner: "yusuf",
    title: "Saturn through city haze",
    description: "Stacked from 900 frames; 1 < 2 clouds.",
    clip: "night",
    comments: [["omar", "Showing this in class tomorrow, thank you."]],
  },
  { owner: "priya", title: "Kelp, one week apart", description: "Same rock, same hour.", clip: "tide", comments: [] },
  {
    owner: "aisha",
    title: "Sixteen counts",
    description: "Rehearsal, not the real thing.",
    clip: "rings",
    comments: [],
  },
  { owner: "zoe", title: "4 °C", description: "In, and out again quickly.", clip: "tide", comments: [] },
  { owner: "tomas", title: "A reed that sings", description: "Before and after tuning.", clip: "rings", comments: [] },
  {
    owner: "noah",
    title: "What a stairwell sounds like",
    description: "Use headphones.",
    clip: "night",
    isPrivate: true,
    comments: [],
  },
  {
    owner: "demo",
    title: "How we do things here",
    description: "Be kind, and say where the soup is.",
    clip: "lights",
    comments: [["rosa", "Thank you for running this place!"]],
  },
];

export const clip = (name: Clip): Upload => ({
  name: `${name}.webm`,
  type: "video/webm",
  bytes: new Uint8Array(readFileSync(join(import.meta.dirname, "clips", `${name}.webm`))),
});

const CLIP_SECONDS = 4;
const Made = z.object({ id: z.number(), title: z.string(), views: z.number() });
type Made = z.infer<typeof Made>;

/** Publishes those that are missing, and has everybody watch, like and comment on the public ones. */
export async function makeVideos(origin: string, people: People): Promise<void> {
  const owners = [...new Set(VIDEOS.map(({ owner }) => owner))];
  await Promise.all(owners.map((owner) => makeVideosOf(origin, people, people.by(owner))));
}

async function makeVideosOf(origin: string, people: People, owner: Person): Promise<void> {
  const { videos } = await answerOf(
    owner.api.users[":id"].videos.$get({ param: { id: owner.id }, query: { limit: 100 } }),
  );
  for (const video of VIDEOS.filter((one) => one.owner === owner.username)) {
    const made = videos.find(({ title }) => title === video.title) ?? (await publish(origin, owner, video));
    if (!video.isPrivate) await beWatched(people, video, made);
  }
}

const publish = (
  origin: string,
  owner: Person,
  { title, description, clip: name, isPrivate }: Video,
): Promise<Made> => {
  const fields = { title, description, visibility: isPrivate ? "private" : "public", duration: String(CLIP_SECONDS) };
  const thumb = { name: "thumb.svg", type: "image/svg+xml", bytes: landscape(title) };
  return postForm(origin, "/videos", owner.token, { ...fields, file: clip(name), thumb }, Made);
};

/** Who watches it: some more, some less, but the same people in each run. */
function audienceOf(people: People, video: Video): Person[] {
  const at = VIDEOS.indexOf(video);
  return people.active.filter(
    ({ username }, index) => username !== video.owner && (index * 7 + at * 3) % 10 < 9 - at / 2,
  );
}

/** A view counts again after half an hour, so who is there already does not watch again. */
async function beWatched(people: People, video: Video, { id, views }: Made): Promise<void> {
  const audience = audienceOf(people, video);
  const param = { id };
  if (views < audience.length) {
    await Promise.all(audience.map(({ api }) => answerOf(api.videos[":id"].view.$post({ param }))));
  }
  const fans = audience.filter((_, index) => index % 3 !== 0);
  await Promise.all(fans.map(({ api }) => answerOf(api.videos[":id"].like.$post({ param }))));
  await comment(people, video, id);
}

async function comment(people: People, video: Video, videoId: number): Promise<void> {
  const { api } = people.by(video.owner);
  const query = { limit: 100 };
  const there = await answerOf(api.videos[":id"].comments.$get({ param: { id: videoId }, query }));
  const say = async (author: string, content: string, parentId?: number): Promise<number> => {
    const earlier = there.comments.find((one) => one.content === content && one.author.username === author);
    if (earlier) return earlier.id;
    const json = { videoId, content, parentId };
    return (await answerOf(people.by(author).api.comments.$post({ json }))).id;
  };
  for (const [author, content, reply] of video.comments) {
    const id = await say(author, content);
    if (reply) await say(...reply, id);
  }
}
