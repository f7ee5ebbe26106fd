/** Calls as pages write them, by curl or as a block of HTTP, made through the Worker. */
import { ORIGIN, worker } from "./api.ts";
import { sample } from "./samples.ts";

export type PageCall = { method: string; address: string; headers: Headers; body: string | FormData | undefined };

/** Of curl's options those that pages use: what each makes of the call. */
const OPTIONS: Record<string, (call: PageCall, value: string) => void> = {
  "-X": (call, value) => {
    call.method = value;
  },
  "-H": ({ headers }, value) => {
    const colon = value.indexOf(":");
    headers.append(value.slice(0, colon), value.slice(colon + 1).trim());
  },
  "-d": (call, value) => {
    call.body = value;
    if (call.method === "GET") call.method = "POST";
  },
  "-F": (call, value) => {
    const form = call.body instanceof FormData ? call.body : new FormData();
    const [name = "", content = ""] = value.split(/=(.*)/s);
    if (content.startsWith("@")) form.append(name, fileCalled(content.slice(1)), content.slice(1));
    else form.append(name, content);
    call.body = form;
    call.method = "POST";
  },
  "-o": () => {},
};
const FLAGS = new Set(["-s", "-i", "-sS"]);

const fileCalled = (name: string): File => new File([sample(name.split(".").at(-1) ?? "")], name);

/** @throws Error an option that is not known here */
export function curlCall([, ...words]: string[]): PageCall {
  const call: PageCall = { method: "GET", address: "", headers: new Headers(), body: undefined };
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? "";
    const option = OPTIONS[word];
    if (option) {
      at += 1;
      option(call, words[at] ?? "");
    } else if (!word.startsWith("-")) call.address = word;
    else if (!FLAGS.has(word)) throw new Error(`curl ${word} is not known to the test of the docs`);
  }
  return call;
}

/** A block of HTTP: the request line, headers, an empty line, the body. */
export function httpCall(code: string): PageCall {
  const [head = "", ...body] = code.split("\n\n");
  const [request = "", ...lines] = head.split("\n");
  const [method = "", path = ""] = request.split(" ");
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  return { method, address: `${ORIGIN}${path}`, headers, body: body.length === 0 ? undefined : body.join("\n\n") };
}

export const isOurs = ({ address }: PageCall): boolean => address.startsWith(`${ORIGIN}/`);

/** @returns the status, and the answer's text for who wants to know why */
export async function perform({ method, address, headers, body }: PageCall): Promise<{ status: number; text: string }> {
  const answer = await worker.fetch(address, { method, headers, ...(body === undefined ? {} : { body }) });
  return { status: answer.status, text: await answer.text() };
}
