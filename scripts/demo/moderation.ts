/** What went wrong in the demo world, and what its admin did about it. */
import { answerOf } from "../../packages/client/src/index.ts";
import type { People, Person } from "./accounts.ts";
import { ADMIN, SPAMMER } from "./people.ts";

type Report = {
  by: string;
  /** A username, or the title of a video. */
  about: { user: string } | { video: string };
  reason: string;
  details?: string;
  outcome?: { verb: "resolve"; result: string } | { verb: "reject"; reason: string };
};

const REPORTS: Report[] = [
  {
    by: "rosa",
    about: { user: SPAMMER },
    reason: "Spam or a scam",
    details: "Writes to everybody that money doubles in a day.",
    outcome: { verb: "resolve", result: "The account is banned." },
  },
  {
    by: "friend",
    about: { user: SPAMMER },
    reason: "Spam or a scam",
    outcome: { verb: "resolve", result: "The account is banned." },
  },
  {
    by: "jonas",
    about: { video: "Low tide at six" },
    reason: "Somebody else made this",
    details: "I think I saw this shot elsewhere.",
    outcome: { verb: "reject", reason: "It is her own: she has the raw film." },
  },
  { by: "amelie", about: { video: "4 °C" }, reason: "Dangerous", details: "Please add that nobody should swim alone." },
  {
    by: "henrik",
    about: { video: "Last train, platform nine" },
    reason: "Wrong title",
    details: "It is platform ten.",
  },
  { by: "tomas", about: { user: "jonas" }, reason: "Rude", details: "He called my accordion a suitcase." },
];

const VERIFIED = ["ines", "omar"];

/** Reports, what came of them, marks of trust and a ban. Needs the admin to be one. */
export async function makeModeration(people: People): Promise<void> {
  const admin = people.by(ADMIN);
  const { reports } = await answerOf(admin.api.admin.reports.$get({ query: { status: "all", limit: 100 } }));
  for (const report of REPORTS) {
    const isThere = reports.some((one) => one.reporterUsername === report.by && one.reason === report.reason);
    if (!isThere) await makeReport(people, admin, report);
  }
  for (const username of VERIFIED) {
    await answerOf(admin.api.admin.users[":id"].verify.$post({ param: { id: people.by(username).id } }));
  }
  const spammer = people.all.find(({ username }) => username === SPAMMER);
  // Who could not sign in any more is banned already.
  if (spammer) {
    const json = { reason: "Spam" };
    await answerOf(admin.api.admin.users[":id"].ban.$post({ param: { id: spammer.id }, json }));
  }
}

async function makeReport(
  people: People,
  admin: Person,
  { by, about, reason, details, outcome }: Report,
): Promise<void> {
  const target =
    "user" in about
      ? { targetType: "user" as const, targetId: people.by(about.user).id }
      : { targetType: "video" as const, targetId: await videoCalled(admin, about.video) };
  const { id } = await answerOf(people.by(by).api.reports.$post({ json: { ...target, reason, details } }));
  const param = { id };
  if (outcome?.verb === "resolve") {
    await answerOf(admin.api.admin.reports[":id"].resolve.$post({ param, json: { result: outcome.result } }));
  } else if (outcome?.verb === "reject") {
    await answerOf(admin.api.admin.reports[":id"].reject.$post({ param, json: { reason: outcome.reason } }));
  }
}

async function videoCalled({ api }: Person, title: string): Promise<number> {
  const { videos } = await answerOf(api.admin.videos.$get({ query: { search: title, limit: 10 } }));
  const [video] = videos.filter((one) => one.title === title);
  if (!video) throw new Error(`There is no video ${title}.`);
  return video.id;
}
