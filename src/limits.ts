/** What one body, frame or event may be, whatever the settings say. */

/** Largest JSON request body, in bytes. The longest message (5000 characters of 4 bytes) fits ten times. */
export const JSON_BODY_MAX_BYTES = 256 * 1024;

/** Largest body of a product's backend, in bytes: a batch of a hundred publications, each with all the data it may have. */
export const SERVER_BODY_MAX_BYTES = 4 * 1024 * 1024;

/** How deep a JSON body, a frame or an event may be nested; no schema of this API goes beyond ten. */
export const JSON_DEPTH_MAX = 64;

/** Largest client frame, in bytes (SPEC 2); the platform itself would take 32 MiB. */
export const FRAME_MAX_BYTES = 64 * 1024;
