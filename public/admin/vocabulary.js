/** The service's own words that admins choose among; test/pages.test.ts holds them to the contract. */

/** What a key may do. */
export const SCOPES = [
  ["users", "users", "make, change and erase the product's own people"],
  ["tokens", "tokens", "sign them in, and let them into topics"],
  ["publish", "publish", "send to people, rooms, courses, streams and topics"],
  ["rooms", "rooms", "make rooms, their members and messages"],
  ["read", "read", "see who is here"],
];

/** What an endpoint may hear of. */
export const EVENTS = [
  "user.registered",
  "user.updated",
  "user.banned",
  "user.erased",
  "user.online",
  "user.offline",
  "message.sent",
  "room.created",
  "room.deleted",
  "room.member_added",
  "room.member_removed",
  "room.message_sent",
  "room.message_edited",
  "room.message_deleted",
  "course.message_sent",
  "stream.started",
  "stream.ended",
  "vod.created",
  "file.created",
  "file.deleted",
  "report.created",
  "report.closed",
  "call.started",
  "call.ended",
];

/** What the audit calls deeds, and what they are done to. */
export const AUDIT_ACTIONS = [
  "ban",
  "unban",
  "verify",
  "deactivate",
  "restore",
  "role",
  "delete",
  "visibility",
  "resolve",
  "reject",
  "retry",
  "discard",
  "create",
  "update",
  "test",
  "switch_off",
  "token",
  "publish",
  "message",
  "end",
  "sign_out",
  "move",
  "add_member",
  "remove_member",
];

export const AUDIT_TARGETS = [
  "user",
  "video",
  "comment",
  "report",
  "outbox",
  "webhook",
  "message_hook",
  "key",
  "publication",
  "topic",
  "room",
  "stream",
  "recording",
  "call",
  "file",
];
