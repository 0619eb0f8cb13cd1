// The operator's page as it is served: all of it from this origin, under a policy that lets no script in.
import { afterAll, beforeAll, expect, it } from "vitest";
import { apiKeys, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

it("the page refers only to parts of its own origin, and contains no script and no style", async () => {
  const page = await service.nobody.get("/");
  expect(page.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
  expect(page.headers.get("Cache-Control")).toBe("no-store");
  expect(page.text).not.toMatch(
    /https?:\/\/(?!www\.w3\.org)|<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/,
  );
  const links = [...page.text.matchAll(/(?:src|href)="(ui\/[^"]*)"/g)].map(([, link = ""]) => link);
  expect(links.length).toBeGreaterThan(10);
  for (const link of links) {
    const part = await service.nobody.get(`/${link}`);
    expect([link, part.status]).toEqual([link, 200]);
    expect(part.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");
    expect(part.headers.get("Content-Type")).toMatch(/^text\/(javascript|css); charset=utf-8$/);
  }
});

it("the policy names no source but this origin, nothing unsafe, and requires Trusted Types", async () => {
  const policy = (await service.nobody.get("/")).headers.get("Content-Security-Policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("require-trusted-types-for 'script'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
});

it("modules import each other by names that contain a hash of their content, without types and source maps", async () => {
  const page = await service.nobody.get("/");
  const [, entry = ""] = /<script type="module" src="([^"]+)"/.exec(page.text) ?? [];
  const { text } = await service.nobody.get(`/${entry}`);
  const imports = [...text.matchAll(/from "([^"]+)"/g)].map(([, name]) => name);
  expect(imports.length).toBeGreaterThan(2);
  for (const name of imports) expect(name).toMatch(/^\.\/[\w-]+\.[0-9a-f]{12}\.js$/);
  expect(text).not.toContain(": string");
});

it("no other file of the machine is served", async () => {
  for (const file of ["main.ts", "..%2Fapp.ts", "constructor", "%2Fetc%2Fpasswd", "package.json"])
    expect((await service.nobody.get(`/ui/${file}`)).status).toBe(404);
});

it("the page contains whether the browser is signed in", async () => {
  expect((await service.nobody.get("/")).text).toContain('data-signed-in="false"');
  const answer = await service.nobody.post("/session", { key: apiKeys.ann });
  const Cookie = (answer.headers.get("Set-Cookie") ?? "").split(";")[0] ?? "";
  expect((await service.nobody.get("/", { Cookie })).text).toContain('data-signed-in="true"');
});
