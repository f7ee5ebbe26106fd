/** Every D1 table on one page. `migrations/` has the SQL, with the indexes and triggers; a test holds the two together. */
import { index, integer, primaryKey, real, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { ROLES } from "../roles.ts";

const time = (name: string) => integer(name, { mode: "timestamp_ms" });
const id = () => integer("id").primaryKey({ autoIncrement: true });

export const users = sqliteTable("users", {
  id: id(),
  username: text("username").notNull(),
  email: text("email").notNull(),
  phone: text("phone"),
  passwordHash: text("password_hash"),
  fullName: text("full_name"),
  displayName: text("display_name"),
  bio: text("bio"),
  avatarUrl: text("avatar_url"),
  role: text("role", { enum: ROLES }).notNull().default("user"),
  accountStatus: text("account_status", { enum: ["active", "not_active", "deleted"] })
    .notNull()
    .default("active"),
  isVerified: integer("is_verified", { mode: "boolean" }).notNull().default(false),
  bannedAt: time("banned_at"),
  banReason: text("ban_reason"),
  createdAt: time("created_at").notNull(),
  lastSeenAt: time("last_seen_at"),
  lastActiveAt: time("last_active_at"),
  onlineUntil: time("online_until"),
  connectedAt: time("connected_at"),
  followerCount: integer("follower_count").notNull().default(0),
  followingCount: integer("following_count").notNull().default(0),
  videoCount: integer("video_count").notNull().default(0),
  publicVideoCount: integer("public_video_count").notNull().default(0),
  displayNameFolded: text("display_name_folded"),
  fullNameFolded: text("full_name_folded"),
  isFolded: integer("is_folded", { mode: "boolean" }).notNull().default(false),
  roleSetAt: time("role_set_at"),
  emailVerifiedAt: time("email_verified_at"),
  pendingEmail: text("pending_email"),
});

export const sessions = sqliteTable("sessions", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  createdAt: time("created_at").notNull(),
  expiresAt: time("expires_at").notNull(),
  userAgent: text("user_agent").notNull().default(""),
  address: text("address").notNull().default(""),
  lastUsedAt: time("last_used_at").notNull().default(new Date(0)),
});

export const identities = sqliteTable(
  "identities",
  {
    issuer: text("issuer").notNull(),
    subject: text("subject").notNull(),
    userId: integer("user_id").notNull(),
    email: text("email"),
    linkedAt: time("linked_at"),
  },
  (table) => [primaryKey({ columns: [table.issuer, table.subject] })],
);

export const signInStates = sqliteTable("sign_in_states", {
  hash: text("hash").primaryKey(),
  browserHash: text("browser_hash").notNull(),
  provider: text("provider").notNull(),
  redirect: text("redirect").notNull(),
  codeChallenge: text("code_challenge").notNull(),
  expiresAt: time("expires_at").notNull(),
});

export const signInCodes = sqliteTable("sign_in_codes", {
  hash: text("hash").primaryKey(),
  codeChallenge: text("code_challenge").notNull(),
  issuer: text("issuer").notNull(),
  subject: text("subject").notNull(),
  username: text("username"),
  displayName: text("display_name"),
  email: text("email"),
  emailVerified: integer("email_verified", { mode: "boolean" }).notNull(),
  expiresAt: time("expires_at").notNull(),
});

export const pushSubscriptions = sqliteTable("push_subscriptions", {
  id: text("id").primaryKey(),
  userId: integer("user_id").notNull(),
  sessionId: text("session_id").notNull(),
  endpointHash: text("endpoint_hash").notNull(),
  endpoint: text("endpoint").notNull(),
  p256dh: text("p256dh").notNull(),
  auth: text("auth").notNull(),
  createdAt: time("created_at").notNull(),
});

export const pushSettings = sqliteTable("push_settings", {
  userId: integer("user_id").primaryKey(),
  messages: integer("messages", { mode: "boolean" }).notNull().default(true),
  notifications: integer("notifications", { mode: "boolean" }).notNull().default(true),
  quietFrom: text("quiet_from"),
  quietTo: text("quiet_to"),
  timeZone: text("time_zone"),
});

