/** Ids that somebody else chose (SPEC 14): names, compared letter by letter, and never folded. */
import { z } from "zod";

/** 1 to `max` of letters, digits, `_ . : -`; not dots alone, which paths take for folders. */
export const chosenId = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^(?!\.+$)[A-Za-z0-9_.:-]+$/, "may have letters, digits and _ . : - but not dots alone");

export const ChosenId = chosenId(64).describe("Of the maker's choice: letters, digits and `_ . : -`");
