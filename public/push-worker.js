// A service worker for Web Push, for pages to register as it is, or to import: importScripts("/push-worker.js").
// What stands in a push: PushPayload of the API's docs. Its words are users': notifications show them as text.

const WORDS = { message: "New message", room: "New message", notification: "Something new", new: "Something new" };

self.addEventListener("push", (event) => {
  const payload = event.data ? event.data.json() : { type: "new", count: 1, tag: "new" };
  const from = payload.sender ? payload.sender.displayName || payload.sender.username : undefined;
  const many = payload.count > 1 ? ` (${payload.count})` : "";
  event.waitUntil(
    self.registration.showNotification(from ?? `${WORDS[payload.type] ?? WORDS.new}${many}`, {
      body: payload.text ?? (from ? `${WORDS[payload.type] ?? WORDS.new}${many}` : ""),
      icon: payload.sender?.avatarUrl ?? undefined,
      tag: payload.tag,
      renotify: true,
      data: payload,
    }),
  );
});

const isMessenger = ({ url }) => /^\/chat\/?$/.test(new URL(url).pathname);

// A page that is open hears what was clicked; of a room, the messenger. Without one, it opens.
self.addEventListener("notificationclick", (event) => {
  const payload = event.notification.data;
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then((pages) => {
      const { roomId } = payload;
      const page = roomId ? pages.find(isMessenger) : pages[0];
      if (!page) return self.clients.openWindow(roomId ? `/chat#/${encodeURIComponent(roomId)}` : "/");
      page.postMessage({ type: "push:clicked", payload });
      return page.focus();
    }),
  );
});
