// The reference page: everything from our own origin, and nothing that the page's own policy would stop.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const linked = /(?:src|href)="([^"]*)"/g;

it("the page and all parts that it links to come from this origin", async () => {
  const page = await service.nobody.get("/docs");
  expect(page.status).toBe(200);
  expect(page.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
  expect(page.text).not.toMatch(/https?:|["']\/\//);
  const links = [...page.text.matchAll(linked)].map(([, url = ""]) => url).filter((url) => url !== "data:,");
  expect(links.length).toBe(4);
  for (const url of links) {
    const { pathname, search, origin } = new URL(url, `${service.url()}/docs`);
    expect(origin).toBe(service.url());
    const part = await service.nobody.get(pathname + search);
    expect([url, part.status]).toEqual([url, 200]);
    expect(part.headers.get("Cache-Control")).toMatch(/^public, max-age=\d+$/);
    expect(part.text.length).toBeGreaterThan(100);
  }
});

it("the page's policy admits no other origin and no inline script", async () => {
  const { headers, text } = await service.nobody.get("/docs");
  const policy = headers.get("Content-Security-Policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).not.toMatch(/unsafe|https?:|\*/);
  expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
});

it("the page's own script shows our document and calls no other origin", async () => {
  const { text, headers } = await service.nobody.get("/docs/start.js");
  expect(headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
  expect(text).toContain('url: "openapi.json"');
  expect(text).toContain("validatorUrl: null");
  expect(text).not.toMatch(/https?:/);
});

it("other files of the package and of the machine are not served", async () => {
  for (const file of [
    "index.html",
    "package.json",
    "swagger-ui.js",
    "constructor",
    "..%2Fpackage.json",
    "%2Fetc%2Fpasswd",
  ])
    expect((await service.nobody.get(`/docs/${file}`)).status).toBe(404);
});
