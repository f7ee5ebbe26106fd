/** The OpenAPI document's paths in the form of Hono's client: `client.messages.with[":userId"].$get({ param })`. */
import type { Hono } from "hono";
import type { BlankEnv } from "hono/types";
import type { paths } from "./generated/rest.ts";

/** `/users/{id}` is `/users/:id` there. */
type HonoPath<P extends string> = P extends `${infer Before}{${infer Name}}${infer After}`
  ? HonoPath<`${Before}:${Name}${After}`>
  : P;

type Method = "get" | "post" | "put" | "patch" | "delete";

/** A part of a call: left out where the service takes none, optional where nothing in it is required. */
type Part<Name extends string, T> = [T] extends [undefined]
  ? unknown
  : Record<never, never> extends T
    ? { [K in Name]?: NonNullable<T> }
    : { [K in Name]: T };

type Parameters<Op, In extends "path" | "query"> = Op extends { parameters: { [K in In]?: infer T } } ? T : undefined;
type Content<Op, Type extends string> = Op extends { requestBody?: { content: { [K in Type]: infer T } } }
  ? T
  : undefined;

type Input<Op> = Part<"param", Parameters<Op, "path">> &
  Part<"query", Parameters<Op, "query">> &
  Part<"json", Content<Op, "application/json">> &
  Part<"form", Content<Op, "multipart/form-data">>;

type Success = 200 | 201 | 202 | 204;
type Output<Op> = Op extends { responses: infer R }
  ? { [S in keyof R & Success]: R[S] extends { content: { "application/json": infer T } } ? T : unknown }[keyof R &
      Success]
  : unknown;

type Endpoint<Op> = { input: Input<Op>; output: Output<Op>; outputFormat: "json"; status: 200 };

type Endpoints<Item> = {
  [M in Method & keyof Item as Item[M] extends { responses: unknown } ? `$${M}` : never]: Endpoint<Item[M]>;
};

/** The API as Hono's `hc` wants it. */
export type Api = Hono<BlankEnv, { [P in keyof paths & string as HonoPath<P>]: Endpoints<paths[P]> }, "/">;
