/** Repeats what a view shows, as often as it says; never in a hidden tab, and at once when it comes back. */

/** @param {(error: Error | null) => void} tell What came of the last round: null when all went well. */
export function polling(tell) {
  let polls = [];
  let timers = [];

  async function run(poll) {
    try {
      await poll.run();
      tell(null);
    } catch (error) {
      tell(error);
      return error;
    }
  }

  function stop() {
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  }

  function start() {
    stop();
    if (document.hidden) return;
    for (const poll of polls) repeat(poll);
  }

  async function repeat(poll) {
    const mine = timers;
    const error = await run(poll);
    // Stopped or started anew meanwhile: another repeats now.
    if (mine !== timers) return;
    const seconds = Math.max(poll.seconds, error?.retryAfterSeconds ?? 0);
    timers.push(setTimeout(() => repeat(poll), seconds * 1000));
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));

  return {
    /** Polls these from now on, beginning at once. */
    set(next) {
      polls = next;
      start();
    },
    /** All of them at once, for after an action. */
    now: start,
  };
}
