// Items of the same tick share one run, and an item does not suffer from its neighbours.
import fc from "fast-check";
import { expect, test } from "vitest";
import { incrementCounter, readCounters } from "../../../src/store/counters.ts";
import { createBatcher } from "../../../src/store/db/batch.ts";
import type { Tx } from "../../../src/store/db/transaction.ts";
import { eachDatabase } from "../../support/databases.ts";

eachDatabase("written together", (open) => {
  test("items of one turn are one work, and each gets its own answer", async () => {
    const { store } = await open();
    const sizes: number[] = [];
    const take = async (tx: Tx, items: number[]) => {
      sizes.push(items.length);
      await incrementCounter(tx.db, "taken", items.length);
      return items.map((item) => item * 2);
    };
    const all = Array.from({ length: 300 }, (_, item) => item);
    const answers = await Promise.all(all.map((item) => store.batchWrite(take, item)));
    expect(answers).toEqual(all.map((item) => item * 2));
    expect(sizes.toSorted((a, b) => a - b)).toEqual([44, 256]);
    expect((await readCounters(store.db, "taken"))[""]).toBe(300);
  });

  test("items of different functions are works of their own", async () => {
    const { store } = await open();
    const one = async (_: Tx, items: string[]) => items.map(() => `one of ${items.length}`);
    const other = async (_: Tx, items: string[]) => items.map(() => `other of ${items.length}`);
    const asked = [one, other, one, one].map((perform) => store.batchWrite(perform, ""));
    expect(await Promise.all(asked)).toEqual(["one of 3", "other of 1", "one of 3", "one of 3"]);
  });

  test("a bad item fails alone, and nothing is written twice", async () => {
    const { store } = await open();
    const take = async (tx: Tx, items: string[]) => {
      await incrementCounter(tx.db, "taken", items.length);
      if (items.includes("bad")) throw new Error("a bad one");
      return items;
    };
    const answers = await Promise.allSettled(
      ["a", "b", "bad", "c"].map((item) => store.batchWrite(take, item)),
    );
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected", "fulfilled"]);
    expect((await readCounters(store.db, "taken"))[""]).toBe(3);
  });
});

/** Begins each work in a later turn, as a database does; its commit fails as often as it is told to. */
function fakeWriter(failingCommits: number) {
  let commits = 0;
  return async <R>(work: (given: string) => Promise<R>): Promise<R> => {
    await new Promise((resolve) => setImmediate(resolve));
    const result = await work("");
    if (commits++ < failingCommits) throw new Error("the connection broke at the commit");
    return result;
  };
}

test("a commit that failed is not repeated: it may have come through", async () => {
  const ask = createBatcher(fakeWriter(1));
  const performed: number[][] = [];
  const take = async (_: string, items: number[]) => {
    performed.push(items);
    return items;
  };
  const answers = await Promise.allSettled([1, 2, 3].map((item) => ask(take, item)));
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(performed).toEqual([[1, 2, 3]]);
  expect(await ask(take, 4)).toBe(4);
});

test("an item that comes while a batch runs joins the next batch", async () => {
  const ask = createBatcher(fakeWriter(0));
  const seen: string[][] = [];
  let late: Promise<string> | null = null;
  const take = async (_: string, items: string[]) => {
    seen.push([...items]);
    late ??= ask(take, "late");
    return items;
  };
  await ask(take, "early");
  expect(await late).toBe("late");
  expect(seen).toEqual([["early"], ["late"]]);
});

test("each item gets its own answer exactly once, in any order and with any failures", async () => {
  const arrivals = fc.array(fc.record({ wait: fc.nat(3), bad: fc.boolean() }), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(arrivals, async (items) => {
      const ask = createBatcher(fakeWriter(0));
      const done = new Map<number, number>();
      const take = async (_: string, indices: number[]) => {
        if (indices.some((index) => items[index]?.bad)) throw new Error("bad");
        for (const index of indices) done.set(index, (done.get(index) ?? 0) + 1);
        return indices.map((index) => `answer ${index}`);
      };
      const answers: Promise<string>[] = [];
      for (const [index, { wait }] of items.entries()) {
        for (let turn = 0; turn < wait; turn++) await new Promise((resolve) => setImmediate(resolve));
        answers.push(ask(take, index));
        answers.at(-1)?.catch(() => {});
      }
      const settled = await Promise.allSettled(answers);
      expect(settled.map((one) => (one.status === "fulfilled" ? one.value : "refused"))).toEqual(
        items.map(({ bad }, index) => (bad ? "refused" : `answer ${index}`)),
      );
      expect([...done.values()].every((times) => times === 1)).toBe(true);
    }),
    { numRuns: 50 },
  );
});
