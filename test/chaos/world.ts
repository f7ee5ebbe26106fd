/** Who takes part in a run: users, a group, a course, a stream and everybody's own event sockets, over every kind of connection. */
import { Call } from "./call.ts";
import { Endpoint } from "./endpoint.ts";
import { HubMember } from "./hub-member.ts";
import { type Member, type Speech, silent } from "./members.ts";
import { NativeMember } from "./native-member.ts";
import type { Rest, User } from "./rest.ts";
import { SocketIoMember } from "./socketio-member.ts";
import { Log, type Witness } from "./witness.ts";

export const ADMIN = "chaos_admin";
const USERS = 6;
/** In a pattern of TOPICS_OPEN. */
export const TOPIC = "chaos.news";

/** A log with its members, one of each kind of connection and user. */
export type Place = { log: Log; members: Member[] };

export type World = {
  users: User[];
  /** Where everybody speaks. */
  places: Place[];
  hubs: Place[];
  /** Where the product's backend speaks, with a key. */
  topic: Place;
  key: string;
  call: Call;
  endpoint: Endpoint;
  /** What the endpoint is told of direct messages. */
  direct: Log;
  stream: { id: number; streamKey: string };
};

const sockets = (rest: Rest): string => rest.origin.replace("http", "ws");

/** Everybody becomes a member, over one kind of connection each. */
function populate(rest: Rest, name: string, path: string, users: User[], speechOf: (user: User) => Speech): Place {
  const log = new Log(name);
  const native = (isArray: boolean) => (user: User, witness: Witness) =>
    new NativeMember(sockets(rest) + path, user, witness, speechOf(user), { isArray });
  const socketIo = (transports: string[]) => (user: User, witness: Witness) =>
    new SocketIoMember(rest.origin, user, witness, speechOf(user), transports);
  const kinds: [name: string, make: (user: User, witness: Witness) => Member][] = [
    ["plain", native(false)],
    ["array", native(true)],
    ["socket.io", socketIo(["websocket"])],
    ["polling", socketIo(["polling", "websocket"])],
  ];
  const members = users.map((user, index) => {
    const [kind, make] = kinds[index % kinds.length] ?? [];
    if (!make) throw new Error("There is no such kind.");
    return make(user, log.witness(`${user.username}, ${kind}`));
  });
  return { log, members };
}

export const groupSpeech = (roomId: string): Speech => ({
  say: (content) => ({ type: "send_message", data: { roomId, content, clientMessageId: content } }),
  event: "new_message",
  textField: "content",
  join: { type: "join_room", data: { roomId } },
});

/** Made before the first kill. */
export async function makeWorld(rest: Rest, admin: User): Promise<World> {
  const users: User[] = [];
  for (let index = 0; index < USERS; index += 1) users.push(await rest.register(`chaos_${index}`));
  const [owner] = users;
  if (!owner) throw new Error("Nobody is there.");
  const post = (path: string, body: object, token = owner.token) => rest.call(path, { method: "POST", body, token });
  const memberIds = users.slice(1).map(({ id }) => id);
  const { id: roomId } = await post("/rooms", { name: "Chaos", isGroup: true, memberIds });
  const courseId = "chaos";
  await post("/chat/courses", { courseId, name: "Chaos", joinPolicy: "open" }, admin.token);
  const chatted = await post("/streams", { title: "Chat" });
  const stream = await post("/streams", { title: "Published and ended, again and again" });
  const { id: sessionId } = await post("/webrtc/sessions", {});

  const group = populate(rest, "group", `/api/v1/rooms/${roomId}/ws`, users, () => groupSpeech(roomId));
  const course = populate(rest, "course", `/api/v1/chat/courses/${courseId}/ws`, users, () => ({
    say: (message) => ({ type: "chat:send_message", data: { courseId, message, clientMessageId: message } }),
    event: "chat:new_message",
    textField: "message",
    join: { type: "chat:join_room", data: { courseId } },
  }));
  const chat = populate(rest, "stream", `/api/v1/streams/${chatted.id}/ws`, users, () => ({
    say: (message) => ({
      type: "chat_message",
      data: { streamId: chatted.id, message, clientMessageId: message },
    }),
    event: "chat_message",
    textField: "message",
    join: { type: "join_stream", data: { streamId: chatted.id } },
  }));
  const { key } = await post("/admin/keys", { name: "chaos", scopes: ["publish"] }, admin.token);
  const direct = new Log("direct messages");
  const told = { "room.message_sent": group.log, "course.message_sent": course.log, "message.sent": direct };
  const endpoint = new Endpoint(new Map(Object.entries(told)));
  await post("/admin/webhooks", { url: await endpoint.start(), events: Object.keys(told) }, admin.token);
  const inCall = `/api/v1/webrtc/sessions/${sessionId}/ws`;
  return {
    users,
    places: [group, course, chat],
    hubs: users.map((user) => hubOf(rest, user)),
    topic: topicOf(rest, users),
    key,
    call: new Call(rest, sessionId, (speechOf) => populate(rest, "call", inCall, users, speechOf).members),
    endpoint,
    direct,
    stream,
  };
}

/** Some hear a topic on its own socket, some on their event sockets. */
function topicOf(rest: Rest, users: User[]): Place {
  const log = new Log("topic");
  const news = { say: silent, event: "chaos:news", textField: "text" };
  const subscribed: Speech = {
    ...news,
    topic: TOPIC,
    enter: ({ position, epoch }) => ({
      type: "subscribe",
      data: { topic: TOPIC, ...(position === null ? {} : { since: position }), ...(epoch ? { epoch } : {}) },
    }),
  };
  const members = users.map((user, index) => {
    const isOwn = index % 2 === 0;
    const address = `${sockets(rest)}/api/v1/${isOwn ? `topics/${TOPIC}/ws` : "ws"}`;
    const witness = log.witness(`${user.username}, ${isOwn ? "its own socket" : "event socket"}`);
    return new NativeMember(address, user, witness, isOwn ? news : subscribed, { isArray: index % 4 > 1 });
  });
  return { log, members };
}

/** Two connections to a user's own events: nothing is said over them. */
function hubOf(rest: Rest, user: User): Place {
  const log = new Log(`hub of ${user.username}`);
  const address = `${sockets(rest)}/api/v1/ws`;
  return {
    log,
    members: [false, true].map(
      (isArray) => new HubMember(address, user, log.witness(isArray ? "array" : "plain"), isArray),
    ),
  };
}
