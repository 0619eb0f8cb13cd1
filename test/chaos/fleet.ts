// Several instances behind a balancer that look like one service, each with a way of its own to the database.
import { join } from "node:path";
import { createService, freePort, type Service } from "../crash/service.ts";
import { shutdownGraceMs } from "../crash/settings.ts";
import { startBalancer } from "./balancer.ts";
import { openWay, type Way } from "./way.ts";

/** `next` has one more migration. */
export type Release = "present" | "next";

export interface Member {
  service: Service;
  way: Way;
  /** Its wall clock is wrong by so much from its next start on. */
  setSkew(ms: number): void;
  /** The release that it runs from its next start on. */
  setRelease(release: Release): void;
  isFrozen: boolean;
}

export interface Fleet extends Service {
  members: Member[];
}

const preloaded = ["skew.ts", "next-release.ts"].map((file) => `--import=${join(import.meta.dirname, file)}`);

/** @param options as for one service; its port becomes the balancer's */
export async function createFleet(
  count: number,
  options: { env: Record<string, string>; port: number; log: string },
): Promise<Fleet> {
  const database = new URL(options.env.DATABASE_URL ?? "");
  const members: Member[] = [];
  const ports: number[] = [];
  for (let nth = 0; nth < count; nth++) {
    const port = await freePort();
    const way = await openWay(Number(database.port));
    const url = new URL(database);
    url.port = String(way.port);
    const env: Record<string, string> = {
      ...options.env,
      PORT: String(port),
      DATABASE_URL: url.href,
      NODE_OPTIONS: preloaded.join(" "),
    };
    const service = createService({ env, port, log: options.log });
    members.push({
      service,
      way,
      isFrozen: false,
      setSkew: (ms) => {
        env.CHAOS_SKEW_MS = String(ms);
      },
      setRelease: (release) => {
        env.CHAOS_RELEASE = release;
      },
    });
    ports.push(port);
  }
  const balancer = await startBalancer(options.port, ports);
  return {
    url: `http://127.0.0.1:${options.port}`,
    members,
    pid: () => members[0]?.service.pid() ?? null,
    async start() {
      const started = await Promise.all(members.map(({ service }) => service.start()));
      if (!started.every((listens) => listens)) return false;
      await balancer.knowsAll();
      return true;
    },
    kill: async () => void (await Promise.all(members.map(({ service }) => service.kill()))),
    async terminate(withinMs) {
      const codes = await Promise.all(members.map(({ service }) => service.terminate(withinMs)));
      await balancer.close();
      for (const { way } of members) way.close();
      return codes.find((code) => code !== 0) ?? 0;
    },
    get complaints() {
      return members.flatMap(({ service }, nth) =>
        service.complaints.map((text) => `instance ${nth}: ${text}`),
      );
    },
  };
}

export function freeze(member: Member): void {
  const pid = member.service.pid();
  if (pid === null) return;
  process.kill(pid, "SIGSTOP");
  member.isFrozen = true;
}

export function thaw(member: Member): void {
  const pid = member.service.pid();
  if (pid !== null) process.kill(pid, "SIGCONT");
  member.isFrozen = false;
}

export { shutdownGraceMs };
