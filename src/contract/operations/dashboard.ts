// What is published of the operator's page: the page, its parts, and its sign-in.
import { z } from "zod";
import { jsonBodyOf, type Operation } from "../operation.ts";
import { signInBody } from "../session.ts";

export const getDashboard: Operation = {
  id: "getDashboard",
  tag: "Operations",
  summary: "The operator's page, for a browser",
  answers: { 200: { description: "The page.", content: { "text/html": z.string() } } },
};

export const getDashboardPart: Operation = {
  id: "getDashboardPart",
  tag: "Operations",
  summary: "A script or stylesheet of the operator's page",
  answers: {
    200: { description: "The file.", content: { "text/css": z.string(), "text/javascript": z.string() } },
  },
  problems: ["not-found"],
};

export const signIn: Operation = {
  id: "signIn",
  tag: "Operations",
  summary: "Sign a browser in to the operator's page",
  description:
    "Requests with the cookie act with the key's role; those that change something must come from Proctor's own page. The session ends after 12 hours, on sign-out, and with its key.",
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
};

export const signOut: Operation = {
  id: "signOut",
  tag: "Operations",
  summary: "End the browser's session",
  answers: {
    204: { description: "There is none any more.", headers: { "Set-Cookie": "Removes the cookie." } },
  },
  problems: ["forbidden", "database-unavailable", "insufficient-storage"],
};