export const revokedTokens = sqliteTable("revoked_tokens", {
  hash: text("hash").primaryKey(),
  expiresAt: time("expires_at").notNull(),
});

export const socketTickets = sqliteTable("socket_tickets", {
  hash: text("hash").primaryKey(),
  userId: integer("user_id").notNull(),
  sessionId: text("session_id").notNull(),
  tokenExpiresAt: time("token_expires_at").notNull(),
  expiresAt: time("expires_at").notNull(),
});

// ── Mail of accounts, and what its links prove (0035) ──

export const accountTokens = sqliteTable("account_tokens", {
  hash: text("hash").primaryKey(),
  kind: text("kind", { enum: ["verify", "reset"] }).notNull(),
  userId: integer("user_id").notNull(),
  email: text("email").notNull(),
  expiresAt: time("expires_at").notNull(),
});

export const mailOutbox = sqliteTable("mail_outbox", {
  id: id(),
  userId: integer("user_id").notNull(),
  recipient: text("recipient").notNull(),
  template: text("template", {
    enum: [
      "verify",
      "reset",
      "account-exists",
      "email-change-asked",
      "email-changed",
      "identity-linked",
      "identity-removed",
    ],
  }).notNull(),
  language: text("language", { enum: ["en", "vi"] }).notNull(),
  username: text("username").notNull(),
  tokenId: text("token_id"),
  createdAt: time("created_at").notNull(),
  expiresAt: time("expires_at").notNull(),
  attempts: integer("attempts").notNull().default(0),
  attemptAt: time("attempt_at").notNull(),
  sentAt: time("sent_at"),
  parkedAt: time("parked_at"),
  reason: text("reason"),
});

export const rateWindows = sqliteTable("rate_windows", {
  key: text("key").primaryKey(),
  startedAt: time("started_at").notNull(),
  endsAt: time("ends_at").notNull(),
  count: integer("count").notNull(),
});

export const addressBans = sqliteTable("address_bans", {
  address: text("address").primaryKey(),
  until: time("until").notNull(),
});

