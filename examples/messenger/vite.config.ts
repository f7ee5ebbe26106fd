import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const root = resolve(import.meta.dirname, "../..");
/** `npm run dev` shows this against a running service (`npm start` beside it). */
const service = process.env.ROOMCAST_URL ?? "http://localhost:8787";

export default defineConfig({
  root: import.meta.dirname,
  base: "/chat/",
  plugins: [react()],
  // From the sources: nothing has to be built before. Elsewhere they come from npm.
  resolve: {
    alias: {
      "@roomcast/client": resolve(root, "packages/client/src/index.ts"),
      "@roomcast/react": resolve(root, "packages/react/src/index.ts"),
    },
  },
  build: { outDir: resolve(root, "public/chat"), emptyOutDir: true, target: "es2023" },
  server: {
    proxy: {
      "/api": { target: service, ws: true },
      // The look, the bar and the session of the service's own pages.
      "^/((ui|style|account)/.*|(style\\.css|theme|session|account|api|dom|icon|push-worker)(\\.\\w+)?)$": service,
    },
  },
});
