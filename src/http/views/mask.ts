// Masks texts from Lyceum, which may quote a run's whole input in any encoding.
import { newBudget } from "../../domain/decode-body.ts";
import { isSecretName, secretNameIn } from "../../domain/secret-names.ts";
import { base64Text, percentDecoded, unwrapText } from "../../domain/unwrap.ts";
import { checkJson } from "../../lib/json.ts";
import { createHider, HIDDEN, TooMuchToHide } from "../../lib/redact.ts";

export interface Masked {
  text: string;
  /** False if a part could not be decoded and searched. */
  isCertain: boolean;
}

export interface Secrets {
  values: readonly string[];
  tokens: readonly string[];
}

export function createMask({ values, tokens }: Secrets): (text: string) => Masked {
  const labels = new Map(values.map((value) => [value, HIDDEN]));
  for (const token of tokens) labels.set(token, "[token]");

  return (given) => {
    try {
      return maskOnce(given);
    } catch (error) {
      if (!(error instanceof TooMuchToHide)) throw error;
      return { text: HIDDEN, isCertain: true };
    }
  };

  function maskOnce(given: string): Masked {
    const hider = createHider(labels);
    const budget = newBudget();
    let isCertain = true;
    const text = mask(given, 0);
    return { text, isCertain };

    function mask(text: string, layer: number): string {
      if (hider.isValue(text)) return HIDDEN;
      if (text.length < MIN_LOOKED_AT) return text;
      if (layer > MAX_LAYERS) return HIDDEN;
      const json = readJson(text);
      if (json !== undefined) {
        const masked = maskValue(json, layer);
        return masked === json ? text : JSON.stringify(masked);
      }
      return (
        maskBase64(text, layer) ?? maskForm(text, layer) ?? maskPercent(text, layer) ?? maskPlain(text, layer)
      );
    }

    /** Returns the same value if nothing in it is hidden. */
    function maskValue(value: unknown, layer: number): unknown {
      if (typeof value === "string") return mask(value, layer + 1);
      if (typeof value === "number") return hider.isValue(String(value)) ? HIDDEN : value;
      if (typeof value !== "object" || value === null) return value;
      const masked = Array.isArray(value)
        ? value.map((entry, index) => maskNamed(nameBefore(value, index), entry, layer))
        : maskFields(value as Record<string, unknown>, layer);
      return isSame(masked, value) ? value : masked;
    }

    function maskFields(object: Record<string, unknown>, layer: number): Record<string, unknown> {
      const given = Object.entries(object).find(([field, value]) => isNaming(field) && isNameText(value));
      const fields = Object.entries(object).map(([field, value]) => {
        const name = given !== undefined && given[0] !== field ? String(given[1]) : field;
        return [hider.hide(field), maskNamed(isSecretName(field) ? field : name, value, layer)] as const;
      });
      return Object.fromEntries(fields);
    }

    function maskNamed(name: string | null, value: unknown, layer: number): unknown {
      return name !== null && isSecretName(name) && value !== null ? HIDDEN : maskValue(value, layer);
    }

    function maskForm(text: string, layer: number): string | null {
      if (!FORM.test(text)) return null;
      const fields = text.split("&").map((field) => {
        const [name = "", value = ""] = cut(field, "=");
        if (isSecretName(percentDecoded(name))) return `${name}=${HIDDEN}`;
        const [shownName, shownValue] = [name, value].map((part) => {
          return maskPercent(part, layer) ?? mask(part, layer + 1);
        });
        return shownName === name && shownValue === value ? field : `${shownName}=${shownValue}`;
      });
      return fields.join("&");
    }

    function maskPercent(text: string, layer: number): string | null {
      const decoded = percentDecoded(text);
      if (decoded === text) return null;
      const masked = mask(decoded, layer + 1);
      return masked === decoded ? text : encodeURIComponent(masked.toWellFormed());
    }

    function maskBase64(text: string, layer: number): string | null {
      const decoded = BASE64.test(text.trim()) ? base64Text(text, budget) : null;
      if (decoded === null) return null;
      const masked = mask(decoded, layer + 1);
      return masked === decoded ? text : Buffer.from(masked).toString("base64");
    }

    /** From a secret's name on, and the whole text if a secret is encoded in the rest. */
    function maskPlain(text: string, layer: number): string {
      const at = secretNameIn(text);
      const named = at === -1 ? text : `${text.slice(0, at)}${HIDDEN}`;
      const masked = hider.hide(named).replace(CALLBACK_URL, "$1[token]");
      const shown = layer === 0 && at === -1 ? hider.hideEnd(masked) : masked;
      const { texts, isWhole } = unwrapText(shown, budget);
      isCertain &&= isWhole;
      return texts.slice(1).some(revealsSecret) ? HIDDEN : shown;
    }

    function revealsSecret(text: string): boolean {
      return secretNameIn(text) !== -1 || hider.hide(text) !== text || text.search(CALLBACK_URL) !== -1;
    }

    function readJson(text: string): unknown {
      if (!/^[\s\uFEFF]{0,64}[{["]/.test(text)) return undefined;
      const checked = checkJson(text, { maxDepth: MAX_DEPTH, maxValues: MAX_VALUES });
      if (checked.type === "json") return JSON.parse(checked.text);
      if (checked.type === "excess") isCertain = false;
      return undefined;
    }
  }
}

const MIN_LOOKED_AT = 4;
const MAX_LAYERS = 8;
const MAX_DEPTH = 64;
const MAX_VALUES = 100_000;
/** `name=value` joined by `&`, without blanks and angle or curly brackets. */
const FORM = /^[\w.+%[\]-]{1,200}=[^&\s{<"]*(?:&[\w.+%[\]-]{1,200}=[^&\s{<"]*)*$/;
const BASE64 = /^[A-Za-z0-9+/_\r\n-]{8,}={0,2}$/;
const CALLBACK_URL =
  /(callbacks(?:\\{0,4}\/|%2F){1,4}lyceum(?:\\{0,4}\/|%2F){1,4}[\w-]{1,64}(?:\\{0,4}\/|%2F){1,4})[\w-]{20,}/gi;

/** In `{"name": …, "value": …}` a field names the value of another field. */
function isNaming(field: string): boolean {
  return /^(?:name|key|field|variable|header|param|parameter)$/i.test(field);
}

function isNameText(value: unknown): boolean {
  return typeof value === "string" && isSecretName(value);
}

/** In `["docker_password", …]` a name precedes its value. */
function nameBefore(list: unknown[], index: number): string | null {
  const before = list[index - 1];
  return typeof before === "string" && before.length <= MAX_LIST_NAME ? before : null;
}

const MAX_LIST_NAME = 64;

function isSame(masked: object, value: object): boolean {
  const fields = Object.entries(value);
  const shown = Object.entries(masked);
  return (
    fields.length === shown.length &&
    fields.every(([name, field], index) => name === shown[index]?.[0] && field === shown[index]?.[1])
  );
}

function cut(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
