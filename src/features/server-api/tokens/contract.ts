/** The product signs its own people in (SPEC 12). */
import { z } from "zod";
import { namesOne, ONE_IS_NAMED, whom } from "../base-contract.ts";

const YEAR_SECONDS = 366 * 24 * 3600;

export const MakeToken = z
  .object({
    ...whom,
    expiresInSeconds: z
      .number()
      .int()
      .min(1)
      .max(YEAR_SECONDS)
      .optional()
      .describe("JWT_EXPIRE_MINUTES if left out, and at most"),
  })
  .refine(namesOne, ONE_IS_NAMED);
export type MakeToken = z.output<typeof MakeToken>;
