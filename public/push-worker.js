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

// The page that is open hears what was clicked; without one, the front page opens.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then(([page]) => {
      if (!page) return self.clients.openWindow("/");
      page.postMessage({ type: "push:clicked", payload: event.notification.data });
      return page.focus();
    }),
  );
});
