/** Identity providers, played by a mock of what goes out; and a browser with the page that began the sign-in. */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { vi } from "vitest";
import { base64url, fingerprint, sha256 } from "../../src/platform/digest.ts";
import { call, ORIGIN } from "./api.ts";

type Claims = Record<string, unknown>;
/** What a provider does otherwise than it should. */
export type Lies = { idToken?: Claims; answer?: Record<string, string>; key?: CryptoKey };

type Grant = { nonce: string | null; challenge: string; redirectUri: string; claims: Claims; lies: Lies };

export class FakeProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly #grants = new Map<string, Grant>();
  #keys: Promise<CryptoKeyPair> | undefined;
  /** Whether it tells the email in its id token, or to who asks for it. */
  tellsByUserinfo = false;
  readonly isOidc: boolean;
  readonly #tokens = new Map<string, Claims>();

  constructor(issuer: string, clientId: string, { isOidc = true } = {}) {
    this.isOidc = isOidc;
    this.issuer = issuer;
    this.clientId = clientId;
  }

  #pair = (): Promise<CryptoKeyPair> => (this.#keys ??= generateKeyPair("ES256", { extractable: true }));

  /** Somebody signs in at the page that we were sent to. @returns the address that they are sent back to */
  signIn(page: URL, claims: Claims, lies: Lies = {}): URL {
    const asked = (name: string): string => page.searchParams.get(name) ?? "";
    if (asked("client_id") !== this.clientId || asked("code_challenge_method") !== "S256") throw new Error(page.href);
    const code = crypto.randomUUID();
    const redirectUri = asked("redirect_uri");
    this.#grants.set(code, {
      nonce: page.searchParams.get("nonce"),
      challenge: asked("code_challenge"),
      redirectUri,
      claims,
      lies,
    });
    const back = new URL(redirectUri);
    for (const [name, value] of Object.entries({ code, state: asked("state"), ...lies.answer })) {
      back.searchParams.set(name, value);
    }
    return back;
  }

  async answer(request: Request): Promise<Response | undefined> {
    const { href } = new URL(request.url);
    const endpoint = href.startsWith(`${this.issuer}/`) ? href.slice(this.issuer.length) : undefined;
    if (endpoint === "/.well-known/openid-configuration") return Response.json(this.#metadata());
    if (endpoint === "/jwks") return Response.json({ keys: [await this.#publicKey()] });
    if (endpoint === "/token") return this.#token(await request.formData(), request.headers);
    if (endpoint === "/userinfo") {
      const claims = this.#tokens.get(request.headers.get("authorization")?.replace(/^bearer /i, "") ?? "");
      return claims ? Response.json(claims) : new Response(null, { status: 401 });
    }
    return undefined;
  }

  #metadata() {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["ES256"],
      code_challenge_methods_supported: ["S256"],
    };
  }

  async #publicKey() {
    return { ...(await exportJWK((await this.#pair()).publicKey)), kid: "one", alg: "ES256", use: "sig" };
  }

  async #token(form: FormData, headers: Headers): Promise<Response> {
    const code = String(form.get("code"));
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    const basic = atob(headers.get("authorization")?.replace(/^basic /i, "") ?? "");
    const isClient = decodeURIComponent(basic) === `${this.clientId}:s3cret`;
    const verifier = await fingerprint(String(form.get("code_verifier")));
    if (!grant || !isClient || verifier !== grant.challenge || form.get("redirect_uri") !== grant.redirectUri) {
      return Response.json({ error: "invalid_grant" }, { status: 400 });
    }
    const { claims, lies } = grant;
    const accessToken = crypto.randomUUID();
    this.#tokens.set(accessToken, claims);
    if (!this.isOidc) return Response.json({ access_token: accessToken, token_type: "bearer", scope: "read:user" });
    const told = this.tellsByUserinfo ? { sub: claims.sub } : claims;
    const now = Math.floor(Date.now() / 1000);
    const issued = { iss: this.issuer, aud: this.clientId, iat: now, exp: now + 300, nonce: grant.nonce };
    const idToken = await new SignJWT({ ...issued, ...told, ...lies.idToken })
      .setProtectedHeader({ alg: "ES256", kid: "one" })
      .sign(lies.key ?? (await this.#pair()).privateKey);
    return Response.json({ access_token: accessToken, token_type: "Bearer", expires_in: 300, id_token: idToken });
  }
}

/** Answers for the providers; all else goes where it went. @returns every address that was asked */
export function playProviders(answer: (request: Request) => Promise<Response | undefined>): string[] {
  const asked: string[] = [];
  const real = globalThis.fetch;
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const request = new Request(input, init);
    asked.push(request.url);
    return (await answer(request)) ?? real(input, init);
  });
  return asked;
}

export const PAGE = "http://localhost:5173/signed-in?from=menu";

/** A page in a browser: it keeps its verifier to itself, and the browser its cookies. */
export class Browser {
  readonly verifier = base64url(crypto.getRandomValues(new Uint8Array(32)));
  cookie: string | undefined;

  async challenge(): Promise<string> {
    return base64url(await sha256(this.verifier));
  }

  /** Goes to a path of ours as a link does. */
  async open(path: string) {
    const answer = await call(path, { headers: this.cookie === undefined ? {} : { Cookie: this.cookie } });
    const given = answer.headers.get("Set-Cookie");
    if (given !== null) this.cookie = given.split(";")[0];
    return answer;
  }

  async begin(provider: string, more: Record<string, string> = {}) {
    const query = new URLSearchParams({ redirect: PAGE, code_challenge: await this.challenge(), ...more });
    return this.open(`/auth/oidc/${provider}?${query}`);
  }

  /** As far as the provider's page. */
  async sent(provider: string): Promise<URL> {
    const { status, headers, body } = await this.begin(provider);
    if (status !== 302) throw new Error(`${status} ${JSON.stringify(body)}`);
    return new URL(headers.get("Location") ?? "");
  }

  /** Follows the provider's answer to us. */
  back(url: URL) {
    return this.open(url.href.replace(`${ORIGIN}/api/v1`, ""));
  }

  /** The whole way, to the page. @returns what stands in its address */
  async come(provider: FakeProvider, name: string, claims: Claims, lies?: Lies): Promise<URLSearchParams> {
    const { status, headers, body } = await this.back(provider.signIn(await this.sent(name), claims, lies));
    if (status !== 302) throw new Error(`${status} ${JSON.stringify(body)}`);
    const page = new URL(headers.get("Location") ?? "");
    if (!page.href.startsWith("http://localhost:5173/signed-in?from=menu&")) throw new Error(page.href);
    return page.searchParams;
  }

  exchange(code: string | null, verifier = this.verifier) {
    return call("/auth/oidc/exchange", { method: "POST", body: { code, verifier } });
  }

  async signIn(provider: FakeProvider, name: string, claims: Claims) {
    return this.exchange((await this.come(provider, name, claims)).get("code"));
  }
}
