/** Who takes what from the outbox (target kind → the feature that delivers it), and how rooms reach Socket.IO clients. */
import { deliverTo } from "./db/outbox.ts";
import { deliverToRoom } from "./features/rooms/room-client.ts";
import { reachGateway } from "./features/socketio/gateway.ts";
import { deliverToHub } from "./features/users/hub-client.ts";
import { deliverToSession } from "./features/webrtc/service.ts";
import { reachGatewaysBy } from "./realtime/remote.ts";

deliverTo("user", deliverToHub);
deliverTo("room", deliverToRoom);
deliverTo("webrtc", deliverToSession);

reachGatewaysBy(reachGateway);
