import { NOOP } from "../packets.ts";
import { POLL_REFUSED } from "./polling.ts";
import { refuse } from "./refusals.ts";

/**
 * Holds a client's GET until there is something to answer. The Worker waits, on a hibernatable WebSocket to the
 * object: a pending request would keep the object awake, and be billed, for as long as the client is idle. If the
 * client goes away, this request is cancelled, which the object sees as a close.
 */
export async function waitForPayload(reply: Response): Promise<Response> {
  const socket = reply.webSocket;
  if (!socket) return reply;
  const answer = new Promise<Response>((resolve) => {
    socket.addEventListener("message", ({ data }) => resolve(payload(String(data))));
    // An object that was reset forgets nobody who polls: the client asks again, and learns whether its session lives.
    socket.addEventListener("close", ({ code }) =>
      resolve(code === POLL_REFUSED ? refuse("UNKNOWN_SID") : payload(NOOP)),
    );
    socket.addEventListener("error", () => resolve(payload(NOOP)));
  });
  socket.accept();
  return answer;
}

function payload(text: string): Response {
  return new Response(text, { headers: { "Content-Type": "text/plain; charset=UTF-8" } });
}
