/** Who takes what from the outbox: target kind → the feature that delivers it. */
import { deliverTo } from "./db/outbox.ts";
import { deliverToRoom } from "./features/rooms/room-client.ts";
import { deliverToHub } from "./features/users/hub-client.ts";

deliverTo("user", deliverToHub);
deliverTo("room", deliverToRoom);
