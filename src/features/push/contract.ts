/** Web Push (SPEC 13): what reaches a browser whose user has no open connection. */
import { z } from "zod";
import { UserId } from "../users/contract.ts";

export const PushKey = z.object({
  key: z.string().describe("`applicationServerKey` for the browser's `pushManager.subscribe` (VAPID, base64url)"),
});

const bytes = (length: number) =>
  z
    .base64url()
    .max(Math.ceil(length / 3) * 4)
    .refine((text) => decodedLength(text) === length, `must be ${length} bytes in base64url`);

const decodedLength = (text: string): number => Math.floor((text.replace(/=+$/, "").length * 3) / 4);

/** As `JSON.stringify` of the browser's own PushSubscription has it. */
export const NewSubscription = z.object({
  endpoint: z.url().max(2000).describe("https, at one of PUSH_HOSTS"),
  expirationTime: z.number().nullish(),
  keys: z.object({ p256dh: bytes(65), auth: bytes(16) }),
});
export type NewSubscription = z.output<typeof NewSubscription>;

export const Subscription = z.object({ id: z.string() }).meta({ id: "PushSubscription" });
export const SubscriptionParam = z.object({ id: z.string().min(1).max(64) });

const TimeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be like 22:30");

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export const QuietHours = z.object({
  from: TimeOfDay,
  to: TimeOfDay.describe("Before `from`: on the next day"),
  timeZone: z.string().max(64).refine(isTimeZone, "must be a time zone like Europe/Berlin"),
});
export type QuietHours = z.infer<typeof QuietHours>;

export const PushSettings = z
  .object({
    messages: z.boolean().describe("Direct messages, and those of private rooms"),
    notifications: z.boolean().describe("Notifications, mentions among them"),
    quietHours: QuietHours.nullable().describe("What comes then is pushed when they end"),
  })
  .meta({ id: "PushSettings" });
export type PushSettings = z.infer<typeof PushSettings>;

export const UpdatePushSettings = PushSettings.partial();
export type UpdatePushSettings = z.output<typeof UpdatePushSettings>;

/** What a service worker is woken with, as JSON. */
export const PushPayload = z
  .object({
    type: z
      .enum(["message", "room", "notification", "new"])
      .describe("`new`: PUSH_CONTENT=none says no more than that"),
    count: z.number().int().min(1).describe("How many of them came since the last push"),
    tag: z.string().describe("A later push with the same tag replaces this one"),
    sender: z
      .object({
        id: UserId,
        username: z.string(),
        displayName: z.string().nullable(),
        avatarUrl: z.string().nullable(),
      })
      .nullable()
      .optional(),
    roomId: z.string().optional(),
    messageId: z.string().optional(),
    notification: z.object({ id: z.number().int(), type: z.string() }).optional(),
    text: z
      .string()
      .optional()
      .describe("With PUSH_CONTENT=text, up to 500 characters; users' words: show them as text"),
  })
  .meta({ id: "PushPayload" });
export type PushPayload = z.infer<typeof PushPayload>;
