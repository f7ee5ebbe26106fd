/** Verifying an address, and a new password by mail, over HTTP (SPEC 13). */
import { Done, done } from "../../http/answers.ts";
import { route, router } from "../../http/route.ts";
import { ForgotPassword, ResendVerification, ResetPassword, VerifyEmail } from "./contract.ts";
import { resendVerification, verifyEmail } from "./mail-verification.ts";
import { forgotPassword, resetPassword } from "./password-reset.ts";

export const emailRoutes = router()
  .openapi(
    route("post", "/auth/verify-email", {
      who: "anyone",
      summary: "Verify an email address",
      description:
        "Follows a mailed link: it works once, within 24 hours. A new address of the account counts from then on.",
      body: VerifyEmail,
      answers: { 200: Done },
    }),
    async (c) => {
      await verifyEmail(c.var.ctx, c.req.valid("json").token);
      return c.json(done("Email verified"), 200);
    },
  )
  .openapi(
    route("post", "/auth/verify-email/resend", {
      who: "anyone",
      summary: "Mail the link for verifying again",
      description:
        "The answer is the same whether or not there is an account that needs it. 403 where no mail is set up; 429 beyond RATE_LIMIT_MAILS.",
      body: ResendVerification,
      answers: { 200: Done },
    }),
    async (c) => {
      await resendVerification(c.var.ctx, c.req.valid("json").email);
      return c.json(done("If the account needs it, a link is on its way"), 200);
    },
  )
  .openapi(
    route("post", "/auth/password/forgot", {
      who: "anyone",
      summary: "Mail a link for a new password",
      description:
        "The answer is the same, and as fast, whether or not there is such an account. 403 where no mail is set up; 429 beyond RATE_LIMIT_MAILS.",
      body: ForgotPassword,
      answers: { 200: Done },
    }),
    async (c) => {
      await forgotPassword(c.var.ctx, c.req.valid("json").email);
      return c.json(done("If there is such an account, a link is on its way"), 200);
    },
  )
  .openapi(
    route("post", "/auth/password/reset", {
      who: "anyone",
      summary: "Set a new password by a mailed link",
      description: "The link works once, within 30 minutes. Every session ends, and sockets close with 4001.",
      body: ResetPassword,
      answers: { 200: Done },
    }),
    async (c) => {
      await resetPassword(c.var.ctx, c.req.valid("json"));
      return c.json(done("Password changed"), 200);
    },
  );
