/** The result of a check of `proctor doctor`. */
export interface Finding {
  check: string;
  ok: boolean;
  detail: string;
  /** The way out. */
  hint?: string;
}

export function passed(check: string, detail: string): Finding {
  return { check, ok: true, detail };
}

export function failed(check: string, detail: string, hint: string): Finding {
  return { check, ok: false, detail, hint };
}