export const follows = sqliteTable(
  "follows",
  {
    followerId: integer("follower_id").notNull(),
    followedId: integer("followed_id").notNull(),
    createdAt: time("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.followerId, table.followedId] })],
);

export const friendships = sqliteTable(
  "friendships",
  {
    lowId: integer("low_id").notNull(),
    highId: integer("high_id").notNull(),
    requestedBy: integer("requested_by").notNull(),
    status: text("status", { enum: ["pending", "accepted"] }).notNull(),
    since: time("since").notNull(),
  },
  (table) => [primaryKey({ columns: [table.lowId, table.highId] })],
);

export const blocks = sqliteTable(
  "blocks",
  {
    blockerId: integer("blocker_id").notNull(),
    blockedId: integer("blocked_id").notNull(),
    since: time("since").notNull(),
  },
  (table) => [primaryKey({ columns: [table.blockerId, table.blockedId] })],
);

export const videos = sqliteTable("videos", {
  id: id(),
  ownerId: integer("owner_id").notNull(),
  title: text("title").notNull(),
  description: text("description"),
  videoUrl: text("video_url").notNull(),
  thumbUrl: text("thumb_url"),
  fileId: text("file_id"),
  thumbFileId: text("thumb_file_id"),
  visibility: text("visibility", { enum: ["public", "private"] })
    .notNull()
    .default("public"),
  duration: real("duration"),
  views: integer("views").notNull().default(0),
  likes: integer("likes").notNull().default(0),
  comments: integer("comments").notNull().default(0),
  shares: integer("shares").notNull().default(0),
  createdAt: time("created_at").notNull(),
  titleFolded: text("title_folded"),
  descriptionFolded: text("description_folded"),
  isFolded: integer("is_folded", { mode: "boolean" }).notNull().default(false),
  hiddenAt: time("hidden_at"),
});

export const likes = sqliteTable(
  "likes",
  {
    videoId: integer("video_id").notNull(),
    userId: integer("user_id").notNull(),
    createdAt: time("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.userId] })],
);

export const videoViews = sqliteTable(
  "video_views",
  {
    videoId: integer("video_id").notNull(),
    viewer: text("viewer").notNull(),
    countedAt: time("counted_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.videoId, table.viewer] })],
);

export const comments = sqliteTable("comments", {
  id: id(),
  videoId: integer("video_id").notNull(),
  authorId: integer("author_id").notNull(),
  parentId: integer("parent_id"),
  content: text("content").notNull(),
  createdAt: time("created_at").notNull(),
});

export const messages = sqliteTable("messages", {
  id: id(),
  senderId: integer("sender_id").notNull(),
  receiverId: integer("receiver_id").notNull(),
  content: text("content").notNull(),
  clientMessageId: text("client_message_id"),
  createdAt: time("created_at").notNull(),
  seenAt: time("seen_at"),
});

export const conversations = sqliteTable(
  "conversations",
  {
    lowId: integer("low_id").notNull(),
    highId: integer("high_id").notNull(),
    lastMessageId: integer("last_message_id").notNull(),
  },
  (table) => [primaryKey({ columns: [table.lowId, table.highId] })],
);

export const notifications = sqliteTable("notifications", {
  id: id(),
  userId: integer("user_id").notNull(),
  type: text("type", {
    enum: [
      "like",
      "comment",
      "follow",
      "mention",
      "reply",
      "video_deleted",
      "report_resolved",
      "identity_linked",
      "webhook_off",
    ],
  }).notNull(),
  refId: integer("ref_id").notNull(),
  actorId: integer("actor_id"),
  targetType: text("target_type", { enum: ["video", "comment", "user", "report", "room", "webhook"] }).notNull(),
  targetId: integer("target_id").notNull(),
  targetTitle: text("target_title"),
  createdAt: time("created_at").notNull(),
  seenAt: time("seen_at"),
  roomId: text("room_id"),
  messageId: text("message_id"),
});

export const reports = sqliteTable("reports", {
  id: id(),
  reporterId: integer("reporter_id").notNull(),
  targetType: text("target_type", { enum: ["video", "comment", "user"] }).notNull(),
  targetId: integer("target_id").notNull(),
  reason: text("reason").notNull(),
  details: text("details"),
  status: text("status", { enum: ["pending", "resolved", "rejected"] })
    .notNull()
    .default("pending"),
  result: text("result"),
  resolvedBy: integer("resolved_by"),
  resolvedAt: time("resolved_at"),
  createdAt: time("created_at").notNull(),
});

export const audit = sqliteTable("audit", {
  id: id(),
  adminId: integer("admin_id").notNull(),
  adminUsername: text("admin_username").notNull(),
  action: text("action").notNull(),
  targetType: text("target_type").notNull(),
  targetId: text("target_id").notNull(),
  reason: text("reason"),
  details: text("details"),
  requestId: text("request_id").notNull(),
  createdAt: time("created_at").notNull(),
  keyId: text("key_id"),
  actKey: text("act_key"),
});

export const outbox = sqliteTable(
  "outbox",
  {
    id: id(),
    target: text("target").notNull(),
    payload: text("payload").notNull(),
    createdAt: time("created_at").notNull(),
    attempts: integer("attempts").notNull().default(0),
    attemptedAt: time("attempted_at"),
  },
  (table) => [index("outbox_target").on(table.target, table.id)],
);

export const outboxParked = sqliteTable("outbox_parked", {
  id: integer("id").primaryKey(),
  target: text("target").notNull(),
  payload: text("payload").notNull(),
  createdAt: time("created_at").notNull(),
  attempts: integer("attempts").notNull(),
  reason: text("reason").notNull(),
  parkedAt: time("parked_at").notNull(),
});

export const databaseGeneration = sqliteTable("database_generation", {
  id: integer("id").primaryKey(),
  generation: text("generation").notNull(),
});

/** How long the public lists are; kept by triggers. */
export const listTotals = sqliteTable("list_totals", {
  list: text("list", { enum: ["people", "videos"] }).primaryKey(),
  total: integer("total").notNull(),
});

export const webrtcSessions = sqliteTable("webrtc_sessions", {
  id: text("id").primaryKey(),
  hostId: integer("host_id").notNull(),
  title: text("title"),
  courseId: text("course_id"),
  maxParticipants: integer("max_participants").notNull(),
  createdAt: time("created_at").notNull(),
  endedAt: time("ended_at"),
  chosenId: text("chosen_id"),
});

export const uploads = sqliteTable(
  "uploads",
  {
    key: text("key").primaryKey(),
    uploadId: text("upload_id"),
    startedAt: time("started_at").notNull(),
    ownerId: integer("owner_id"),
    reserved: integer("reserved").notNull().default(0),
  },
  (table) => [index("uploads_started").on(table.startedAt)],
);

export const files = sqliteTable(
  "files",
  {
    id: text("id").primaryKey(),
    ownerId: integer("owner_id").notNull(),
    folder: text("folder").notNull(),
    name: text("name").notNull(),
    originalName: text("original_name").notNull(),
    category: text("category", { enum: ["document", "image", "video", "audio", "archive"] }).notNull(),
    mimeType: text("mime_type").notNull(),
    size: integer("size").notNull(),
    sha256: text("sha256").notNull(),
    visibility: text("visibility", { enum: ["private", "public"] })
      .notNull()
      .default("private"),
    key: text("key").notNull(),
    createdAt: time("created_at").notNull(),
    folderFolded: text("folder_folded"),
    nameFolded: text("name_folded"),
    isFolded: integer("is_folded", { mode: "boolean" }).notNull().default(false),
    hiddenAt: time("hidden_at"),
  },
  (table) => [
    uniqueIndex("files_path").on(table.folder, table.name),
    uniqueIndex("files_path_folded").on(table.folderFolded, table.nameFolded),
  ],
);

export const filePaths = sqliteTable("file_paths", {
  hash: text("hash").primaryKey(),
  fileId: text("file_id").notNull(),
});

export const fileGrants = sqliteTable(
  "file_grants",
  {
    id: text("id").primaryKey(),
    fileId: text("file_id").notNull(),
    place: text("place").notNull(),
    createdAt: time("created_at").notNull(),
  },
  (table) => [index("file_grants_file").on(table.fileId), index("file_grants_place").on(table.place)],
);

export const roomDepartures = sqliteTable("room_departures", {
  roomId: text("room_id").primaryKey(),
  at: time("at").notNull(),
});

export const fileUsage = sqliteTable("file_usage", {
  userId: integer("user_id").primaryKey(),
  fileCount: integer("file_count").notNull().default(0),
  bytes: integer("bytes").notNull().default(0),
  reserved: integer("reserved").notNull().default(0),
});

export const resumableUploads = sqliteTable(
  "resumable_uploads",
  {
    id: text("id").primaryKey(),
    ownerId: integer("owner_id").notNull(),
    key: text("key").notNull(),
    uploadId: text("upload_id"),
    length: integer("length").notNull(),
    offset: integer("offset").notNull().default(0),
    parts: text("parts").notNull().default("[]"),
    tailPlace: integer("tail_place").notNull().default(0),
    originalName: text("original_name").notNull(),
    folder: text("folder").notNull(),
    visibility: text("visibility", { enum: ["private", "public"] }).notNull(),
    metadata: text("metadata").notNull(),
    lockedBy: text("locked_by"),
    lockedUntil: integer("locked_until").notNull().default(0),
    fileId: text("file_id"),
    expiresAt: time("expires_at").notNull(),
  },
  (table) => [index("resumable_uploads_expiry").on(table.expiresAt)],
);

export const rooms = sqliteTable("rooms", {
  id: text("id").primaryKey(),
  kind: text("kind", { enum: ["group", "private", "course"] }).notNull(),
  name: text("name"),
  ownerId: integer("owner_id"),
  lowId: integer("low_id"),
  highId: integer("high_id"),
  courseId: text("course_id"),
  joinPolicy: text("join_policy", { enum: ["open", "members"] }),
  slowModeSeconds: integer("slow_mode_seconds").notNull().default(0),
  memberCount: integer("member_count").notNull().default(0),
  version: integer("version").notNull().default(1),
  createdAt: time("created_at").notNull(),
  head: integer("head").notNull().default(0),
  messageCount: integer("message_count").notNull().default(0),
  deletedSeqs: text("deleted_seqs").notNull().default("[]"),
  lastMessage: text("last_message"),
  lastActiveAt: time("last_active_at").notNull(),
  busyUntil: time("busy_until").notNull().default(new Date(0)),
  chosenId: text("chosen_id"),
  isUnclaimed: integer("is_unclaimed", { mode: "boolean" }).notNull().default(false),
});

export const roomMembers = sqliteTable(
  "room_members",
  {
    roomId: text("room_id").notNull(),
    userId: integer("user_id").notNull(),
    joinedAt: time("joined_at").notNull(),
    readSeq: integer("read_seq").notNull().default(0),
    readCount: integer("read_count").notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.roomId, table.userId] })],
);

// ── Chosen ids (0016) ──

export const roomRemovals = sqliteTable(
  "room_removals",
  { roomId: text("room_id").notNull(), userId: integer("user_id").notNull() },
  (table) => [primaryKey({ columns: [table.roomId, table.userId] })],
);

export const deletedIds = sqliteTable(
  "deleted_ids",
  { kind: text("kind", { enum: ["room", "course", "call"] }).notNull(), id: text("id").notNull() },
  (table) => [primaryKey({ columns: [table.kind, table.id] })],
);

// ── Livestreams (0005) ──

export const streams = sqliteTable("streams", {
  id: id(),
  userId: integer("user_id").notNull(),
  title: text("title").notNull(),
  description: text("description"),
  thumbnail: text("thumbnail"),
  keyHash: text("key_hash").notNull(),
  status: text("status", { enum: ["live", "ended"] })
    .notNull()
    .default("ended"),
  session: text("session"),
  endReason: text("end_reason", { enum: ["done", "owner", "lease", "too_long", "banned", "key_rotated", "admin"] }),
  startedAt: time("started_at"),
  endedAt: time("ended_at"),
  lastSeenAt: time("last_seen_at"),
  leaseUntil: time("lease_until"),
  players: integer("players").notNull().default(0),
  roomViewers: integer("room_viewers").notNull().default(0),
  peakViewers: integer("peak_viewers").notNull().default(0),
  plays: integer("plays").notNull().default(0),
  scheduledAt: time("scheduled_at"),
  createdAt: time("created_at").notNull(),
  updatedAt: time("updated_at").notNull(),
});

export const streamSessions = sqliteTable("stream_sessions", {
  id: id(),
  streamId: integer("stream_id").notNull(),
  session: text("session").notNull(),
  startedAt: time("started_at").notNull(),
  endedAt: time("ended_at"),
  endReason: text("end_reason", {
    enum: ["done", "owner", "lease", "too_long", "banned", "key_rotated", "admin", "replaced"],
  }),
  peakViewers: integer("peak_viewers").notNull().default(0),
  plays: integer("plays").notNull().default(0),
});

export const streamEarlyEnds = sqliteTable(
  "stream_early_ends",
  {
    streamId: integer("stream_id").notNull(),
    session: text("session").notNull(),
    at: time("at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.streamId, table.session] })],
);

export const streamPlayers = sqliteTable(
  "stream_players",
  { streamId: integer("stream_id").notNull(), session: text("session").notNull() },
  (table) => [primaryKey({ columns: [table.streamId, table.session] })],
);

export const streamEvents = sqliteTable("stream_events", {
  id: id(),
  streamId: integer("stream_id"),
  source: text("source").notNull(),
  event: text("event").notNull(),
  session: text("session").notNull(),
  outcome: text("outcome").notNull(),
  signature: text("signature"),
  requestId: text("request_id").notNull(),
  createdAt: time("created_at").notNull(),
});

export const vods = sqliteTable("vods", {
  id: id(),
  streamId: integer("stream_id").notNull(),
  userId: integer("user_id").notNull(),
  title: text("title").notNull(),
  thumbnail: text("thumbnail"),
  duration: real("duration"),
  fileName: text("file_name").notNull(),
  digest: text("digest").notNull(),
  objectKey: text("object_key").notNull(),
  mimeType: text("mime_type").notNull(),
  size: integer("size").notNull(),
  views: integer("views").notNull().default(0),
  createdAt: time("created_at").notNull(),
});

export const versions = sqliteTable("versions", {
  kind: text("kind").primaryKey(),
  version: integer("version").notNull(),
});

// ── What a product's backend hears (0032) ──

export const webhooks = sqliteTable("webhooks", {
  id: id(),
  url: text("url").notNull(),
  description: text("description"),
  events: text("events").notNull(),
  batchSize: integer("batch_size").notNull().default(1),
  secret: text("secret").notNull(),
  createdBy: integer("created_by").notNull(),
  createdAt: time("created_at").notNull(),
  offAt: time("off_at"),
  offReason: text("off_reason"),
  failingSince: time("failing_since"),
});

/** Of endpoints that are on. Written by triggers alone. */
export const webhookEvents = sqliteTable(
  "webhook_events",
  { event: text("event").notNull(), webhookId: integer("webhook_id").notNull() },
  (table) => [primaryKey({ columns: [table.event, table.webhookId] })],
);

export const messageHook = sqliteTable("message_hook", {
  id: integer("id").primaryKey(),
  url: text("url").notNull(),
  secret: text("secret").notNull(),
  timeoutMs: integer("timeout_ms").notNull(),
  onFailure: text("on_failure", { enum: ["allow", "refuse"] }).notNull(),
  createdBy: integer("created_by").notNull(),
  createdAt: time("created_at").notNull(),
});

// ── The product's own backend (0030) ──

export const serverKeys = sqliteTable("server_keys", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  hash: text("hash").notNull(),
  scopes: text("scopes").notNull(),
  createdBy: integer("created_by").notNull(),
  createdAt: time("created_at").notNull(),
  expiresAt: time("expires_at"),
  lastUsedAt: time("last_used_at"),
});

export const publications = sqliteTable(
  "publications",
  {
    keyId: text("key_id").notNull(),
    dedupeId: text("dedupe_id").notNull(),
    hash: text("hash").notNull(),
    answer: text("answer"),
    createdAt: time("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.keyId, table.dedupeId] })],
);

// ── Which object names whom (0009, 0010) ──

export const userReferences = sqliteTable(
  "user_references",
  { userId: integer("user_id").notNull(), target: text("target").notNull() },
  (table) => [primaryKey({ columns: [table.userId, table.target] })],
);

// The admin's figures (0007). Written by triggers alone. Not mirrored: the trigram indexes users_search, videos_search.

export const statsTotals = sqliteTable("stats_totals", {
  id: integer("id").primaryKey(),
  users: integer("users").notNull(),
  usersActive: integer("users_active").notNull(),
  usersBanned: integer("users_banned").notNull(),
  videos: integer("videos").notNull(),
  videosPublic: integer("videos_public").notNull(),
  likes: integer("likes").notNull(),
  comments: integer("comments").notNull(),
  follows: integer("follows").notNull(),
  views: integer("views").notNull(),
  audit: integer("audit").notNull(),
});

export const statsReports = sqliteTable(
  "stats_reports",
  {
    status: text("status", { enum: ["pending", "resolved", "rejected"] }).notNull(),
    targetType: text("target_type", { enum: ["video", "comment", "user"] }).notNull(),
    count: integer("count").notNull(),
  },
  (table) => [primaryKey({ columns: [table.status, table.targetType] })],
);

const dailyCount = (name: string) => integer(name).notNull().default(0);

/** `day`: whole UTC days since the epoch. */
export const statsDays = sqliteTable("stats_days", {
  day: integer("day").primaryKey(),
  usersNew: dailyCount("users_new"),
  usersActive: dailyCount("users_active"),
  usersLastActive: dailyCount("users_last_active"),
  videosNew: dailyCount("videos_new"),
  views: dailyCount("views"),
  likes: dailyCount("likes"),
  comments: dailyCount("comments"),
  follows: dailyCount("follows"),
  reportsPending: dailyCount("reports_pending"),
  reportsResolved: dailyCount("reports_resolved"),
  reportsRejected: dailyCount("reports_rejected"),
  resolutions: dailyCount("resolutions"),
});
