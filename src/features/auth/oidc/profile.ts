/** Whom a provider named. */
export type ProviderProfile = {
  subject: string;
  username: string | undefined;
  displayName: string | undefined;
  email: string | undefined;
  emailVerified: boolean;
};
