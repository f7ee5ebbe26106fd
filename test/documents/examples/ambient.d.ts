/** What code on the pages speaks of without saying where it is from: what the sentences around it say it is. */
declare const url: string;
declare const token: string;
declare const key: string;
declare const secret: string;
declare const roomId: string;
declare const user: { id: number };
declare const request: Request;

declare const api: import("../../../packages/client/src/index.ts").Client;
declare const socket: import("../../../packages/client/src/index.ts").RoomcastSocket;
declare const room: import("../../../packages/client/src/index.ts").RoomcastSocket<"/rooms/{roomId}/ws">;
declare const roomcast: import("../../../packages/server/src/index.ts").RoomcastServer;
declare const topicToken: Awaited<ReturnType<typeof roomcast.makeTopicToken>>;

declare const answerOf: typeof import("../../../packages/client/src/index.ts").answerOf;
declare const Outbox: typeof import("../../../packages/client/src/index.ts").Outbox;
declare const RoomcastSocket: typeof import("../../../packages/client/src/index.ts").RoomcastSocket;
declare const RoomcastServer: typeof import("../../../packages/server/src/index.ts").RoomcastServer;
declare const verifyWebhook: typeof import("../../../packages/server/src/index.ts").verifyWebhook;

/** Puts something on the page. */
declare function show(...what: unknown[]): void;
declare function draw(what: unknown): void;
