/** @roomcast/server as people get it. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

const tarball = inject("tarballs")["@roomcast/server"] ?? "";

let project: string;
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "roomcast-backend-"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "backend", private: true, type: "module" }));
  execFileSync("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball], { cwd: project });
});
afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the packed client of a product's backend", () => {
  it("is well-formed, by publint, and has types that every module resolution of ESM finds", async () => {
    const bytes = readFileSync(tarball);
    const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true });
    expect(messages).toEqual([]);
    const { problems } = await checkPackage(createPackageFromTarballData(bytes)).then((result) =>
      result.types ? result : { problems: [{ kind: "NoTypes" }] },
    );
    expect(problems.filter(({ kind }) => !["CJSResolvesToESM", "NoResolution"].includes(kind))).toEqual([]);
  });

  it("has nothing of the Worker in it", () => {
    const files = execFileSync("tar", ["-xzOf", tarball], { encoding: "utf8", maxBuffer: 1e8 });
    expect(files).not.toMatch(/cloudflare|DurableObject|D1Database|from "zod/);
  });

  it("calls the service, and tells its refusals", () => {
    writeFileSync(
      join(project, "app.js"),
      `import { RoomcastServer, RoomcastServerError } from "@roomcast/server";
       const server = new RoomcastServer({ url: process.argv[2], key: "rc_0123456789abcdef_" + "x".repeat(32) });
       const error = await server.putUser("42", { displayName: "Ann" }).catch((thrown) => thrown);
       console.log(error instanceof RoomcastServerError, error.code, error.status);`,
    );
    const options = { cwd: project, encoding: "utf8", timeout: 20_000 } as const;
    const printed = execFileSync(process.execPath, ["app.js", inject("roomcastUrl")], options);
    expect(printed.trim()).toBe("true UNAUTHORIZED 401");
  });

  it("tries again what may be repeated, and nothing else", () => {
    writeFileSync(
      join(project, "retry.js"),
      `import { RoomcastServer } from "@roomcast/server";
       const statuses = [503, 202, 503];
       const seen = [];
       const fetch = async (url, { method }) => {
         seen.push(method + " " + url.pathname);
         const status = statuses.shift();
         return Response.json(status === 202 ? { accepted: 1 } : {}, { status });
       };
       const server = new RoomcastServer({ url: "https://rooms.example", key: "rc_x", fetch });
       const publication = { to: { topic: "t" }, type: "a:b" };
       const answer = await server.publish({ ...publication, dedupeId: "one" });
       const refusal = await server.publish(publication).catch(({ code }) => code);
       console.log(JSON.stringify([answer, refusal, seen.length]));`,
    );
    const options = { cwd: project, encoding: "utf8", timeout: 20_000 } as const;
    const printed = execFileSync(process.execPath, ["retry.js"], options);
    expect(JSON.parse(printed)).toEqual([{ accepted: 1 }, "UNREACHABLE", 3]);
  });

  it("is typed: a wrong field does not compile", () => {
    writeFileSync(
      join(project, "app.ts"),
      `import { RoomcastServer, type Schema } from "@roomcast/server";
       const server = new RoomcastServer({ url: "https://rooms.example", key: "rc_x" });
       const user: Schema["ServerUser"] = await server.putUser("42", { displayName: "Ann" });
       const { token } = await server.makeToken({ externalId: user.externalId });
       token.length;
       const { accepted } = await server.publish({ to: { users: [1, "42", { externalId: "7" }] }, type: "a:b", data: { n: 1 } });
       accepted.toFixed();
       const { results } = await server.publishBatch([{ to: { roomId: "r" }, type: "a:b", keep: true }]);
       results.length;
       // @ts-expect-error no such field
       user.noSuchField;
       // @ts-expect-error a type is required
       server.publish({ to: { topic: "t" } });
       // @ts-expect-error no such field
       server.putUser("42", { display: "Ann" });`,
    );
    const options = { module: "esnext", moduleResolution: "bundler", target: "es2024", strict: true, noEmit: true };
    const config = { compilerOptions: { ...options, lib: ["esnext", "dom"], types: [] }, files: ["app.ts"] };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify(config));
    execFileSync("tsc", ["-p", project], { encoding: "utf8" });
  });
});
