/**
 * A broadcast from end to end, with Debian's nginx, libnginx-mod-rtmp and ffmpeg and the configuration in
 * examples/media-server: publish, live, play, the viewer leaves, stop, ended, the recording as a VOD, byte for byte; then
 * hostile publishers, a ban, and a media server that dies. Skips, saying so, where these programs are missing.
 * `npm run test:media`; takes about two minutes, most of them heartbeats and leases.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import {
  api,
  cleanUp,
  exitOf,
  filesWith,
  makeAdmin,
  missingPrograms,
  ORIGIN,
  play,
  publish,
  recordings,
  SECRET,
  startNginx,
  startRoomcast,
  stop,
  tickCron,
  until,
  uploadByHand,
  work,
} from "./broadcast.ts";

const missing = missingPrograms();
if (missing.length > 0) {
  console.log(`SKIPPED: missing here: ${missing.join(", ")} (apt-get install nginx libnginx-mod-rtmp ffmpeg curl)`);
  await cleanUp(false);
  process.exit(0);
}

const step = (text: string): void => console.log(`ok    ${text}`);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const pause = (seconds: number) => new Promise<void>((resolve) => setTimeout(resolve, seconds * 1000));
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

type Account = { token: string; user: { id: number; username: string } };

async function register(name: string): Promise<Account> {
  const username = `${name}${Date.now()}`;
  const body = { username, email: `${username}@example.com`, password: "correct horse" };
  return api("/api/v1/auth/register", { method: "POST", body });
}

/** Somebody's stream, and what can be asked about it. */
async function mintStream({ token }: Account) {
  const { id, streamKey } = await api("/streams", { method: "POST", token, body: { title: "End to end" } });
  const read = () => api(`/streams/${id}`);
  const isLive = (wanted: boolean) => async () => ((await read()).status === "live") === wanted;
  const vods = async () => (await api(`/vod?streamId=${id}`)).vods;
  return { id: Number(id), key: String(streamKey), read, isLive, vods };
}
type Stream = Awaited<ReturnType<typeof mintStream>>;

let readLog: () => string = () => "";
/** Resolves when Roomcast has logged one more line like this. */
async function nextLine(pattern: RegExp, seconds = 15): Promise<void> {
  const count = () => readLog().match(new RegExp(pattern, "g"))?.length ?? 0;
  const before = count();
  await until(String(pattern), async () => count() > before, seconds);
}
const RENEWED = /"event":"webhook\.beat".*"outcome":"renewed"/;

async function publishAndWatch(stream: Stream): Promise<void> {
  assert.deepEqual([(await stream.read()).status, (await stream.read()).startTime], ["ended", null]);
  assert.notEqual(await exitOf(publish("live/sk_thisKeyWasNeverGivenToAnybody")), 0);
  assert.deepEqual([(await stream.read()).status, readdirSync(recordings)], ["ended", []]);
  step("a publisher with an unknown key is turned away, and nothing is recorded");

  const publisher = publish(`live/${stream.key}?token=abc&user=7`);
  await until("live", stream.isLive(true));
  const { startTime, endTime } = await stream.read();
  assert.ok(Math.abs(Date.now() - Date.parse(startTime)) < 10_000);
  assert.equal(endTime, null);
  step(`published: live since ${startTime}`);

  assert.notEqual(await exitOf(publish(`live/${stream.key}`)), 0);
  const during = await stream.read();
  assert.deepEqual([during.status, during.startTime, publisher.exitCode], ["live", startTime, null]);
  step("a second publisher with the same key is turned away; the first goes on");

  const viewer = play(`pub/${stream.id}`, "watched.flv");
  await until("a viewer", async () => (await stream.read()).viewerCount === 1);
  await until("pictures", async () => sizeOf(join(work, "watched.flv")) > 10_000);
  await stop(viewer, "SIGINT");
  await until("the viewer to leave", async () => (await stream.read()).viewerCount === 0);
  const hls = join(work, "hls", String(stream.id));
  await until("HLS", async () => readdirSync(hls).some((name) => name.endsWith(".m3u8")));
  await nextLine(RENEWED);
  const after = await stream.read();
  assert.deepEqual([after.status, after.startTime, after.endTime], ["live", startTime, null]);
  step("played under the public id; the viewer left; still live, and the next heartbeat renews the lease");

  const stoppedAt = Date.now();
  await stop(publisher, "SIGINT");
  await until("the end", stream.isLive(false));
  const ended = await stream.read();
  assert.equal(ended.startTime, startTime);
  assert.ok(Math.abs(Date.parse(ended.endTime) - stoppedAt) < 5000, "endTime is not when it stopped");
  assert.equal(ended.viewerCount, 1);
  step(`stopped: ended at ${ended.endTime}, with one viewer at most`);
}

