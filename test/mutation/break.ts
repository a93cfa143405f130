/** One way to break the project on purpose. */
export interface Break {
  readonly file: string;
  /** What then is wrong, in the contract's words. */
  readonly why: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
}
