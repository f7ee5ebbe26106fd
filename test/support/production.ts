/** What tests lay over their own settings to run as production does: what it refuses, or does not start without, is said here. */
export const PRODUCTION = {
  ENVIRONMENT: "production",
  ALLOWED_ORIGINS: "https://app.example.com",
  PASSWORD_SCRYPT_LOG_N: "15",
  OIDC_PROVIDERS: "",
  VAPID_SUBJECT: "mailto:operator@example.com",
};
