/**
 * All that a hub keeps of its user, but for the rooms they are in. It is opened when something is first kept, shown or asked
 * for: most hubs only hear, day by day, which rooms their users come into, and an object pays in memory for each table,
 * statement and part that it has ever used.
 */
import { config } from "../config.ts";
import type { Ctx } from "../context.ts";
import type { Connection } from "../realtime/connection.ts";
import type { PresentConnections } from "../realtime/connections.ts";
import type { EncodedFrame } from "../realtime/encoded-frame.ts";
import { FrameLog } from "../realtime/log.ts";
import type { Timers } from "../realtime/timers.ts";
import { UserReferences } from "../realtime/user-references.ts";
import { AwayPushes } from "./away-pushes.ts";
import { hubFeatures } from "./features.ts";
import { OfflineQueue } from "./offline-queue.ts";
import { PendingNotices } from "./pending-notices.ts";
import { HubPresence } from "./presence.ts";
import { Pushes } from "./pushes.ts";
import { Revocations } from "./revocations.ts";
import { HubTopics } from "./topics.ts";

/** SPEC 2: the last 1000, and all of the last 7 days up to 10 000. */
const RETENTION = { least: 1000, days: 7, most: 10_000 };

type Host = {
  state: DurableObjectState;
  env: Env;
  timers: Timers;
  connections: PresentConnections;
  context: () => Ctx;
  userId: () => number;
  send: (connection: Connection, frame: EncodedFrame) => void;
  anonymise: (userId: number) => void;
};

export class HubState {
  readonly log: FrameLog;
  readonly queue: OfflineQueue;
  readonly notices: PendingNotices;
  readonly revocations: Revocations;
  readonly topics: HubTopics;
  /** Whom the log names, for erasure. */
  readonly references: UserReferences;
  readonly presence: HubPresence;
  readonly pushes: Pushes;
  readonly awayPushes: AwayPushes;

  /** The tables are there and up to date. */
  constructor(host: Host) {
    const { state, env, timers, context, userId } = host;
    const { sql } = state.storage;
    const features = hubFeatures();
    const connections = () => host.connections.values();
    this.log = new FrameLog(sql, RETENTION);
    this.queue = new OfflineQueue(sql, this.log, config(env).OFFLINE_QUEUE === "1");
    this.notices = new PendingNotices({ state, env, timers });
    this.revocations = new Revocations(sql);
    this.topics = new HubTopics({
      env,
      userId,
      connections,
      send: host.send,
      later: (work) => state.waitUntil(work),
      arm: () => timers.arm(Date.now()),
    });
    timers.add(this.topics);
    this.references = new UserReferences({
      state,
      timers,
      context,
      target: `user:${userId()}`,
      anonymise: host.anonymise,
    });
    this.presence = new HubPresence({
      state,
      timers,
      context,
      userId,
      isOnline: () => host.connections.userCount > 0,
    });
    this.pushes = new Pushes({ sql, timers, send: (due) => features.sendPushes(context(), userId(), due) });
    this.awayPushes = new AwayPushes({
      pushes: this.pushes,
      log: this.log,
      connections,
      itemIn: (frame) => features.pushItemIn(frame, userId()),
    });
  }
}
