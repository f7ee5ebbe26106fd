/** tus speaks in headers and bytes, so its routes are plain ones; this is how they show in the docs. */
import { z } from "zod";
import { Bytes, route } from "../../../http/route.ts";

const who = "user" as const;
const UploadParam = z.object({ id: z.string() });

/** What the OpenAPI document says of tus; the protocol itself is at tus.io. */
export const tusDescriptions = [
  route("post", "/files/tus", {
    who,
    summary: "Start a resumable upload (tus 1.0, creation)",
    answers: { 201: Bytes },
  }),
  route("get", "/files/tus/{id}", {
    who,
    summary: "How far an upload has come (tus: HEAD)",
    description:
      "Of a finished one, `Upload-File-Id` says which file it has become; so does the answer to the last PATCH.",
    params: UploadParam,
    answers: { 200: Bytes },
  }),
  route("patch", "/files/tus/{id}", {
    who,
    summary: "Send the next bytes (tus 1.0, core and checksum)",
    params: UploadParam,
    answers: { 204: Bytes },
  }),
  route("delete", "/files/tus/{id}", {
    who,
    summary: "Give an upload up (tus 1.0, termination)",
    params: UploadParam,
    answers: { 204: Bytes },
  }),
  route("post", "/files/tus/{id}", {
    who,
    summary: "PATCH or DELETE by X-HTTP-Method-Override",
    params: UploadParam,
    answers: { 204: Bytes },
  }),
].map(({ middleware: _, ...described }) => described);
