/** Named checks, one after the other: a failed one is told, and the next goes on. */
let passed = 0;
let failed = 0;

export async function check(name: string, work: () => Promise<void>): Promise<void> {
  const started = Date.now();
  try {
    await work();
    passed += 1;
    console.log(`ok   ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}\n     ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Tells how it went, and ends the process: with 1 if anything failed. */
export function finish(): never {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}
