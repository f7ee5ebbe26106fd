/** The three functions of workerd's node:crypto that are used; @types/node would bring Node's globals along. */
declare module "node:crypto" {
  type ScryptOptions = { N: number; r: number; p: number; maxmem: number };
  export function scryptSync(password: string, salt: Uint8Array, length: number, options: ScryptOptions): Uint8Array;
  type Hmac = { update(text: string): Hmac; digest(encoding: "base64url"): string };
  export function createHmac(hash: "sha256", key: string): Hmac;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}
