// One simulated life of the service: a seed decides the weather, the callers, the faults and their order; after
// every step the invariants are checked, and in the end the books are compared with the reference model.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../../src/app.ts";
import { type Config, readConfig } from "../../src/config.ts";
import { openDialect } from "../../src/store/db/dialect.ts";
import { createAgenda } from "./agenda.ts";
import { openBooks, type Snapshot } from "./books.ts";
import { createClients } from "./clients.ts";
import { createFate } from "./fate.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import { createHost } from "./host.ts";
import { createHostClock } from "./host-clock.ts";
import { createInvariants } from "./invariants.ts";
import { createJudge } from "./judge.ts";
import { createLyceum } from "./lyceum.ts";
import { createNetwork } from "./network.ts";
import { createPostman } from "./postman.ts";
import { type Disk, type Power, poweredDialect } from "./power.ts";
import { createRandom, type Random } from "./random.ts";
import { compareWithReference } from "./reference.ts";
import { createSharedDatabase } from "./shared-database.ts";
import { createWakeUps } from "./wake-ups.ts";
import { createSky } from "./weather/sky.ts";

export interface Story {
  seed: number;
  /** Names of the weathers that it draws. */
  weathers: string[];
  hosts: number;
  /** The first violation; null if there is none. */
  failure: string | null;
  trace: string[];
  /** The same for the same story. */
  hash: string;
  steps: number;
  virtualMs: number;
}

const MINUTE = 60_000;
const MAX_STEPS_PER_HOST = 80_000;
/** Calm time after which everything must have come to rest: orphans are watched for an hour. */
const PATIENCE_MS = 240 * MINUTE;

/** Wanted in place of what the seed draws. */
export interface Wishes {
  weathers?: string[] | null;
  /** 1 is the service on SQLite; more share a database. */
  hosts?: number | null;
}

