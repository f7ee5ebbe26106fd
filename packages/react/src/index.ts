/** Roomcast as React hooks. Around them stands a `<RoomcastProvider>`. */
export { RoomcastProvider, type RoomcastProviderProps, useSession } from "./context.ts";
export {
  type NotificationsActions,
  type NotificationsState,
  useNotifications,
} from "./notifications.ts";
export type { Said } from "./outbox.ts";
export { type Presence, usePresence } from "./presence.ts";
export { type RoomActions, type RoomState, useRoom } from "./room.ts";
export type { RoomEntry } from "./room-log.ts";
export type { OnlineUser } from "./room-people.ts";
export { type NewRoom, type RoomsActions, type RoomsState, useRooms } from "./rooms.ts";
export type { Session, SessionOptions, TokenSource } from "./session.ts";
export { type SocketState, type UseSocket, type UseSocketOptions, useSocket } from "./socket.ts";
export { type StreamChatActions, type StreamChatState, type StreamEntry, useStreamChat } from "./stream-chat.ts";
export { type UploadActions, type UploadPlace, type UploadState, useUpload } from "./upload.ts";
