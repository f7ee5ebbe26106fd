/** `npm run vapid`: prints new keys for Web Push, as settings. Browsers that subscribed with other keys have to subscribe anew. */
import { makeVapidKeys } from "./vapid-keys.ts";

for (const [name, value] of Object.entries(makeVapidKeys())) console.log(`${name}=${value}`);
