/**
 * Erasing what may be a million rows: in rounds of one short batch each, since a batch may take 30 s at most and the
 * database does nothing else meanwhile (platform limits). Every round is safe to repeat.
 */
import type { CallContext } from "../../../db/call-context.ts";
import { enqueue, type Target } from "../../../db/outbox.ts";

/** Rows that one statement of a round erases at most. */
export const ROUND_ROWS = 500;
/** Rounds in one go: some seconds. What is left then goes on with the next sweep, within a minute. */
const ROUNDS = 40;

/** Erases one round, and says whether there was anything to erase. */
export type Round = (ctx: CallContext) => Promise<boolean>;

/** Runs rounds until nothing is left. When there are too many, puts a new job in the outbox to go on with. */
export async function runRounds(ctx: CallContext, job: Target, round: Round): Promise<void> {
  for (let done = 0; done < ROUNDS; done += 1) {
    if (!(await round(ctx))) return;
  }
  await enqueue(ctx, job, {});
}
