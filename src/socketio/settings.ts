/**
 * Where sessions live. `shards`: `perRegion` objects in each region, shared by all clients there (250 to 1000 sockets
 * each is a good load). `per-session`: an object for every client.
 */
export type Density = { kind: "shards"; perRegion: number } | { kind: "per-session" };

/** Timings and limits of an Engine.IO server. The first three are told to the client in the handshake. */
export type EngineSettings = {
  /** How often the server pings, in milliseconds. It is also the period of the object's one alarm. */
  pingIntervalMs: number;
  /** How long a pong may take, in milliseconds. */
  pingTimeoutMs: number;
  /** Bytes of a POST body. */
  maxPayload: number;
  /** Bytes or characters of one packet, a WebSocket frame or a part of a POST. */
  maxPacket: number;
  /** Packets in one POST. */
  maxPacketsPerPayload: number;
  /** How long a gateway may take for one answer, in seconds. */
  answerSeconds: number;
  /** Packets that one session may send in a minute, whatever they are; who sends on is cut off. */
  maxPacketsPerMinute: number;
  /** How long a WebSocket may take to replace long-polling, in milliseconds. */
  upgradeTimeoutMs: number;
  /** Engine sessions one object holds before it answers 503; the platform's own limit is 32 768 sockets. */
  maxSessions: number;
  density: Density;
};

export type SocketSettings = EngineSettings & {
  /** How long a client may take to join its first namespace, and to send the rest of a binary packet, in milliseconds. */
  connectTimeoutMs: number;
  /** For how long after a lost connection packets are kept for the client, in milliseconds. 0 turns recovery off. */
  recoveryMs: number;
};

/** The defaults of socket.io 4, except that recovery is on, and that packets are counted. */
export const defaultSettings: SocketSettings = {
  pingIntervalMs: 25_000,
  pingTimeoutMs: 20_000,
  maxPayload: 1_000_000,
  maxPacket: 1_000_000,
  maxPacketsPerPayload: 2000,
  answerSeconds: 15,
  maxPacketsPerMinute: 12_000,
  upgradeTimeoutMs: 10_000,
  connectTimeoutMs: 10_000,
  recoveryMs: 120_000,
  maxSessions: 10_000,
  density: { kind: "shards", perRegion: 4 },
};
