/** Accounts and tokens (SPEC 1). */
import { z } from "zod";
import { Timestamp } from "../../realtime/protocol.ts";
import { ROLES } from "../../roles.ts";
import { alsoNamed } from "../../spelling.ts";
import { Link, showsNothing, tidy, userText } from "../../text.ts";
import { UserId } from "../users/contract.ts";

/** ASCII alone: what is written otherwise and looks the same would be somebody else. */
export const Username = z
  .string()
  .max(254)
  .overwrite(tidy)
  .regex(/^[A-Za-z0-9_.]{3,30}$/, "must be 3 to 30 of letters, digits, _ and .");
/** As it was typed, but for blanks: mail goes to what is stored. ASCII alone, so that NOCASE compares all of it. */
export const Email = z.string().max(300).overwrite(tidy).check(z.email().max(254)).meta({ format: "email" });
const Password = z.string().min(8, "must have 8 to 128 characters").max(128, "must have 8 to 128 characters");
const Phone = z
  .string()
  .max(32)
  .regex(/^[+\d][\d ()./-]{2,31}$/, "must be a phone number");
const Name = userText(100);
const AvatarUrl = alsoNamed(Link, "img_url");

export const Register = z.object({
  username: Username,
  email: Email,
  password: Password,
  phone: Phone.nullish(),
  fullName: Name.nullish(),
  displayName: Name.nullish(),
  avatarUrl: AvatarUrl.nullish(),
});
export type Register = z.output<typeof Register>;

export const Login = z.object({
  username: z
    .string()
    .max(300)
    .refine((name) => !showsNothing(name), "is needed")
    .describe("The username or the email"),
  password: z.string().min(1).max(1024),
});
export type Login = z.output<typeof Login>;

export const UpdateAccount = z.object({
  email: Email.optional().describe(
    "Counts once the link that is mailed there was followed (24 hours); the account's own address is told, and the answer has it still",
  ),
  fullName: Name.nullable().optional(),
  displayName: Name.nullable().optional(),
  bio: userText(500, 0).nullable().optional(),
  avatarUrl: AvatarUrl.nullable().optional(),
  phone: Phone.nullable().optional(),
});
export type UpdateAccount = z.output<typeof UpdateAccount>;

/** A token out of a mailed link. */
const MailedToken = z.string().min(1).max(200).describe("What stands behind `#token=` in the mailed link");

export const VerifyEmail = z.object({ token: MailedToken });
export const ResendVerification = z.object({
  email: Email.optional().describe(
    "For callers who are not signed in; who is, gets it for the address of their account",
  ),
});
export const ForgotPassword = z.object({ email: Email });
export const ResetPassword = z.object({ token: MailedToken, password: Password });
export type ResetPassword = z.output<typeof ResetPassword>;

export const ChangePassword = z.object({ current: z.string().min(1).max(1024), next: Password });
export type ChangePassword = z.output<typeof ChangePassword>;

/** One's own account, the only view with email and phone. */
export const Account = z
  .object({
    id: UserId,
    username: z.string(),
    email: z.string(),
    phone: z.string().nullable(),
    fullName: z.string().nullable(),
    displayName: z.string().nullable(),
    bio: z.string().nullable(),
    avatarUrl: z.string().nullable(),
    role: z.enum(ROLES),
    accountStatus: z.enum(["active", "not_active", "deleted"]),
    isVerified: z.boolean().describe("Whether an admin has given the mark that pages show beside the name"),
    emailVerified: z.boolean().describe("Whether mail to `email` is known to reach the owner"),
    followerCount: z.number().int(),
    followingCount: z.number().int(),
    videoCount: z.number().int(),
    createdAt: Timestamp,
    lastSeen: Timestamp.nullable(),
  })
  .meta({ id: "Account" });
export type Account = z.infer<typeof Account>;

export const SignedIn = z.object({ user: Account, token: z.string(), expiresAt: Timestamp });
export const FreshToken = z.object({ token: z.string(), expiresAt: Timestamp });
/** The id of a session, as `GET /auth/sessions` gives it. */
export const SessionParam = z.object({ id: z.string().min(1).max(64) });
export const Session = z
  .object({
    id: z.string(),
    device: z
      .string()
      .nullable()
      .describe("As its program called itself at the sign-in: `Firefox on Windows`; null: not at all"),
    address: z.string().nullable().describe("Where it signed in from; an IPv6 address as its network (/64)"),
    createdAt: Timestamp,
    lastUsedAt: Timestamp.describe("To the hour"),
    expiresAt: Timestamp,
    isCurrent: z.boolean().describe("The one that asks"),
  })
  .meta({ id: "Session" });
export type Session = z.infer<typeof Session>;
export const Sessions = z.object({ sessions: z.array(Session) });
export const SocketTicket = z.object({ ticket: z.string(), expiresAt: Timestamp });
