/** `npm run test:chaos -- --restart 1000`: so many clients of one room are there again after the server was killed, each told all. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterClose } from "../../packages/client/src/policy.ts";
import { NativeMember } from "./native-member.ts";
import type { Rest, User } from "./rest.ts";
import type { ChaosServer } from "./server.ts";
import { Log } from "./witness.ts";
import { groupSpeech } from "./world.ts";

/** A user has up to 100 connections to a room (CONNECTIONS_PER_USER). */
const CLIENTS_PER_USER = 50;
const DOWN_MS = 1000;
const GIVE_UP_MS = 90_000;

/** Clients wait as ours do after a service restart. @returns whether all came back, and had everything once and in order */
export async function restart(server: ChaosServer, rest: Rest, clients: number, say: (line: string) => void) {
  const users: User[] = [];
  for (let index = 0; index * CLIENTS_PER_USER < clients; index += 1) users.push(await rest.register(`crowd_${index}`));
  const [owner] = users;
  if (!owner) throw new Error("A restart needs clients.");
  const memberIds = users.slice(1).map(({ id }) => id);
  const body = { name: "The crowd", isGroup: true, memberIds };
  const { id: roomId } = await rest.call("/rooms", { method: "POST", body, token: owner.token });
  const log = new Log("crowd");
  const address = `${rest.origin.replace("http", "ws")}/api/v1/rooms/${roomId}/ws`;
  const speech = groupSpeech(roomId);
  const backMs = () => {
    const next = afterClose(1012, "", 0);
    return next.comeBack ? next.delayMs : 0;
  };
  const members = Array.from({ length: clients }, (_, index) => {
    const user = users[Math.floor(index / CLIENTS_PER_USER)] ?? owner;
    return new NativeMember(address, user, log.witness(`client ${index}`), speech, {
      isArray: index % 2 === 0,
      backMs,
    });
  });
  const [speaker] = members;
  const allAreIn = () => members.every(({ isOpen }) => isOpen);
  await until(allAreIn);
  say(`${clients} clients are in`);
  const speak = async (text: string) => log.acknowledge(text, (await speaker?.say(text)) ?? null);
  await speak("before");
  await server.kill();
  await sleep(DOWN_MS);
  const upAt = performance.now();
  await server.start();
  const reports: string[] = [];
  const halfAt = until(() => members.filter(({ isOpen }) => isOpen).length >= clients / 2).then(() =>
    performance.now(),
  );
  await speak("while they come back");
  await until(allAreIn);
  reports.push(`half were back after ${Math.round((await halfAt) - upAt)} ms`);
  reports.push(`all after ${Math.round(performance.now() - upAt)} ms`);
  await speak("after");
  await until(() => log.missing().length === 0).catch(() => undefined);
  const faults = log.faults();
  for (const member of members) member.stop();
  say(`from the start of the new server: ${reports.join(", ")}`);
  for (const fault of faults.slice(0, 20)) say(`FAULT ${fault}`);
  say(faults.length === 0 ? `All ${clients} had everything once and in order.` : `${faults.length} faults`);
  return faults.length === 0;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const giveUpAt = Date.now() + GIVE_UP_MS; Date.now() < giveUpAt; await sleep(20)) if (isTrue()) return;
  throw new Error(`It took longer than ${GIVE_UP_MS} ms.`);
}
