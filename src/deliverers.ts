/** Who takes what from the outbox: target kind → the feature that delivers it. */
import { deliverDeletion } from "./bytes/deletions.ts";
import { deliverTo } from "./db/outbox.ts";
import { deliverOrphans } from "./features/admin/erasure/orphans.ts";
import { deliverErasure } from "./features/admin/erasure/user.ts";
import { deliverToRoom } from "./features/rooms/room-client.ts";
import { deliverToStream } from "./features/streams/room-client.ts";
import { deliverToHub } from "./features/users/hub-client.ts";
import { deliverToSession } from "./features/webrtc/service.ts";

deliverTo("user", deliverToHub);
deliverTo("stream", deliverToStream);
deliverTo("webrtc", deliverToSession);
deliverTo("file", deliverDeletion);
deliverTo("room", deliverToRoom);
deliverTo("erase", deliverErasure);
deliverTo("orphans", deliverOrphans);
