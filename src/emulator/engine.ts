// The life of an execution: pending, starting, running, ended, terminal; and its abort.
import { randomUUID } from "node:crypto";
import type { Callbacks } from "./callbacks.ts";
import type { Chaos } from "./chaos.ts";
import { type Execution, isOver, type Result, type Start } from "./execution.ts";
import { selectionProfiles } from "./hardware.ts";
import type { Ledger } from "./ledger.ts";
import { createSlots, pause, pauseIn, type Timers } from "./pause.ts";
import type { Work } from "./work.ts";

export interface Engine {
  /** The run's life begins after the current turn, so that the answer can be sent first. */
  accept(start: Start, bodySize: number): Execution;
  /** False if the execution has already ended. Takes effect after the switch `lag`. */
  interrupt(execution: Execution, how: "abort" | "stop"): boolean;
  /** Kills a live execution. No callback follows. */
  remove(execution: Execution): void;
  /** Resolves when no process is left. */
  clear(): Promise<void>;
}

interface EngineDeps {
  ledger: Ledger;
  chaos: Chaos;
  callbacks: Callbacks;
  timers: Timers;
  now: () => number;
  work: Work;
  /** Other Python runs stay pending. */
  pythonAtOnce: number;
}

const ownSize = 1000;

export function createEngine(deps: EngineDeps): Engine {
  const { ledger, chaos, callbacks, timers, now, work, pythonAtOnce } = deps;
  const slots = createSlots(pythonAtOnce);
  let accepted = 0;

  function accept(start: Start, bodySize: number): Execution {
    const execution = add(start, start.hardwareProfile, null);
    execution.size += bodySize;
    if (start.kind === "gpu_selection") {
      execution.children = selectionProfiles.map((profile) => add(start, profile, execution.id));
    }
    setImmediate(() => live(execution));
    return execution;
  }

  function add(start: Start, hardwareProfile: string, parentId: string | null): Execution {
    accepted += 1;
    const execution: Execution = {
      id: randomUUID(),
      number: accepted,
      start,
      hardwareProfile,
      parentId,
      children: [],
      word: "pending",
      acceptedAt: now(),
      output: [],
      size: ownSize,
      installLog: null,
      callbacks: [],
      calledEagerly: false,
      dropped: false,
    };
    ledger.add(execution);
    return execution;
  }

  async function live(execution: Execution): Promise<void> {
    await pause(timers, chaos.of(execution).pending);
    const giveBack = execution.start.kind === "python" ? await slots.take() : undefined;
    let result: Result | undefined;
    try {
      result = await through(execution);
    } finally {
      giveBack?.();
    }
    if (result) await end(execution, result);
  }

  /** Undefined if the execution ended before its work. */
  async function through(execution: Execution): Promise<Result | undefined> {
    if (isOver(execution)) return undefined;
    enter(execution, "starting");
    await pauseIn(timers, execution, chaos.of(execution).starting);
    if (isOver(execution)) return undefined;
    enter(execution, "running");
    const result = await work.run(execution);
    return isOver(execution) ? undefined : result;
  }

  function enter(execution: Execution, word: "starting" | "running"): void {
    for (const member of [execution, ...execution.children]) {
      if (isOver(member)) continue;
      member.word = word;
      member[word === "starting" ? "startingAt" : "startedAt"] = now();
    }
  }

  async function end(execution: Execution, result: Result): Promise<void> {
    const { status } = chaos.of(execution);
    const family = [execution, ...execution.children].filter((member) => !isOver(member));
    for (const member of family) {
      member.endedAt = now();
      member.result = status === null ? result : { ...result, word: status };
    }
    execution.kill?.();
    const plan = plans(execution);
    if (plan.early) await callbacks.send(execution, 1);
    await pause(timers, chaos.of(execution).finishing);
    for (const member of family) if (!member.dropped) finish(member);
    if (plan.count > 0) {
      await pause(timers, plan.waitMs);
      await callbacks.send(execution, plan.count);
    }
  }

  function plans(execution: Execution): { early: boolean; count: number; waitMs: number } {
    const { callback, lateness } = chaos.of(execution);
    if (execution.start.callbackUrls.length === 0 || execution.start.kind === "gpu_selection") {
      return { early: false, count: 0, waitMs: 0 };
    }
    const lost = chaos.happens("callback.lost", callback.lost);
    const double = chaos.happens("callback.double", callback.double);
    const early = chaos.happens("callback.early", callback.early);
    const late = chaos.happens("callback.late", callback.late);
    if (lost) return { early: false, count: 0, waitMs: 0 };
    const count = (double ? 2 : 1) - (early ? 1 : 0) - (execution.calledEagerly ? 1 : 0);
    return { early, count, waitMs: late ? lateness : 0 };
  }

  function finish(execution: Execution): void {
    execution.word = execution.result?.word ?? "completed";
    // Lyceum stores results after the end, never at the same moment.
    execution.finishedAt = Math.max(now(), (execution.endedAt ?? 0) + 1);
    const { list_lag } = chaos.of(execution);
    if (list_lag === 0) ledger.settle(execution);
    else timers.after(list_lag, () => ledger.settle(execution));
  }

  function interrupt(execution: Execution, how: "abort" | "stop"): boolean {
    if (isOver(execution)) return false;
    const { lag, stop } = chaos.of(execution);
    const word = how === "abort" ? "aborted" : stop;
    const cut = () => {
      if (!isOver(execution)) void end(execution, { word, returnCode: null, errors: null });
    };
    if (lag > 0) timers.after(lag, cut);
    else cut();
    return true;
  }

  function remove(execution: Execution): void {
    for (const member of [execution, ...execution.children]) {
      ledger.drop(member);
      member.kill?.();
    }
  }

  async function clear(): Promise<void> {
    for (const execution of ledger.listed()) execution.kill?.();
    ledger.clear();
    accepted = 0;
    await work.idle();
  }

  return { accept, interrupt, remove, clear };
}
