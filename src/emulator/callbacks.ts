// Callbacks: a POST to each of a run's URLs [docs/serverless/callbacks]. Body, retries and timing are invented.
import { Agent, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Chaos } from "./chaos.ts";
import type { CallbackAttempt, Execution } from "./execution.ts";
import { pause, type Timers } from "./pause.ts";
import { recordOf, shown } from "./records.ts";
import { type BodyProfile, bodyProfiles } from "./switches/life.ts";

export interface Callbacks {
  /** Resolves when the last attempt is over. */
  send(execution: Execution, count: number): Promise<void>;
  close(): void;
}

interface CallbackDeps {
  chaos: Chaos;
  timers: Timers;
  now: () => number;
  log: (line: string) => void;
}

const answerWithinMs = 10_000;
const attemptsRemembered = 100;

export function createCallbacks({ chaos, timers, now, log }: CallbackDeps): Callbacks {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });

  async function deliver(execution: Execution, url: string): Promise<void> {
    const { retries, backoff } = chaos.of(execution);
    if (!isLoopback(url)) {
      remember(execution, { at: now(), url, attempt: 0, profile: "none", problem: "refused: not loopback" });
      log("a callback was not sent: its URL is not on the loopback interface");
      return;
    }
    for (let attempt = 1; attempt <= 1 + retries && !execution.dropped; attempt++) {
      const profile = profileOf(execution);
      const at = now();
      const answer = await post(url, bodyOf(execution, profile), agent);
      remember(execution, { at, url, attempt, profile, ...answer });
      if (answer.status !== undefined && answer.status >= 200 && answer.status < 300) return;
      if (attempt <= retries) await pause(timers, backoff * 2 ** (attempt - 1));
    }
  }

  function profileOf(execution: Execution): BodyProfile {
    const { body } = chaos.of(execution);
    return body === "any" ? chaos.pick("callback.body", bodyProfiles, execution) : body;
  }

  function bodyOf(execution: Execution, profile: BodyProfile): Body {
    const status = execution.result?.word ?? "completed";
    const bent = shown({ ...execution, word: status }, chaos.of(execution));
    switch (profile) {
      case "empty":
        return { content: "" };
      case "minimal":
        return json({ execution_id: execution.id, status: bent });
      case "record":
        return json({ ...recordOf(execution, chaos.of(execution), now()), status: bent });
      case "camel":
        return json({ executionId: execution.id, status: bent });
      case "nested": {
        const result = { returnCode: String(execution.result?.returnCode ?? ""), error: null };
        return json({ jobFinished: { job: { id: execution.id, result } } });
      }
      case "form":
        return {
          type: "application/x-www-form-urlencoded",
          content: new URLSearchParams({ execution_id: execution.id, status: bent }).toString(),
        };
      case "garbage":
        return { type: "application/json", content: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x00, 0x80, 0x2c]) };
    }
  }

  const send = async (execution: Execution, count: number) => {
    const targets = Array.from({ length: count }, () => execution.start.callbackUrls).flat();
    await Promise.all(targets.map((url) => deliver(execution, url)));
  };

  return { send, close: () => agent.destroy() };
}

interface Body {
  type?: string;
  content: string | Buffer;
}

function json(value: unknown): Body {
  return { type: "application/json", content: JSON.stringify(value) };
}

/** Only loopback URLs: others could send an invented callback to a stranger. */
function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  if (protocol !== "http:" && protocol !== "https:") return false;
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

function post(url: string, body: Body, agent: Agent): Promise<Pick<CallbackAttempt, "status" | "problem">> {
  const content = Buffer.from(body.content);
  const secure = url.startsWith("https:");
  const headers = {
    "User-Agent": "lyceum-emulator",
    "X-Emulator-Invented": "callback body",
    "Content-Length": content.length,
    ...(body.type === undefined ? {} : { "Content-Type": body.type }),
  };
  return new Promise((resolve) => {
    const request = (secure ? secureRequest : plainRequest)(
      url,
      { method: "POST", headers, timeout: answerWithinMs, ...(secure ? {} : { agent }) },
      (response) => {
        response.resume();
        response.once("close", () => resolve({ status: response.statusCode ?? 0 }));
      },
    );
    request.once("timeout", () => request.destroy(new Error(`no answer within ${answerWithinMs} ms`)));
    request.once("error", (error) => resolve({ problem: error.message }));
    request.end(content);
  });
}

function remember(execution: Execution, attempt: CallbackAttempt): void {
  if (execution.callbacks.length < attemptsRemembered) execution.callbacks.push(attempt);
}
