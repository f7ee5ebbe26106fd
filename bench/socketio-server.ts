/** The yardstick of bench/streams.ts: a chat on Socket.IO and Node, with a JWT, an insert and an ack, as Roomcast has. */
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { jwtVerify, SignJWT } from "jose";
import { Server } from "socket.io";

const secret = new TextEncoder().encode("bench-only-secret-of-at-least-32-bytes");
const database = new DatabaseSync(":memory:");
database.exec("CREATE TABLE log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, frame TEXT NOT NULL)");
const insert = database.prepare("INSERT INTO log (at, frame) VALUES (?, ?)");

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
io.use((socket, next) => {
  jwtVerify(String(socket.handshake.auth.token), secret).then(
    ({ payload }) => {
      socket.data.username = payload.sub;
      next();
    },
    () => next(new Error("UNAUTHORIZED")),
  );
});
io.on("connection", (socket) => {
  void socket.join("stream");
  socket.on("chat_message", ({ message }: { message: string }, ack: (answer: object) => void) => {
    const now = Date.now();
    const data = {
      streamId: 1,
      userId: 1,
      username: socket.data.username,
      message,
      timestamp: new Date(now).toISOString(),
    };
    const { lastInsertRowid } = insert.run(now, JSON.stringify(data));
    const seq = Number(lastInsertRowid);
    io.to("stream").emit("chat_message", { id: String(seq).padStart(12, "0"), seq, ...data });
    ack({ success: true, data: { seq } });
  });
});

const token = await new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject("bench_0").sign(secret);
http.listen(Number(process.argv[2]), "127.0.0.1", () => process.send?.({ token }));
process.on("disconnect", () => process.exit());
