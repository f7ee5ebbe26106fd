/** Calls of rooms to gateways that a test has done otherwise: late, never, or with another answer. */
import { vi } from "vitest";
import { SocketIoGateway } from "../../src/socketio/rooms/gateway.ts";

const { deliverBatches, putOut } = SocketIoGateway.prototype;

/** Has deliveries that contain a text done otherwise. */
export function interceptDeliveries(
  text: string,
  instead: (deliver: () => Promise<string[]>, socketIds: string[]) => Promise<string[]>,
): void {
  vi.spyOn(SocketIoGateway.prototype, "deliverBatches").mockImplementation(function (this: SocketIoGateway, batches) {
    const deliver = () => deliverBatches.call(this, batches);
    const socketIds = batches.flatMap((batch) => batch.socketIds);
    return JSON.stringify(batches).includes(text) ? instead(deliver, socketIds) : deliver();
  });
}

/** Has whatever gateways are told of ended memberships done otherwise. */
export function interceptPutOuts(instead: (tell: () => void) => Promise<void>) {
  return vi.spyOn(SocketIoGateway.prototype, "putOut").mockImplementation(function (this: SocketIoGateway, orders) {
    return instead(() => putOut.call(this, orders));
  });
}
