/** What MAIL_TRANSPORT=local keeps. */
import { desc, isNotNull } from "drizzle-orm";
import type { Ctx } from "../../context.ts";
import { mailOutbox } from "../../db/tables.ts";
import type { DevMail } from "./contract.ts";
import { render } from "./render.ts";

const SHOWN = 100;

/** The newest first, up to 100. */
export async function listDevMail({ db, config }: Ctx): Promise<DevMail[]> {
  const rows = await db
    .select()
    .from(mailOutbox)
    .where(isNotNull(mailOutbox.sentAt))
    .orderBy(desc(mailOutbox.id))
    .limit(SHOWN);
  return Promise.all(
    rows.map(async (row) => ({
      id: row.id,
      ...(await render(config, row)),
      createdAt: row.createdAt.toISOString(),
    })),
  );
}
