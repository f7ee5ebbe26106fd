/** The servers that find a way between browsers. */
import { describe, expect, it, vi } from "vitest";
import { bearer, call, mintUser, type TestUser } from "./support/api.ts";
import { fetchWith } from "./support/settings.ts";
import { host, join } from "./support/webrtc.ts";

describe("ICE servers", () => {
  /** Asks a deployment with these settings. */
  async function iceServers(user: TestUser | null, query = "", settings: Record<string, string> = {}) {
    const headers = user ? bearer(user) : {};
    const response = await fetchWith(settings, `/api/v1/webrtc/ice-servers${query}`, { headers });
    return { status: response.status, body: await response.json<{ iceServers: IceServer[] }>() };
  }
  type IceServer = { urls: string[]; username?: string; credential?: string };
  const STUN = { urls: ["stun:stun.cloudflare.com:3478"] };
  const TURN = {
    TURN_URLS: "turn:turn.example.com:3478,turns:turn.example.com:5349",
    TURN_SHARED_SECRET: "north-and-further-north",
    TURN_TTL_SECONDS: "600",
  };
  const CLOUDFLARE = { CLOUDFLARE_TURN_KEY_ID: "key1", CLOUDFLARE_TURN_API_TOKEN: "token1" };

  it("are STUN servers when nothing else is set up", async () => {
    const ann = await mintUser("ann");
    expect(await iceServers(ann)).toEqual({ status: 200, body: { iceServers: [STUN] } });
    expect((await iceServers(ann, "", { STUN_URLS: "stun:a:1, stun:b:2" })).body.iceServers).toEqual([
      { urls: ["stun:a:1", "stun:b:2"] },
    ]);
    expect((await iceServers(null)).status).toBe(401);
    expect((await iceServers(ann, `?sessionId=${"x".repeat(65)}`)).status).toBe(400);
  });

  it("have TURN credentials, as coturn checks them, for who may join the session", async () => {
    const ann = await mintUser("ann");
    const sessionId = await host(ann);
    const { body } = await iceServers(ann, `?sessionId=${sessionId}`, TURN);
    const [stun, turn] = body.iceServers;
    expect(stun).toEqual(STUN);
    expect(turn?.urls).toEqual(["turn:turn.example.com:3478", "turns:turn.example.com:5349"]);
    const [end, userId] = (turn?.username ?? "").split(":").map(Number);
    expect(userId).toBe(ann.id);
    expect(Math.abs((end ?? 0) - Date.now() / 1000 - 600)).toBeLessThan(10);
    const bytes = (text: string) => new TextEncoder().encode(text);
    const hmac = { name: "HMAC", hash: "SHA-1" };
    const key = await crypto.subtle.importKey("raw", bytes("north-and-further-north"), hmac, false, ["verify"]);
    const credential = Uint8Array.fromBase64(turn?.credential ?? "");
    expect(await crypto.subtle.verify("HMAC", key, credential, bytes(turn?.username ?? ""))).toBe(true);
  });

  it("have TURN for participants alone", async () => {
    const [ann, bob] = [await mintUser("ann"), await mintUser("bob")];
    const sessionId = await host(ann);
    expect((await iceServers(bob, "", TURN)).body.iceServers).toEqual([STUN]);
    const socket = await join(bob, sessionId);
    await vi.waitFor(async () => expect((await iceServers(bob, "", TURN)).body.iceServers).toHaveLength(2));
    socket.close();
    await vi.waitFor(async () => expect((await iceServers(bob, "", TURN)).body.iceServers).toEqual([STUN]));
    expect((await iceServers(bob, "?sessionId=none", TURN)).status).toBe(404);
    await call(`/webrtc/sessions/${sessionId}`, { method: "DELETE", token: ann.token });
    expect((await iceServers(bob, `?sessionId=${sessionId}`, TURN)).status).toBe(404);
  });

  it("come from Cloudflare without those that browsers block, and without TURN when it fails", async () => {
    const ann = await mintUser("ann");
    const query = `?sessionId=${await host(ann)}`;
    const answer = {
      iceServers: [
        { urls: ["stun:stun.cloudflare.com:3478", "stun:stun.cloudflare.com:53"] },
        {
          urls: ["turn:turn.cloudflare.com:3478?transport=udp", "turn:turn.cloudflare.com:53?transport=udp"],
          username: "u",
          credential: "c",
        },
      ],
    };
    const fetched = vi.spyOn(globalThis, "fetch");
    try {
      fetched.mockResolvedValueOnce(Response.json(answer, { status: 201 }));
      expect((await iceServers(ann, query, CLOUDFLARE)).body.iceServers).toEqual([
        STUN,
        STUN,
        { urls: ["turn:turn.cloudflare.com:3478?transport=udp"], username: "u", credential: "c" },
      ]);
      const [url, init] = fetched.mock.calls[0] ?? [];
      expect(url).toBe("https://rtc.live.cloudflare.com/v1/turn/keys/key1/credentials/generate-ice-servers");
      expect(init).toMatchObject({ method: "POST", headers: { Authorization: "Bearer token1" }, body: '{"ttl":3600}' });

      fetched.mockResolvedValueOnce(new Response("no", { status: 500 }));
      expect(await iceServers(ann, query, CLOUDFLARE)).toEqual({ status: 200, body: { iceServers: [STUN] } });
      fetched.mockResolvedValueOnce(Response.json({ iceServers: 7 }));
      expect((await iceServers(ann, query, CLOUDFLARE)).body.iceServers).toEqual([STUN]);
      fetched.mockRejectedValueOnce(new DOMException("too slow", "TimeoutError"));
      expect((await iceServers(ann, query, CLOUDFLARE)).body.iceServers).toEqual([STUN]);
    } finally {
      fetched.mockRestore();
    }
  });
});