export async function simulate(
  seed: number,
  { weathers: wanted = null, ...given }: Wishes = {},
): Promise<Story> {
  const random = createRandom(seed);
  // Sources of their own: the other draws of a seed stay as they were.
  const count = given.hosts ?? createRandom(seed ^ 0x5bd1e995).pick([1, 1, 2, 3]);
  const deletion = drawDeletion(createRandom(~seed));
  // Several hosts look into the database every second or two: days of that take too long.
  if (count > 1) deletion.byRetention = false;
  const folder = mkdtempSync(join(MEMORY, "proctor-simulation-"));
  const path = join(folder, "proctor.db");
  const databaseUrl = count === 1 ? `sqlite:${path}` : "postgres://shared.test/proctor";
  const config = drawConfig(random, databaseUrl, deletion.byRetention);
  writeFileSync(path, await migrated());
  const agenda = createAgenda(random.fork());
  const books = openBooks(path);
  const lines: string[] = [];
  let failure: string | null = null;
  let steps = 0;

  const trace = (line: string) => void lines.push(`${stamp(agenda.monotonic())} ${line}`);
  const fail = (what: string) => {
    failure ??= what;
  };
  const guarded = <A extends unknown[]>(listener: (...given: A) => void) => {
    return (...given: A) => attempt(() => listener(...given));
  };
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      fail(String(error));
    }
  };
  const guard = <T>(work: () => Promise<T>) => void work().catch((error) => fail(String(error)));

  const lyceum = createLyceum(random.fork(), agenda.monotonic, agenda.after);
  const isPatient = random.chance(0.15);
  const chaosMs = random.between(2 * MINUTE, 14 * MINUTE);
  const sky = createSky({ random: random.fork(), agenda, lyceum, chaosMs, wanted, trace });
  const isNear = createRandom(seed ^ 0x3c6ef372).chance(0.35);
  const network = createNetwork(random.fork(), agenda, { lyceum, sky, isNear, trace });
  const slowCommits = random.pick([0, 0, 0.02, 0.2]);
  const hardware = { config, agenda, network, slowCommits, fail };
  const fleet = (count === 1 ? buildHost : buildHosts)(random.fork());
  const invariants = createInvariants(books, agenda, (event) => trace(`books     ${event}`));
  const judge = createJudge({
    ...{ books, agenda, fleet, lyceum, submit: config.submit, slackMs: slowCommits > 0 ? MINUTE / 2 : 0 },
    inDoubtAfterMs: config.inDoubtAfterMs,
    pollMaxMs: config.poll.maxMs,
    callbackGraceMs: config.callbackGraceMs,
    retentionMs: config.retentionMs,
  });
  network.onSent(guarded(judge.sent));
  network.onJudged(guarded(judge.judged));
  network.onHeard(guarded(judge.heard));
  lyceum.onTaken(guarded(judge.taken));
  lyceum.onTaken((work) => {
    trace(`lyceum    takes ${work.marker.slice(-6)} as ${work.id}, to end as ${work.word}`);
  });
  lyceum.onEnd((work) => trace(`lyceum    ${work.id} ends as ${work.word}`));

  const clients = createClients({
    ...{ random: random.fork(), agenda, books, call: fleet.call, lyceum, judge, keys: KEYS, trace, guard },
    forMs: chaosMs,
    deletes: deletion.byCallers,
  });
  createPostman({ random: random.fork(), agenda, lyceum, call: fleet.call, judge, trace, guard });
  const fate = createFate({
    random: random.fork(),
    startFreezes: createRandom(seed ^ 0x2545f491),
    agenda,
    fleet,
    network,
    lyceum,
    sky,
    judge,
    chaosMs,
    trace,
  });
  for (const host of fleet.hosts) {
    if (count === 1) host.onDown(invariants.forgive);
    host.onDown((instance) => judge.died(host, instance));
    host.onFreeze((ms) => judge.stoodStill(host, ms));
    host.boot();
  }

  let unfinished = [""];
  await goOnUntil(isAtRest);
  if (failure === null) {
    const { cancelsAsked } = clients;
    // From here on nothing kept the service from doing its work: no fault, no downtime, no pause that Lyceum asked for,
    // and no wake-up that a clock set back has moved away.
    const upSince = fleet.allAwakeSince() ?? 0;
    const calmAt = Math.max(chaosMs, upSince, judge.pausedUntil()) + agenda.setBackMs(upSince);
    const hasLeapt = agenda.hasLeapt();
    const { isForgotten } = judge.deletions;
    attempt(() =>
      compareWithReference({ books, lyceum, ...judge, cancelsAsked, calmAt, hasLeapt, isForgotten }),
    );
    // Then the retention takes all.
    if (deletion.byRetention) await goOnUntil(() => books.jobs().length === 0);
    attempt(judge.deletions.compare);
  }
  if (failure !== null) trace(`FAILED    ${failure}`);
  for (const host of fleet.hosts) host.cutAfter(-1);
  books.close();
  rmSync(folder, { recursive: true });
  const hash = createHash("sha1").update(lines.join("\n")).digest("hex");
  return {
    seed,
    weathers: sky.drawn,
    hosts: count,
    failure,
    trace: lines,
    hash,
    steps,
    virtualMs: agenda.monotonic(),
  };

  function buildHost(random: Random): Fleet {
    const openDatabase = (power: Power, disk: Disk) =>
      poweredDialect(openDialect(config.database), power, agenda, disk);
    const wakeUpsOf = createWakeUps(agenda, random);
    const parts = { ...hardware, random, clock: createHostClock(agenda, 0), openDatabase, wakeUpsOf };
    return createFleet([createHost({ ...parts, name: "proctor" })], agenda, random);
  }

  function buildHosts(random: Random): Fleet {
    const database = createSharedDatabase(
      () => openDialect({ kind: "sqlite", path }),
      agenda,
      guarded((instance: string) => judge.committed(instance)),
    );
    const wakeUpsOf = createWakeUps(agenda, random.fork());
    const hosts = Array.from({ length: count }, (_, index) => {
      const clock = createHostClock(agenda, random.between(-5, 5) * random.pick([0, 1_000, MINUTE]));
      const parts = {
        ...hardware,
        random: random.fork(),
        clock,
        openDatabase: database.dialectFor,
        wakeUpsOf,
      };
      return createHost({ ...parts, name: `proctor ${index + 1}` });
    });
    return createFleet(hosts, agenda, random.fork());
  }

  async function goOnUntil(isOver: () => boolean): Promise<void> {
    while (failure === null && !isOver()) {
      if (++steps > count * MAX_STEPS_PER_HOST || agenda.monotonic() > chaosMs + PATIENCE_MS)
        fail(`no rest: ${unfinished}`);
      else if (!(await agenda.step())) fail("nothing is left to happen");
      else {
        fate.watch();
        if (books.hasChanged()) attempt(() => look(books.snapshot()));
      }
    }
  }

  function look(snapshot: Snapshot): void {
    invariants.check(snapshot, fleet.allAwakeSince());
    judge.check(snapshot);
    const runs = snapshot.runs.filter((run) => run.ended_at === null);
    const executions = snapshot.executions.filter(({ phase }) => phase !== "closed");
    // The watch for an orphan that does not exist takes an hour: not every story is told so far.
    const open = executions.filter(({ id, status }) => isPatient || status !== "lost" || isTaken(id));
    const marked = snapshot.jobs.filter((job) => job.deleted_at !== null);
    unfinished = [...runs, ...open, ...marked].map(({ id, status }) => `${id} ${status}`);
    unfinished.push(...snapshot.inbox.map(({ id }) => `${id} in the inbox`));
  }

  function isTaken(marker: string): boolean {
    return lyceum.works.some((work) => work.marker === marker);
  }

  function isAtRest(): boolean {
    const isQuiet =
      agenda.monotonic() > chaosMs && clients.unanswered() === 0 && fleet.allAwakeSince() !== null;
    return isQuiet && unfinished.length === 0;
  }
}

