/** `/socket.io/`: Engine.IO sessions, refused here if they can be, so that junk wakes no object (SPEC 9). */
import { clientAddress } from "../../auth/rate-limit.ts";
import { config, isAllowedOrigin } from "../../config.ts";
import { router } from "../../http/route.ts";
import { countSocket } from "../../platform/metrics.ts";
import { versionOf } from "../../platform/version.ts";
import { serveSockets } from "../engine/serve.ts";
import { gatewaysOf, settings } from "./gateway.ts";
import { Handshakes } from "./handshakes.ts";

export const socketIoRoutes = router();

const handshakes = new Handshakes();

// The protocol has its own answers to everything, CORS and errors included.
socketIoRoutes.all("/*", (c) =>
  serveSockets(c.req.raw, {
    addresses: gatewaysOf(c.env),
    settings: { ...settings, answerSeconds: config(c.env).TIMEOUT_OBJECTS_SECONDS },
    version: versionOf(c.env),
    allowsOrigin: (origin, request) => isAllowedOrigin(config(c.env), origin, new URL(request.url).origin),
    allowsHandshake: (request) => {
      countSocket("socketio");
      return handshakes.allows(clientAddress(request), config(c.env).RATE_LIMIT_HANDSHAKES, Date.now());
    },
  }),
);
