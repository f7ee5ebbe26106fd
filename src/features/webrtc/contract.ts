/** Video sessions and the signaling between browsers (SPEC 8). docs/webrtc.md tells a client how to use them. */
import { z } from "zod";
import { customEventIn, PassingEvent } from "../../chat/contract.ts";
import { ChosenId } from "../../chosen-id.ts";
import { Timestamp } from "../../realtime/protocol.ts";
import { verbatim } from "../../spelling.ts";
import { userText } from "../../text.ts";
import { AuthorId, UserId, UserRef } from "../users/contract.ts";

export const SessionId = z.string().min(1).max(64).describe("Opaque and sortable, or of its maker's choice");
export const SessionParam = z.object({ id: SessionId });

export const MAX_PARTICIPANTS_DEFAULT = 50;

export const CreateSession = z.object({
  id: ChosenId.optional(),
  title: userText(255).nullish(),
  courseId: z.string().min(1).max(200).nullish().describe("Only who may join this course may join the session"),
  maxParticipants: z.number().int().min(2).max(100).default(MAX_PARTICIPANTS_DEFAULT),
});
export type CreateSession = z.output<typeof CreateSession>;

export const Session = z
  .object({
    id: SessionId,
    title: z.string().nullable(),
    courseId: z.string().nullable(),
    hostId: UserId.nullable().describe("null: made by its first use; it ends with its last participant"),
    maxParticipants: z.number().int(),
    createdAt: Timestamp,
    endedAt: Timestamp.nullable(),
  })
  .meta({ id: "WebrtcSession" });
export type Session = z.infer<typeof Session>;

export const AttendanceRecord = z.object({
  userId: AuthorId,
  joinedAt: Timestamp,
  leftAt: Timestamp.nullable().describe("null: still there"),
  seconds: z.number().int().describe("Whole seconds between the two; until now for who is still there"),
});
export type AttendanceRecord = z.infer<typeof AttendanceRecord>;
export const Attendance = z.object({
  attendance: z
    .array(AttendanceRecord)
    .describe("One record for each time that somebody was there, in the order of joining"),
});

export const IceServersQuery = z.object({
  sessionId: SessionId.optional().describe("TURN is for those who may join it, or are in a session already"),
});
export const IceServer = z.object({
  urls: z.array(z.string()),
  username: z.string().optional(),
  credential: z.string().optional(),
});
export type IceServer = z.infer<typeof IceServer>;
export const IceServers = z.object({ iceServers: z.array(IceServer) });

/**
 * What browsers tell each other: flat, and passed on unread. The caps are several times what browsers produce (an offer
 * with two cameras and a screen has about 15,000 characters, a candidate 300).
 */
const passedOn = (maxLength: number) =>
  z
    .union([z.string(), z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))])
    .refine((value) => JSON.stringify(value).length <= maxLength, `may have ${maxLength} characters`);
const Description = verbatim(passedOn(48 * 1024)).describe("An RTCSessionDescriptionInit");
const Candidate = verbatim(passedOn(4096).nullable()).describe("An RTCIceCandidateInit; null: no more will come");

/** A native socket leads to one session, so its name may be left out there; another session's is NOT_FOUND. */
const here = { sessionId: SessionId.optional() };
const target = { ...here, targetUserId: UserRef };

export const JoinSession = z.object({
  ...here,
  displayName: userText(100).nullish().describe("Default: the account's"),
  role: userText(50).default("student").describe("A label (student, teacher, …); gives no power"),
});
export type JoinSession = z.output<typeof JoinSession>;
const Here = z.object(here);
const Toggle = z.object({ ...here, enabled: z.boolean() });

/** Client → server. */
export const WebrtcCommands = {
  "webrtc:join_session": JoinSession,
  "webrtc:leave_session": Here,
  "webrtc:offer": z.object({ ...target, offer: Description }),
  "webrtc:answer": z.object({ ...target, answer: Description }),
  "webrtc:ice_candidate": z.object({ ...target, candidate: Candidate }),
  "webrtc:toggle_audio": Toggle,
  "webrtc:toggle_video": Toggle,
  "webrtc:screen_share_start": Here,
  "webrtc:screen_share_stop": Here,
  "webrtc:raise_hand": Here,
  "webrtc:lower_hand": Here,
  event: PassingEvent.extend(here),
};

export const Participant = z.object({
  userId: UserId,
  displayName: z.string(),
  role: z.string(),
  audioEnabled: z.boolean(),
  videoEnabled: z.boolean(),
  screenSharing: z.boolean(),
  handRaised: z.boolean(),
  joinedAt: Timestamp,
});
export type Participant = z.infer<typeof Participant>;

/**
 * Of two participants the one with the higher user id is polite: when offers collide it takes its own back. Told as
 * well, so that nobody has to work it out. See "perfect negotiation" in WebRTC 1.0, 10.7.
 */
const polite = z.boolean().describe("Whether the receiver of this frame gives way to this participant");
const ParticipantSeen = Participant.extend({ polite });
const of = { sessionId: SessionId, userId: UserId };
const from = { sessionId: SessionId, fromUserId: UserId };
const Switched = z.object({ ...of, enabled: z.boolean() });
const Noted = z.object(of);

/** Server → client. */
export const WebrtcFrames = {
  "webrtc:participants_list": z
    .object({ sessionId: SessionId, participants: z.array(ParticipantSeen) })
    .describe("Everybody, oneself included; to who has joined"),
  "webrtc:user_joined": ParticipantSeen.extend({ sessionId: SessionId }),
  "webrtc:user_left": Noted,
  "webrtc:offer_received": z.object({ ...from, offer: Description }),
  "webrtc:answer_received": z.object({ ...from, answer: Description }),
  "webrtc:ice_candidate_received": z.object({ ...from, candidate: Candidate }),
  "webrtc:user_audio_toggled": Switched,
  "webrtc:user_video_toggled": Switched,
  "webrtc:screen_share_started": Noted,
  "webrtc:screen_share_stopped": Noted,
  "webrtc:hand_raised": Noted,
  "webrtc:hand_lowered": Noted,
  event: customEventIn(SessionId),
  "webrtc:error": z
    .object({ code: z.string(), message: z.string() })
    .describe("NOT_FOUND: the session has ended · CONFLICT: joined from another window, this one is out"),
};
