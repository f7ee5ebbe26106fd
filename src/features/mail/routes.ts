/** `GET /dev/mail`: the mail of development (MAIL_TRANSPORT=local), as JSON, or as a page for browsers. */
import { html } from "hono/html";
import ipaddr from "ipaddr.js";
import { AppError } from "../../errors.ts";
import { router } from "../../http/route.ts";
import type { DevMail } from "./contract.ts";
import { listDevMail } from "./dev-mail.ts";

/** The frames that show mails take this page's policy, and mails have their styles in their elements. */
const POLICY =
  "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

export const mailRoutes = router();

mailRoutes.get("/dev/mail", async (c) => {
  const { ctx } = c.var;
  if (ctx.config.isProduction || !isLoopback(c.req.raw)) throw new AppError("NOT_FOUND", "There is no such path.");
  const mails = await listDevMail(ctx);
  if (!c.req.header("accept")?.includes("text/html")) return c.json({ mails });
  return c.html(page(mails), 200, { "Content-Security-Policy": POLICY });
});

/**
 * By the host that was asked, so that no page that points a name of its own at this machine reads along; and by the caller's
 * address, where the server is told it.
 */
function isLoopback({ url, headers }: Request): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const address = headers.get("cf-connecting-ip");
  return (host === "localhost" || isLoopbackAddress(host)) && (address === null || isLoopbackAddress(address));
}

const isLoopbackAddress = (text: string): boolean =>
  ipaddr.isValid(text) && ipaddr.process(text).range() === "loopback";

const page = (mails: DevMail[]) => html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Roomcast: mail of development</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/style.css" />
    <script src="/theme.js"></script>
    <script src="/ui/header.js" type="module"></script>
  </head>
  <body>
    <header class="bar" id="header"></header>
    <main class="wrap">
      <h1>Mail</h1>
      <p class="muted">What this server would have sent, the newest first. Reload to see more.</p>
      ${mails.length === 0 ? html`<p>There is none yet.</p>` : mails.map(article)}
    </main>
  </body>
</html>`;

const article = ({ to, subject, text, html: body, createdAt }: DevMail) => html`<article class="card">
  <h2>${subject}</h2>
  <p class="muted">To ${to}, ${createdAt}</p>
  <pre style="white-space: pre-wrap; overflow-wrap: anywhere">${linked(text)}</pre>
  <details>
    <summary>As HTML</summary>
    <iframe sandbox="allow-popups" title="${subject}" srcdoc="${body}" style="border: 0; width: 100%; height: 320px"></iframe>
  </details>
</article>`;

/** Addresses that we wrote ourselves, as links. */
const linked = (text: string) =>
  text.split(/(https?:\/\/\S+)/).map((part, at) => (at % 2 === 1 ? html`<a href="${part}">${part}</a>` : part));
