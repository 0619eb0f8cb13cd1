// The diagrams of docs/state-machine.md against the code: every arrow is a change that happens, and vice versa.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import { pairs, type Step } from "./pairs.ts";

const page = readFileSync(new URL("../../docs/state-machine.md", import.meta.url), "utf8");
const [executions = "", runs = ""] = [...page.matchAll(/```mermaid\n(.*?)```/gs)].map(
  ([, text]) => text ?? "",
);

test("the diagram of executions shows exactly the changes that the code makes", () => {
  expect(compare(arrowsOf(executions), changes(executionChange))).toEqual(agreement);
});

test("the diagram of runs shows exactly the changes that the code makes", () => {
  expect(compare(arrowsOf(runs), changes(runChange))).toEqual(agreement);
});

test("a missing and an invented arrow are both reported", () => {
  const drawn = arrowsOf("queued --> active : claimed\n queued --> succeeded : callback");
  const { onlyDrawn, onlyInCode } = compare(drawn, changes(runChange));
  expect(onlyDrawn).toEqual(["queued --> succeeded : callback"]);
  expect(onlyInCode).toContain("active --> collecting : snapshot");
});

const agreement = { onlyDrawn: [], onlyInCode: [] };

function compare(drawn: Set<string>, inCode: Set<string>) {
  return {
    onlyDrawn: [...drawn.difference(inCode)].sort(),
    onlyInCode: [...inCode.difference(drawn)].sort(),
  };
}

function changes(changeOf: (step: Step) => [from: string, to: string]): Set<string> {
  const arrows = new Set<string>();
  for (const step of pairs) {
    const [from, to] = changeOf(step);
    if (from !== to) arrows.add(`${from} --> ${to} : ${step.fact.type}`);
  }
  return arrows;
}

function runChange({ before, next }: Step): [string, string] {
  return [before.run.status, next.run.status];
}

function executionChange({ before, next, changed, fact }: Step): [string, string] {
  const isNew = changed && fact.type === "claimed";
  return [isNew ? "[*]" : place(before.execution), place(next.execution)];
}

function place(execution: Execution | null): string {
  if (execution === null) return "[*]";
  const { phase, status, inDoubtAt } = execution;
  if (phase === "submitting" && inDoubtAt !== null) return "in_doubt";
  return phase === "watching" || phase === "collecting" ? status : phase;
}

/** An arrow from or to a box stands for one from or to each state in it; what is in brackets is for the reader. */
function arrowsOf(diagram: string): Set<string> {
  const boxes = boxesOf(diagram);
  const within = (name: string) => boxes.get(name) ?? [name];
  const arrows = new Set<string>();
  for (const [, from = "", to = "", label = ""] of diagram.matchAll(/(\S+) --> (\S+) : (.+)/g)) {
    for (const fact of label.replaceAll(/\(.*?\)/g, "").split(",")) {
      for (const start of within(from)) {
        for (const end of within(to)) if (start !== end) arrows.add(`${start} --> ${end} : ${fact.trim()}`);
      }
    }
  }
  return arrows;
}

function boxesOf(diagram: string): Map<string, string[]> {
  const boxes = [...diagram.matchAll(/state (\w+) \{(.*?)\}/gs)];
  return new Map(boxes.map(([, name = "", inside = ""]) => [name, statesIn(inside)]));
}

function statesIn(inside: string): string[] {
  return [...new Set(inside.replaceAll(/ : .*/g, "").match(/\w+/g))];
}
