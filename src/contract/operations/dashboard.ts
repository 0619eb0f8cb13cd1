// Operations of the dashboard: the page, its files, and its session.
import { z } from "zod";
import { jsonBodyOf, type Operation } from "../operation.ts";
import { signInBody } from "../session.ts";

export const getDashboard = {
  id: "getDashboard",
  tag: "Operations",
  summary: "Show the dashboard",
  answers: { 200: { description: "The page.", content: { "text/html": z.string() } } },
} satisfies Operation;

export const getDashboardPart = {
  id: "getDashboardPart",
  isInternal: true,
  tag: "Operations",
  summary: "Read a script or stylesheet of the dashboard",
  answers: {
    200: { description: "The file.", content: { "text/css": z.string(), "text/javascript": z.string() } },
  },
  problems: ["not-found"],
} satisfies Operation;

export const signIn = {
  id: "signIn",
  tag: "Operations",
  summary: "Sign in to the dashboard",
  description:
    "Requests with the cookie act with the key's role; changing requests must come from the dashboard itself. The session ends after 12 hours, on sign-out, or with its key.",
  body: jsonBodyOf(signInBody, { key: { key: "0b3f8f5e7a1d4c2e9b6a5d4c3b2a190807060504" } }),
  answers: {
    204: {
      description: "Signed in.",
      headers: {
        "Set-Cookie": "`__Host-proctor`, on a loopback address `proctor`: HttpOnly, SameSite=Strict.",
      },
    },
  },
  problems: [
    "unauthorized",
    "forbidden",
    "too-many-attempts",
    "database-unavailable",
    "insufficient-storage",
  ],
} satisfies Operation;

export const signOut = {
  id: "signOut",
  tag: "Operations",
  summary: "Sign out of the dashboard",
  answers: {
    204: { description: "The session has ended.", headers: { "Set-Cookie": "Removes the cookie." } },
  },
  problems: ["forbidden", "database-unavailable", "insufficient-storage"],
} satisfies Operation;
