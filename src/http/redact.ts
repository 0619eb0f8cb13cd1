// Callbacks are kept as they came, and Lyceum may put its whole record into one: what is secret in that is not shown.

/**
 * A callback's body without the given tokens, and without the values under names that hold a login, an environment
 * (ours travels in the code, too) or a callback URL. What holds none of them is shown as it came.
 */
export function redactBody(text: string, tokens: string[]): string {
  const plain = tokens.reduce((shown, token) => shown.replaceAll(token, "[token]"), text);
  if (!namePattern.test(plain)) return plain;
  try {
    return JSON.stringify(
      JSON.parse(plain, (name, value) => (secretNames.has(name) && value !== null ? "[hidden]" : value)),
    );
  } catch {
    // Cut off, or a form: the rest of it cannot be told apart, so nothing from the first such name on is shown.
    return `${plain.slice(0, plain.search(namePattern))}[hidden]`;
  }
}

const secretNames = new Set([
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  "docker_password",
  "docker_registry_credentials",
  "docker_run_env",
  "docker_username",
  "python_code",
  "s3_credentials",
  "user_callback_url",
  "user_callback_urls",
]);
const namePattern = new RegExp(`(?<![a-z_])(${[...secretNames].join("|")})(?![a-z_])`);
