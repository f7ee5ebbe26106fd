import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/index.ts"],
  platform: "neutral",
  target: "es2023",
  dts: true,
  fixedExtension: false,
  tsconfig: "tsconfig.build.json",
  // Frameworks with server components ask for it: hooks run in the browser.
  banner: '"use client";',
});
