// Authentication by configured API keys (`lk_…`) and issued, JWT-like tokens [api-reference/introduction].
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import type { Chaos } from "./chaos.ts";

export interface Account {
  email: string;
  password: string;
}

type Tokens = {
  access_token: string;
  refresh_token: string;
  expires_in: number;
};

export interface Auth {
  /** Undefined for a wrong email or password. */
  login(email: string, password: string): Tokens | undefined;
  /** Each refresh token works once. Undefined for any other. */
  refresh(refreshToken: string): Tokens | undefined;
  /** Undefined if the header is valid, else the text of the 401. */
  refusal(authorization: string | undefined): string | undefined;
}

interface AuthOptions {
  apiKeys: readonly string[];
  accounts: readonly Account[];
  tokenLifeMs: number;
  chaos: Chaos;
  now: () => number;
}

const refreshTokensKept = 1000;

export function createAuth({ apiKeys, accounts, tokenLifeMs, chaos, now }: AuthOptions): Auth {
  const secret = randomBytes(32);
  const refreshTokens = new Set<string>();
  const sign = (text: string) => createHmac("sha256", secret).update(text).digest("base64url");

  function issue(email: string): Tokens {
    const iat = Math.floor(now() / 1000);
    const good_until = (now() + tokenLifeMs) / 1000;
    const claims = { sub: email, iat, ...expiry(good_until), good_until, jti: randomUUID() };
    const unsigned = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
    const refresh_token = `r-${randomUUID()}`;
    refreshTokens.add(refresh_token);
    for (const oldest of refreshTokens) {
      if (refreshTokens.size <= refreshTokensKept) break;
      refreshTokens.delete(oldest);
    }
    return {
      access_token: `${unsigned}.${sign(unsigned)}`,
      refresh_token,
      expires_in: Math.floor(tokenLifeMs / 1000),
    };
  }

  function expiry(goodUntil: number): { exp?: number } {
    const { token_exp } = chaos.current();
    if (token_exp === "absent") return {};
    return { exp: token_exp === "past" ? now() / 1000 - 60 : goodUntil };
  }

  return {
    login(email, password) {
      const known = accounts.some((account) => account.email === email && account.password === password);
      return known ? issue(email) : undefined;
    },
    refresh(refreshToken) {
      return refreshTokens.delete(refreshToken) ? issue("refreshed") : undefined;
    },
    refusal(authorization) {
      if (authorization === undefined) return "Not authenticated";
      const token = /^Bearer (.+)$/.exec(authorization)?.[1];
      if (token === undefined) return "Invalid authentication credentials";
      if (token.startsWith("lk_")) return apiKeys.includes(token) ? undefined : "Invalid API key";
      const [header, claims, signature] = token.split(".");
      if (claims === undefined || signature !== sign(`${header}.${claims}`)) return "Invalid token";
      const { good_until } = JSON.parse(Buffer.from(claims, "base64url").toString()) as {
        good_until: number;
      };
      return good_until * 1000 > now() ? undefined : "Token has expired";
    },
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
