/** The service's contract as types: made from the schemas that validate (scripts/client-types.ts). */
import type { components, paths } from "./generated/rest.ts";

/** What answers are made of, by name: `Schema["ServerUser"]`. */
export type Schema = components["schemas"];

/** What a call takes: `Body<"/server/tokens", "post">`. */
export type Body<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends {
  requestBody?: { content: { "application/json": infer T } };
}
  ? T
  : never;

/** What a call answers when it goes well. */
export type Answer<P extends keyof paths, M extends keyof paths[P]> = paths[P][M] extends { responses: infer R }
  ? {
      [S in keyof R & (200 | 201 | 202)]: R[S] extends { content: { "application/json": infer T } } ? T : never;
    }[keyof R & (200 | 201 | 202)]
  : never;

export type Publication = Body<"/server/publish", "post">;

/** Somebody, by our id or by the product's own. */
export type Somebody = number | string | { userId: number } | { externalId: string };
