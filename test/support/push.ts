/** A push service, played by a mock of what goes out; and browsers, which decrypt what it gets (RFC 8291). */
import { decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { vi } from "vitest";
import { base64url } from "../../src/platform/digest.ts";
import { call, type TestUser } from "./api.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const plain = (data: ArrayBuffer | Uint8Array) => new Uint8Array(data);

/** A browser that has a subscription. */
export class PushBrowser {
  readonly endpoint: string;
  readonly #pair: CryptoKeyPair;
  readonly #auth = crypto.getRandomValues(new Uint8Array(16));
  readonly #point: Uint8Array;

  private constructor(endpoint: string, pair: CryptoKeyPair, point: Uint8Array) {
    this.endpoint = endpoint;
    this.#pair = pair;
    this.#point = point;
  }

  static async open(endpoint = `https://push.example.com/${crypto.randomUUID()}`): Promise<PushBrowser> {
    const pair = await crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveBits"]);
    if (!("publicKey" in pair)) throw new Error("ECDH makes pairs.");
    const point = await crypto.subtle.exportKey("raw", pair.publicKey);
    if (!(point instanceof ArrayBuffer)) throw new Error("A raw key is bytes.");
    return new PushBrowser(endpoint, pair, plain(point));
  }

  /** As the browser writes it. */
  get subscription() {
    const keys = { p256dh: base64url(this.#point), auth: base64url(this.#auth) };
    return { endpoint: this.endpoint, expirationTime: null, keys };
  }

  register(user: TestUser | { token: string }) {
    return call("/push/subscriptions", { method: "POST", token: user.token, body: this.subscription });
  }

  /** What a push says: header (salt, record size, key), then one record (RFC 8188). */
  async decrypt(body: Uint8Array): Promise<unknown> {
    const [salt, length] = [body.slice(0, 16), body[20] ?? 0];
    const [point, record] = [body.slice(21, 21 + length), body.slice(21 + length)];
    const theirs = await crypto.subtle.importKey("raw", point, { name: "ECDH", namedCurve: "P-256" }, false, []);
    // The platform's types call it otherwise than it is.
    const agreement = { name: "ECDH", public: theirs };
    const shared = await crypto.subtle.deriveBits(agreement, this.#pair.privateKey, 256);
    const info = [...bytes("WebPush: info\0"), ...this.#point, ...point];
    const ikm = await hkdf(this.#auth, plain(shared), plain(Uint8Array.from(info)), 32);
    const key = await hkdf(salt, ikm, bytes("Content-Encoding: aes128gcm\0"), 16);
    const iv = await hkdf(salt, ikm, bytes("Content-Encoding: nonce\0"), 12);
    const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
    const padded = plain(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, aes, record));
    return JSON.parse(new TextDecoder().decode(padded.slice(0, padded.lastIndexOf(2))));
  }
}

async function hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  return plain(await crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key, length * 8));
}

export type Pushed = { endpoint: string; headers: Headers; body: Uint8Array };

export class FakePushService {
  readonly pushed: Pushed[] = [];
  /** What it answers for an endpoint, once each; then 201. */
  readonly #answers = new Map<string, number[]>();

  play(): void {
    const real = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input, init);
      if (!request.url.startsWith("https://push.example.com/")) return real(input, init);
      const pushed = { endpoint: request.url, headers: request.headers, body: plain(await request.arrayBuffer()) };
      const status = this.#answers.get(request.url)?.shift() ?? 201;
      this.pushed.push(pushed);
      return new Response(null, { status });
    });
  }

  answer(endpoint: string, ...statuses: number[]): void {
    this.#answers.set(endpoint, statuses);
  }

  to = ({ endpoint }: PushBrowser): Pushed[] => this.pushed.filter((pushed) => pushed.endpoint === endpoint);

  /** The push to this browser that was its first, second …, decrypted. */
  async nth(browser: PushBrowser, number = 1): Promise<{ payload: unknown; headers: Headers }> {
    const found = await vi.waitFor(
      () => {
        const pushed = this.to(browser)[number - 1];
        if (!pushed) throw new Error(`No push ${number} to ${browser.endpoint}`);
        return pushed;
      },
      { timeout: 5000, interval: 20 },
    );
    return { payload: await browser.decrypt(found.body), headers: found.headers };
  }
}

/** Whether a push's token is signed by the key that it names, for that service. */
export async function vapidOf(headers: Headers, origin: string) {
  const [, token = "", key = ""] = /^vapid t=([^,]+), k=(.+)$/.exec(headers.get("authorization") ?? "") ?? [];
  const point = Uint8Array.fromBase64(key, { alphabet: "base64url" });
  const jwk = { kty: "EC", crv: "P-256", x: base64url(point.slice(1, 33)), y: base64url(point.slice(33)) };
  const { payload } = await jwtVerify(token, await importJWK(jwk, "ES256"), { audience: origin });
  return { payload, key, algorithm: decodeProtectedHeader(token).alg };
}
