import { describe, expect, test } from "vitest";
import { parseStatus } from "../../src/lyceum/status-words.ts";

describe("a word of Lyceum", () => {
  test.each([
    ["pending", "pending"],
    ["queued", "pending"],
    ["starting", "starting"],
    ["waiting for docker container", "starting"],
    ["running", "running"],
    ["completed", "completed"],
    ["success", "completed"],
    ["failed", "failed"],
    ["failed_user", "failed"],
    ["error", "failed"],
    ["system_failure", "system_failure"],
    ["failed_system", "system_failure"],
    ["cancelled", "cancelled"],
    ["canceled", "cancelled"],
    ["aborted", "aborted"],
  ])("%s means %s", (word, status) => {
    expect(parseStatus(word)).toEqual({ status, raw: word, timedOut: false });
  });

  test("timeout means failed, past its time", () => {
    expect(parseStatus("timeout")).toEqual({ status: "failed", raw: "timeout", timedOut: true });
  });

  test.each(["  Completed\n", "COMPLETED"])("blanks and capitals do not matter: %j", (word) => {
    expect(parseStatus(word)).toEqual({ status: "completed", raw: word, timedOut: false });
  });

  test.each(["System-Failure", "system failure", "SYSTEM_FAILURE"])(
    "separators do not matter: %s",
    (word) => {
      expect(parseStatus(word).status).toBe("system_failure");
    },
  );

  test.each(["paused", "cancelling", "provisioning", "", "toString", "__proto__"])(
    "%j leaves the status unchanged",
    (word) => {
      expect(parseStatus(word)).toEqual({ status: null, raw: word, timedOut: false });
    },
  );
});
