/** The result of a check of the service or its machine. */
export interface Check {
  check: string;
  ok: boolean;
  detail: string;
  /** The way out. */
  hint?: string;
}

export function passed(check: string, detail: string): Check {
  return { check, ok: true, detail };
}

export function failed(check: string, detail: string, hint: string): Check {
  return { check, ok: false, detail, hint };
}
