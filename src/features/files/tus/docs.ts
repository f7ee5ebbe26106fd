/** tus speaks in headers and bytes, so its routes are plain ones; this is how they show in the docs. */
import { z } from "zod";
import { Binary } from "../../../http/answers.ts";
import { NoBody, route } from "../../../http/route.ts";
import { PIECE, TUS_VERSION } from "./protocol.ts";

const who = "user" as const;
const UploadParam = z.object({ id: z.string() });
/** No enumeration of one: a number is no name of a value, in Python for one. */
const Spoken = z.object({ "Tus-Resumable": z.string().describe(TUS_VERSION).meta({ example: TUS_VERSION }) });
const count = z.number().int().min(0);
const Creation = Spoken.extend({
  "Upload-Length": count.describe("Bytes"),
  "Upload-Metadata": z
    .string()
    .optional()
    .describe("`filename`, `filetype`, `folder`, `category`, `visibility`: each with its value in base64, with commas"),
});
const Piece = Spoken.extend({
  "Upload-Offset": count.describe("Where these bytes belong: as many as the service has"),
  "Upload-Checksum": z.string().optional().describe("The algorithm and the digest in base64, with a space between"),
});
const Overriding = Spoken.extend({ "X-HTTP-Method-Override": z.enum(["PATCH", "DELETE"]) });
const streams = { [PIECE]: Binary };

/** What the OpenAPI document says of tus; the protocol itself is at tus.io. */
export const tusDescriptions = [
  route("post", "/files/tus", {
    who,
    summary: "Start a resumable upload (tus 1.0, creation)",
    description: "Its address comes as `Location`.",
    headers: Creation,
    answers: { 201: NoBody },
  }),
  route("get", "/files/tus/{id}", {
    who,
    summary: "How far an upload has come (tus: HEAD)",
    description:
      "`Upload-Offset` and `Upload-Length`. Of a finished one, `Upload-File-Id` says which file it has become; so does the answer to the last PATCH.",
    params: UploadParam,
    headers: Spoken,
    answers: { 200: NoBody },
  }),
  route("patch", "/files/tus/{id}", {
    who,
    summary: "Send the next bytes (tus 1.0, core and checksum)",
    params: UploadParam,
    headers: Piece,
    streams,
    answers: { 204: NoBody },
  }),
  route("delete", "/files/tus/{id}", {
    who,
    summary: "Give an upload up (tus 1.0, termination)",
    params: UploadParam,
    headers: Spoken,
    answers: { 204: NoBody },
  }),
  route("post", "/files/tus/{id}", {
    who,
    summary: "PATCH or DELETE by X-HTTP-Method-Override",
    params: UploadParam,
    headers: Overriding,
    answers: { 204: NoBody },
  }),
].map(({ middleware: _, ...described }) => described);
