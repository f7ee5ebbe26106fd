/** Asks a product's backend before a message is accepted (SPEC 12): rooms in groups, direct messages one by one. */
import { and, eq, isNull } from "drizzle-orm";
import type { Question, Verdict } from "../../chat/gate.ts";
import type { RoomInfo } from "../../chat/info.ts";
import type { Ctx, UserCtx } from "../../context.ts";
import { inList } from "../../db/json.ts";
import { type MessageHook, readHook } from "../../db/message-hook.ts";
import { users } from "../../db/tables.ts";
import { AppError } from "../../errors.ts";
import { logFailure } from "../../platform/log.ts";
import { postOutside } from "../../platform/outside-call.ts";
import { personOf } from "../../realtime/connection-state.ts";
import { MessageAnswer, MessageAnswerList, type MessageQuestion, type MessageTarget } from "./event-contract.ts";
import { externalIdsOf } from "./news.ts";
import { signedHeaders } from "./signing.ts";

/** Where a message is to be, as events name it. */
type Target = { subject: string; data: MessageTarget };

const REFUSED = "This message was not accepted.";

function targetOf(roomId: string, { kind, courseId, publicId }: RoomInfo): Target {
  if (kind === "stream") return { subject: `stream:${roomId}`, data: { streamId: Number(roomId) } };
  if (kind === "course") return { subject: `course:${courseId}`, data: courseId === null ? {} : { courseId } };
  return { subject: `room:${publicId ?? roomId}`, data: { roomId: publicId ?? roomId } };
}

/** What was written into one room. A sender who may not act any more, by the time of the answer, is refused. */
export async function askAboutRoom(
  ctx: Ctx,
  { roomId, info }: { roomId: string; info: RoomInfo },
  questions: Question[],
): Promise<Verdict[]> {
  return askAbout(ctx, targetOf(roomId, info), questions);
}

/** @returns the text to accept. @throws AppError FORBIDDEN it was refused */
export async function askAboutMessage(ctx: UserCtx, message: { receiverId: number; content: string }): Promise<string> {
  const { receiverId, content } = message;
  const me = ctx.actor.id;
  const subject = `users:${Math.min(me, receiverId)}-${Math.max(me, receiverId)}`;
  const [verdict] = await askAbout(ctx, { subject, data: { receiverId } }, [{ person: personOf(ctx), content }]);
  if (!verdict || "refused" in verdict) throw new AppError("FORBIDDEN", verdict?.refused ?? REFUSED);
  return verdict.content;
}

async function askAbout(ctx: Ctx, target: Target, questions: Question[]): Promise<Verdict[]> {
  const hook = await readHook(ctx);
  if (!hook) return questions.map(({ content }) => ({ content }));
  const senders = [...new Set(questions.map(({ person }) => person.userId))];
  const externalIds = await orLetThrough(ctx, hook, externalIdsOf(ctx, senders));
  if (externalIds === null) return questions.map(({ content }) => ({ content }));
  const events = questions.map((question) => questionOf(target, question, externalIds.get(question.person.userId)));
  const answers = await askTogether(ctx, hook, events);
  const active = await orLetThrough(ctx, hook, activeAmong(ctx, senders));
  return questions.map(({ person, content }, at) => {
    if (active?.has(person.userId) === false) return { refused: "This account may not write any more." };
    return verdictOf(hook, content, answers[at] ?? null);
  });
}

/** What the database says; null when it does not, where messages are let through that cannot be asked about. */
async function orLetThrough<T>(ctx: Ctx, { onFailure }: MessageHook, asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (onFailure === "refuse") throw error;
    logFailure(ctx, "hook.unknown", error);
    return null;
  }
}

function questionOf(
  { subject, data }: Target,
  { person, messageId, content, ...rest }: Question,
  externalId: string | undefined,
): MessageQuestion {
  const { userId, username } = person;
  const { type: messageType = "text", fileUrl = null, replyTo = null } = rest;
  const externalIds = externalId === undefined ? {} : { externalIds: { userId: externalId } };
  const what: Pick<MessageQuestion["data"], "kind" | "messageId" | "messageType" | "fileUrl" | "replyTo"> =
    messageId === undefined ? { kind: "message", messageType, fileUrl, replyTo } : { kind: "edit", messageId };
  return {
    type: "message.before",
    timestamp: new Date().toISOString(),
    subject,
    data: { ...data, userId, username, ...externalIds, ...what, content },
  };
}

/** Null: no answer that can be read. Whoever does not answer each of several by itself is asked about one after the other. */
async function askTogether(ctx: Ctx, hook: MessageHook, events: MessageQuestion[]): Promise<(MessageAnswer | null)[]> {
  const [only] = events;
  if (events.length === 1 && only) return [await askOne(ctx, hook, only)];
  const said = await post(ctx, hook, { events });
  if (said === null) return events.map(() => null);
  const parsed = MessageAnswerList.safeParse(said.answer);
  if (parsed.success && parsed.data.answers.length === events.length) return parsed.data.answers;
  const answers: (MessageAnswer | null)[] = [];
  for (const event of events) answers.push(await askOne(ctx, hook, event));
  return answers;
}

async function askOne(ctx: Ctx, hook: MessageHook, event: MessageQuestion): Promise<MessageAnswer | null> {
  const said = await post(ctx, hook, event);
  const parsed = MessageAnswer.safeParse(said?.answer);
  return parsed.success ? parsed.data : null;
}

/** Null: it did not answer in time, or not with 2xx. */
async function post(
  ctx: Ctx,
  { url, secret, timeoutMs }: MessageHook,
  question: object,
): Promise<{ answer: unknown } | null> {
  const body = JSON.stringify(question);
  try {
    const headers = signedHeaders(secret, `before-${crypto.randomUUID()}`, new Date(), body);
    const { status, text } = await postOutside(ctx.config, { url, body, headers, timeoutMs });
    if (status < 200 || status >= 300) throw new Error(`It answered ${status}.`);
    return { answer: jsonIn(text) };
  } catch (error) {
    logFailure(ctx, "hook.failed", error);
    return null;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function verdictOf({ onFailure }: MessageHook, content: string, answer: MessageAnswer | null): Verdict {
  if (answer === null) return onFailure === "allow" ? { content } : { refused: "This message could not be looked at." };
  if (answer.action === "refuse") return { refused: answer.reason ?? REFUSED };
  return { content: answer.action === "replace" ? answer.content : content };
}

/** Whoever was banned, deactivated or erased while it was looked at, is none of them. */
async function activeAmong(ctx: Ctx, userIds: number[]): Promise<Set<number>> {
  const rows = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(and(inList(users.id, userIds), isNull(users.bannedAt), eq(users.accountStatus, "active")));
  return new Set(rows.map(({ id }) => id));
}
