/**
 * Gathers the slices' contracts: all that a client needs to import, and all that the docs are made from.
 * A new feature adds itself here: its contract, its tag's sentence, its frames on a socket. One line each.
 */
import { z } from "zod";
import { AdminFrames } from "./features/admin/contract.ts";
import { CourseCommands, CourseFrames } from "./features/courses/contract.ts";
import { MessageAcks, MessageCommands, MessageFrames } from "./features/messages/contract.ts";
import { NotificationAcks, NotificationCommands, NotificationFrames } from "./features/notifications/contract.ts";
import { PresenceFrames } from "./features/presence/contract.ts";
import { RoomAcks, RoomCommands, RoomFrames, RoomInboxFrames } from "./features/rooms/contract.ts";
import {
  TopicAcks,
  TopicCommands,
  TopicFrames,
  TopicRoomAcks,
  TopicRoomCommands,
} from "./features/server-api/contract.ts";
import { StreamAcks, StreamCommands, StreamFrames } from "./features/streams/chat-contract.ts";
import { MessageAnswer, MessageAnswerList, MessageQuestions, WebhookCall } from "./features/webhooks/event-contract.ts";
import { WebrtcCommands, WebrtcFrames } from "./features/webrtc/contract.ts";
import { Erased, type SocketContracts } from "./realtime/protocol.ts";

export * as admin from "./features/admin/contract.ts";
export * as auth from "./features/auth/contract.ts";
export * as signIn from "./features/auth/oidc/contract.ts";
export * as comments from "./features/comments/contract.ts";
export * as courses from "./features/courses/contract.ts";
export * as files from "./features/files/contract.ts";
export * as messages from "./features/messages/contract.ts";
export * as notifications from "./features/notifications/contract.ts";
export * as presence from "./features/presence/contract.ts";
export * as push from "./features/push/contract.ts";
export * as reports from "./features/reports/contract.ts";
export * as rooms from "./features/rooms/contract.ts";
export * as serverApi from "./features/server-api/contract.ts";
export * as social from "./features/social/contract.ts";
export * as streamChat from "./features/streams/chat-contract.ts";
export * as streams from "./features/streams/contract.ts";
export * as users from "./features/users/contract.ts";
export * as videos from "./features/videos/contract.ts";
export * as vod from "./features/vod/contract.ts";
export * as webhooks from "./features/webhooks/contract.ts";
export * as webhookEvents from "./features/webhooks/event-contract.ts";
export * as webrtc from "./features/webrtc/contract.ts";
export * as protocol from "./realtime/protocol.ts";

/** The headings of the docs: the first part of a path, and a sentence about what stands under it. */
export const TAGS: Record<string, string> = {
  auth: "Accounts, tokens, and tickets for sockets.",
  messages: "Direct messages between two people.",
  notifications: "What others did that concerns you.",
  push: "Web Push: what reaches a browser while its user has no connection.",
  users: "People as others see them, and whom they follow.",
  friends: "Friendships, requests for them, and blocks.",
  videos: "Short videos: the feed, their content, likes, views and shares.",
  comments: "What people write under videos.",
  rooms: "Groups and private rooms, who is in them, and what is said there.",
  chat: "Course chat.",
  files: "Files: streamed in and out, resumable, private or public.",
  streams: "Livestreams: made, found, their keys, and the chat beside them.",
  vod: "Recordings of streams.",
  webhook: "Where media servers tell what happens to a stream.",
  reports: "Telling the moderators of a video, a comment or a person.",
  admin: "For admins alone: figures, users, videos, reports, and the log of what admins did.",
  server: "For the product's own backend, by a key: its people, their tokens, and what it publishes.",
  webrtc: "Video sessions between browsers: who may join, who was there, and the servers that find a way.",
};

/** What the service POSTs to a product's backend. */
export const WEBHOOKS = {
  event: {
    summary: "Something has happened that the endpoint wants to hear of.",
    description: "At least once, in order per subject. Any 2xx is a success; else it comes again, for three days.",
    body: WebhookCall,
  },
  beforeMessage: {
    summary: "May this message be accepted?",
    description:
      "Asked within `timeoutMs` of `POST /admin/hooks/before-message`; `onFailure` decides where there is no answer.",
    body: MessageQuestions,
    answer: z.union([MessageAnswer, MessageAnswerList]),
  },
};

/** Every socket by its path below `/api/v1`, in OpenAPI's form. The docs and the types of packages/client are made from this. */
export const SOCKETS = {
  "/ws": {
    name: "events",
    summary: "The user's event socket: everything that concerns one user, on any of their devices.",
    // Frames of a feature on the user's own socket: one line in each map.
    commands: {
      ...MessageCommands,
      ...NotificationCommands,
      ...TopicCommands,
    },
    frames: {
      ...MessageFrames,
      ...NotificationFrames,
      ...AdminFrames,
      ...RoomInboxFrames,
      ...PresenceFrames,
      ...TopicFrames,
      erased: Erased,
    },
    acks: {
      ...MessageAcks,
      ...NotificationAcks,
      ...TopicAcks,
    },
  },
  "/streams/{id}/ws": {
    name: "stream",
    summary: "The room beside a stream: its chat, its status, how many are here. For any signed-in user.",
    commands: StreamCommands,
    frames: StreamFrames,
    acks: StreamAcks,
  },
  "/webrtc/sessions/{id}/ws": {
    name: "webrtc",
    summary: "A video session's signaling: offers, answers and candidates to one participant, state to all.",
    commands: WebrtcCommands,
    frames: WebrtcFrames,
  },
  "/rooms/{roomId}/ws": {
    name: "room",
    summary: "A group or private room.",
    commands: RoomCommands,
    frames: RoomFrames,
    acks: RoomAcks,
  },
  "/ws/{roomId}/{userId}": {
    name: "messenger",
    summary: "The same room by the messenger's own path, which answers without `/api/v1` too. `userId`: one's own.",
    commands: RoomCommands,
    frames: RoomFrames,
    acks: RoomAcks,
  },
  "/chat/courses/{courseId}/ws": {
    name: "course",
    summary: "The chat of a course.",
    commands: CourseCommands,
    frames: CourseFrames,
  },
  "/topics/{topic}/ws": {
    name: "topic",
    summary:
      "A topic's own socket, for a crowd: what the product publishes there comes as `{type, topic, data, seq?}`. `?topicToken=`, where TOPICS_OPEN does not name it.",
    commands: TopicRoomCommands,
    frames: {},
    acks: TopicRoomAcks,
  },
} as const satisfies SocketContracts;
