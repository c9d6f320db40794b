/** What came of one job. */
export interface Outcome {
  readonly passed: boolean;
  /** The figures, in words. */
  readonly figures: string;
}
