/** Web Push (SPEC 13): whom push services know us as, where browsers may be pushed to, and what stands in a push. */
import { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { oneOf, optional, partsOf } from "./kinds.ts";

const key = (form: RegExp) =>
  optional.pipe(z.string().regex(form, "must be a key as `npm run vapid` prints it").optional());

/** Of Chrome and Edge, Firefox, Safari and older Edges. */
const PUSH_SERVICES =
  "fcm.googleapis.com,updates.push.services.mozilla.com,*.push.services.mozilla.com,*.push.apple.com,*.notify.windows.com";

export const webPushSettings = {
  /** Web Push is there where both are: `npm run vapid` makes them. */
  VAPID_PUBLIC_KEY: key(/^B[\w-]{86}$/),
  VAPID_PRIVATE_KEY: key(/^[\w-]{43}$/),
  /** Whom a push service may write to: `mailto:` or https; without it, PUBLIC_URL. */
  VAPID_SUBJECT: optional.pipe(
    z
      .string()
      .regex(/^(mailto:|https:\/\/)./, "must be mailto: or https")
      .optional(),
  ),
  /** Where browsers have their subscriptions; `*.` takes any name below. */
  PUSH_HOSTS: z.string().default(PUSH_SERVICES).transform(partsOf),
  /** What stands in a push, besides that there is something: who it is from, nothing, or what they wrote as well. */
  PUSH_CONTENT: oneOf(["sender", "none", "text"], "sender"),
};

export type Vapid = { publicKey: string; privateKey: string; subject: string };

type Given = {
  VAPID_PUBLIC_KEY?: string | undefined;
  VAPID_PRIVATE_KEY?: string | undefined;
  VAPID_SUBJECT?: string | undefined;
  PUBLIC_URL?: string | undefined;
};

/** The keys, undefined where there is no Web Push. @throws ConfigError */
export function vapidOf(settings: Given, isProduction: boolean): Vapid | undefined {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT, PUBLIC_URL } = settings;
  if (publicKey === undefined && privateKey === undefined) return undefined;
  if (!publicKey || !privateKey) throw new ConfigError("VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY go together.");
  const subject = VAPID_SUBJECT ?? PUBLIC_URL ?? (isProduction ? undefined : "mailto:development@localhost");
  if (!subject) throw new ConfigError("Setting VAPID_SUBJECT is missing, or PUBLIC_URL, which stands for it.");
  return { publicKey, privateKey, subject };
}
