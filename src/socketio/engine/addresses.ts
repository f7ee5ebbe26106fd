import { base64url, randomSecret, sha256 } from "../../platform/digest.ts";
import type { Density } from "../settings.ts";

/** What a name stands for. The seal differs, so that a sid is never taken for a pid. */
export type Purpose = "sid" | "pid";

/**
 * Names of sessions that carry the object they live in. The first request of a session has neither sid nor user, so
 * the sid must be the address; and it is sealed, so that a made-up one is refused before any object is woken
 * (or created, and billed).
 */
export interface Addresses<Gateway extends Rpc.DurableObjectBranded | undefined> {
  /** A new sid, and the object to open it in. */
  newSid(region: DurableObjectLocationHint): Promise<{ sid: string; address: string }>;
  /** A new name for something at `address`. */
  newPid(address: string): Promise<string>;
  /** The address in a sealed name; null if it was not made here. */
  addressIn(purpose: Purpose, name: string): Promise<string | null>;
  /** The address of the object with this id. */
  addressOf(id: DurableObjectId): string;
  stub(address: string): DurableObjectStub<Gateway>;
}

/** @param secret any server secret; the key is derived from it, and is good for nothing else. */
export function addressesFor<Gateway extends Rpc.DurableObjectBranded | undefined>(
  namespace: DurableObjectNamespace<Gateway>,
  density: Density,
  secret: string,
): Addresses<Gateway> {
  return density.kind === "shards"
    ? new ShardAddresses(namespace, density.perRegion, new Seal(secret))
    : new SessionAddresses(namespace, new Seal(secret));
}

const SHARD_PREFIX = "gw:";

/** 120 bits: nobody guesses another's session. */
const newName = (): string => randomSecret(15);

/** `<region>-<n>.<120 random bits>.<seal>`, in the object named `gw:<region>-<n>`. */
class ShardAddresses<Gateway extends Rpc.DurableObjectBranded | undefined> implements Addresses<Gateway> {
  readonly #namespace: DurableObjectNamespace<Gateway>;
  readonly #perRegion: number;
  readonly #seal: Seal;

  constructor(namespace: DurableObjectNamespace<Gateway>, perRegion: number, seal: Seal) {
    this.#namespace = namespace;
    this.#perRegion = perRegion;
    this.#seal = seal;
  }

  async newSid(region: DurableObjectLocationHint) {
    const address = `${region}-${Math.floor(Math.random() * this.#perRegion)}`;
    return { address, sid: await this.#seal.close("sid", `${address}.${newName()}`) };
  }

  newPid(address: string) {
    return this.#seal.close("pid", `${address}.${newName()}`);
  }

  async addressIn(purpose: Purpose, name: string) {
    const text = await this.#seal.open(purpose, name);
    return text === null ? null : text.slice(0, text.indexOf("."));
  }

  addressOf(id: DurableObjectId) {
    return (id.name ?? "").slice(SHARD_PREFIX.length);
  }

  stub(address: string) {
    // Only the request that creates the object heeds the hint.
    const locationHint = LOCATION_HINTS.find((hint) => address.startsWith(`${hint}-`));
    return this.#namespace.getByName(`${SHARD_PREFIX}${address}`, { locationHint });
  }
}

const LOCATION_HINTS: DurableObjectLocationHint[] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/** The sid is the object's own id, which the platform itself makes unguessable and checks. */
class SessionAddresses<Gateway extends Rpc.DurableObjectBranded | undefined> implements Addresses<Gateway> {
  readonly #namespace: DurableObjectNamespace<Gateway>;
  readonly #seal: Seal;

  constructor(namespace: DurableObjectNamespace<Gateway>, seal: Seal) {
    this.#namespace = namespace;
    this.#seal = seal;
  }

  async newSid() {
    const sid = this.addressOf(this.#namespace.newUniqueId());
    return { sid, address: sid };
  }

  newPid(address: string) {
    return this.#seal.close("pid", `${address}.${newName()}`);
  }

  async addressIn(purpose: Purpose, name: string) {
    const text = purpose === "sid" ? name : await this.#seal.open(purpose, name);
    const address = text?.split(".")[0];
    return address !== undefined && this.#idOf(address) !== null ? address : null;
  }

  addressOf(id: DurableObjectId) {
    return base64url(Uint8Array.fromHex(id.toString()));
  }

  stub(address: string) {
    const id = this.#idOf(address);
    if (id === null) throw new Error("not an address of this namespace");
    return this.#namespace.get(id);
  }

  #idOf(address: string): DurableObjectId | null {
    const bytes = bytesIn(address);
    if (bytes?.length !== 32) return null;
    try {
      return this.#namespace.idFromString(bytes.toHex());
    } catch {
      return null;
    }
  }
}

const SEAL_BYTES = 12;

/** HMAC-SHA256, cut to 96 bits: `<text>.<seal>`. */
class Seal {
  readonly #secret: string;
  #key: CryptoKey | null = null;

  constructor(secret: string) {
    this.#secret = secret;
  }

  async close(purpose: Purpose, text: string): Promise<string> {
    return `${text}.${base64url(await this.#tag(purpose, text))}`;
  }

  async open(purpose: Purpose, name: string): Promise<string | null> {
    if (name.length > 200) return null;
    const end = name.lastIndexOf(".");
    const seal = bytesIn(name.slice(end + 1));
    if (end < 0 || seal?.length !== SEAL_BYTES) return null;
    const text = name.slice(0, end);
    return crypto.subtle.timingSafeEqual(seal, await this.#tag(purpose, text)) ? text : null;
  }

  async #tag(purpose: Purpose, text: string): Promise<Uint8Array<ArrayBuffer>> {
    this.#key ??= await this.#deriveKey();
    const mac = await crypto.subtle.sign("HMAC", this.#key, new TextEncoder().encode(`${purpose}:${text}`));
    return new Uint8Array(mac, 0, SEAL_BYTES);
  }

  async #deriveKey(): Promise<CryptoKey> {
    const material = await sha256(`socketio address ${this.#secret}`);
    return crypto.subtle.importKey("raw", material, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  }
}

/** Null for what is not base64url. */
function bytesIn(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return null;
  }
}
