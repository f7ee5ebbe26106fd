/**
 * Password hashes: scrypt with its parameters beside it, in PHC form. N=2^15, r=8, p=3 equals OWASP's advice, needs 32 MiB
 * and stays under the runtime's cap of N·r·p ≤ 2^20. PBKDF2 is capped at 100 000 iterations in production: too few.
 */
import { scryptSync, timingSafeEqual } from "node:crypto";

const BLOCK_SIZE = 8;
const PARALLEL = 3;
const HASH_BYTES = 32;
const MAX_MEMORY_BYTES = 64 * 1024 * 1024;

type Parameters = { logN: number; r: number; p: number };

function derive(password: string, salt: Uint8Array, { logN, r, p }: Parameters): Uint8Array {
  // NFKC, so that the same password typed on another keyboard is the same (NIST SP 800-63B, 3.1.1.2).
  return scryptSync(password.normalize("NFKC"), salt, HASH_BYTES, { N: 2 ** logN, r, p, maxmem: MAX_MEMORY_BYTES });
}

/** `$scrypt$ln=15,r=8,p=3$<salt>$<hash>` */
export function hashPassword(password: string, logN: number): string {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = derive(password, salt, { logN, r: BLOCK_SIZE, p: PARALLEL });
  return `$scrypt$ln=${logN},r=${BLOCK_SIZE},p=${PARALLEL}$${encode(salt)}$${encode(hash)}`;
}

/**
 * Compares in constant time. Without a hash (no such account, or one without a password) it works as long and answers
 * no, so that the time tells nothing.
 */
export function verifyPassword(password: string, stored: string | null, logN: number): boolean {
  const parsed = stored === null ? null : parse(stored);
  const { salt, hash, parameters } = parsed ?? {
    salt: new Uint8Array(16),
    hash: new Uint8Array(HASH_BYTES),
    parameters: { logN, r: BLOCK_SIZE, p: PARALLEL },
  };
  const isSame = timingSafeEqual(derive(password, salt, parameters), hash);
  return isSame && parsed !== null;
}

/** Whether a hash was made with other parameters than today's; it is then made anew at the next login. */
export function isOutdated(stored: string, logN: number): boolean {
  return !stored.startsWith(`$scrypt$ln=${logN},r=${BLOCK_SIZE},p=${PARALLEL}$`);
}

function parse(stored: string): { salt: Uint8Array; hash: Uint8Array; parameters: Parameters } | null {
  const match = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(stored);
  if (!match) return null;
  const [, logN, r, p, salt = "", hash = ""] = match;
  return {
    salt: Uint8Array.fromBase64(salt),
    hash: Uint8Array.fromBase64(hash),
    parameters: { logN: Number(logN), r: Number(r), p: Number(p) },
  };
}

const encode = (bytes: Uint8Array): string => bytes.toBase64({ omitPadding: true });
