/**
 * Who serves what the floors below only know by name: the outbox's targets, the hub's frames, the kinds of chat, the rooms of
 * Socket.IO clients and the way to those clients. A command of the contract without a function here does not compile.
 */
import { deliverDeletion } from "./bytes/deletions.ts";
import { keepFilesBy } from "./chat/attachments.ts";
import { deliverToRoom } from "./chat/client.ts";
import { askBeforeBy } from "./chat/gate.ts";
import { registerRoom } from "./chat/kinds.ts";
import { tellNewsBy } from "./chat/news.ts";
import { SOCKETS } from "./contract.ts";
import { handleOutbox } from "./db/outbox.ts";
import { deliverOrphans } from "./features/admin/erasure/orphans.ts";
import { deliverErasure } from "./features/admin/erasure/user.ts";
import { courseChannel } from "./features/courses/channel.ts";
import { courseChat } from "./features/courses/chat.ts";
import { fileKeeper } from "./features/files/service.ts";
import { markMessagesSeen, showTyping } from "./features/messages/service.ts";
import { markNotificationsSeen } from "./features/notifications/service.ts";
import { recordPresence, tellFriends } from "./features/presence/service.ts";
import { pushItemIn, sendPushes } from "./features/push/service.ts";
import { roomChannel } from "./features/rooms/channel.ts";
import { messengerChat } from "./features/rooms/chat.ts";
import { isOurs, reserveTypes } from "./features/server-api/publish/own-types.ts";
import { subscribe, unsubscribe } from "./features/server-api/topics/service.ts";
import { streamChannel } from "./features/streams/channel.ts";
import { deliverToStream } from "./features/streams/room-client.ts";
import { askAboutRoom } from "./features/webhooks/before-message.ts";
import { deliverToSender, forgetEndpoint, tellFacts } from "./features/webhooks/news.ts";
import { roomNews } from "./features/webhooks/room-news.ts";
import { webrtcChannel } from "./features/webrtc/channel.ts";
import { deliverToSession } from "./features/webrtc/service.ts";
import { deliverToHub } from "./hub/client.ts";
import { serveHub } from "./hub/features.ts";
import { bindCommands } from "./realtime/commands.ts";
import { findGatewaysBy } from "./realtime/gateways.ts";
import { registerChannel } from "./socketio/rooms/channels.ts";
import { deliverToGateway, gatewaysOf } from "./socketio/rooms/gateway.ts";
import { knowOwnEventsBy } from "./socketio/rooms/kept-people.ts";

handleOutbox("user", deliverToHub);
handleOutbox("stream", deliverToStream);
handleOutbox("webrtc", deliverToSession);
handleOutbox("file", deliverDeletion);
handleOutbox("room", deliverToRoom);
handleOutbox("gateway", deliverToGateway);
handleOutbox("erase", deliverErasure);
handleOutbox("orphans", deliverOrphans);
handleOutbox("webhook", tellFacts);
handleOutbox("endpoint", forgetEndpoint);
handleOutbox("sender", deliverToSender);

serveHub({
  commands: (as, topics) =>
    bindCommands(
      SOCKETS["/ws"].commands,
      {
        "message:mark_seen": (by, input) => markMessagesSeen(as(by), input),
        "message:typing": (by, input) => showTyping(as(by), input),
        "notification:mark_seen": (by, input) => markNotificationsSeen(as(by), input),
        subscribe: (by, input) => subscribe(as(by), topics, by.connection, input),
        unsubscribe: (by, { topic }) => unsubscribe(topics, by.connection, topic),
      },
      { "message:typing": "typing" },
    ),
  recordPresence,
  tellFriends,
  pushItemIn,
  sendPushes,
});

reserveTypes(SOCKETS);
knowOwnEventsBy(isOurs);
keepFilesBy(fileKeeper);
tellNewsBy(roomNews);
askBeforeBy(askAboutRoom);
registerRoom("group", messengerChat);
registerRoom("private", messengerChat);
registerRoom("course", courseChat);

for (const channel of [courseChannel, roomChannel, streamChannel, webrtcChannel]) registerChannel(channel);
findGatewaysBy((env, address) => gatewaysOf(env).stub(address));
