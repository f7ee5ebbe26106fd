/** A tab that sleeps, as the browser has one do that is long in the background. */
import type { Page } from "playwright-core";

async function setState(page: Page, state: "frozen" | "active"): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send("Page.setWebLifecycleState", { state });
  await session.detach();
}

export const freeze = (page: Page): Promise<void> => setState(page, "frozen");
export const wake = (page: Page): Promise<void> => setState(page, "active");
