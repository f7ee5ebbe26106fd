/** Users as objects are told of them, for tests that call an object as the Worker or a gateway does. */
import { type CrossingRequest, type Person, toCrossing } from "../../src/realtime/connection-state.ts";
import type { TestUser } from "./api.ts";

export const personOf = ({ id: userId, username }: Pick<TestUser, "id" | "username">): Person => ({
  userId,
  username,
  displayName: null,
  avatarUrl: null,
  role: "user",
});

/** With which a gateway enters a room for a client; `context`: what the Worker tells the room. */
export const remoteRequest = (
  user: TestUser,
  context: unknown,
  { sessionId = "s", asOf = 0 }: { sessionId?: string; asOf?: number } = {},
): CrossingRequest =>
  toCrossing({
    ...personOf(user),
    sessionId,
    expiresAt: Date.now() + 600_000,
    asOf,
    address: user.address,
    heartbeat: "client",
    batch: false,
    context,
  });
