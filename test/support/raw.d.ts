/** A file as text, by Vite. */
declare module "*?raw" {
  const text: string;
  export default text;
}

/** The files that match, each by a function that reads it, or read already, by Vite. */
interface ImportMeta {
  glob<T>(patterns: string[], options: { query: "?raw"; import: "default"; eager: true }): Record<string, T>;
  glob<T>(patterns: string[], options: { query: "?raw"; import: "default" }): Record<string, () => Promise<T>>;
}
