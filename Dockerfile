# syntax=docker/dockerfile:1
# Proctor as an image: Node, the production packages and the TypeScript sources, which Node 26 runs as they are.

FROM node:26.10.0-slim AS packages
WORKDIR /app
# Only these files decide about the packages: an edit of the sources leaves this layer in the cache.
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json packages/client/
# Sources that are compiled already, and maps for debuggers, are a quarter of what is installed.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev \
 && rm -rf node_modules/better-sqlite3/deps \
 && find node_modules -name '*.map' -delete

# The interpreter alone: no npm, no compiler, nothing else to patch.
FROM debian:bookworm-slim
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="proctor" \
      org.opencontainers.image.description="Runs jobs on Lyceum Cloud for queue workers" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
ENV NODE_ENV=production \
    NODE_COMPILE_CACHE=/app/.compile-cache \
    PORT=8080 \
    DATABASE_URL=sqlite:/data/proctor.db
# Node needs this library, and a slim Debian lacks it.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libatomic1 \
 && rm -rf /var/lib/apt/lists/*
# A number, so that Kubernetes can prove that the user is not root. A new volume takes over the owner of /data.
RUN groupadd --gid 10001 proctor \
 && useradd --uid 10001 --gid proctor --home-dir /data --shell /usr/sbin/nologin proctor \
 && install --directory --owner=proctor --group=proctor /data /app /app/.compile-cache
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY package.json ./
COPY bin ./bin
COPY migrations ./migrations
COPY src ./src
RUN ln -s /app/bin/proctor.js /usr/local/bin/proctor
USER 10001:10001
# Loads the whole service once, so that no start compiles it again. Node keys the cache by its version and the user.
RUN DATABASE_URL=sqlite:/tmp/warm/proctor.db node bin/proctor.js migrate && rm -rf /tmp/warm
VOLUME /data
EXPOSE 8080
# Alive, not ready: a container that waits for its database must not be restarted for it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Exec form: a shell in between would keep the signal to itself, and claims would not be handed back.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/proctor.js"]
CMD ["serve"]
