/** `GET /dev/mail`: what was mailed in development. */
import { z } from "zod";
import { Timestamp } from "../../realtime/protocol.ts";

export const DevMail = z.object({
  id: z.number().int(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  createdAt: Timestamp,
});
export type DevMail = z.infer<typeof DevMail>;
