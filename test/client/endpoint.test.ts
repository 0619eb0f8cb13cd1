// The client resolves its service's URL and its API key.
import { expect, it, onTestFinished, vi } from "vitest";
import { type ClientOptions, createClient, type ProctorError } from "../../src/client/client.ts";
import { apiKeys, startService } from "../support/service.ts";

it("a client finds its service and key in the environment, and says which of them is missing", async () => {
  await using service = await startService();
  vi.stubEnv("PROCTOR_URL", service.url());
  vi.stubEnv("PROCTOR_API_KEY", apiKeys.ann);
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(await Array.fromAsync(createClient().jobs())).toEqual([]);
  vi.stubEnv("PROCTOR_API_KEY", "");
  expect(refusal({})).toMatchObject({ name: "ProctorError", code: "misconfigured", isTransient: false });
  expect(refusal({})?.message).toContain("PROCTOR_API_KEY");
  vi.stubEnv("PROCTOR_URL", undefined);
  expect(refusal({ apiKey: apiKeys.ann })?.message).toContain("PROCTOR_URL");
});

it.each(["proctor.example.com", "http://", "ftp://a.test", "https://a b/"])(
  "a URL such as %s is refused at once, not tried five times",
  (url) => {
    expect(refusal({ url, apiKey: apiKeys.ann })).toMatchObject({
      code: "misconfigured",
      isTransient: false,
    });
  },
);

function refusal(options: ClientOptions): ProctorError | null {
  try {
    createClient(options);
    return null;
  } catch (error) {
    return error as ProctorError;
  }
}
