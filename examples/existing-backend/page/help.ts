/** What Roomcast adds to the page: the customer writes, and sees the answer as it comes. */
import { RoomcastSocket } from "@roomcast/client/socket";

type Help = { url: string; roomId: string; token: string };

async function askForHelp(): Promise<Help> {
  const response = await fetch("/help", { method: "POST" });
  if (!response.ok) throw new Error(`The shop answered ${response.status}.`);
  return await response.json();
}

/** @returns how to write, and how to stop */
export async function openHelp(
  show: (who: "customer" | "shop", text: string) => void,
  onStatus: (status: string) => void,
) {
  const { url, roomId, token } = await askForHelp();
  const socket = new RoomcastSocket({
    url,
    socket: "/rooms/{roomId}/ws",
    params: { roomId },
    since: 0,
    token: async ({ rejected }) => (rejected ? (await askForHelp()).token : token),
    onStatus,
  });
  socket.on("new_message", ({ content }) => show("customer", content));
  socket.onPublished("help:answer", ({ data }) => show("shop", String(data)));
  return {
    send: (content: string) => socket.send("send_message", { content, clientMessageId: crypto.randomUUID() }),
    close: () => socket.close(),
  };
}