async function watchRecording(stream: Stream, { token }: Account): Promise<void> {
  const [vod] = await until("the recording", async () => ((await stream.vods()).length > 0 ? stream.vods() : false));
  const files = readdirSync(recordings);
  assert.equal(files.length, 1, `nginx kept ${files}`);
  const path = join(recordings, String(files[0]));
  const recorded = readFileSync(path);
  assert.ok(recorded.byteLength > 10_000);
  const answer = await fetch(`${ORIGIN}${vod.url}`);
  const played = new Uint8Array(await answer.arrayBuffer());
  assert.equal(sha256(played), sha256(recorded));
  assert.equal(answer.headers.get("etag"), `"${sha256(recorded)}"`);
  assert.deepEqual([vod.streamId, vod.fileName, vod.size], [stream.id, files[0], recorded.byteLength]);
  const { startTime, endTime } = await stream.read();
  const seconds = (Date.parse(endTime) - Date.parse(startTime)) / 1000;
  assert.ok(Math.abs(vod.duration - seconds) < 3, `${vod.duration} s of ${seconds} s`);
  const part = await fetch(`${ORIGIN}${vod.url}`, { headers: { Range: "bytes=100-299" } });
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), recorded.subarray(100, 300));
  step(`the recording is VOD ${vod.id}: ${vod.size} bytes, sha256 ${sha256(played).slice(0, 12)}… as nginx wrote it`);

  assert.equal(uploadByHand(path, String(stream.id)), 0);
  assert.equal(uploadByHand(path), 0);
  assert.deepEqual(await stream.vods(), [vod]);
  step("sent again by the script, it is the same VOD");

  await api(`/vod/${vod.id}`, { method: "DELETE", token });
  assert.deepEqual(await stream.vods(), []);
  assert.equal((await fetch(`${ORIGIN}${vod.url}`)).status, 404);
  step("its owner deletes it");
}

