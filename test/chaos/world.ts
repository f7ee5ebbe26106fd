/** Who takes part in a run: users, a group, a course, a stream and everybody's own event sockets, over every kind of connection. */
import { type Member, NativeMember, SocketIoMember, type Speech } from "./members.ts";
import type { Rest, User } from "./rest.ts";
import { Log } from "./witness.ts";

export const MODERATOR = "chaos_moderator";
const USERS = 6;

/** A log with its members, one of each kind of connection and user. */
export type Place = { log: Log; members: Member[] };

export type World = {
  users: User[];
  places: Place[];
  hubs: Place[];
  stream: { id: number; streamKey: string };
  sessionId: string;
};

const sockets = (rest: Rest): string => rest.origin.replace("http", "ws");

function populate(rest: Rest, name: string, path: string, users: User[], speech: Speech): Place {
  const log = new Log(name);
  const kinds: [name: string, make: (user: User, witness: ReturnType<Log["witness"]>) => Member][] = [
    ["plain", (user, witness) => new NativeMember(sockets(rest) + path, user, witness, speech, { isArray: false })],
    ["array", (user, witness) => new NativeMember(sockets(rest) + path, user, witness, speech, { isArray: true })],
    ["socket.io", (user, witness) => new SocketIoMember(rest.origin, user, witness, speech, ["websocket"])],
    ["polling", (user, witness) => new SocketIoMember(rest.origin, user, witness, speech, ["polling", "websocket"])],
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
export async function makeWorld(rest: Rest, moderator: User): Promise<World> {
  const users: User[] = [];
  for (let index = 0; index < USERS; index += 1) users.push(await rest.register(`chaos_${index}`));
  const [owner] = users;
  if (!owner) throw new Error("Nobody is there.");
  const post = (path: string, body: object, token = owner.token) => rest.call(path, { method: "POST", body, token });
  const memberIds = users.slice(1).map(({ id }) => id);
  const { id: roomId } = await post("/rooms", { name: "Chaos", isGroup: true, memberIds });
  const courseId = "chaos";
  await post("/chat/courses", { courseId, name: "Chaos", joinPolicy: "open" }, moderator.token);
  const chatted = await post("/streams", { title: "Chat" });
  const stream = await post("/streams", { title: "Published and ended, again and again" });
  const { id: sessionId } = await post("/webrtc/sessions", {});

  const group = populate(rest, "group", `/api/v1/rooms/${roomId}/ws`, users, groupSpeech(roomId));
  const course = populate(rest, "course", `/api/v1/chat/courses/${courseId}/ws`, users, {
    say: (message) => ({ type: "chat:send_message", data: { courseId, message, clientMessageId: message } }),
    event: "chat:new_message",
    textField: "message",
    join: { type: "chat:join_room", data: { courseId } },
  });
  const chat = populate(rest, "stream", `/api/v1/streams/${chatted.id}/ws`, users, {
    say: (message) => ({
      type: "chat_message",
      data: { streamId: chatted.id, message, clientMessageId: message },
    }),
    event: "chat_message",
    textField: "message",
    join: { type: "join_stream", data: { streamId: chatted.id } },
  });
  return { users, places: [group, course, chat], hubs: users.map((user) => hubOf(rest, user)), stream, sessionId };
}

/** Two connections to a user's own events: nothing is said over them. */
function hubOf(rest: Rest, user: User): Place {
  const log = new Log(`hub of ${user.username}`);
  const speech: Speech = {
    say: () => {
      throw new Error("Nothing is said on an event socket.");
    },
    event: "message:new",
    textField: "content",
  };
  const address = `${sockets(rest)}/api/v1/ws`;
  return {
    log,
    members: [false, true].map(
      (isArray) => new NativeMember(address, user, log.witness(isArray ? "array" : "plain"), speech, { isArray }),
    ),
  };
}
