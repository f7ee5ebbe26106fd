/** What a deployed service must do, each through the door that its clients use. */
import { createHash, randomBytes } from "node:crypto";
import { type Socket as SocketIo, io } from "socket.io-client";
import { Upload } from "tus-js-client";
import type { CommandsOf, FramesOf, SocketPath } from "../../packages/client/src/contract.ts";
import { answerOf, RoomcastSocket } from "../../packages/client/src/index.ts";
import type { Account } from "../api.ts";

/** Two people at a service, and what the steps leave behind for `cleanUp`. */
export type Scene = {
  origin: string;
  ann: Account;
  bob: Account;
  /** Undoes what was made, the newest first. */
  undo: (() => Promise<unknown>)[];
};

const HEARD_MS = 10_000;
const FILE_BYTES = 300_000;
const FOLDER = "smoke";

/** Not guessable: what is heard is what was said just now. */
const words = (): string => `smoke ${randomBytes(6).toString("hex")}`;

/** @throws Error nothing of the kind came in time */
function within<T>(what: string, listen: (heard: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`${what} did not come within ${HEARD_MS / 1000} s`)), HEARD_MS);
    listen((value) => {
      clearTimeout(late);
      resolve(value);
    });
  });
}

/** Opens a socket as somebody, for as long as `work` takes. */
async function withSocket<P extends SocketPath, T>(
  { origin }: Scene,
  { token }: Account,
  socket: P,
  params: Record<string, string | number>,
  work: (socket: RoomcastSocket<P>) => Promise<T>,
): Promise<T> {
  let opened: () => void = () => {};
  const isOpen = within<void>(`the socket ${socket}`, (heard) => {
    opened = () => heard();
  });
  const onStatus = (status: string) => status === "open" && opened();
  const line = new RoomcastSocket<P>({ url: origin, socket, params, token, onStatus });
  try {
    await isOpen;
    return await work(line);
  } finally {
    line.close();
  }
}

/** The next frame of this type whose text is that. */
const hear = <P extends SocketPath, K extends keyof FramesOf<P> & string>(
  socket: RoomcastSocket<P>,
  type: K,
  isIt: (frame: FramesOf<P>[K]) => boolean,
) => within<FramesOf<P>[K]>(type, (heard) => socket.on(type, (frame) => isIt(frame) && heard(frame)));

/** A message from person to person arrives on the event socket. */
export async function message(scene: Scene): Promise<string> {
  const { ann, bob } = scene;
  const content = words();
  return withSocket(scene, bob, "/ws", {}, async (socket) => {
    const heard = hear(socket, "message:new", (frame) => frame.content === content);
    const sent = await answerOf(ann.api.messages.$post({ json: { receiverId: bob.id, content } }));
    if ((await heard).id !== sent.id) throw new Error("Another message of the same words came.");
    return `message ${sent.id} was heard`;
  });
}

/** Said over a socket by one member, a group's message is heard by the other, and is in the history. */
export async function room(scene: Scene): Promise<string> {
  const { ann, bob, undo } = scene;
  const json = { name: "Smoke", isGroup: true, memberIds: [bob.id] };
  const { id } = await answerOf(ann.api.rooms.$post({ json }));
  undo.push(() => answerOf(ann.api.rooms[":id"].$delete({ param: { id } })));
  const content = words();
  const said: CommandsOf<"/rooms/{roomId}/ws">["send_message"] = { content };
  await withSocket(scene, bob, "/rooms/{roomId}/ws", { roomId: id }, (hers) =>
    withSocket(scene, ann, "/rooms/{roomId}/ws", { roomId: id }, async (mine) => {
      const heard = hear(hers, "new_message", (frame) => frame.content === content);
      await mine.send("send_message", said);
      await heard;
    }),
  );
  const { messages } = await answerOf(bob.api.rooms[":id"].messages.$get({ param: { id }, query: {} }));
  if (messages[0]?.content !== content) throw new Error("The message is not in the room's history.");
  return `room ${id}: heard, and kept`;
}

/** What the owner writes in a stream's chat reaches a viewer. */
export async function stream(scene: Scene): Promise<string> {
  const { ann, bob } = scene;
  const { id } = await answerOf(ann.api.streams.$post({ json: { title: "Smoke" } }));
  const message = words();
  await withSocket(scene, bob, "/streams/{id}/ws", { id }, async (socket) => {
    const heard = hear(socket, "chat_message", (frame) => frame.message === message);
    await answerOf(ann.api.streams[":id"].chat.$post({ param: { id }, json: { message } }));
    await heard;
  });
  return `stream ${id}: its chat was heard`;
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** A file goes up by tus and comes down again, byte for byte. */
export async function file({ origin, ann, undo }: Scene): Promise<string> {
  const bytes = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(FILE_BYTES)]);
  const headers = { Authorization: `Bearer ${ann.token}` };
  await new Promise<void>((resolve, reject) =>
    new Upload(bytes, {
      endpoint: `${origin}/api/v1/files/tus`,
      headers,
      metadata: { filename: "smoke.pdf", filetype: "application/pdf", folder: FOLDER },
      retryDelays: [500, 1000, 2000],
      onError: reject,
      onSuccess: () => resolve(),
    }).start(),
  );
  const listed = await answerOf(ann.api.files.list[":folder"].$get({ param: { folder: FOLDER }, query: {} }));
  const stored = listed.data.files.find((one) => one.sha256 === sha256(bytes));
  if (!stored) throw new Error("The file is not listed.");
  const param = { folder: FOLDER, file: stored.name };
  undo.push(() => answerOf(ann.api.files[":folder"][":file"].$delete({ param })));
  const answer = await fetch(`${origin}/api/v1/files/download/${FOLDER}/${stored.name}`, { headers });
  const back = new Uint8Array(await answer.arrayBuffer());
  if (!answer.ok || sha256(back) !== stored.sha256) throw new Error(`The download is not the file (${answer.status}).`);
  return `${bytes.length} bytes up by tus and down again`;
}

/** An unmodified Socket.IO client connects, by long-polling and then WebSocket, and hears a message. */
export async function socketIo({ origin, ann, bob }: Scene): Promise<string> {
  const socket: SocketIo = io(origin, { auth: { token: bob.token }, forceNew: true, reconnection: false });
  try {
    await within<void>("Socket.IO's connect", (heard) => {
      socket.on("connect", () => heard());
      socket.on("connect_error", (error) => console.error(`     connect_error: ${error.message}`));
    });
    const content = words();
    const heard = within<void>("message:new over Socket.IO", (tell) =>
      socket.on("message:new", (frame: { content: string }) => frame.content === content && tell()),
    );
    await answerOf(ann.api.messages.$post({ json: { receiverId: bob.id, content } }));
    await heard;
    return `connected by ${socket.io.engine.transport.name}, and heard`;
  } finally {
    socket.disconnect();
  }
}
