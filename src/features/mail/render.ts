/** From a row of the outbox to a mail: subject, text and HTML. */
import type { Config } from "../../config.ts";
import type { mailOutbox } from "../../db/tables.ts";
import { linkOf } from "./links.ts";
import { TEMPLATES } from "./templates.ts";

export type Mail = { to: string; subject: string; text: string; html: string };

type Row = Pick<typeof mailOutbox.$inferSelect, "recipient" | "template" | "language" | "username" | "tokenId">;

/** The link is made here, so that nobody reads it in the database. */
export async function render(config: Config, row: Row): Promise<Mail> {
  const template = TEMPLATES[row.template];
  const { subject, lines, button } = template[row.language];
  const link =
    template.link !== null && row.tokenId !== null && button !== undefined
      ? { address: await linkOf(config, template.link, row.tokenId), button }
      : null;
  const [first = "", ...rest] = lines.map((line) => line.replaceAll("{name}", () => row.username));
  return {
    to: row.recipient,
    subject,
    text: `${[first, ...(link ? [`${link.button}:\n${link.address}`] : []), ...rest].join("\n\n")}\n`,
    html: htmlOf(row.language, subject, [
      paragraph(first),
      ...(link
        ? [
            `<p style="margin:0 0 20px"><a href="${escaped(link.address)}" style="background:#1d4ed8;border-radius:8px;color:#fff;display:inline-block;padding:10px 18px;text-decoration:none">${escaped(link.button)}</a></p>`,
          ]
        : []),
      ...rest.map(paragraph),
    ]),
  };
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const paragraph = (text: string): string => `<p style="margin:0 0 20px">${escaped(text)}</p>`;

/** Styles stand in the elements: many mail programs read no others. */
const htmlOf = (language: string, subject: string, parts: string[]): string =>
  `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${escaped(subject)}</title></head>
<body style="font:16px/1.5 system-ui,sans-serif;margin:0;padding:24px">
<main style="margin:0 auto;max-width:520px">
<h1 style="font-size:20px;margin:0 0 20px">${escaped(subject)}</h1>
${parts.join("\n")}
</main>
</body>
</html>
`;
