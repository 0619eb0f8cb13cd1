/** The text, or its beginning with `…`, in at most `maxLength` characters. */
export function clip(text: string, maxLength: number): string {
  return text.length > maxLength ? `${text.slice(0, maxLength - 1)}…` : text;
}
