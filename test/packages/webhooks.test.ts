/** `verifyWebhook` of @roomcast/server, against the package that signs. */
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { verifyWebhook, WebhookVerificationError } from "../../packages/server/src/index.ts";

const secretOf = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
const SECRET = secretOf(251);

const event = (type: string, content = "Grüße & <b>") => ({
  type,
  timestamp: "2026-11-28T10:00:00.000Z",
  subject: "room:7",
  data: { roomId: "7", content },
});

/** The headers of a call that the package signs, `secondsAgo`. */
function signed(body: string, { secret = SECRET, secondsAgo = 0 } = {}) {
  const at = new Date(Date.now() - secondsAgo * 1000);
  return {
    "webhook-id": "7-1",
    "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign("7-1", at, body),
  };
}

const body = JSON.stringify(event("room.message_sent"));
const refused = expect.any(WebhookVerificationError);
const outcome = (headers: Parameters<typeof verifyWebhook>[1], payload: string | Uint8Array = body) =>
  verifyWebhook(SECRET, headers, payload).catch((error: unknown) => error);

describe("a call to a product's backend", () => {
  it("is taken as the package signs it: by Node's headers or a Request's, as text or bytes, alone or in a batch", async () => {
    const headers = signed(body);
    const verified = { id: "7-1", isBatch: false, events: [event("room.message_sent")] };
    expect(await outcome(headers)).toEqual(verified);
    expect(await outcome(new Headers(headers), new TextEncoder().encode(body))).toEqual(verified);
    const batch = { events: [event("room.message_sent", "1"), event("room.message_edited", "2")] };
    const text = JSON.stringify(batch);
    expect(await outcome(signed(text), text)).toEqual({ id: "7-1", isBatch: true, ...batch });
  });

  it("is taken if one of several signatures is right, wherever it stands", async () => {
    const headers = signed(body);
    const right = headers["webhook-signature"];
    const other = signed(body, { secret: secretOf(1) })["webhook-signature"];
    for (const all of [`${other} ${right}`, `v1a,xx ${right} ${other}`, `v1, ${right}`]) {
      expect(await outcome({ ...headers, "webhook-signature": all })).toMatchObject({ id: "7-1" });
    }
    for (const all of [other, right.replace("v1,", "v2,"), right.slice(0, -2), "v1,", "nonsense"]) {
      expect(await outcome({ ...headers, "webhook-signature": all })).toEqual(refused);
    }
  });

  it("is refused when anything that was signed is changed, or a header is missing", async () => {
    const headers = signed(body);
    expect(await outcome(headers, body.replace("Grüße", "grüße"))).toEqual(refused);
    expect(await outcome(headers, `\uFEFF${body}`)).toEqual(refused);
    expect(await outcome({ ...headers, "webhook-id": "7-2" })).toEqual(refused);
    const later = String(Number(headers["webhook-timestamp"]) + 1);
    for (const timestamp of [later, `${headers["webhook-timestamp"]}.5`, "now"]) {
      expect(await outcome({ ...headers, "webhook-timestamp": timestamp })).toEqual(refused);
    }
    for (const name of Object.keys(headers)) expect(await outcome({ ...headers, [name]: undefined })).toEqual(refused);
  });

  it("is refused when it is more than five minutes off, either way", async () => {
    for (const secondsAgo of [290, -290])
      expect(await outcome(signed(body, { secondsAgo }))).toMatchObject({ id: "7-1" });
    for (const secondsAgo of [310, -310]) expect(await outcome(signed(body, { secondsAgo }))).toEqual(refused);
  });

  it("has data that its type tells: a message's text is one, without a cast", async () => {
    const { events } = await verifyWebhook(SECRET, signed(body), body);
    const contents = events.flatMap((one) =>
      one.type === "room.message_sent" ? [one.data.content.toUpperCase()] : [],
    );
    expect(contents).toEqual(["GRÜSSE & <B>"]);
    for (const one of events) {
      if (one.type === "stream.ended") one.data.peakViewers.toFixed();
      if (one.type === "report.closed") one.data.externalIds?.reporterId?.length;
      if (one.type === "message.before") one.data.kind satisfies "message" | "edit";
      // @ts-expect-error no such field
      if (one.type === "call.ended") one.data.content;
    }
  });
});
