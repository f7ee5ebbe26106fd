/** The fastest that people pick: Bun's own sockets and publish, with nothing else. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("A socket, please.", { status: 426 })),
  websocket: {
    open: (socket) => socket.subscribe("room"),
    message: (_socket, message) => server.publish("room", message),
  },
});