function drawDeletion(random: Random): { byCallers: boolean; byRetention: boolean } {
  return { byCallers: random.chance(0.3), byRetention: random.chance(0.25) };
}

function drawConfig(random: Random, databaseUrl: string, isPruned = false): Config {
  const result = readConfig({
    LYCEUM_API_KEY: "lk_simulated",
    LYCEUM_BASE_URL: "https://lyceum.test/api",
    API_KEYS: KEYS.map(({ name, key }) => `${name}:${key}`).join(","),
    CALLBACK_SECRETS: "a-secret-of-the-simulation-that-is-long-enough",
    PUBLIC_URL: random.chance(0.9) ? "https://proctor.test" : undefined,
    DATABASE_URL: databaseUrl,
    SUBMIT_LIMIT: random.pick(["100/1h", "4/3m", "none"]),
    SUBMIT_CONCURRENCY: random.pick(["1", "2", "8"]),
    IN_DOUBT_AFTER: random.pick(["2m", "2m", "5m"]),
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  // Shorter than the settings allow, so that retention meets the faults.
  return isPruned ? { ...result.config, retentionMs: 4 * MINUTE } : result.config;
}

const KEYS = ["alice", "bob"].map((name) => ({ name, key: name.repeat(16) }));

/** A folder in memory. The effect of a power failure on a real disk is not simulated. */
const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
let template: Promise<Buffer> | null = null;

/** A database as the first start leaves it, made once. */
function migrated(): Promise<Buffer> {
  template ??= (async () => {
    const folder = mkdtempSync(join(MEMORY, "proctor-simulation-"));
    const path = join(folder, "template.db");
    await migrate({ kind: "sqlite", path });
    const file = readFileSync(path);
    rmSync(folder, { recursive: true });
    return file;
  })();
  return template;
}

function stamp(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}
