/** Streams and who watches them. */
import { env } from "cloudflare:workers";
import { mintUser, type TestUser } from "./api.ts";
import { mintStream, type TestStream } from "./media.ts";
import { openSocket, type TestSocket } from "./socket.ts";

export const roomOf = (stream: TestStream) => env.STREAM_ROOM.getByName(String(stream.id));

export async function joinStream(stream: TestStream, user: TestUser, query = ""): Promise<TestSocket> {
  const socket = await openSocket(`/streams/${stream.id}/ws?token=${user.token}${query}`);
  await socket.next("connected");
  return socket;
}

/** A stream with its owner and two viewers in its room. */
export async function mintAudience() {
  const [owner, ann, bob] = [await mintUser("owner"), await mintUser("ann"), await mintUser("bob")];
  const stream = await mintStream(owner);
  const sockets = {
    owner: await joinStream(stream, owner),
    ann: await joinStream(stream, ann),
    bob: await joinStream(stream, bob),
  };
  return { stream, owner, ann, bob, sockets };
}
