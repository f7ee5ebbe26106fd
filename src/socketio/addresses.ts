import { fromBase64Url, randomId, toBase64Url } from "./ids.ts";
import type { Density } from "./settings.ts";

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

/** `<region>-<n>.<120 random bits>.<seal>`, in the object named `gw:<region>-<n>`. */
class ShardAddresses<Gateway extends Rpc.DurableObjectBranded | undefined> implements Addresses<Gateway> {
  constructor(
    private readonly namespace: DurableObjectNamespace<Gateway>,
    private readonly perRegion: number,
    private readonly seal: Seal,
  ) {}

  async newSid(region: DurableObjectLocationHint) {
    const address = `${region}-${Math.floor(Math.random() * this.perRegion)}`;
    return { address, sid: await this.seal.close("sid", `${address}.${randomId()}`) };
  }

  newPid(address: string) {
    return this.seal.close("pid", `${address}.${randomId()}`);
  }

  async addressIn(purpose: Purpose, name: string) {
    const text = await this.seal.open(purpose, name);
    return text === null ? null : text.slice(0, text.indexOf("."));
  }

  addressOf(id: DurableObjectId) {
    return (id.name ?? "").slice(SHARD_PREFIX.length);
  }

  stub(address: string) {
    // Only the request that creates the object heeds the hint.
    const locationHint = LOCATION_HINTS.find((hint) => address.startsWith(`${hint}-`));
    return this.namespace.getByName(`${SHARD_PREFIX}${address}`, { locationHint });
  }
}

const LOCATION_HINTS: DurableObjectLocationHint[] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/** The sid is the object's own id, which the platform itself makes unguessable and checks. */
class SessionAddresses<Gateway extends Rpc.DurableObjectBranded | undefined> implements Addresses<Gateway> {
  constructor(
    private readonly namespace: DurableObjectNamespace<Gateway>,
    private readonly seal: Seal,
  ) {}

  async newSid() {
    const sid = this.addressOf(this.namespace.newUniqueId());
    return { sid, address: sid };
  }

  newPid(address: string) {
    return this.seal.close("pid", `${address}.${randomId()}`);
  }

  async addressIn(purpose: Purpose, name: string) {
    const text = purpose === "sid" ? name : await this.seal.open(purpose, name);
    const address = text?.split(".")[0];
    return address !== undefined && this.idOf(address) !== null ? address : null;
  }

  addressOf(id: DurableObjectId) {
    const bytes = id.toString().match(/../g) ?? [];
    return toBase64Url(Uint8Array.from(bytes, (hex) => Number.parseInt(hex, 16)));
  }

  stub(address: string) {
    const id = this.idOf(address);
    if (id === null) throw new Error("not an address of this namespace");
    return this.namespace.get(id);
  }

  private idOf(address: string): DurableObjectId | null {
    const bytes = fromBase64Url(address);
    if (bytes?.length !== 32) return null;
    try {
      return this.namespace.idFromString(Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
    } catch {
      return null;
    }
  }
}

const SEAL_BYTES = 12;

/** HMAC-SHA256, cut to 96 bits: `<text>.<seal>`. */
class Seal {
  private key: CryptoKey | null = null;

  constructor(private readonly secret: string) {}

  async close(purpose: Purpose, text: string): Promise<string> {
    return `${text}.${toBase64Url(await this.tag(purpose, text))}`;
  }

  async open(purpose: Purpose, name: string): Promise<string | null> {
    if (name.length > 200) return null;
    const end = name.lastIndexOf(".");
    const seal = fromBase64Url(name.slice(end + 1));
    if (end < 0 || seal?.length !== SEAL_BYTES) return null;
    const text = name.slice(0, end);
    return crypto.subtle.timingSafeEqual(seal, await this.tag(purpose, text)) ? text : null;
  }

  private async tag(purpose: Purpose, text: string): Promise<Uint8Array<ArrayBuffer>> {
    this.key ??= await this.deriveKey();
    const mac = await crypto.subtle.sign("HMAC", this.key, new TextEncoder().encode(`${purpose}:${text}`));
    return new Uint8Array(mac, 0, SEAL_BYTES);
  }

  private async deriveKey(): Promise<CryptoKey> {
    const material = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`socketio address ${this.secret}`));
    return crypto.subtle.importKey("raw", material, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  }
}
