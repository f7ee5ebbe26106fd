/** An OIDC provider that knows whoever signs in by any name: npm's `oidc-provider`. */
import { createServer, type RequestListener, type Server } from "node:http";
import Provider from "oidc-provider";

export const listen = (port: number, listener: RequestListener): Promise<Server> =>
  new Promise((resolve) => {
    const server = createServer(listener).listen(port, "127.0.0.1", () => resolve(server));
  });

/**
 * A provider `acme` on this machine, for the service at `origin`. Who calls themselves `unverified-…` has an email that nobody
 * has verified. `setting`: OIDC_PROVIDERS.
 */
export async function openProvider(port: number, origin: string) {
  const issuer = `http://127.0.0.1:${port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: "roomcast",
        client_secret: "s3cret",
        redirect_uris: [`${origin}/api/v1/auth/oidc/acme/callback`],
      },
    ],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name", "preferred_username"] },
    pkce: { required: () => true },
    cookies: { keys: ["end-to-end"] },
    findAccount: (_: unknown, id: string) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id.replace("unverified-", "")}@example.org`,
        email_verified: !id.startsWith("unverified-"),
        name: `Real ${id}`,
        preferred_username: id,
      }),
    }),
  });
  const server = await listen(port, provider.callback());
  const setting = JSON.stringify([{ name: "acme", issuer, clientId: "roomcast", clientSecret: "s3cret" }]);
  return { issuer, setting, close: () => server.close() };
}
