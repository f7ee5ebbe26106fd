/** Every mail there is, in each language: what it says, and what its link does. */
import { mailOutbox } from "../../db/tables.ts";
import type { LinkKind } from "./links.ts";

type Row = typeof mailOutbox.$inferSelect;
export type TemplateName = Row["template"];
type Language = Row["language"];

/** `lines`: paragraphs; `{name}` is the username. `button` stands after the first. */
type Wording = { subject: string; lines: readonly [string, ...string[]]; button?: string };
type Template = { link: LinkKind | null } & Record<Language, Wording>;

export const TEMPLATES: Record<TemplateName, Template> = {
  verify: {
    link: "verify",
    en: {
      subject: "Verify your email",
      lines: [
        "Hello {name}, please confirm that this is your email address.",
        "The link works once, within 24 hours. If you did not ask for it, do nothing.",
      ],
      button: "Verify email",
    },
    vi: {
      subject: "Xác minh email của bạn",
      lines: [
        "Xin chào {name}, vui lòng xác nhận đây là địa chỉ email của bạn.",
        "Liên kết dùng được một lần trong vòng 24 giờ. Nếu bạn không yêu cầu, hãy bỏ qua thư này.",
      ],
      button: "Xác minh email",
    },
  },
  reset: {
    link: "reset",
    en: {
      subject: "Set a new password",
      lines: [
        "Hello {name}, somebody asked for a new password for your account.",
        "The link works once, within 30 minutes, and signs you out everywhere. If it was not you, do nothing: your password stays as it is.",
      ],
      button: "Set a new password",
    },
    vi: {
      subject: "Đặt mật khẩu mới",
      lines: [
        "Xin chào {name}, có người đã yêu cầu mật khẩu mới cho tài khoản của bạn.",
        "Liên kết dùng được một lần trong vòng 30 phút và sẽ đăng xuất bạn ở mọi nơi. Nếu không phải bạn, hãy bỏ qua: mật khẩu vẫn như cũ.",
      ],
      button: "Đặt mật khẩu mới",
    },
  },
  "account-exists": {
    link: "reset",
    en: {
      subject: "You already have an account",
      lines: [
        "Hello {name}, somebody gave this email address for an account, but yours has it already. If you have forgotten the password, set a new one.",
        "The link works once, within 30 minutes. If it was not you, do nothing.",
      ],
      button: "Set a new password",
    },
    vi: {
      subject: "Bạn đã có tài khoản",
      lines: [
        "Xin chào {name}, có người đã dùng địa chỉ email này cho một tài khoản, nhưng nó đã thuộc về tài khoản của bạn. Nếu quên mật khẩu, bạn có thể đặt mật khẩu mới.",
        "Liên kết dùng được một lần trong vòng 30 phút. Nếu không phải bạn, hãy bỏ qua thư này.",
      ],
      button: "Đặt mật khẩu mới",
    },
  },
  "email-change-asked": {
    link: null,
    en: {
      subject: "Your email address is about to change",
      lines: [
        "Hello {name}, another email address was given for your account. It counts once it is verified; until then, this one stays.",
        "If it was not you, change your password now: that stops it.",
      ],
    },
    vi: {
      subject: "Địa chỉ email của bạn sắp thay đổi",
      lines: [
        "Xin chào {name}, một địa chỉ email khác đã được nhập cho tài khoản của bạn. Địa chỉ đó có hiệu lực sau khi được xác minh; cho đến lúc đó, địa chỉ này vẫn được dùng.",
        "Nếu không phải bạn, hãy đổi mật khẩu ngay: việc thay đổi sẽ bị hủy.",
      ],
    },
  },
  "email-changed": {
    link: null,
    en: {
      subject: "Your email address has changed",
      lines: [
        "Hello {name}, your account has another email address now. Mail no longer comes to this one.",
        "If it was not you, write to whoever runs this service.",
      ],
    },
    vi: {
      subject: "Địa chỉ email của bạn đã thay đổi",
      lines: [
        "Xin chào {name}, tài khoản của bạn hiện dùng một địa chỉ email khác. Thư sẽ không còn được gửi đến địa chỉ này.",
        "Nếu không phải bạn, hãy liên hệ với đơn vị vận hành dịch vụ này.",
      ],
    },
  },
  "identity-linked": {
    link: null,
    en: {
      subject: "Another account signs you in now",
      lines: [
        "Hello {name}, an account of yours elsewhere was linked here: whoever is signed in there can sign in here, too. Your account's settings say which one it is.",
        "If it was not you, remove it in the settings and change your password.",
      ],
    },
    vi: {
      subject: "Một tài khoản khác nay có thể đăng nhập cho bạn",
      lines: [
        "Xin chào {name}, một tài khoản của bạn ở nơi khác đã được liên kết tại đây: ai đăng nhập ở đó cũng có thể đăng nhập ở đây. Phần cài đặt tài khoản cho biết đó là tài khoản nào.",
        "Nếu không phải bạn, hãy gỡ liên kết trong phần cài đặt và đổi mật khẩu.",
      ],
    },
  },
  "identity-removed": {
    link: null,
    en: {
      subject: "An account signs you in no more",
      lines: [
        "Hello {name}, an account elsewhere that signed you in here was removed from yours.",
        "If it was not you, change your password and look at the sessions in your account's settings.",
      ],
    },
    vi: {
      subject: "Một tài khoản không còn đăng nhập cho bạn nữa",
      lines: [
        "Xin chào {name}, một tài khoản ở nơi khác từng dùng để đăng nhập tại đây đã được gỡ khỏi tài khoản của bạn.",
        "Nếu không phải bạn, hãy đổi mật khẩu và xem các phiên đăng nhập trong phần cài đặt tài khoản.",
      ],
    },
  },
};

/** The first of a browser's languages that there is; English otherwise (`Accept-Language`, RFC 9110, 12.5.4). */
export function languageOf(acceptLanguage: string): Language {
  const wanted = acceptLanguage
    .slice(0, 200)
    .split(",")
    .map((part) => /^\s*([a-z]{1,8})(?:-[^;]*)?(?:;\s*q=([\d.]+))?/i.exec(part))
    .flatMap((found) => (found ? [{ tag: found[1]?.toLowerCase(), weight: Number(found[2] ?? "1") }] : []))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { tag } of wanted) {
    const known = mailOutbox.language.enumValues.find((language) => language === tag);
    if (known) return known;
  }
  return "en";
}
