/** What the capability program prints, as a line of JSON, about one capability. */
export interface Report {
  readonly name: string;
  /** `absent` is what this version of Deno does not have at all, fork or not. */
  readonly state: "ok" | "failed" | "absent";
  readonly detail: string;
}

/** Whether one version of Deno, such as 2.2.12, came before another. */
export function isBefore(version: string, other: string): boolean {
  const [a, b] = [version, other].map((text) =>
    text.split(".").map(Number).reduce((sum, part) => sum * 1000 + part)
  );
  return a! < b!;
}