/** An address of this machine that is not the media server's own: as viewers and broadcasters have it. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address && !address.internal && address.family === "IPv4")?.address;

async function attack(victim: Stream, attacker: Stream): Promise<void> {
  const publisher = publish(`live/${victim.key}`);
  await until("the victim to be live", victim.isLive(true));
  const { startTime } = await victim.read();
  // Behind the `?`, a publisher writes into the media server's own calls.
  const forged = `&name=${victim.key}&clientid=1&app=live&secret=wrong&call=`;
  const hostile = publish(
    `live/${attacker.key}?${["publish_done", "done", "update_publish"].map((c) => forged + c).join("")}`,
  );
  await until("the attacker to be live", attacker.isLive(true));
  assert.notEqual(await exitOf(publish(`live/x?name=${victim.key}&call=publish`)), 0);
  await stop(hostile, "SIGINT");
  await until("the attacker to end", attacker.isLive(false));
  const state = await victim.read();
  assert.deepEqual([state.status, state.startTime, publisher.exitCode], ["live", startTime, null]);
  step("a publisher that writes another's key and `publish_done` behind its own ends its own stream alone");

  if (outside) {
    assert.notEqual(await exitOf(publish(`pub/${attacker.id}`, outside)), 0);
    const eavesdropper = play(`live/${victim.key}`, "stolen.flv", outside);
    await pause(3);
    await stop(eavesdropper, "SIGKILL");
    assert.equal(sizeOf(join(work, "stolen.flv")), 0);
    step("from outside nobody publishes past the key, and nobody plays by one");
  }
  await stop(publisher, "SIGINT");
  await until("the victim to end", victim.isLive(false));
}

async function cutOff(stream: Stream, owner: Account, admin: Account): Promise<void> {
  const first = publish(`live/${stream.key}`);
  await until("live again", stream.isLive(true));
  await api(`/streams/${stream.id}`, { method: "PUT", token: owner.token, body: { status: "ended" } });
  await until("the publisher to be cut off", async () => first.exitCode !== null, 20);
  assert.equal((await stream.read()).status, "ended");
  step("ended by its owner: the publisher is cut off at the next heartbeat");

  const second = publish(`live/${stream.key}`);
  await until("live again", stream.isLive(true));
  const body = { reason: "end to end" };
  await api(`/api/v1/admin/users/${owner.user.id}/ban`, { method: "POST", token: admin.token, body });
  assert.equal((await stream.read()).status, "ended");
  await until("the banned publisher to be cut off", async () => second.exitCode !== null, 20);
  assert.notEqual(await exitOf(publish(`live/${stream.key}`)), 0);
  assert.equal((await stream.read()).status, "ended");
  step("banned: ended at once, the publisher cut off at the next heartbeat, and turned away when it comes back");
}

/** A stopped nginx says nothing of its publishers. */
async function die(stream: Stream, nginx: Awaited<ReturnType<typeof startNginx>>): Promise<void> {
  const publisher = publish(`live/${stream.key}`);
  await until("live", stream.isLive(true));
  await nextLine(RENEWED);
  const { startTime } = await stream.read();
  await stop(nginx, "SIGTERM");
  await exitOf(publisher);
  const again = await startNginx();
  const startedAt = Date.now();
  // To the new nginx it is another session: it waits for the lease of the one that nobody has ended, as it tries again.
  const back = await until("the publisher to be back", () => tryToPublish(stream), 60);
  const rejoined = await stream.read();
  assert.deepEqual([rejoined.status, rejoined.endTime, back.exitCode], ["live", null, null]);
  assert.ok(Date.parse(rejoined.startTime) >= Date.parse(startTime));
  step(`nginx restarted while live: the publisher is back after ${Math.round((Date.now() - startedAt) / 1000)} s`);

  await nextLine(RENEWED);
  const killedAt = Date.now();
  await stop(again, "SIGTERM");
  await pause(5);
  await tickCron();
  assert.equal((await stream.read()).status, "live");
  await until("the lease to run out", () => tickCron().then(stream.isLive(false)), 40);
  const ended = await stream.read();
  assert.ok(Date.parse(ended.endTime) <= killedAt, "endTime is later than it was heard of");
  assert.ok(Date.parse(ended.endTime) >= Date.parse(rejoined.startTime));
  step("nginx killed while live: ended when the lease has run out, as of when it was last heard of");
}

async function tryToPublish(stream: Stream) {
  const publisher = publish(`live/${stream.key}`);
  await Promise.race([exitOf(publisher), pause(3)]);
  return publisher.exitCode === null && publisher;
}

/** Neither the answers that anybody gets, nor any file of the media server or of Roomcast, nor a log. */
async function findNoKey(streams: Stream[]): Promise<void> {
  const keys = streams.map(({ key }) => key);
  const paths = [
    "/streams?status=all",
    "/vod",
    ...streams.flatMap(({ id }) => [`/streams/${id}`, `/vod?streamId=${id}`]),
  ];
  for (const path of paths) {
    const text = JSON.stringify(await api(path));
    for (const key of keys) assert.ok(!text.includes(key), `${path} tells a key`);
  }
  assert.deepEqual(filesWith(work, keys), []);
  const log = readLog();
  assert.match(log, /webhook\.publish/);
  for (const word of [...keys, SECRET]) assert.ok(!log.includes(word), "Roomcast's log has a key or the secret");
  step("no answer, no file of nginx or Roomcast, neither name nor content, and no log holds a key");
}

async function broadcast(): Promise<void> {
  readLog = await startRoomcast();
  const nginx = await startNginx();
  const [owner, other, admin] = [await register("caster"), await register("other"), await register("admin")];
  makeAdmin(admin.user.username);
  const [stream, second, third] = [await mintStream(owner), await mintStream(other), await mintStream(other)];
  await publishAndWatch(stream);
  await watchRecording(stream, owner);
  await attack(second, third);
  await cutOff(stream, owner, admin);
  await die(second, nginx);
  await findNoKey([stream, second, third]);
}

let hasFailed = true;
try {
  await broadcast();
  hasFailed = false;
  console.log("The broadcast went as it should.");
} finally {
  await cleanUp(hasFailed);
}
