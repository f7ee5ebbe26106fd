/** Every package as `npm publish` would send it: well-formed, typed, small, and installed into an empty project. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { compressedBytes, inKilobytes } from "../../scripts/package-sizes.ts";

const tarballs = inject("tarballs");
/** Compressed sizes of what a page loads, dependencies and all but React itself, kB. */
const MOST_KB = { "@roomcast/client": 10, "@roomcast/client/socket": 6, "@roomcast/react": 35 };

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "roomcast-project-"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  const packages = [...Object.values(tarballs), "react@19.3.1", "react-dom@19.3.1"];
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages], { cwd: project });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe.each(Object.entries(tarballs))("%s", (_, tarball) => {
  it("is well-formed, by publint", async () => {
    const bytes = readFileSync(tarball);
    const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
    expect(messages).toEqual([]);
  });

  it("has types that every module resolution of ESM finds, by Are the Types Wrong", async () => {
    const { problems } = await checkPackage(createPackageFromTarballData(readFileSync(tarball))).then((result) =>
      result.types ? result : { problems: [{ kind: "NoTypes" }] },
    );
    // It is ESM alone: `require` of it needs Node 20.19 or newer, and the oldest resolution knows no `exports`.
    expect(problems.filter(({ kind }) => !["CJSResolvesToESM", "NoResolution"].includes(kind))).toEqual([]);
  });

  it("has nothing of the Worker, and no zod, in its code or its types", () => {
    const files = execFileSync("tar", ["-xzOf", tarball], { encoding: "utf8", maxBuffer: 1e8 });
    expect(files).not.toMatch(/cloudflare|DurableObject|D1Database|from "zod/);
  });
});

it.each(Object.entries(MOST_KB))("%s keeps to %i kB", async (entry, mostKb) => {
  const bytes = await compressedBytes(entry, project);
  console.info(`${entry}: ${inKilobytes(bytes)}`);
  expect(bytes).toBeLessThanOrEqual(mostKb * 1000);
});

it("hooks render on a server, in a project that has nothing else", () => {
  writeFileSync(
    join(project, "server.js"),
    `import { RoomcastProvider, useRoom } from "@roomcast/react";
     import { createElement } from "react";
     import { renderToString } from "react-dom/server";
     const Room = () => createElement("p", null, useRoom("general").status);
     const session = { url: "https://rooms.example", token: "t", userId: 1 };
     console.log(renderToString(createElement(RoomcastProvider, session, createElement(Room))));`,
  );
  const printed = execFileSync(process.execPath, ["server.js"], { cwd: project, encoding: "utf8", timeout: 20_000 });
  expect(printed.trim()).toBe("<p>connecting</p>");
});

it("hooks are typed: a wrong field does not compile", () => {
  writeFileSync(
    join(project, "app.ts"),
    `import { useRoom, useSocket } from "@roomcast/react";
     export function useTalk() {
       const { messages, send } = useRoom("general");
       send({ content: String(messages[0]?.reactions[0]?.count) });
       // @ts-expect-error no such field
       send({ text: "hello" });
       const { send: command } = useSocket({ on: { "message:new": ({ senderId }) => senderId.toFixed() } });
       // @ts-expect-error no such frame
       useSocket({ on: { "message:nothing": () => {} } });
       useSocket({ onPublished: { "order:shipped": ({ data, topic }) => console.log(data, topic?.length) } });
       // @ts-expect-error a type of the product's own has a colon
       useSocket({ onPublished: { shipped: () => {} } });
       return command("message:mark_seen", { conversationWith: 1 }).then(({ messageIds }) => messageIds.length);
     }`,
  );
  const options = { module: "esnext", moduleResolution: "bundler", target: "es2024", strict: true, noEmit: true };
  // React's own types are the app's business; tus comes with some.
  const compilerOptions = { ...options, lib: ["esnext", "dom"], types: [], skipLibCheck: true };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["app.ts"] }));
  execFileSync("tsc", ["-p", project], { encoding: "utf8" });
});
