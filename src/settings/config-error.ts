/** Thrown when a setting is missing or wrong. Its message names the setting and is safe to show. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
