export interface Check {
  check: string;
  ok: boolean;
  detail: string;
  hint?: string;
}

export function passed(check: string, detail: string): Check {
  return { check, ok: true, detail };
}

export function failed(check: string, detail: string, hint: string): Check {
  return { check, ok: false, detail, hint };
}
