/** Who takes what from the outbox (target kind → the feature that delivers it), and how rooms reach Socket.IO clients. */
import { deliverDeletion } from "./bytes/deletions.ts";
import { handleOutbox } from "./db/outbox.ts";
import { deliverOrphans } from "./features/admin/erasure/orphans.ts";
import { deliverErasure } from "./features/admin/erasure/user.ts";
import { deliverToRoom } from "./features/rooms/room-client.ts";
import { reachGateway } from "./features/socketio/gateway.ts";
import { deliverToStream } from "./features/streams/room-client.ts";
import { deliverToSession } from "./features/webrtc/service.ts";
import { deliverToHub } from "./hub/client.ts";
import { reachGatewaysBy } from "./realtime/remote.ts";

reachGatewaysBy(reachGateway);

handleOutbox("user", deliverToHub);
handleOutbox("stream", deliverToStream);
handleOutbox("webrtc", deliverToSession);
handleOutbox("file", deliverDeletion);
handleOutbox("room", deliverToRoom);
handleOutbox("erase", deliverErasure);
handleOutbox("orphans", deliverOrphans);
