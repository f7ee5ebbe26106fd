/** How mail leaves: one call of a provider for each. `local` needs none: what is queued is shown at /dev/mail. */
import type { Ctx } from "../../context.ts";
import type { Mail } from "./render.ts";

/** A provider that takes longer is down; the mail is tried again. */
const TIMEOUT_MS = 10_000;

/** @param key the same for every try of one mail, for providers that drop repeats */
type Transport = (ctx: Ctx, mail: Mail, key: string) => Promise<void>;

export const TRANSPORTS: Record<"cloudflare" | "resend" | "postmark", Transport> = {
  async cloudflare({ env, config }, { to, subject, text, html }) {
    if (!env.EMAIL) throw new Error("The send_email binding EMAIL is missing in wrangler.toml.");
    await env.EMAIL.send({ from: config.MAIL_FROM ?? "", to, subject, text, html });
  },
  async resend({ config }, { to, subject, text, html }, key) {
    const headers = { Authorization: `Bearer ${config.RESEND_API_KEY}`, "Idempotency-Key": key };
    await post("https://api.resend.com/emails", headers, { from: config.MAIL_FROM, to: [to], subject, text, html });
  },
  async postmark({ config }, { to, subject, text, html }) {
    const headers = { "X-Postmark-Server-Token": config.POSTMARK_SERVER_TOKEN ?? "" };
    const body = { From: config.MAIL_FROM, To: to, Subject: subject, TextBody: text, HtmlBody: html };
    await post("https://api.postmarkapp.com/email", headers, { ...body, MessageStream: "outbound" });
  },
};

/** What a provider answers may name the recipient: of a failure, the status alone goes into the log. */
async function post(url: string, headers: Record<string, string>, body: object): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${new URL(url).hostname} answered ${response.status}.`);
}
