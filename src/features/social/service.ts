/** What other slices may ask of this one. */
export { blockedBetween, isBlockedBetween } from "./blocks.ts";
