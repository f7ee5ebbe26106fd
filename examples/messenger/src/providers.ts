/** Signing in by somebody else, as the service's own pages do it: it ends at /account/provider, which leads back here. */
const pages = await import(/* @vite-ignore */ "/account/providers.js");

/** The names of the providers that the service knows. */
export const readProviders = (): Promise<string[]> => pages.readProviders();
/** `google` → `Google` */
export const providerTitle = (name: string): string => pages.titleOf(name);
/** Leaves for the provider. Rejects with a message for people. */
export const goToProvider = (name: string): Promise<void> => pages.goToProvider(name);
